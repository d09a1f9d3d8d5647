"""The loop with express sites, a clock that only moves when told, and a Caddy that is simulated."""

import json
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from clock import Clock
from dockcaddy import Block, caddyfile
from dockcaddy.caddyjson import FragmentDocuments, SiteRoutes, Splicer
from dockcaddy.errors import CaddyRefusal
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.express_folder import ExpressFolder
from dockcaddy.reconcile.express_sites import ExpressSites
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.watch import EngineWatches
from quarantining import quarantine_of


def adapt(text: str) -> bytes:
    """What Caddy makes of sites for plain HTTP with proxies to addresses."""
    if "bogus" in text:
        line = next(number for number, line in enumerate(text.splitlines(), 1) if "bogus" in line)
        raise CaddyRefusal(f"Caddyfile:{line}: unrecognized directive: bogus")
    routes = [_route(block) for block in caddyfile.parse(text, "test") if block.keys]
    routes.sort(key=lambda route: -len(route["match"][0]["host"][0]))
    servers = {"srv0": {"listen": [":80"], "routes": routes}} if routes else {}
    return json.dumps({"apps": {"http": {"servers": servers}}}, separators=(",", ":")).encode()


def _route(site: Block) -> dict:
    handlers = [
        {"handler": "reverse_proxy", "upstreams": [{"dial": each} for each in line.keys[1:]]}
        if line.keys[0] == "reverse_proxy"
        else {"handler": "static_response", "body": " ".join(line.keys)}
        for line in site.children
    ]
    subroute = {"handler": "subroute", "routes": [{"handle": handlers}]}
    return {"match": [{"host": [site.keys[0].removeprefix("http://")]}], "handle": [subroute], "terminal": True}


@define(eq=False)
class Engine:
    name: str = "local"
    resources: dict[str, Resource] = field(factory=dict)

    def start(self, wake: Callable[[], None]) -> None: ...

    def resync(self) -> None: ...

    def close(self) -> None: ...

    def inventory(self) -> EngineInventory:
        return EngineInventory(self.name, tuple(self.resources.values()))


@define(eq=False)
class Caddy:
    """An output whose Caddy refuses what has the text `refuses`."""

    loads: list[bytes] = field(factory=list)
    refuses: str = "\0"
    is_lost: bool = False
    looks: Callable[[], None] = lambda: None

    def write(self, configuration: Configuration) -> None:
        self.looks()
        if self.refuses in configuration.text:
            raise CaddyRefusal("loading: no")
        self.loads.append(configuration.json)
        self.is_lost = False

    def holds(self, configuration: Configuration) -> bool:
        return not self.is_lost and configuration.json == self.loads[-1]

    def close(self) -> None: ...


@define(eq=False)
class ExpressWorld:
    folder: Path
    clock: Clock = field(factory=Clock)
    engine: Engine = field(factory=Engine)
    caddy: Caddy = field(factory=Caddy)
    reconciler: Reconciler = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start()

    def start(self, *, is_on: bool = True) -> None:
        folder = ExpressFolder(self.folder / "sites")
        express = ExpressSites(folder, self.clock) if is_on else ExpressSites(left=folder)
        transforms = Transforms(express=str(folder.path) if is_on else "")
        routes = SiteRoutes(adapt)
        splicer = Splicer(adapt, site_routes=routes)
        quarantine = quarantine_of(
            adapt,
            self.clock,
            transforms=transforms,
            document=lambda configuration: splicer.document(
                configuration.assembly.sections, lambda: configuration.text
            ),
            documents=FragmentDocuments(adapt, routes),
        )
        last_good = LastGood(self.folder / "last.db")
        remembered = last_good.load()
        quarantine.remember(remembered.fragments, remembered.json)
        self.reconciler = Reconciler(
            EngineWatches.of([self.engine], self.clock),
            Pipeline(Registry()),
            quarantine,
            Outputs([Delivery("admin", self.caddy, self.clock, is_live=True)]),
            self.clock,
            last_good=last_good,
            express=express,
        )

    def put(self, name: str, address: str = "10.0.0.1:80", **more: str) -> None:
        labels = {"caddy": f"http://{name}.test", "caddy.reverse_proxy": address, **more}
        self.engine.resources[name] = Resource("container", name, name, labels=labels, running=True)

    def turn(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.reconciler.mailbox.wake()
        self.reconciler.step()

    def pass_by(self, seconds: float) -> None:
        """Nothing is reported for so long: what is due is done when it is due."""
        end = self.clock.now + seconds
        while (due := self.due) < end:
            self.clock.now = max(self.clock.now, due)
            self.reconciler.step()
        self.clock.now = end
        self.reconciler.step()

    @property
    def due(self) -> float:
        return self.reconciler.schedule.next_due(self.reconciler._retries())

    @property
    def found(self) -> dict[str, list[str]]:
        """What Caddy finds in the folder: the names by host, the first one counts."""
        hosts = (self.folder / "sites").glob("*/*/")
        return {host.name: [",".join(each.name.split(",")[2:]) for each in sorted(host.iterdir())] for host in hosts}

    def has(self, host: str) -> bool:
        """Whether Caddy has the site itself."""
        return f'"{host}.test"'.encode() in self.caddy.loads[-1]

    @property
    def problems(self) -> list[str]:
        return [str(each) for each in (*self.reconciler.problems, *self.reconciler.express.problems)]
