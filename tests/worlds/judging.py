"""Labels judged by what a real Caddy makes of them."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen
from dockcaddy import Proxy, Resource, testing
from dockcaddy.caddyfile import all_blocks
from dockcaddy.errors import CaddyRefusal
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Problem
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy_policy import PolicySettings
from policies import PROXY, loaded
from quarantining import quarantine_of

GOOD = testing.container(
    "good",
    labels={
        "caddy_0": "good.test",
        "caddy_0.respond": "good",
        "caddy_1": "http://good.test",
        "caddy_1.respond": "good",
    },
    created=1,
)


@frozen
class Judged:
    """What became of labels: what is told of them, and what was delivered."""

    problems: tuple[Problem, ...]
    configuration: Configuration | None

    @property
    def owners(self) -> set[str]:
        """The containers with labels in it."""
        sections = self.configuration.assembly.sections if self.configuration is not None else ()
        lines = (line for section in sections for line in all_blocks((section.block,)))
        return {origin.resource.split()[-1] for line in lines for origin in line.origins}

    @property
    def rule(self) -> str:
        """The rule that refuses the first container, `caddy` where Caddy does, `""` where nothing does."""
        found = next(
            (each.message for each in self.problems if each.severity == "error"),
            "",
        )
        if found.startswith("caddy refuses it"):
            return "caddy"
        if 'modules = ["' in found:
            return "modules"
        return found.rpartition('["')[2].partition("@")[0]


@define
class Court:
    """Judges labels. `adapt` is a real Caddy's; `adapts` counts its calls."""

    adapt: Callable[[str], bytes]
    adapts: int = 0
    settings: PolicySettings = field(factory=PolicySettings)
    proxy: Proxy = PROXY

    def _adapt(self, text: str) -> bytes:
        self.adapts += 1
        return self.adapt(text)

    def judge(
        self,
        *resources: Resource,
        base: str = "",
        caddy: Resource | None = None,
        settings: PolicySettings | None = None,
    ) -> Judged:
        """Judge these containers beside a good one."""
        pipeline = Pipeline(loaded(), {PolicySettings: settings or self.settings}, proxy=self.proxy)
        inventory = Inventory((EngineInventory("local", (GOOD, *resources), caddy=caddy),))
        return self.resolve(pipeline, inventory, BaseCaddyfile("/home/op/Caddyfile", base) if base else None)

    def resolve(self, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None = None) -> Judged:
        """What becomes of an inventory."""
        quarantine = quarantine_of(self._adapt, lambda: 0.0, rules=lambda: pipeline.document_rules)
        fragments = pipeline.fragments(inventory, base)
        told = [problem for each in fragments for problem in each.problems]
        try:
            configuration = quarantine.resolve(fragments, pipeline.configuration, lambda configuration: True)
        except CaddyRefusal as refusal:
            return Judged((*told, Problem("caddy", "", str(refusal))), None)
        return Judged((*told, *quarantine.problems), configuration)

    def labels(
        self,
        labels: Mapping[str, str],
        settings: PolicySettings | None = None,
        caddy: Resource | None = None,
        base: str = "",
        **more: Any,
    ) -> Judged:
        """Judge the labels of one container."""
        container = testing.container("web-1", labels=dict(labels), created=2, **more)
        return self.judge(container, settings=settings, caddy=caddy, base=base)
