"""`dockcaddy run --mode controller` with stock Caddys as servers, given by URL or found by their labels."""

import signal
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


def test_servers_are_configured_and_put_right_whatever_happens_to_one(
    engine: StandInEngine, start_proxy: Start, servers: Servers, eventually: Eventually
) -> None:
    one, two, three = all_three = servers(3)
    engine.add("a", site("a"))
    controller = start_proxy("--mode", "controller", *urls(all_three))
    eventually(lambda: all(each.has("a.test") for each in all_three))
    assert controller.said("configures the servers")
    # one hangs, one is away: the third is not delayed
    two.signal(signal.SIGSTOP)
    three.kill()
    engine.add("b", site("b"))
    eventually(lambda: one.has("a.test", "b.test"), looks=100)
    down = [f"error: server {each.url}: does not answer" for each in (two, three)]
    eventually(lambda: all(map(controller.said, down)))
    # back, without a change of any label
    two.signal(signal.SIGCONT)
    three.start()
    began = time.monotonic()
    eventually(lambda: two.has("a.test", "b.test") and three.has("a.test", "b.test"))
    assert time.monotonic() - began < 4
    one.lose()
    eventually(lambda: one.has("a.test", "b.test"))
    eventually(lambda: controller.said("no longer: server") == 2)
    assert [controller.said(each) for each in down] == [1, 1]
    assert controller.end() == 0
    assert all(each.has("a.test", "b.test") for each in all_three)


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
