"""Two controllers of the same servers: one leads, the other one watches and takes over."""

import signal
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyUnreachable
from proxy import Proxy
from servers import StockCaddy, admin_options, site
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
Servers = Callable[..., list[StockCaddy]]
Start = Callable[..., Proxy]


def hear(servers: list[StockCaddy], beats: int, eventually: Eventually) -> None:
    """Wait until each server has had so many more signs of life of the leader."""
    before = [each.beats for each in servers]
    eventually(lambda: all(each.beats >= had + beats for each, had in zip(servers, before, strict=True)))


def test_the_other_controller_takes_over_when_the_leader_is_killed(
    engine: StandInEngine,
    start_proxy: Start,
    servers: Servers,
    eventually: Eventually,
    calm: Eventually,
    tmp_path: Path,
) -> None:
    both = servers(2)
    options = admin_options([each.url for each in both])
    engine.add("a", site("a"))
    leader = start_proxy("--mode", "controller", *options)
    eventually(lambda: all(each.has("a.test") for each in both))
    assert leader.said("it leads") == 1
    other = start_proxy("--mode", "controller", *options, "--state-directory", str(tmp_path / "other"))
    eventually(lambda: other.said("leads, this one watches") == 1)
    loads = [each.said.count('"load complete"') for each in both]
    hear(both, 3, eventually)
    # nobody fights, and the signs of life reload nothing
    assert [each.said.count('"load complete"') for each in both] == loads
    leader.process.send_signal(signal.SIGKILL)
    leader.process.wait()
    engine.add("b", site("b"))
    calm(lambda: all(each.has("a.test", "b.test") for each in both))
    assert other.said("it leads") == 1


def strange_server(response: bytes, pause: float) -> tuple[socketserver.ThreadingTCPServer, str]:
    """Answers everything with this, byte by byte."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.request.recv(65536):
                    for each in response:
                        self.request.send(bytes([each]))
                        time.sleep(pause)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def test_what_is_no_caddy_or_drips_keeps_nobody_from_leading_or_ending(
    engine: StandInEngine, start_proxy: Start, servers: Servers, eventually: Eventually, tmp_path: Path
) -> None:
    caddys = servers(2)
    dripping, slow_url = strange_server(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b" " * 1000000, 0.3)
    page, page_url = strange_server(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 0)
    options = admin_options([slow_url, page_url, *(each.url for each in caddys)])
    engine.add("a", site("a"))
    leader = start_proxy("--mode", "controller", *options)
    eventually(lambda: all(each.has("a.test") for each in caddys))
    other = start_proxy("--mode", "controller", *options, "--state-directory", str(tmp_path / "other"))
    eventually(lambda: other.said("leads, this one watches") == 1)
    hear(caddys, 5, eventually)
    assert leader.said("it leads") == 1 and leader.said("no longer leads") == 0
    reloads = sum(each.said.count('"autosaved config') for each in caddys)
    assert leader.end() == 0
    eventually(lambda: other.said("it leads") == 1)
    eventually(lambda: all((each.config or {}).get("@id", "").startswith("dockcaddy.3.") for each in caddys))
    # one for the end, and one at each server for the new leader
    assert sum(each.said.count('"autosaved config') for each in caddys) == reloads + 3
    for each in (dripping, page):
        each.shutdown()
        each.server_close()


def test_a_caddy_without_a_configuration_takes_one_mark(servers: Servers, eventually: Eventually) -> None:
    (caddy,) = servers(1)
    client = AdminClient(caddy.url)

    def answers() -> bool:
        with suppress(CaddyUnreachable):
            return client.mark() is None
        return False

    eventually(answers)
    assert client.replace_mark(None, "dockcaddy.1.one")
    assert not client.replace_mark(None, "dockcaddy.1.two")
    assert client.mark() == "dockcaddy.1.one"
    assert not client.replace_mark("dockcaddy.0.zero", "dockcaddy.1.two")
    assert client.replace_mark("dockcaddy.1.one", "dockcaddy.2.two")
    assert client.mark() == "dockcaddy.2.two"
    client.close()
