"""The status of real containers, of a real Caddy: what is up, what is not, why, and since when."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.errors import DockcaddyError
from dockcaddy.status.client import NotRunning, StatusClient
from dockcaddy.status.view import condition
from forwarding import engine_at
from hanging import hanging
from ports import free_port
from real_engine import Containers, docker

pytestmark = pytest.mark.engine

Start = Callable[..., Any]
Eventually = Callable[..., None]


def only(containers: Containers) -> tuple[str, str]:
    """Options with which others' containers on the engine do not count."""
    return "--constraint", f"Label(`test`, `{containers.mark}`)"


class Seen:
    """The status as the socket gives it."""

    def __init__(self, folder: Path) -> None:
        self.client = StatusClient(folder / "state" / "status.sock")

    def all(self, name: str) -> list[dict[str, Any]]:
        try:
            return list(self.client.document(name)[name])
        except NotRunning as error:
            raise AssertionError(str(error)) from error

    def site(self, host: str, type: str = "Ready") -> str:
        """`True/UpstreamsHealthy` of the site of this host."""
        found = next((each for each in self.all("sites") if host in each["name"]), None)
        return "" if found is None else _short(found, type)

    def resource(self, name: str, type: str) -> str:
        found = next((each for each in self.all("resources") if each["name"].endswith(name)), None)
        return "" if found is None else _short(found, type)

    def message(self, name: str, type: str) -> str:
        found = next(each for each in self.all("resources") if each["name"].endswith(name))
        return str(condition(found, type)["message"])

    def kinds(self) -> list[str]:
        return [each["kind"] for each in reversed(self.all("history"))]


def _short(of: dict[str, Any], type: str) -> str:
    found = condition(of, type)
    return f"{found['status']}/{found['reason']}"


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`dockcaddy ARGUMENTS` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dockcaddy", *arguments, "--state-directory", str(folder / "state")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=300,
    )


def test_sites_that_are_well_refused_ill_and_in_conflict(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    at = f"http://%s.test:{proxy.port}"
    upstream = "{{upstreams 80}}"
    containers.run("well", caddy=at % "well", caddy__reverse_proxy=upstream)
    containers.run("bad", caddy=at % "bad", caddy__reverse_proxy__nonsense="x")
    containers.run(
        "ill",
        "--health-cmd=/nothing",
        "--health-interval=1s",
        "--health-retries=1",
        caddy=at % "ill",
        caddy__reverse_proxy=upstream,
    )
    containers.run("older", caddy=at % "shared", caddy__reverse_proxy=upstream)
    containers.run("plain")
    eventually(lambda: seen.site("well") == "True/UpstreamsHealthy")
    assert proxy.body("well.test")
    eventually(lambda: seen.resource("bad", "Programmed") == "False/RefusedByCaddy")
    assert "nonsense" in seen.message("bad", "Programmed")
    eventually(lambda: seen.site("ill") == "False/Unhealthy")
    # engines know the time of creation in seconds
    containers.run("newer", caddy=at % "shared", caddy__respond="b")
    eventually(lambda: seen.resource("newer", "Accepted") == "False/ConflictsWith")
    assert "older" in seen.message("newer", "Accepted")
    assert seen.site("shared") == "True/UpstreamsHealthy"
    waited = command(tmp_path, "wait", "well.test", "--timeout", "60s")
    assert (waited.returncode, waited.stdout) == (0, "well.test is ready\n"), waited.stderr
    late = command(tmp_path, "wait", "ill.test", "--timeout", "1s")
    assert late.returncode == 1 and "Unhealthy" in late.stderr
    shown = command(tmp_path, "status")
    assert shown.returncode == 0, shown.stderr
    assert "Unhealthy" in shown.stdout.split("ok ")[0] and "RefusedByCaddy" in shown.stdout.split("ok ")[0]
    one = json.loads(command(tmp_path, "status", "well.test", "--json").stdout)
    assert one["sites"][0]["upstreams"][0]["healthy"] == "True"


def test_a_container_that_stops_says_so_and_is_down(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers), "--polling-interval", "1s"), Seen(tmp_path)
    full = containers.run("web", caddy=f"http://web.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")
    docker("stop", "-t", "1", full)
    eventually(lambda: seen.resource("web", "Accepted") == "False/Stopped")
    assert seen.kinds()[0] == "SiteUp"
    eventually(lambda: seen.kinds()[-1] == "SiteGone")
    docker("start", full)
    eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")


