"""`dockcaddy run --mode controller` with stock Caddys as servers, given by URL or found by their labels."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from proxy import Proxy
from servers import StockCaddy, admin_options, site
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
Servers = Callable[..., list[StockCaddy]]
Start = Callable[..., Proxy]


class Closing(socketserver.TCPServer):
    """Closes every connection at once, and counts them."""

    accepted = 0

    def verify_request(self, *_: object) -> bool:
        self.accepted += 1
        return False


@pytest.fixture
def closing() -> Iterator[Closing]:
    with Closing(("127.0.0.1", 0), socketserver.BaseRequestHandler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_all_servers_are_away(
    engine: StandInEngine, start_proxy: Start, servers: Servers, closing: Closing, eventually: Eventually
) -> None:
    both = servers(2)
    for each in both:
        each.kill()
    urls = [*(each.url for each in both), f"http://127.0.0.1:{closing.server_address[1]}"]
    engine.add("a", site("a"))
    controller = start_proxy("--mode", "controller", *admin_options(urls))
    eventually(lambda: controller.said("no server answers"))
    engine.add("b", site("b"))
    cpu, since, accepted = controller.cpu, time.monotonic(), closing.accepted
    eventually(lambda: closing.accepted >= accepted + 4)
    assert controller.cpu - cpu < 0.4 * (time.monotonic() - since)
    for each in both:
        each.start()
    eventually(lambda: all(each.has("a.test", "b.test") for each in both))
