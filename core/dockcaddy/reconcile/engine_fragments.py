"""The fragments of one engine's resources: each is rendered once for what it was rendered from. Pure."""

from collections.abc import Callable, Mapping
from functools import partial

from attrs import field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Difference
from dockcaddy.model import EngineInventory, Inventory, Resource

# the fragment of a resource, and whether its templates read the inventory
Render = Callable[[Resource], tuple[Fragment, bool]]


@frozen(eq=False)
class EngineFragments:
    """The fragments of `resources`, beside these `operators` and the container that Caddy runs in.

    `reading` are those whose templates read other resources, with the inventory that they read.
    """

    caddy: Resource | None = None
    operators: frozenset[str] = frozenset()
    resources: tuple[Resource, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    reading: Mapping[Resource, Inventory] = field(factory=dict)

    def after(self, engine: EngineInventory, inventory: Inventory, render: Render) -> "EngineFragments":
        """The fragments of the engine now. Only what is new, or was made for something else, is rendered."""
        made: dict[Resource, Fragment] = {}
        reading: dict[Resource, Inventory] = {}
        now = partial(EngineFragments, engine.caddy, engine.operators, engine.resources)

        def rendered(resource: Resource) -> Fragment:
            made[resource], reads = render(resource)
            if reads:
                reading[resource] = inventory
            return made[resource]

        if engine.caddy is not self.caddy:
            return now(tuple(map(rendered, engine.resources)), reading)
        difference = Difference.of(self.resources, engine.resources)
        fragments = difference.mapped(self.fragments, rendered) if difference else self.fragments
        gone = frozenset(difference.gone)
        kept = {each: read for each, read in self.reading.items() if each not in gone}
        moved = self.operators ^ engine.operators
        if moved or any(read is not inventory for read in kept.values()):
            stale = {each for each, read in kept.items() if read is not inventory}
            stale |= {each for each in engine.resources if each.id in moved}
            stale -= made.keys()
            in_order = zip(engine.resources, fragments, strict=True)
            fragments = tuple([rendered(each) if each in stale else fragment for each, fragment in in_order])
            kept = {each: read for each, read in kept.items() if each not in stale}
        return now(fragments, {**kept, **reading})
