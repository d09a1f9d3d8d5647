"""A real proxy in front of the engine's socket that allows the calls of docs/security.md and forbids all others."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dockcaddy.engine import Connection, Engine, EngineOptions
from real_engine import Containers, docker
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
pytestmark = pytest.mark.process
DOCKER = "/var/run/docker.sock"


def allowed(page: Path) -> str:
    """A pattern of the paths that the page lists."""
    paths = re.findall(r"^\| `GET (/\S+)` \|", page.read_text(), re.MULTILINE)
    assert "/containers/ID/json" in paths
    return "|".join(path.replace("ID", "[0-9a-zA-Z]+") for path in paths)


@contextmanager
def proxy(caddy: str, page: Path, engine: str, folder: Path, eventually: Eventually) -> Iterator[str]:
    """A Caddy as the proxy of an engine's socket. Gives its own socket."""
    socket = folder / "proxy.sock"
    (folder / "Caddyfile").write_text(
        f"""{{
	admin off
	persist_config off
}}
http:// {{
	bind unix/{socket}
	@allowed {{
		method GET
		path_regexp ^(/v[0-9.]+)?({allowed(page)})$
	}}
	handle @allowed {{
		reverse_proxy unix/{engine} {{
			flush_interval -1
		}}
	}}
	respond Forbidden 403
}}
"""
    )
    command = [caddy, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually(socket.exists)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.engine
def test_containers_of_the_real_engine_need_no_other_call(
    caddy: str, project: Path, tmp_path: Path, containers: Containers, eventually: Eventually
) -> None:
    containers.prefix = containers.mark
    first = containers.run("first", "--env=WORD=hello", caddy="http://first.test")
    with proxy(caddy, project / "docs" / "security.md", DOCKER, tmp_path, eventually) as url:
        engine = Engine(Connection(url), EngineOptions(containers.mark))
        heard: list[bool] = []
        engine.start(lambda urgent=False: heard.append(urgent))
        (resource,) = engine.inventory().resources
        assert resource.name == first and resource.environment["WORD"] == "hello" and resource.targets
        eventually(lambda: heard)
        second = containers.run("second", caddy="http://second.test")
        eventually(lambda: {each.name for each in engine.inventory().resources} == {first, second})
        assert not [each for each in engine.inventory().problems if "403" in str(each)]
        assert engine.snapshot()["containers"]
        engine.close()
        # the proxy does forbid the rest
        with pytest.raises(AssertionError, match="Forbidden"):
            docker("--host", url, "volume", "ls")


def test_services_of_a_swarm_need_no_other_call(
    caddy: str, project: Path, tmp_path: Path, eventually: Eventually
) -> None:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock") as stand_in:
        stand_in.swarm.role = "manager"
        stand_in.swarm.add("svc", {"caddy": "svc.test"}, "10.0.2.5")
        stand_in.swarm.add_config("site", {"caddy": ""}, "config.test {\n}\n")
        with proxy(caddy, project / "docs" / "security.md", stand_in.path, tmp_path, eventually) as url:
            inventory = Engine(Connection(url), EngineOptions(ingress_networks=("front",))).inventory()
        assert [(each.name, each.targets) for each in inventory.resources] == [("svc", ("10.0.2.5",))]
        assert [each.name for each in inventory.configs] == ["site"] and inventory.problems == ()
