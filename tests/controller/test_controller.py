"""`dockcaddy run --mode controller` with stock Caddys as servers, given by URL or found by their labels."""

import time
from collections.abc import Callable

from proxy import Proxy
from servers import StockCaddy
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
Servers = Callable[..., list[StockCaddy]]
Start = Callable[..., Proxy]


def site(name: str) -> dict[str, str]:
    return {"caddy": f"http://{name}.test:18999", "caddy.respond": f"{name}"}


def urls(servers: list[StockCaddy]) -> list[str]:
    return [option for each in servers for option in ("--caddy-admin", each.url)]


def test_all_servers_are_away(
    engine: StandInEngine, start_proxy: Start, servers: Servers, eventually: Eventually
) -> None:
    both = servers(2)
    for each in both:
        each.kill()
    engine.add("a", site("a"))
    controller = start_proxy("--mode", "controller", *urls(both))
    eventually(lambda: controller.said("no server answers"))
    engine.add("b", site("b"))
    cpu, since = controller.cpu, time.monotonic()
    time.sleep(2)
    assert controller.cpu - cpu < 0.4 * (time.monotonic() - since)
    for each in both:
        each.start()
    eventually(lambda: all(each.has("a.test", "b.test") for each in both))