def test_a_program_that_does_not_listen_where_its_label_says_is_not_ready(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    containers.run("web", caddy=f"http://web.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 81}}")
    eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")
    late = command(tmp_path, "wait", "web.test", "--timeout", "0s")
    assert late.returncode == 1 and ":81 refuses connections: its program has to listen at this port" in late.stderr
    # nobody has asked for the site yet, and Caddy was not asked to connect
    assert seen.site("web.test") == "True/UpstreamsHealthy"
    assert proxy.body("web.test") == "status 502"
    eventually(lambda: seen.site("web.test") == "False/ConnectionRefused")
    assert proxy.said("no upstream is healthy: ") == 1


def test_a_lost_engine_is_an_event_and_so_is_its_return(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    path, seen = tmp_path / "docker.sock", Seen(tmp_path)
    with engine_at(path):
        proxy = start_dockcaddy(*only(containers), "--docker-sockets", f"unix://{path}")
        containers.run("web", caddy=f"http://web.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
        eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")
    eventually(lambda: seen.site("web.test") == "Unknown/EngineUnreachable")
    assert proxy.body("web.test")
    shown = command(tmp_path, "status").stdout
    assert shown.startswith("!! engine local: DoesNotAnswer") and "start Docker" in shown.splitlines()[1]
    with engine_at(path):
        eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")
        eventually(lambda: [each for each in seen.kinds() if "Engine" in each] == ["EngineLost", "EngineBack"])


def test_a_caddy_that_hangs_is_lost_and_comes_back(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    containers.run("web", caddy=f"http://web.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: seen.site("web.test") == "True/UpstreamsHealthy")
    with hanging(proxy.caddy):
        containers.run("other", caddy=f"http://other.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
        eventually(lambda: seen.site("web.test") == "Unknown/CaddyUnreachable")
        late = command(tmp_path, "wait", "web.test", "--timeout", "0s")
        assert late.returncode == 1 and late.stderr.endswith("timed out, restart dockcaddy if this lasts\n")
    eventually(lambda: seen.site("other.test") == "True/UpstreamsHealthy")
    eventually(lambda: [each for each in seen.kinds() if "Caddy" in each] == ["CaddyLost", "CaddyBack"])


def test_a_caddy_that_crashes_is_an_event(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    eventually(lambda: proxy.caddy and seen.all("history") == [])
    os.kill(proxy.caddy, signal.SIGKILL)
    eventually(lambda: "CaddyCrashed" in seen.kinds())


def test_a_certificate_that_cannot_be_had_is_the_reason(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    base = tmp_path / "Caddyfile"
    base.write_text("{\n\tacme_ca https://127.0.0.1:1/directory\n\tskip_install_trust\n}\n")
    proxy, seen = (
        start_dockcaddy(*only(containers), "--caddyfile-path", str(base), "--http-port", str(free_port())),
        Seen(tmp_path),
    )
    containers.run("web", caddy=f"web.example.org:{proxy.port}", caddy__respond="x")
    containers.run("own", caddy=f"own.test:{proxy.port}", caddy__tls="internal", caddy__respond="x")
    eventually(lambda: seen.site("web.example.org") == "False/NoCertificate", looks=6_000)
    assert seen.site("own.test") == "True/NoUpstreams"
    assert "CertificateFailed" in seen.kinds()
    eventually(lambda: [each["names"] for each in seen.all("certificates")] == [["own.test"]])


def test_a_webhook_that_hangs_and_a_client_that_reads_nothing_delay_no_site(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    released, heard = threading.Event(), threading.Event()

    class Hanging(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.set()
            released.wait(120)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "dockcaddy.toml").write_text(
        f'[notify]\ntargets = ["webhook=http://127.0.0.1:{server.server_port}/x"]\nevents = ["SiteUp"]\n'
    )
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    try:
        containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
        eventually(heard.is_set)
        for name in ("two", "three"):
            containers.run(name, caddy=f"http://{name}.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
            eventually(lambda name=name: seen.site(f"{name}.test") == "True/UpstreamsHealthy")
            assert proxy.body(f"{name}.test")
    finally:
        released.set()
        server.shutdown()
    assert proxy.end() == 0


def test_without_a_daemon_the_status_is_computed_once(containers: Containers, tmp_path: Path) -> None:
    containers.run("web", caddy="http://web.test", caddy__reverse_proxy="{{upstreams 80}}")
    containers.run("bad", caddy="http://bad.test", caddy__nonsense="x")
    shown = command(tmp_path, "status", *only(containers))
    assert shown.returncode == 0, shown.stderr
    assert "no dockcaddy answers at" in shown.stderr
    assert "http://bad.test: RefusedByCaddy" in shown.stdout and "http://web.test: NotRunning" in shown.stdout


def test_the_history_survives_a_kill(
    start_dockcaddy: Start, containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    proxy, seen = start_dockcaddy(*only(containers)), Seen(tmp_path)
    containers.run("web", caddy=f"http://web.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: seen.kinds() == ["SiteUp"])
    since = condition(seen.all("sites")[0], "Ready")["since"]
    proxy.process.kill()
    proxy.process.wait()
    start_dockcaddy(*only(containers))

    def is_as_before() -> bool:
        try:
            return condition(seen.all("sites")[0], "Ready")["since"] == since and seen.kinds()[0] == "SiteUp"
        except (IndexError, DockcaddyError):
            return False

    eventually(is_as_before)
