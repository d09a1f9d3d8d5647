"""Who conflicts with whom, as a real Caddy reads their sites."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockcaddy import testing
from dockcaddy.admission.conflicts import Conflict
from dockcaddy.admission.conflicts.adapted import SiteAdapter
from dockcaddy.admission.conflicts.shared_sites import SharedSites
from dockcaddy.fragment import Fragment
from dockcaddy.merge.assembly import Assembly
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline

Adapt = Callable[[str], bytes]
Labels = Mapping[str, str]


def inventory_of(*labels: Labels) -> Inventory:
    """Containers with these labels, named a, b, c, d and then by numbers; the first is the oldest."""
    names = ["a", "b", "c", "d", *map(str, range(max(len(labels) - 4, 0)))]
    containers = [
        testing.container(name, labels=dict(given), created=at)
        for at, (name, given) in enumerate(zip(names, labels, strict=False))
    ]
    return Inventory((EngineInventory("local", tuple(containers)),))


def conflicts_in(assembly: Assembly, adapt: Adapt, *, takeovers: bool = False) -> Sequence[Conflict]:
    """The conflicts that show in the text; where there are none, those that show in Caddy's JSON."""
    return SharedSites(SiteAdapter(adapt), allow_shadowing=takeovers).conflicts_in(assembly)


def warnings_in(assembly: Assembly, adapt: Adapt) -> list[str]:
    """What no request comes to."""
    sites = SharedSites(SiteAdapter(adapt))
    sites.conflicts_in(assembly)
    return [str(each) for each in sites.warnings]


def left_out(
    pipeline: Pipeline, fragments: Sequence[Fragment], adapt: Adapt, *, takeovers: bool = False
) -> tuple[list[Conflict], Sequence[Fragment]]:
    """All conflicts, one after the other, and the fragments that are not left out for them."""
    found: list[Conflict] = []
    while conflicts := conflicts_in(pipeline.configuration(fragments).assembly, adapt, takeovers=takeovers):
        found += conflicts
        excluded = {conflict.fragment for conflict in conflicts}
        fragments = [each for each in fragments if each.key not in excluded]
    return found, fragments


class Told:
    """Tells the conflicts among containers with labels, the first being the oldest."""

    def __init__(self, adapt: Adapt, pipeline: Callable[[], Pipeline]) -> None:
        self.adapt, self.pipeline = adapt, pipeline

    def __call__(self, *labels: Labels, base: str = "") -> list[str]:
        """The conflicts to resolve first, beside an operator's Caddyfile."""
        return [str(each.problem) for each in conflicts_in(self.assembly(*labels, base=base), self.adapt)]

    def warnings(self, *labels: Labels, base: str = "") -> list[str]:
        """What no request comes to."""
        return warnings_in(self.assembly(*labels, base=base), self.adapt)

    def assembly(self, *labels: Labels, base: str = "") -> Assembly:
        """What they make together."""
        caddyfile: Any = BaseCaddyfile("Caddyfile", base) if base else None
        return self.pipeline().build(inventory_of(*labels), caddyfile).assembly
