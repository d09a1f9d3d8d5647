"""The resources of the last pass, with their conditions. Only those that changed are looked at again. Pure."""

from collections.abc import Collection, Iterator, Mapping

from attrs import define, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.model import Inventory, Problem, Unserved
from dockcaddy.status.dates import Dates
from dockcaddy.status.model import Condition, Conditions, ResourceStatus
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
    _inventory: Inventory = field(factory=Inventory)
    _fragments: Mapping[str, Fragment] = field(factory=dict)

    def take(self, seen: Observation, dates: Dates) -> Changed:
        """Another pass. `Ready` is set by `set_ready` once the sites are known."""
        if seen.inventory is not None:
            self._inventory = seen.inventory
            self._fragments = {each.key: each for each in seen.fragments}
        current = dict(self._facts_of(seen, by_resource(seen.problems)))
        new = {key: each for key, each in current.items() if self.facts.get(key) is not each}
        gone = self.facts.keys() - current.keys()
        changed = self._moved(new, gone)
        for key, facts in new.items():
            self._make(key, facts, dates)
        for key in gone:
            del self.statuses[key]
            dates.forget(key)
        self.facts = current
        keys = self._take_unserved(current.keys(), dates)
        return Changed(changed.keys | keys, changed.addresses, changed.owners)

    def set_ready(self, key: str, sites: Mapping[str, Condition], dates: Dates) -> ResourceStatus:
        """Set the sites of a resource, and what their conditions mean for it."""
        status, facts = self.statuses[key], self.facts[key]
        before = status.conditions
        is_ready = ready(before.accepted, before.programmed, tuple(sites.values()), facts)
        conditions = dates.dated(key, (before.accepted, before.programmed, is_ready))
        self.statuses[key] = _status(facts, conditions, tuple(sites))
        return self.statuses[key]

    def _facts_of(self, seen: Observation, problems: Mapping[str, tuple[Problem, ...]]) -> Iterator[tuple[str, Facts]]:
        """What is known of each resource; the same object where nothing is different."""
        parts = {each.key: each for each in seen.parts}
        for engine in self._inventory.engines:
            for each in engine.resources:
                key = each.key
                of_it = (each, self._fragments.get(key), parts.get(key), seen.rejections.get(key))
                why = problems.get(str(each), ()) if problems else ()
                before = self.facts.get(key)
                is_same = before is not None and before.is_made_of(*of_it, why, seen.failure)
                yield key, before if before is not None and is_same else Facts(*of_it, why, seen.failure)

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

    def _take_unserved(self, served: Collection[str], dates: Dates) -> frozenset[str]:
        engines = self._inventory.engines
        current = {
            key: each
            for engine in engines
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
