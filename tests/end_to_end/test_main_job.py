"""Labels on real containers become a live Caddy that follows every change."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

Start = Callable[..., Any]
Eventually = Callable[..., None]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def hostname(body: str) -> str:
    found = re.search(r"^Hostname: (\S+)", body, re.MULTILINE)
    return found[1] if found else ""


def caddy_pid(proxy) -> int:
    children = Path(f"/proc/{proxy.process.pid}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    return next((pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == "caddy"), 0)


def loads(proxy) -> int:
    return proxy.log().count("load complete")


def test_a_container_with_labels_is_served(start_dockcaddy: Start, containers, eventually: Eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")


def test_scaling_spreads_requests_and_a_stopped_one_gets_none(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    labels = {"caddy": f"http://scaled.test:{proxy.port}", "caddy__reverse_proxy": "{{upstreams 80}}"}

    def names(count: int) -> set[str]:
        return set(Counter(hostname(proxy.body("scaled.test")) for _ in range(count)))

    for name in ("a", "b", "c"):
        containers.run(name, **labels)
    eventually(lambda: names(40) == {"a", "b", "c"})
    docker("stop", "-t", "1", containers.names[1])
    eventually(lambda: names(40) == {"a", "c"}, timeout=5)


def test_a_health_event_flips_a_conditional_label(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    name = containers.run(
        "sick",
        "--health-cmd=test -e /tmp/healthy",
        "--health-interval=300ms",
        "--health-retries=1",
        image="python:3.11-slim",
        command=("python3", "-m", "http.server", "8000"),
        caddy=f"http://sick.test:{proxy.port}",
        caddy__respond="{{if isHealthy}}fine{{else}}poorly{{end}}",
    )
    eventually(lambda: proxy.body("sick.test") == "poorly")
    docker("exec", name, "touch", "/tmp/healthy")
    eventually(lambda: proxy.body("sick.test") == "fine")
    docker("exec", name, "rm", "/tmp/healthy")
    eventually(lambda: proxy.body("sick.test") == "poorly")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"caddy__respond": "{{nonsense}}"}, 'label caddy.respond: function "nonsense" is not defined'),
        ({"caddy__": "x"}, "label caddy.: the key has an empty part"),
        ({"caddy__bogus": "x"}, "label caddy.bogus: caddy refuses it"),
        ({"caddy__redir": "/a /b /c /d"}, "label caddy.redir: caddy refuses it"),
        ({"caddy__header__X": "{{env"}, "label caddy.header.X: unclosed action"),
    ],
    ids=["template", "key", "directive", "arguments", "action"],
)
def test_broken_labels_change_nothing_else(
    start_dockcaddy: Start, containers, eventually, labels: dict[str, str], told: str
) -> None:
    proxy = start_dockcaddy()
    site = f"http://shared.test:{proxy.port}"
    containers.run("good", caddy=site, caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("shared.test")) == "good")
    before = loads(proxy)
    containers.run("bad", caddy=site, **labels)
    eventually(lambda: told in proxy.log())
    assert hostname(proxy.body("shared.test")) == "good"
    assert loads(proxy) == before


def test_braces_in_a_value_are_data(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("a", caddy=f"http://a.test:{proxy.port}", caddy__respond='"}"')
    containers.run("b", caddy=f"http://b.test:{proxy.port}", caddy__respond='"{"')
    containers.run("c", caddy=f"http://c.test:{proxy.port}")
    containers.run("d", caddy=f"http://d.test:{proxy.port}", caddy__respond="fine")
    eventually(lambda: [proxy.body(f"{name}.test") for name in "abd"] == ["}", "{", "fine"])


def test_a_killed_caddy_comes_back_configured(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")
    killed = caddy_pid(proxy)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: caddy_pid(proxy) not in (0, killed) and hostname(proxy.body("one.test")) == "one", timeout=5)


def test_nothing_changed_nothing_sent(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy("--polling-interval", "100ms")
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")
    before = loads(proxy)
    for name in ("x", "y", "z"):
        containers.run(name)
        docker("stop", "-t", "0", containers.names[-1])
    assert loads(proxy) == before


def test_the_program_and_its_caddy_end_on_sigterm(start_dockcaddy: Start, containers) -> None:
    proxy = start_dockcaddy()
    child = caddy_pid(proxy)
    assert proxy.end() == 0
    assert not Path(f"/proc/{child}").exists()


def test_the_sites_are_there_at_once_when_the_engine_is_down_at_the_start(
    start_dockcaddy: Start, containers, eventually
) -> None:
    proxy = start_dockcaddy()
    containers.run("kept", caddy=f"http://kept.test:{proxy.port}", caddy__respond="kept")
    eventually(lambda: proxy.body("kept.test") == "kept")
    assert proxy.end() == 0
    again = start_dockcaddy("--docker-sockets", "unix:///var/run/no-engine-here.sock")
    eventually(lambda: proxy.body("kept.test") == "kept", timeout=5)
    eventually(lambda: "the last configuration stays" in again.log())


def test_after_a_kill_the_next_start_takes_over(start_dockcaddy: Start, containers, eventually) -> None:
    proxy = start_dockcaddy()
    containers.run("one", caddy=f"http://one.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("one.test")) == "one")
    child = caddy_pid(proxy)
    proxy.process.kill()
    proxy.process.wait()
    start_dockcaddy()
    eventually(lambda: not Path(f"/proc/{child}").exists(), timeout=5)
    eventually(lambda: hostname(proxy.body("one.test")) == "one", timeout=5)


def test_a_second_one_with_the_same_state_does_not_start(start_dockcaddy: Start, tmp_path: Path) -> None:
    start_dockcaddy()
    command = [sys.executable, "-m", "dockcaddy", "run", "--state-directory", str(tmp_path / "state")]
    second = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=30)
    assert second.returncode == 2
    assert "another dockcaddy uses it" in second.stderr


def test_an_offline_render_of_a_snapshot_equals_the_live_one(containers, tmp_path: Path) -> None:
    containers.run(
        "one", caddy="http://one.test", caddy__reverse_proxy="{{upstreams 80}}", caddy__header__X='{{env "PATH"}}'
    )

    def run(*arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "dockcaddy", *arguments]
        return subprocess.run(command, capture_output=True, text=True, input=given, check=True, cwd=tmp_path).stdout

    live = run("render")
    assert "one.test" in live
    assert run("render", "--inventory", "-", given=run("snapshot")) == live


def test_the_next_change_arrives_after_the_engine_was_restarted(start_dockcaddy: Start, containers, eventually) -> None:
    how = os.environ.get("DOCKCADDY_TESTS_START_ENGINE")
    if not how:
        pytest.xfail("DOCKCADDY_TESTS_START_ENGINE does not say how the engine is started")
    proxy = start_dockcaddy()
    containers.run("static", caddy=f"http://static.test:{proxy.port}", caddy__respond='"still here"')
    eventually(lambda: proxy.body("static.test") == "still here")
    pid = int(Path("/var/run/docker.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
    subprocess.run(shlex.split(how), check=True, capture_output=True, timeout=120)
    containers.run("after", caddy=f"http://after.test:{proxy.port}", caddy__reverse_proxy="{{upstreams 80}}")
    eventually(lambda: hostname(proxy.body("after.test")) == "after")
