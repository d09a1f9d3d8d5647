"""What the machine does not give: told once, with who has it and the option that helps, and mended without a restart."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from pathlib import Path
from threading import Thread

import pytest
import visiting
from proxy import Proxy
from stand_in_engine import StandInEngine

pytestmark = pytest.mark.process

Start = Callable[..., Proxy]
Eventually = Callable[..., None]
FreePort = Callable[[], int]


@contextmanager
def listener(port: int) -> Iterator[None]:
    """Somebody else who listens at a port."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("0.0.0.0", port))
        taken.listen()
        yield


def add(engine: StandInEngine, name: str, address: str, **labels: str) -> None:
    engine.add(name, {"caddy": address, "caddy.reverse_proxy": f"{{{{upstreams {engine.port}}}}}", **labels})


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(folder / "state"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=60)


def test_a_taken_port_is_told_once_with_who_has_it_and_all_go_live_when_it_is_free(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, free_port: FreePort
) -> None:
    port, other = free_port(), free_port()
    with listener(port):
        proxy = start_proxy("--http-port", str(port))
        for name in ("one", "two", "three"):
            add(engine, name, f"http://{name}.test")
        add(engine, "four", f"http://four.test:{other}")
        told = f"error: port {port}: taken by "
        eventually(lambda: proxy.said(told))
        eventually(lambda: visiting.body(other, "four.test") == engine.containers["four"].address)
        eventually(lambda: proxy.said(f"waiting for port {port}") >= 1)
        loads = proxy.loads
        eventually(lambda: engine.counts["list"] >= 1)
    for name in ("one", "two", "three"):
        eventually(lambda name=name: visiting.body(port, f"{name}.test") == engine.containers[name].address)
    assert proxy.said(told) == 1
    assert f"(pid {os.getpid()})" in proxy.log and "--http-port " in proxy.log
    eventually(lambda: proxy.said(f"no longer: port {port}") == 1)
    assert not any(" error: " in line and "container" in line for line in proxy.lines)
    assert proxy.loads - loads <= 3


def test_a_restart_beside_a_port_that_was_taken_meanwhile_tells_it_once(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, free_port: FreePort
) -> None:
    port = free_port()
    add(engine, "one", "http://one.test")
    before = start_proxy("--http-port", str(port))
    eventually(lambda: visiting.body(port, "one.test") == engine.containers["one"].address)
    assert before.end() == 0
    with listener(port):
        proxy = start_proxy("--http-port", str(port))
        eventually(lambda: proxy.said(f"error: port {port}: taken by "))
        errors = [line for line in proxy.lines if line.split(" ")[1] == "error:"]
        assert len(errors) == 1, errors
    eventually(lambda: visiting.body(port, "one.test") == engine.containers["one"].address)


def test_the_port_options_are_where_sites_listen_that_name_none(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, free_port: FreePort
) -> None:
    http, https = free_port(), free_port()
    proxy = start_proxy("--http-port", str(http), "--https-port", str(https))
    add(engine, "plain", "http://plain.test")
    add(engine, "secure", "secure.test", **{"caddy.tls": "internal"})
    eventually(lambda: proxy.said(f"live: http://plain.test:{http} -> plain"))
    eventually(lambda: proxy.said(f"live: https://secure.test:{https} -> secure"))
    assert proxy.said(f"sites listen on ports {http} (http) and {https} (https)") == 1
    assert visiting.body(http, "plain.test") == engine.containers["plain"].address


def test_the_base_caddyfiles_own_ports_win(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, free_port: FreePort, tmp_path: Path
) -> None:
    chosen, ours, secure = free_port(), free_port(), free_port()
    base = tmp_path / "Caddyfile"
    base.write_text(f"{{\n\thttp_port {chosen}\n}}\n")
    given = ("--http-port", str(ours), "--https-port", str(secure), "--caddyfile-path", str(base))
    proxy = start_proxy(*given)
    add(engine, "plain", "http://plain.test")
    eventually(lambda: visiting.body(chosen, "plain.test") == engine.containers["plain"].address)
    eventually(lambda: proxy.said(f"sites listen on ports {chosen} (http) and {secure} (https)") == 1)


def test_an_admin_address_that_is_taken_is_told_at_once_with_the_option(tmp_path: Path, free_port: FreePort) -> None:
    port = free_port()
    with listener(port):
        done = run(tmp_path, "--admin", f"localhost:{port}")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"admin address localhost:{port}: address already in use" in done.stderr
    assert f"(pid {os.getpid()}) has it" in done.stderr and "--admin" in done.stderr


@pytest.mark.parametrize("address", ["203.0.113.7:2019", "nowhere.invalid:2019"])
def test_an_admin_address_that_is_not_the_machines_is_told_at_once_with_the_option(
    tmp_path: Path, address: str
) -> None:
    done = run(tmp_path, "--admin", address)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"admin address {address}: " in done.stderr and "--admin" in done.stderr


@pytest.mark.parametrize(
    ("option", "address"),
    [
        *product(("--admin", "--caddy-admin"), ("localhost:99999", "localhost:port", "unix/nowhere", "a b")),
        # an own Caddy has no certificate for it
        ("--admin", "https://localhost:2019"),
    ],
)
def test_an_admin_address_that_is_none_is_an_error_of_the_setting(tmp_path: Path, option: str, address: str) -> None:
    done = run(tmp_path, option, address)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{option} {address}: expected " in done.stderr


def test_a_caddy_that_is_not_at_the_admin_url_is_told_once_with_the_option(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, free_port: FreePort
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    add(engine, "one", "http://one.test")
    proxy = start_proxy("--caddy-admin", url)
    wanted = f"caddy at {url} does not answer: connection refused, start it, or correct --caddy-admin"
    eventually(lambda: proxy.said(wanted))
    add(engine, "two", "http://two.test")
    eventually(lambda: proxy.said("container two is new"))
    assert proxy.said(wanted) == 1
    assert "container one:" not in proxy.log


@pytest.mark.parametrize("status", [200, 400, 404, 405, 500])
def test_a_server_at_the_admin_url_that_is_no_caddy_is_told_without_blaming_containers(
    engine: StandInEngine, start_proxy: Start, eventually: Eventually, status: int
) -> None:
    class Other(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b"<html>nginx</html>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    add(engine, "one", "http://one.test")
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        proxy = start_proxy("--caddy-admin", url)
        eventually(lambda: proxy.said("--caddy-admin"))
        assert f"caddy at {url} " in proxy.log
        assert "error: container one" not in proxy.log
        server.shutdown()
