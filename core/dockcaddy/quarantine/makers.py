"""Which fragments made the part of a configuration that Caddy refuses, known from Caddy's JSON of each of them alone. Pure."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from dockcaddy.caddyjson import Alone, with_isolated_sites
from dockcaddy.caddyjson.document import objects_in
from dockcaddy.caddyjson.places import Place, values_in
from dockcaddy.fragment import Fragment
from dockcaddy.quarantine.refusal import Refusal, said_at

# what policies and logs are for
_WHAT_FOR = frozenset(("match", "subjects", "include", "exclude"))


@frozen
class MadeBy:
    """Fragments that may have made it. With `is_certain`, each of them has, whatever stands beside it."""

    fragments: tuple[Fragment, ...] = ()
    is_certain: bool = False


@frozen
class Makers:
    """Finds those who made a part. `alone` has what Caddy says to each fragment alone."""

    alone: Mapping[Fragment, Alone] = field(factory=dict)
    _parts: dict[Fragment, frozenset[str]] = field(factory=dict, init=False)

    def made_by(self, refused: Refusal, group: Sequence[Fragment]) -> MadeBy:
        """Those of a group that a refusal is about; none where that is not known."""
        if not refused.at_load:
            return MadeBy(tuple(refused.named(group)[-1:]))
        place = refused.place
        if place.names:
            definitions = {(f"&({name})",) for name in place.names}
            return MadeBy(tuple(each for each in group if not definitions.isdisjoint(each.groups)))
        if refused.hosts:
            return self._of_site(place, refused.hosts, group)
        return self._of_settings(refused, group)

    def _of_site(self, place: Place, hosts: Sequence[frozenset[str]], group: Sequence[Fragment]) -> MadeBy:
        """Of the fragments of the innermost site around the part, those that have it alone, and all others that do."""
        wanted = _settings(place.part)
        nearest: list[Fragment] = []
        for some in reversed(hosts):
            mates = [each for each in group if not some.isdisjoint(each.plain_hosts)]
            if any(wanted in self._parts_of(each) for each in mates):
                return MadeBy(tuple(each for each in group if wanted in self._parts_of(each)), is_certain=True)
            having = tuple(each for each in mates if self._has_handler(each, place.part))
            if having:
                return MadeBy(having, is_certain=True)
            nearest = nearest or mates
        return MadeBy(tuple(nearest), is_certain=len(hosts) == len(nearest) == 1)

    def _parts_of(self, fragment: Fragment) -> frozenset[str]:
        """The settings of all parts that it has alone."""
        if fragment not in self._parts:
            found = {_settings(each) for each in self._objects_of(fragment)}
            self._parts[fragment] = frozenset(found - {""})
        return self._parts[fragment]

    def _has_handler(self, fragment: Fragment, part: Any) -> bool:
        """Whether a part is a handler of a fragment to which settings were added."""
        if not isinstance(part, Mapping) or "handler" not in part:
            return False
        handlers = [each for each in self._objects_of(fragment) if each.get("handler") == part["handler"]]
        return any(all(part.get(key) == value for key, value in each.items()) for each in handlers)

    def _objects_of(self, fragment: Fragment) -> Iterator[Any]:
        alone = self.alone.get(fragment)
        document = alone.document if alone is not None else None
        return objects_in(json.loads(with_isolated_sites(document).encode())) if document is not None else iter(())

    def _of_settings(self, refused: Refusal, group: Sequence[Fragment]) -> MadeBy:
        """Those that have something at the same place alone; if there are some, those with what is said last."""
        path = refused.place.path
        having: dict[Fragment, int] = {}
        for each in group if path else ():
            alone = self.alone.get(each)
            document = alone.document if alone is not None else None
            if document is not None and (own := refused.place.within(document.rest)):
                having[each] = max((said_at(refused.words, value) for value in set(values_in(own))), default=-1)
        last = max(having.values(), default=-1)
        found = [each for each, said in having.items() if said == last]
        options: Hashable = ()
        definers = [each for each in found if options in each.groups]
        if definers and 1 < len(found) == len(group):
            # each is adapted beside the options of all
            return MadeBy(tuple(definers))
        return MadeBy(tuple(found), is_certain=last >= 0 or len(found) == 1)


def _settings(part: Any) -> str:
    """A part without what it is for: sites with equal policies share one. `""` where nothing is left."""
    if not isinstance(part, Mapping):
        return ""
    # a route may be refused for its hosts
    kept = part if "handle" in part else {key: value for key, value in part.items() if key not in _WHAT_FOR}
    return json.dumps(kept) if kept else ""
