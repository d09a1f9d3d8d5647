"""The resources of the last pass, with their conditions. Only those that changed are looked at again. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Difference, places
from dockcaddy.model import EngineInventory, Resource, Unserved
from dockcaddy.status.dates import Dates
from dockcaddy.status.model import Conditions, ResourceStatus, SiteStatus
from dockcaddy.status.observation import Observation, by_resource
from dockcaddy.status.places import Places
from dockcaddy.status.resources import Facts, accepted, programmed, ready, unserved_conditions


@frozen
class Changed:
    """What is different after a pass: the keys of resources, and the addresses and names that they had or have."""

    keys: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.keys)


@define(eq=False)
class ResourceBook:
    """All resources. `made` counts how many were looked at."""

    prefix: str
    places: Places = field(factory=Places)
    facts: dict[str, Facts] = field(factory=dict)
    statuses: dict[str, ResourceStatus] = field(factory=dict)
    made: int = 0
    _unserved: dict[str, Unserved] = field(factory=dict)
    _lists: tuple[tuple[str, tuple[Unserved, ...]], ...] = ()
    # those of which the configuration has nothing, or something else
    _partial: set[str] = field(factory=set)
    _seen: Observation | None = None

    @property
    def partial(self) -> Mapping[str, Facts]:
        """What is known of the resources of which the configuration has not all, in the order of the inventory."""
        if self._seen is None:
            return {}
        found = [self.facts[key] for key in self._partial]
        there = places([each.resource for each in found], _resources(self._seen))
        found.sort(key=lambda each: there[each.resource])
        return {each.resource.key: each for each in found}

    def take(self, seen: Observation, dates: Dates) -> Changed:
        """Another pass. `Ready` is set by `set_ready` once the sites are known."""
        # what a fault has interrupted is made anew
        before, self._seen = self._seen, None
        if before is None or before.failure != seen.failure:
            new = {each.resource.key: each for each in _every_fact(seen)}
            gone = self.facts.keys() - new.keys()
        else:
            new, gone = self._differing(before, seen)
        changed = self._moved(new, gone)
        for key, facts in new.items():
            self._make(key, facts, dates)
        for key in gone:
            self.statuses.pop(key, None)
            dates.forget(key)
            self.facts.pop(key, None)
        self.facts.update(new)
        self._partial -= gone | new.keys()
        self._partial |= {key for key, each in new.items() if each.part is None or each.part is not each.fragment}
        keys = self._take_unserved(seen, dates, anew=before is None or bool(new or gone))
        self._seen = seen
        return Changed(changed.keys | keys, changed.addresses, changed.owners)

    def _differing(self, before: Observation, seen: Observation) -> tuple[dict[str, Facts], set[str]]:
        """The facts that are different now, by key, and the keys of resources that are gone."""
        resources = Difference.of(_resources(before), _resources(seen))
        fragments, parts = Difference.of(before.fragments, seen.fragments), Difference.of(before.parts, seen.parts)
        here = {each.key: each for each in resources.new}
        gone = {each.key for each in resources.gone} - here.keys()
        names = {each.resource for each in set(before.problems) ^ set(seen.problems)}
        keys = here.keys() | {each.key for of in (fragments, parts) for each in (*of.gone, *of.new)}
        keys |= {each.key for each in _resources(seen) if str(each) in names} if names else set()
        keys |= _other_rejections(before, seen)
        keys = {key for key in keys if key in here or (key in self.facts and key not in gone)}
        problems = by_resource(seen.problems)
        there = {key: self.facts[key] for key in keys if key in self.facts}
        fragment_of = _now(keys, {key: each.fragment for key, each in there.items()}, fragments, seen.fragments)
        part_of = _now(keys, {key: each.part for key, each in there.items()}, parts, seen.parts)
        found: dict[str, Facts] = {}
        for key in sorted(keys):
            resource = here[key] if key in here else self.facts[key].resource
            why, rejection = problems.get(str(resource), ()), seen.rejections.get(key)
            found[key] = Facts(resource, fragment_of.get(key), part_of.get(key), rejection, why, seen.failure)
        return found, gone

    def set_ready(self, key: str, sites: Sequence[SiteStatus], dates: Dates) -> None:
        """Set the sites of a resource, and what the conditions of those that it makes mean for it."""
        status, facts = self.statuses[key], self.facts[key]
        before = status.conditions
        made = [each.conditions.ready for each in sites if str(facts.resource) in each.resources]
        is_ready = ready(before.accepted, before.programmed, made, facts)
        conditions = dates.dated(key, (before.accepted, before.programmed, is_ready))
        self.statuses[key] = _status(facts, conditions, tuple(each.name for each in sites))

    def _moved(self, new: Mapping[str, Facts], gone: set[str]) -> Changed:
        addresses: set[str] = set()
        owners: set[str] = set()
        for key in (*gone, *new):
            before, now = self.facts.get(key), new.get(key)
            owners.update(str(each.resource) for each in (before, now) if each is not None)
            resources = (None if each is None else each.resource for each in (before, now))
            addresses.update(self.places.put(*resources))
        return Changed(frozenset((*new, *gone)), frozenset(addresses), frozenset(owners))

    def _make(self, key: str, facts: Facts, dates: Dates) -> None:
        self.made += 1
        is_accepted = accepted(facts)
        is_programmed = programmed(facts, is_accepted)
        before = self.statuses.get(key)
        # its time is that of the ready condition before, until that is known
        is_ready = before.conditions.ready if before is not None else ready(is_accepted, is_programmed, (), facts)
        conditions = Conditions(is_accepted, is_programmed, is_ready)
        self.statuses[key] = _status(facts, conditions, before.sites if before is not None else ())

    def _take_unserved(self, seen: Observation, dates: Dates, *, anew: bool) -> frozenset[str]:
        """Take what is no resource. `anew` where resources are others than before."""
        lists = tuple([(engine.name, engine.unserved) for engine in _engines(seen)])
        if not anew and lists == self._lists:
            return frozenset()
        self._lists, served = lists, self.facts.keys()
        current = {
            key: each
            for engine in _engines(seen)
            for each in engine.unserved
            if (key := f"{engine.name}/{each.id}") not in served
        }
        new = {
            key: each for key, each in current.items() if self._unserved.get(key) != each or key not in self.statuses
        }
        gone = {key for key in self._unserved if key not in current and key not in served}
        caddys = {f"{engine.name}/{engine.caddy.id}" for engine in _engines(seen) if engine.caddy is not None}
        for key, each in new.items():
            self.made += 1
            conditions = dates.dated(key, unserved_conditions(each, self.prefix, is_caddys=key in caddys))
            engine = key.rpartition("/")[0]
            self.statuses[key] = ResourceStatus(key, each.kind, each.name, engine, conditions, each.sites)
        for key in gone:
            self.statuses.pop(key, None)
            dates.forget(key)
        self._unserved = current
        return frozenset((*new, *gone))


def _engines(seen: Observation) -> Sequence[EngineInventory]:
    return seen.inventory.engines if seen.inventory is not None else ()


def _now(
    keys: set[str],
    before: Mapping[str, Fragment | None],
    difference: Difference[Fragment],
    every: tuple[Fragment, ...],
) -> Mapping[str, Fragment | None]:
    """The fragments of these keys by what they were `before`. Where that is not known of one, all of `every` are looked at."""
    changed: dict[str, Fragment | None] = {each.key: None for each in difference.gone}
    changed |= {each.key: each for each in difference.new}
    if keys - before.keys() - changed.keys():
        return {each.key: each for each in every}
    return {**before, **changed}


def _resources(seen: Observation | None) -> tuple[Resource, ...]:
    return seen.inventory.resources if seen is not None and seen.inventory is not None else ()


def _other_rejections(before: Observation, seen: Observation) -> set[str]:
    keys = before.rejections.keys() | seen.rejections.keys()
    return {key for key in keys if before.rejections.get(key) is not seen.rejections.get(key)}


def _every_fact(seen: Observation) -> Iterator[Facts]:
    """What is known of all resources, in the order of the inventory."""
    fragments, parts = ({each.key: each for each in some} for some in (seen.fragments, seen.parts))
    problems = by_resource(seen.problems)
    for resource in _resources(seen):
        key, why = resource.key, problems.get(str(resource), ()) if problems else ()
        yield Facts(resource, fragments.get(key), parts.get(key), seen.rejections.get(key), why, seen.failure)


def _status(facts: Facts, conditions: Conditions, sites: tuple[str, ...]) -> ResourceStatus:
    resource = facts.resource
    return ResourceStatus(
        resource.key,
        resource.kind,
        resource.name,
        resource.engine,
        conditions,
        sites,
        facts.problems,
        resource.image,
        resource.state,
        resource.health,
    )
