"""A port that Caddy cannot have is the machine's fault: one message, nobody is blamed, and what needs it goes live by itself."""

from collections.abc import Sequence

import pytest
from adapting import as_json
from attrs import define, field
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.quarantine import Quarantine
from dockcaddy.quarantine.ports import Elsewhere, PortFault
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from quarantining import quarantine_of

TAKEN, DENIED = "address already in use", "permission denied"


@define
class FakeMachine:
    """Ports that are not to be had, by why."""

    missing: dict[int, str] = field(factory=dict)

    def can_listen(self, fault: PortFault) -> bool | None:
        return fault.port not in self.missing

    def cause(self, fault: PortFault) -> str:
        return "taken by nginx (pid 42)" if fault.is_taken else "not permitted"

    def remedies(self, fault: PortFault) -> Sequence[str]:
        return ("stop that",)


@define(eq=False)
class World:
    """A quarantine in front of a Caddy that listens at a machine's ports."""

    machine: FakeMachine = field(factory=FakeMachine)
    sees: bool = True
    now: float = 0.0
    loads: list[str] = field(factory=list)
    refused: int = 0
    pipeline: Pipeline = field(factory=lambda: Pipeline(Registry()))
    quarantine: Quarantine = field(init=False)

    def __attrs_post_init__(self) -> None:
        machine = self.machine if self.sees else Elsewhere()
        self.quarantine = quarantine_of(as_json, lambda: self.now, machine=machine)

    def deliver(self, configuration: Configuration) -> None:
        text = configuration.text
        for port, why in self.machine.missing.items():
            # Caddy's words (2.11)
            if f":{port} {{" in text or (port == 80 and self.needs_http(text)):
                self.refused += 1
                words = "loading config: loading new config: http app module: start: "
                raise CaddyRefusal(f"{words}listening on :{port}: listen tcp :{port}: bind: {why}")
        self.loads.append(text)

    @staticmethod
    def needs_http(text: str) -> bool:
        sites = [line for line in text.splitlines() if line.endswith(" {") and not line.startswith("\t")]
        plain = any(line.startswith("http://") and line.count(":") == 1 for line in sites)
        redirected = any(not line.startswith("http://") and ":" not in line for line in sites)
        return plain or (redirected and "auto_https" not in text)

    def settle(self, *sites: str, base: str = "") -> str:
        """A pass with a container for each site; gives what Caddy has then."""
        resources = tuple(
            Resource(
                "container", name, name, labels={"caddy": name, "caddy.respond": name}, running=True, created=place
            )
            for place, name in enumerate(sites)
        )
        fragments: Sequence[Fragment] = self.pipeline.fragments(
            Inventory((EngineInventory("local", resources),)), BaseCaddyfile("/etc/Caddyfile", base) if base else None
        )
        return self.quarantine.resolve(fragments, self.pipeline.configuration, self.deliver).text

    @property
    def told(self) -> list[str]:
        return [str(problem) for problem in self.quarantine.problems]


WAITING = "; the sites that need it go live by themselves then"


def test_a_taken_port_is_one_message_that_blames_no_container() -> None:
    world = World(FakeMachine({8081: TAKEN}))
    text = world.settle("http://a.test:8081", "http://b.test:8081", "http://c.test:8082", "d.test")
    assert world.told == [f"port 8081: taken by nginx (pid 42): stop that{WAITING}"]
    assert "c.test" in text and "d.test" in text
    assert "a.test" not in text and "b.test" not in text


def test_a_thousand_sites_at_a_taken_port_cost_two_loads() -> None:
    world = World(FakeMachine({8081: TAKEN}))
    world.settle(*(f"http://s{number}.test:8081" for number in range(1000)), "http://c.test:8082")
    assert (world.refused, len(world.loads)) == (1, 1)


def test_once_the_port_is_free_everything_goes_live_by_itself() -> None:
    world = World(FakeMachine({8081: TAKEN}))
    world.settle("http://a.test:8081")
    for _ in range(20):
        world.now = world.quarantine.next_retry or pytest.fail("nobody looks again")
        world.settle("http://a.test:8081")
    assert world.refused == 1
    assert world.now <= 30
    world.machine.missing.clear()
    world.now = world.quarantine.next_retry or 0.0
    assert "a.test" in world.settle("http://a.test:8081")
    assert (world.told, world.quarantine.next_retry) == ([], None)


def test_where_the_machine_cannot_be_seen_caddy_is_asked_again_less_and_less_often() -> None:
    world = World(FakeMachine({8081: TAKEN}), sees=False)
    world.settle("http://a.test:8081")
    while world.now < 300:
        world.now = world.quarantine.next_retry or pytest.fail("nobody asks again")
        world.settle("http://a.test:8081")
        assert len(world.told) == 1
    assert 5 <= world.refused <= 15
    world.machine.missing.clear()
    world.now = world.quarantine.next_retry or 0.0
    assert "a.test" in world.settle("http://a.test:8081")
    assert world.told == []


def test_a_newcomer_at_a_missing_port_is_not_tried() -> None:
    world = World(FakeMachine({8081: TAKEN}))
    world.settle("http://a.test:8081")
    world.settle("http://a.test:8081", "http://b.test:8081", "http://c.test:8082")
    assert world.refused == 1
    assert len(world.told) == 1


