"""Grace period: a resource that is gone may come back soon, so its sites stay for a while, without upstreams. Pure."""

from attrs import define, evolve, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen, Difference
from dockcaddy.model import EngineInventory, Inventory, Resource


@frozen
class _Gone:
    resource: Resource
    until: float


@define
class GracePeriod:
    """Keeps resources that are gone, each for the grace period of the fragment that it had (`_periods`, in seconds)."""

    _periods: dict[str, float] = field(factory=dict)
    _seen: tuple[Resource, ...] = ()
    _gone: dict[str, _Gone] = field(factory=dict)
    _lasting: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: bool(each.grace_period)))

    @property
    def due(self) -> float | None:
        """When the next grace period ends, in seconds of the clock."""
        return min((each.until for each in self._gone.values()), default=None)

    def apply(self, inventory: Inventory, now: float) -> Inventory:
        """The inventory with the resources in their grace period, as stopped ones; the same object without any."""
        difference = Difference.of(self._seen, inventory.resources)
        there = {each.key for each in difference.new}
        for each in difference.gone:
            seconds = self._periods.get(each.key, 0.0)
            if seconds and each.key not in there:
                self._gone[each.key] = _Gone(_stopped(each), now + seconds)
        self._gone = {key: each for key, each in self._gone.items() if key not in there and now < each.until}
        self._seen = inventory.resources
        return Inventory(tuple(map(self._completed, inventory.engines))) if self._gone else inventory

    def _completed(self, engine: EngineInventory) -> EngineInventory:
        gone = tuple(each.resource for each in self._gone.values() if each.resource.engine == engine.name)
        return evolve(engine, resources=(*engine.resources, *gone)) if gone else engine

    def needed(self, fragments: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
        """The fragments without those of gone resources all of whose sites another resource has now.

        Takes note of the grace periods of all fragments, for the next pass.
        """
        self._periods = {each.key: each.grace_period for each in self._lasting.of(fragments)}
        if not self._gone:
            return fragments
        others = {group for each in fragments if each.key not in self._gone for group in each.groups}
        replaced = {each.key for each in fragments if each.key in self._gone and each.groups <= others}
        self._gone = {key: each for key, each in self._gone.items() if key not in replaced}
        return tuple([each for each in fragments if each.key not in replaced])


def _stopped(resource: Resource) -> Resource:
    """The resource without its addresses, which another container may get soon."""
    attachments = tuple(evolve(each, ipv4="", ipv6="") for each in resource.attachments)
    return evolve(
        resource, state="exited", running=False, stopping=True, targets=(), published_at="", attachments=attachments
    )
