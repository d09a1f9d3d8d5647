"""What the status is made of besides passes: containers without labels, Caddy's storage, log and metrics."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clock import Clock
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dockcaddy.caddy.log import CaddyLog, Entry, entry_of
from dockcaddy.caddy.upstreams import upstreams_of
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.unserved import unserved_containers, unserved_services
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.run.caddy_watch import TRYING, UPSTREAMS_EVERY, CaddyWatch
from dockcaddy.settings import limits
from dockcaddy.settings.constraint import Constraint
from dockcaddy.status.stored_certificates import StoredCertificates
from observed import Observed


def item(name: str, state: str = "running", **labels: str) -> dict[str, object]:
    return {"Id": name, "Names": [f"/{name}"], "State": state, "Labels": labels}


def test_a_container_that_is_no_resource_says_why() -> None:
    options = EngineOptions(constraint=Constraint.parse("!Name(`no`)"))
    items = [
        item("db"),
        item("served", caddy="a.test"),
        item("off", "exited", caddy="a.test"),
        item("no", caddy="a.test"),
        item("typo", cady="a.test"),
        item("once", caddy="a.test", **{"com.docker.compose.oneoff": "True"}),
        item("null", **{"x": None}),  # type: ignore[arg-type]
    ]
    found = {each.name: each.why for each in unserved_containers(items, options)}
    assert found == {
        "db": "NoLabels",
        "off": "Stopped",
        "no": "ExcludedByConstraint",
        "typo": "OtherPrefix",
        "once": "OneOff",
        "null": "NoLabels",
    }


def test_so_does_a_service() -> None:
    options = EngineOptions(constraint=Constraint.parse("!Name(`no`)"))
    items = [
        {"ID": "1", "Spec": {"Name": "db", "Labels": {}}},
        {"ID": "2", "Spec": {"Name": "no", "Labels": {"caddy": "a.test"}}},
        {"ID": "3", "Spec": {"Name": "served", "Labels": {"caddy": "a.test"}}},
    ]
    found = [(each.name, each.why) for each in unserved_services(items, options, {})]
    assert found == [("db", "NoLabels"), ("no", "ExcludedByConstraint")]


def test_no_more_are_shown_than_anybody_reads() -> None:
    found = unserved_containers((item(f"c{number}") for number in range(limits.MAX_UNSERVED + 5)), EngineOptions())
    assert len(found) == limits.MAX_UNSERVED


def test_the_inventory_has_them_and_stays_the_same_object() -> None:
    builder = InventoryBuilder("local", EngineOptions())
    builder.set_networks(())
    for _ in range(2):
        builder.containers.set_others([item("db")])
        made = builder.inventory(0.0)
        assert [each.name for each in made.unserved] == ["db"]
        assert builder.inventory(1.0) is made
    builder.containers.set_others([])
    assert builder.inventory(2.0).unserved == ()


# --- certificates


def certificate(path: Path, days: int, *names: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "ACME")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def test_certificates_are_read_the_one_that_ends_first_in_front(tmp_path: Path) -> None:
    folder = tmp_path / "certificates" / "acme"
    certificate(folder / "b.test" / "b.test.crt", 80, "b.test")
    certificate(folder / "a.test" / "a.test.crt", 5, "a.test", "www.a.test")
    (folder / "bad").mkdir()
    (folder / "bad" / "bad.crt").write_text("no certificate")
    stored = StoredCertificates(tmp_path)
    first, second = stored.read()
    assert (first.names, first.issuer, second.names) == (("a.test", "www.a.test"), "ACME", ("b.test",))
    assert 4.9 < (first.not_after - time.time()) / 86400 < 5.1
    assert first.is_near_end(time.time(), limits.MAX_PART_LEFT) and not second.is_near_end(time.time(), 1 / 6)


def test_a_certificate_is_read_again_only_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "certificates" / "acme" / "a.test" / "a.test.crt"
    certificate(path, 5, "a.test")
    stored = StoredCertificates(tmp_path)
    first = stored.read()
    read: list[Path] = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read.append(self) or whole(self))
    assert stored.read() == first and read == []
    certificate(path, 90, "a.test")
    assert stored.read() != first and read == [path]
    path.unlink()
    assert stored.read() == ()


def test_a_storage_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert StoredCertificates(tmp_path / "missing").read() == ()


def test_caddys_log_says_which_host_has_none_and_when_it_has_one_again() -> None:
    log = CaddyLog(Clock())
    failed = (
        '{"level":"error","logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"a.test",'
        '"issuer":"acme","error":"performing request: no such host"}'
    )
    log.record_of(entry_of(failed))
    assert log.uncertified == {"a.test": "no such host"}
    obtained = '{"level":"info","logger":"tls.obtain","msg":"certificate obtained successfully","identifier":"a.test"}'
    log.record_of(entry_of(obtained))
    assert log.uncertified == {}


# --- Caddy's view


class Metrics:
    """Caddy's metrics, as a test has them."""

    def __init__(self, text: str = "") -> None:
        self.text, self.is_down, self.asked = text, False, 0

    def metrics(self) -> str:
        self.asked += 1
        if self.is_down:
            raise CaddyUnreachable("no answer")
        return self.text