def test_without_a_port_for_http_the_sites_with_tls_stay_and_nobody_is_redirected() -> None:
    world = World(FakeMachine({80: TAKEN}))
    text = world.settle("http://a.test", "b.test", "https://c.test")
    assert "a.test" not in text and "b.test" in text and "c.test" in text
    assert "auto_https disable_redirects" in text
    world.machine.missing.clear()
    world.now = 10.0
    assert "auto_https" not in world.settle("http://a.test", "b.test", "https://c.test")


def test_what_the_operator_says_of_redirects_stays() -> None:
    world = World(FakeMachine({80: TAKEN}))
    text = world.settle(
        "http://a.test", base="{\n\tauto_https ignore_loaded_certs\n}\n\nhttp://own.test:8082 {\n\trespond x\n}\n"
    )
    assert "ignore_loaded_certs" in text and "disable_redirects" not in text
    assert "own.test" in text


def test_the_operators_own_site_at_a_missing_port_keeps_nobody_else_from_being_served() -> None:
    world = World(FakeMachine({8081: TAKEN}))
    base = "{\n\temail me@own.test\n}\n\nhttp://own.test:8081 {\n\trespond x\n}\n"
    text = world.settle("http://c.test:8082", base=base)
    assert "c.test" in text and "email me@own.test" in text and "http://own.test" not in text


def test_the_operators_import_is_no_site_and_needs_no_port() -> None:
    world = World(FakeMachine({443: TAKEN}))
    text = world.settle("https://a.test:443", "http://c.test:8082", base="import /etc/sites/*.caddy\n")
    assert "import /etc/sites/*.caddy" in text and "c.test" in text and "a.test" not in text


@pytest.mark.parametrize(("port", "site"), [(8081, "http://a.test:8081"), (80, "http://a.test")])
def test_a_port_that_nobody_needs_any_more_is_no_problem_and_is_not_looked_at(port: int, site: str) -> None:
    world = World(FakeMachine({port: TAKEN}))
    world.settle(site, "http://c.test:8082")
    assert len(world.told) == 1
    world.settle("http://c.test:8082")
    assert (world.told, world.quarantine.next_retry) == ([], None)
    assert "a.test" not in world.settle(site, "http://c.test:8082")
    assert (world.refused, len(world.told)) == (2, 1)


@pytest.mark.parametrize(("site", "base"), [(("b.test",), ""), ((), "import /etc/sites/*.caddy\n")])
def test_the_port_for_http_is_missing_as_long_as_somebody_would_be_redirected_from_it(
    site: tuple[str, ...], base: str
) -> None:
    world = World(FakeMachine({80: TAKEN}))
    world.settle("http://a.test", *site, base=base)
    text = world.settle(*site, base=base)
    assert "auto_https disable_redirects" in text
    assert world.told == [f"port 80: taken by nginx (pid 42): stop that{WAITING}"]
    assert "auto_https" not in world.settle()
    assert (world.told, world.quarantine.next_retry) == ([], None)


def test_two_ports_with_one_cause_are_one_message() -> None:
    world = World(FakeMachine({8081: DENIED, 8082: DENIED}))
    text = world.settle("http://a.test:8081", "http://b.test:8082", "http://c.test:8083")
    assert world.told == [f"ports 8081 and 8082: not permitted: stop that{WAITING}"]
    assert "c.test" in text


def test_the_ports_of_the_options_are_known() -> None:
    world = World(FakeMachine({9080: TAKEN}))
    text = world.settle("http://a.test:9080", "http://c.test:8082", base="{\n\thttp_port 9080\n}\n")
    assert "a.test" not in text and "c.test" in text


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("listening on :80: listen tcp :80: bind: address already in use", PortFault(80)),
        ("listening on [::]:80: listen tcp6 [::]:80: bind: permission denied", PortFault(80, is_taken=False)),
        ("starting HTTP/3 QUIC listener: listen udp :443: bind: address already in use", PortFault(443, "udp")),
        (
            "listening on 10.0.0.1:80: listen tcp 10.0.0.1:80: bind: operation not permitted",
            PortFault(80, is_taken=False),
        ),
        ("listening on 9.9.9.9:80: listen tcp 9.9.9.9:80: bind: cannot assign requested address", None),
        ("listening on unix//x: listen unix /x: bind: permission denied", None),
        ("starting caddy administration endpoint: listen tcp 127.0.0.1:2019: bind: address already in use", None),
        ("open /etc/key.pem: permission denied", None),
    ],
)
def test_only_ports_are_the_machines_fault(words: str, fault: PortFault | None) -> None:
    assert PortFault.of(f"loading config: http app module: start: {words}") == fault


def test_an_address_that_a_label_chose_and_the_machine_has_not_stays_its_fault() -> None:
    world = World(FakeMachine({8081: "cannot assign requested address"}))
    text = world.settle("http://a.test:8081", "http://c.test:8082")
    assert "c.test" in text
    assert len(world.told) == 1 and world.told[0].startswith("container http://a.test:8081: caddy refuses it")
