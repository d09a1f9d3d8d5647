"""What one more site takes of memory, from the engine's JSON to Caddy's. Bytes are counted, no clock is asked."""

import gc
import json
import tracemalloc
from typing import Any

from attrs import define, field
from dockcaddy import plugins
from dockcaddy.caddyjson import Document, Splicer, with_branches
from dockcaddy.caddyjson.streams import LongStreams
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records.resources import EngineOptions, shared
from dockcaddy.engine.store import ContainerStore
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import Pipeline

# so many at first that what is kept of a bounded number of sites is full
FIRST, STEP, STEPS = 600, 100, 3
# with Python 3.11 it is 10,300; it was 15,800 while each container had texts of its own and each route was kept three times
ENOUGH = 12_000


def listed(number: int) -> dict[str, Any]:
    """An item of GET /containers/json, with texts of its own as they come from an engine."""
    address = f"10.0.{number // 250}.{number % 250 + 2}"
    labels = {
        "caddy": f"http://app-{number}.test:8080",
        "caddy.encode": "zstd gzip",
        "caddy.header.X-Container": "{{containerName}}",
        "caddy.reverse_proxy": "{{upstreams 8000}}",
        "caddy.reverse_proxy.lb_policy": "least_conn",
    }
    network = {"NetworkID": "f" * 64, "EndpointID": f"{number:064x}", "IPAddress": address, "IPPrefixLen": 16}
    item = {
        "Id": f"{number:064x}",
        "Names": [f"/app-{number}"],
        "Image": "acme/app:1.2",
        "ImageID": "sha256:" + "a" * 64,
        "Command": "/app",
        "Created": number,
        "Ports": [],
        "Labels": labels,
        "State": "running",
        "Status": "Up 2 minutes",
        "HostConfig": {"NetworkMode": "front"},
        "NetworkSettings": {"Networks": {"front": network}},
        "Mounts": [],
    }
    decoded: dict[str, Any] = json.loads(json.dumps(item))
    return decoded


INSPECT = json.dumps(
    {
        "Created": "2026-01-01T00:00:00Z",
        "Config": {"Image": "acme/app:1.2", "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
    }
)


def adapted(text: str) -> bytes:
    """JSON of the form that Caddy gives a site: its handlers are in a subroute."""
    routes = []
    for site in text.split("\n}\n")[:-1]:
        head, *lines = site.split("\n")
        host = head.removeprefix("http://").partition(":")[0]
        proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": "10.0.0.1:8000"}]}
        handlers = [{"handler": "encode", "lines": lines}, {"handler": "headers"}, proxy] if lines else []
        nested = [{"handler": "subroute", "routes": [{"handle": handlers}]}]
        routes.append({"match": [{"host": [host]}], "handle": nested, "terminal": True})
    server = {"listen": [":8080"], "routes": routes, "automatic_https": {"disable": True}}
    return json.dumps({"apps": {"http": {"servers": {"srv0": server}}}}).encode()


@define
class Program:
    """The parts that keep something of each site between passes."""

    store: ContainerStore = field(
        factory=lambda: ContainerStore("local", EngineOptions(), IngressNetworks({"front": 0}, on_host=True))
    )
    pipeline: Pipeline = field(factory=lambda: Pipeline(plugins.load()))
    splicer: Splicer = field(factory=lambda: Splicer(adapted))
    streams: LongStreams = field(factory=lambda: LongStreams(60.0))
    kept: object = None

    def add(self, numbers: range) -> int:
        """More containers, and a pass. Returns how many sites there are in Caddy's JSON."""
        for number in numbers:
            self.store.put(shared(listed(number)))
            self.store.put_inspect(f"{number:064x}", json.loads(INSPECT))
        inventory = Inventory((EngineInventory("local", self.store.resources(0.0)),))
        configuration = self.pipeline.configuration(self.pipeline.fragments(inventory))
        document = self.splicer.document(configuration.assembly.sections, lambda: configuration.text)
        document = with_branches(self.streams.applied(document), smallest=STEP)
        self.kept = inventory, configuration, document, document.encode()
        return sum(len(route.hosts) for route in document.routes)


def test_a_site_takes_little_memory() -> None:
    program = Program()
    program.add(range(FIRST))
    tracemalloc.start()
    taken = []
    for known in range(FIRST, FIRST + STEPS * STEP, STEP):
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        assert program.add(range(known, known + STEP)) == known + STEP
        gc.collect()
        taken.append(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    # tables grow by leaps: one of the steps is without the largest
    assert min(taken) / STEP < ENOUGH, taken


def test_a_route_that_was_changed_is_kept_as_json() -> None:
    program, sites = Program(), "".join([f"http://app-{number}.test:8080 {{\n\tlog\n}}\n" for number in range(STEP)])
    document = Document.decode(adapted(sites))
    gc.collect()
    before = sum(isinstance(each, dict) for each in gc.get_objects())
    changed = program.streams.applied(document)
    gc.collect()
    # a decoded route has some ten of them
    assert sum(isinstance(each, dict) for each in gc.get_objects()) < before
    assert all("stream_close_delay" in proxy for route in changed.routes for proxy in route.proxies)
