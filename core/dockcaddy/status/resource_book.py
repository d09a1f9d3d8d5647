"""The resources of the last pass, with their conditions. Only those that changed are looked at again. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from attrs import define, field, frozen

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
    _seen: Observation = field(factory=Observation)

    def take(self, seen: Observation, dates: Dates) -> Changed:
        """Another pass. `Ready` is set by `set_ready` once the sites are known."""
        resources = {each.key: each for engine in _engines(seen) for each in engine.resources}
        new = {each.resource.key: each for each in _facts(seen, resources, _touched(self._seen, seen))}
        gone = self.facts.keys() - resources.keys()
        changed = self._moved(new, gone)
        for key, facts in new.items():
            self._make(key, facts, dates)
        for key in gone:
            self.statuses.pop(key, None)
            dates.forget(key)
        # in the order of the inventory, however it came to be
        self.facts = {key: new[key] if key in new else self.facts[key] for key in resources}
        keys = self._take_unserved(seen, resources.keys(), dates)
        # only now: what a fault has interrupted is looked at again
        self._seen = seen
        return Changed(changed.keys | keys, changed.addresses, changed.owners)

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

    def _take_unserved(self, seen: Observation, served: Collection[str], dates: Dates) -> frozenset[str]:
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
        for key, each in new.items():
            self.made += 1
            conditions = dates.dated(key, unserved_conditions(each, self.prefix))
            engine = key.rpartition("/")[0]
            self.statuses[key] = ResourceStatus(key, each.kind, each.name, engine, conditions)
        for key in gone:
            self.statuses.pop(key, None)
            dates.forget(key)
        self._unserved = current
        return frozenset((*new, *gone))


def _engines(seen: Observation) -> Sequence[EngineInventory]:
    return seen.inventory.engines if seen.inventory is not None else ()


def _touched(before: Observation, seen: Observation) -> frozenset[str] | None:
    """The keys of the resources of which something may be different; None for all. Very many are not looked at one by one."""
    if before.failure != seen.failure:
        return None
    names = {each.resource for each in set(before.problems) ^ set(seen.problems)}
    resources, known = ({each for engine in _engines(one) for each in engine.resources} for one in (seen, before))
    keys = {each.key for each in resources ^ known}
    keys |= {each.key for each in set(before.fragments) ^ set(seen.fragments)}
    keys |= {each.key for each in set(before.parts) ^ set(seen.parts)}
    keys |= {
        key
        for key in before.rejections.keys() | seen.rejections.keys()
        if before.rejections.get(key) is not seen.rejections.get(key)
    }
    return frozenset(keys | {each.key for each in resources if names and str(each) in names})


def _facts(seen: Observation, resources: Mapping[str, Resource], touched: frozenset[str] | None) -> Iterator[Facts]:
    """What is known of the touched ones of these resources, by key, in their order."""
    keys = [key for key in resources if touched is None or key in touched]
    wanted = set(keys)
    fragments = {each.key: each for each in seen.fragments if each.key in wanted}
    parts = {each.key: each for each in seen.parts if each.key in wanted}
    problems = by_resource(seen.problems)
    for key in keys:
        resource = resources[key]
        why = problems.get(str(resource), ()) if problems else ()
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
