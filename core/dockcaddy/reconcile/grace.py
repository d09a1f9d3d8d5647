"""A resource that is gone may be on its way back: its sites wait for it, without traffic to it. Pure."""

from collections.abc import Callable, Sequence

from attrs import define, evolve, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.model import EngineInventory, Inventory, Resource


@frozen
class _Gone:
    resource: Resource
    until: float


@define
class GracePeriod:
    """Keeps resources that are gone for a short time."""

    _present: dict[str, Resource] = field(factory=dict)
    _gone: dict[str, _Gone] = field(factory=dict)

    @property
    def due(self) -> float | None:
        """When the next of them has waited long enough, in seconds of the clock."""
        return min((each.until for each in self._gone.values()), default=None)

    def apply(self, inventory: Inventory, linger: Callable[[str], float], now: float) -> Inventory:
        """The inventory with those that went lately, as stopped ones; the same object where there are none.

        `linger` gives for how many seconds each is to stay, by its fragment's key.
        """
        present = {each.key: each for engine in inventory.engines for each in engine.resources}
        for key in self._present.keys() - present.keys():
            if seconds := linger(key):
                self._gone[key] = _Gone(_stopped(self._present[key]), now + seconds)
        self._gone = {key: each for key, each in self._gone.items() if key not in present and now < each.until}
        self._present = present
        return Inventory(tuple(map(self._completed, inventory.engines))) if self._gone else inventory

    def _completed(self, engine: EngineInventory) -> EngineInventory:
        gone = tuple(each.resource for each in self._gone.values() if each.resource.engine == engine.name)
        return evolve(engine, resources=(*engine.resources, *gone)) if gone else engine

    def needed(self, fragments: Sequence[Fragment]) -> Sequence[Fragment]:
        """The fragments without those of gone resources whose sites others have by now: these need not wait any more."""
        if not self._gone:
            return fragments
        others = {group for each in fragments if each.key not in self._gone for group in each.groups}
        replaced = {each.key for each in fragments if each.key in self._gone and each.groups <= others}
        self._gone = {key: each for key, each in self._gone.items() if key not in replaced}
        return [each for each in fragments if each.key not in replaced]


def _stopped(resource: Resource) -> Resource:
    """The resource without its addresses, which may be another's soon."""
    attachments = tuple(evolve(each, ipv4="", ipv6="") for each in resource.attachments)
    return evolve(resource, state="exited", running=False, stopping=True, targets=(), attachments=attachments)
