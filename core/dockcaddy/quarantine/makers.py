"""Which fragments made the part of a configuration that Caddy refuses, known from Caddy's JSON of each of them alone. Pure."""

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from dockcaddy.caddyjson import Alone
from dockcaddy.caddyjson.document import objects_in
from dockcaddy.caddyjson.places import Place, values_in
from dockcaddy.fragment import Fragment
from dockcaddy.quarantine.refusal import Refusal, said_at


@frozen
class Suspects:
    """Fragments that may be at fault. With `is_certain`, each of them is, whatever stands beside it."""

    fragments: tuple[Fragment, ...] = ()
    is_certain: bool = False


@frozen
class Makers:
    """Finds those who made a part. `alone` has what Caddy says to each fragment alone."""

    alone: Mapping[Fragment, Alone] = field(factory=dict)

    def suspects(self, refused: Refusal, group: Sequence[Fragment]) -> Suspects:
        """Those of a group that a refusal is about; none where that is not known."""
        if not refused.at_load:
            return Suspects(tuple(refused.named(group)[-1:]))
        place = refused.place
        if place.names:
            definitions = {(f"&({name})",) for name in place.names}
            return Suspects(tuple(each for each in group if not definitions.isdisjoint(each.groups)))
        if refused.hosts:
            return self._of_site(place, refused.hosts, group)
        return self._of_settings(refused, group)

    def _of_site(self, place: Place, hosts: Sequence[frozenset[str]], group: Sequence[Fragment]) -> Suspects:
        """Of the fragments of the innermost site around the part, those that have it alone."""
        nearest: list[Fragment] = []
        for some in reversed(hosts):
            mates = [each for each in group if not some.isdisjoint(each.plain_hosts)]
            having = tuple(each for each in mates if self._has(each, place.part))
            if having:
                return Suspects(having, is_certain=True)
            nearest = nearest or mates
        return Suspects(tuple(nearest), is_certain=len(hosts) == len(nearest) == 1)

    def _has(self, fragment: Fragment, part: Any) -> bool:
        alone = self.alone.get(fragment)
        if alone is None or alone.document is None or not isinstance(part, Mapping):
            return False
        return any(_is_made_of(part, each) for each in objects_in(json.loads(alone.document.encode())))

    def _of_settings(self, refused: Refusal, group: Sequence[Fragment]) -> Suspects:
        """Those that have something at the same place alone; if there are some, those with what is said last."""
        path = refused.place.path
        having: dict[Fragment, int] = {}
        for each in group if path else ():
            alone = self.alone.get(each)
            own = (
                refused.place.within(alone.document.rest) if alone is not None and alone.document is not None else None
            )
            if own:
                having[each] = max((said_at(refused.words, value) for value in set(values_in(own))), default=-1)
        last = max(having.values(), default=-1)
        found = [each for each, said in having.items() if said == last]
        if len(found) > 1 and len(found) == len(group):
            # each is adapted beside the options of all
            options: Hashable = ()
            return Suspects(tuple(each for each in found if options in each.groups))
        return Suspects(tuple(found), is_certain=last >= 0 or len(found) == 1)


def _is_made_of(part: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether a part is what a fragment has alone: for more hosts, or a handler with more settings."""
    if "handler" in part:
        return part["handler"] == own.get("handler") and all(part.get(key) == value for key, value in own.items())
    settings = _without_hosts(part)
    return bool(settings) and settings == _without_hosts(own)


def _without_hosts(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sites with equal policies share one."""
    return {key: value for key, value in part.items() if key not in ("match", "subjects")}
