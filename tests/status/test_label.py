"""The label `caddy_status`: the status as a site of dockcaddy's own container, and of no other."""

import http.client
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dockcaddy import plugins, testing
from dockcaddy.caddy.command import find_caddy
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Proxy, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from judging import Court
from observed import Observed
from ports import free_port
from status_server import served

# of the password "pw"
HASH = "$2b$04$Vqi54DlcaQkgNtsksdXVSu6B0vjx9OMmv8uDo4FGUd3G9.t98pKyq"
LABELS = {"caddy_status": "status.test", "caddy_status.basic_auth.admin": HASH}


def built(resource: Resource, *, is_own: bool, proxy: Proxy | None = None) -> Configuration:
    proxy = proxy or Proxy(("/var/lib/dockcaddy",))
    engine = EngineInventory("local", (resource,), caddy=resource if is_own else None)
    return Pipeline(plugins.load(), proxy=proxy).build(Inventory((engine,)))


def test_it_becomes_a_site_with_what_other_labels_say_in_front() -> None:
    made = built(testing.container("caddy", labels=LABELS), is_own=True)
    assert made.text.splitlines() == [
        "status.test {",
        "\tbasic_auth {",
        f"\t\tadmin {HASH}",
        "\t}",
        "\treverse_proxy unix//var/lib/dockcaddy/status.sock",
        "}",
    ]
    assert made.problems == ()
    assert {each.label for each in made.lines[4]} == {"caddy_status"}


def test_other_sites_of_the_container_stay_as_they_are() -> None:
    labels = {**LABELS, "caddy_1": "one.test", "caddy_1.respond": "1", "caddy": "two.test", "caddy.respond": "2"}
    made = built(testing.container("caddy", labels=labels), is_own=True)
    assert made.text.count("reverse_proxy") == 1 and made.text.count("basic_auth") == 1
    assert "one.test {\n\trespond 1\n}" in made.text


def test_its_address_may_be_a_template() -> None:
    labels = {**LABELS, "caddy_status": '{{env "HOST"}}'}
    made = built(testing.container("caddy", labels=labels, environment={"HOST": "s.test"}), is_own=True)
    assert made.text.startswith("s.test {")


def test_without_a_login_there_is_a_warning() -> None:
    made = built(testing.container("caddy", labels={"caddy_status": "status.test"}), is_own=True)
    assert "unix//var" in made.text
    assert ["everybody who reaches this site" in each.message for each in made.problems] == [True]


def test_on_another_container_it_has_no_effect() -> None:
    made = built(testing.container("evil", labels=LABELS), is_own=False)
    assert "status" not in made.text
    assert ["has an effect on the container" in each.message for each in made.problems] == [True]


@pytest.mark.parametrize(
    "upstream",
    [
        "unix//var/lib/dockcaddy/status.sock",
        "unix//var/lib/./dockcaddy/status.sock",
        "localhost:8090",
        "127.0.0.1:8090",
        "[::1]:8090",
        "http://0.0.0.0:8090",
        "host.docker.internal:8090",
    ],
)
def test_labels_of_other_containers_do_not_reach_it(court: Court, upstream: str) -> None:
    proxy = Proxy(("/var/lib/dockcaddy",), status_listen="127.0.0.1:8090")
    labels = {"caddy": "evil.test", "caddy.reverse_proxy": upstream}
    inventory = Inventory((EngineInventory("local", (testing.container("evil", labels=labels),)),))
    made = court.resolve(Pipeline(plugins.load(), proxy=proxy), inventory)
    assert made.owners == set()
    assert [each.severity for each in made.problems] == ["error"] and made.rule == "upstreams"


@contextmanager
def caddy(text: str, folder: Path) -> Iterator[None]:
    file = folder / "Caddyfile"
    file.write_text(text)
    command = [find_caddy(""), "run", "--config", str(file), "--adapter", "caddyfile"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.process
def test_a_real_caddy_serves_it_behind_the_login(
    world: Observed, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    import base64

    world.put("web", {"caddy": "http://web.test", "caddy.respond": "x"})
    world.turn()
    port = free_port()
    labels = {**LABELS, "caddy_status": f"http://status.test:{port}"}
    proxy = Proxy(status_socket=str(tmp_path / "status.sock"))
    made = built(testing.container("caddy", labels=labels), is_own=True, proxy=proxy)

    def ask(path: str, password: str = "") -> tuple[int, bytes]:
        login = base64.b64encode(f"admin:{password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", path, headers={"Host": "status.test", "Authorization": f"Basic {login}"})
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    with served(world.keeper, tmp_path), caddy("{\n\tadmin off\n}\n" + made.text, tmp_path):
        eventually(lambda: ask("/healthz", "pw")[0] == 200)
        assert b"http://web.test" in ask("/api/v1/sites", "pw")[1]
        assert ask("/api/v1/sites", "wrong")[0] == 401
