"""The loop with a clock that only moves when told, an engine and a Caddy that do what they are told, and the status of it."""

from collections.abc import Callable
from pathlib import Path

from adapting import as_json
from attrs import define, evolve, field
from clock import Clock
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, EngineUnreachable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Resource, Unserved
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.watch import EngineWatches
from dockcaddy.status.history import HistoryFile
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.model import Condition, Event
from quarantining import quarantine_of

EPOCH = 1_700_000_000.0


@define(eq=False)
class ScriptedEngine:
    """Has the resources that it is given."""

    name: str = "local"
    resources: dict[str, Resource] = field(factory=dict)
    unserved: tuple[Unserved, ...] = ()
    caddy: Resource | None = None
    down: bool = False
    _last: EngineInventory | None = None

    def start(self, wake: Callable[[], None]) -> None:
        pass

    def inventory(self) -> EngineInventory:
        if self.down:
            raise EngineUnreachable("no answer")
        found = tuple(self.resources.values())
        if self._last is None or (self._last.resources, self._last.unserved) != (found, self.unserved):
            self._last = EngineInventory(self.name, found, caddy=self.caddy, unserved=self.unserved)
        return self._last

    def resync(self) -> None:
        pass

    def close(self) -> None:
        pass


@define(eq=False)
class ScriptedCaddy:
    """Accepts everything except what it refuses."""

    refuses: str = "bogus"
    down: bool = False
    running: str = ""

    def adapt(self, text: str) -> bytes:
        if self.down:
            raise CaddyUnreachable("caddy at localhost:2019 does not answer")
        if self.refuses in text:
            line = next(number for number, line in enumerate(text.splitlines(), 1) if self.refuses in line)
            raise CaddyRefusal(f"Caddyfile:{line}: unrecognized directive: {self.refuses}")
        return as_json(text)

    def write(self, configuration: Configuration) -> None:
        if self.down:
            raise CaddyUnreachable("caddy at localhost:2019 does not answer")
        self.running = configuration.text

    def holds(self, configuration: Configuration) -> bool:
        if self.down:
            raise CaddyUnreachable("caddy at localhost:2019 does not answer")
        return self.running == configuration.text

    def close(self) -> None:
        pass


@define(eq=False)
class Observed:
    """The whole."""

    clock: Clock
    engine: ScriptedEngine
    caddy: ScriptedCaddy
    keeper: StatusKeeper
    reconciler: Reconciler
    _made: int = 1

    @classmethod
    def make(cls, folder: Path | None = None, clock: Clock | None = None) -> "Observed":
        clock = clock or Clock()
        engine, caddy = ScriptedEngine(), ScriptedCaddy()
        history = {} if folder is None else {"history": HistoryFile(folder / "status.db")}
        keeper = StatusKeeper(lambda: EPOCH + clock.now, **history)
        reconciler = Reconciler(
            EngineWatches.of([engine], clock),
            Pipeline(Registry()),
            quarantine_of(caddy.adapt, clock),
            Outputs([Delivery("admin", caddy, clock, is_live=True)]),
            clock,
            observer=keeper,
        )
        return cls(clock, engine, caddy, keeper, reconciler)

    def put(self, name: str, labels: dict[str, str], **more: object) -> None:
        """A container that runs, at an address of its own."""
        self._made += 1
        number = self._made
        before = self.engine.resources.get(name)
        targets = before.targets if before is not None else (f"172.18.{number // 250}.{number % 250 + 2}",)
        created = before.created if before is not None else number
        fields: dict[str, object] = {"running": True, "state": "running", "targets": targets, "created": created}
        self.engine.resources[name] = Resource("container", name, name, labels=labels, **{**fields, **more})  # type: ignore[arg-type]

    def change(self, name: str, **changes: object) -> None:
        """The container is another one now."""
        self.engine.resources[name] = evolve(self.engine.resources[name], **changes)

    def fill(self, count: int) -> None:
        """So many sites, one of each thing that can be wrong, and a pass."""
        proxy = {"caddy.reverse_proxy": "{{upstreams 8000}}"}
        for number in range(count - 3):
            self.put(f"app-{number}", {"caddy": f"app{number}.example.org", **proxy, "caddy.encode": "gzip"})
        self.put("shop-1", {"caddy": "shop.example.org", **proxy}, health="unhealthy")
        self.put("blog-1", {"caddy": "blog.example.org", "caddy.reverse_proxy": "{{upstream 8000}}"})
        self.put("wiki-1", {"caddy": "wiki.example.org", "caddy.bogus": "x"})
        self.put("other-1", {"caddy": "app0.example.org", "caddy.respond": "mine"})
        self.engine.unserved = (Unserved("container", "db", "db", "NoLabels"),)
        self.turn()

    def turn(self, seconds: float = 1.0) -> None:
        """A pass."""
        self.clock.advance(seconds)
        self.reconciler.mailbox.wake()
        self.reconciler.step()

    def site(self, name: str) -> dict[str, Condition]:
        """The conditions of a site, by type."""
        return {each.type: each for each in self.keeper.current.sites[name].conditions}

    def resource(self, name: str) -> dict[str, Condition]:
        """The conditions of a resource, by type."""
        found = next(each for each in self.keeper.current.resources.values() if each.name == name)
        return {each.type: each for each in found.conditions}

    def states(self, name: str) -> str:
        """`True/Accepted True/Programmed False/Unhealthy` of a resource."""
        return " ".join(f"{each.state}/{each.reason}" for each in self.resource(name).values())

    def site_states(self, name: str) -> str:
        """The same of a site."""
        return " ".join(f"{each.state}/{each.reason}" for each in self.site(name).values())

    def events(self) -> list[tuple[str, str]]:
        """Kind and subject of everything that happened."""
        return [(each.kind, each.subject) for each in self.keeper.current.history]

    def last(self) -> Event:
        """What happened last."""
        return self.keeper.current.history[-1]