def test_caddys_metrics_say_which_upstream_is_healthy() -> None:
    text = (
        "# TYPE caddy_reverse_proxy_upstreams_healthy gauge\n"
        'caddy_reverse_proxy_upstreams_healthy{upstream="172.18.0.2:80"} 1\n'
        'caddy_reverse_proxy_upstreams_healthy{upstream="[fd00::2]:80"} 0\n'
    )
    found = {"172.18.0.2:80": "HealthyForCaddy", "[fd00::2]:80": "UnhealthyForCaddy"}
    assert upstreams_of(Metrics(text)) == found  # type: ignore[arg-type]


def test_a_look_at_a_caddy_that_is_away_forgets_what_it_said(world: Observed) -> None:
    world.put("web", {"caddy": "http://web.test", "caddy.reverse_proxy": "{{upstreams 80}}"})
    world.turn()
    address = world.keeper.current.sites["http://web.test"].upstreams[0].address
    metrics = Metrics(f'caddy_reverse_proxy_upstreams_healthy{{upstream="{address}"}} 0\n')
    watch = CaddyWatch(world.keeper, metrics)  # type: ignore[arg-type]
    watch.look()
    assert world.site("http://web.test")["Ready"].reason == "UnhealthyForCaddy"
    metrics.is_down = True
    for _ in range(UPSTREAMS_EVERY):
        watch.look()
    assert world.site("http://web.test")["Ready"].is_true


def failed_request(address: str) -> Entry:
    """What Caddy 2.11 logs of a request that it cannot pass on."""
    return entry_of(
        f'{{"level":"error","logger":"http.log.error.log0","msg":"dial tcp {address}: connect: connection refused",'
        '"request":{"method":"GET","host":"web.test","uri":"/"},"status":502}'
    )


def test_an_upstream_that_caddy_could_not_connect_to_is_tried_until_it_answers(
    world: Observed, free_port: Callable[[], int]
) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    world.put("web", {"caddy": "http://web.test", "caddy.reverse_proxy": address})
    world.turn()
    log = CaddyLog(Clock())
    watch = CaddyWatch(world.keeper, log=log)
    watch.look()
    assert world.site_states("http://web.test").endswith("True/NotChecked")
    # at the second address no site has an upstream
    for each in (address, "127.0.0.1:1"):
        log.record_of(failed_request(each))
    for _ in range(2):
        watch.look()
        assert world.site_states("http://web.test").endswith("False/ConnectionRefused")
    with socket.create_server(("127.0.0.1", port)):
        watch.look()
    assert world.site_states("http://web.test").endswith("True/NotChecked")
    watch.look()
    assert world.events()[-2:] == [("SiteDown", "site http://web.test"), ("SiteRecovered", "site http://web.test")]


def test_what_a_look_has_no_time_for_is_tried_by_the_next_one(world: Observed, free_port: Callable[[], int]) -> None:
    ports = [free_port() for _ in range(4)]
    for each in ports:
        world.put(f"web-{each}", {"caddy": f"http://s{each}.test", "caddy.reverse_proxy": f"127.0.0.1:{each}"})
    world.turn()
    log, clock = CaddyLog(Clock()), Clock()
    for each in ports:
        log.record_of(failed_request(f"127.0.0.1:{each}"))

    def reading() -> float:
        clock.advance(TRYING / 2)
        return clock.now

    watch = CaddyWatch(world.keeper, log=log, clock=reading)
    found = []
    for _ in ports:
        watch.look()
        found.append([world.site(f"http://s{each}.test")["Ready"].reason for each in ports].count("ConnectionFailed"))
    assert found == [3, 2, 1, 0]


@pytest.mark.parametrize(("upstreams", "asked"), [(0, 10), (1, 10), (2_000, 10), (10_000, 2)])
def test_a_caddy_of_many_upstreams_is_asked_less_often(world: Observed, upstreams: int, asked: int) -> None:
    lines = (f'caddy_reverse_proxy_upstreams_healthy{{upstream="10.0.0.1:{each}"}} 1\n' for each in range(upstreams))
    metrics = Metrics("".join(lines))
    watch = CaddyWatch(world.keeper, metrics)  # type: ignore[arg-type]
    for _ in range(20):
        watch.look()
    assert metrics.asked == asked


def test_certificates_are_read_at_once_when_caddy_has_a_new_one(world: Observed, tmp_path: Path) -> None:
    log = CaddyLog(Clock())
    certificates = StoredCertificates(tmp_path)
    watch = CaddyWatch(world.keeper, None, certificates=certificates, log=log)
    watch.look()
    certificate(tmp_path / "certificates" / "acme" / "a.test" / "a.test.crt", 90, "a.test")
    watch.look()
    assert world.keeper.current.certificates == ()
    line = '{"level":"info","logger":"tls.obtain","msg":"certificate obtained successfully","identifier":"a.test"}'
    log.record_of(entry_of(line))
    watch.look()
    assert [each.names for each in world.keeper.current.certificates] == [("a.test",)]


# --- what it costs others


@pytest.mark.process
def test_no_other_command_imports_the_server() -> None:
    code = (
        "import sys\nfrom dockcaddy import plugins\nplugins.load()\nimport dockcaddy.cli.status, dockcaddy.cli.wait\n"
        "print(sorted({'uvicorn', 'starlette', 'prometheus_client', 'asyncio', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
