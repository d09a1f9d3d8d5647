"""One server: what it refuses of what others accept costs only that, and only there. Each step is made by the test."""

import threading
from types import SimpleNamespace
from typing import cast

import pytest
from attrs import define, field
from clock import Clock
from dockcaddy.caddyfile import parse
from dockcaddy.controller import Controller, Fleet, Leadership, Server, Target, Wanted
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import ControlledServer, EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import Pipeline
from policies import loaded
from quarantining import quarantine_of

SITES = ("one", "geo", "two")


@define(eq=False)
class FakeCaddy:
    """Takes the text as its configuration. It lacks the directives in `lacks`, or does not answer."""

    lacks: tuple[str, ...] = ()
    is_silent: bool = False
    runs: bytes = b"{}"
    loads: int = 0
    starts: int = 0
    refused: list[str] = field(factory=list)

    def adapt(self, caddyfile: str) -> bytes:
        self._answer()
        self._check(caddyfile)
        return b'{"apps":{},"text":"%b"}' % caddyfile.encode().hex().encode()

    def load(self, config: bytes) -> None:
        self._answer()
        self._check(bytes.fromhex(config.split(b'"')[-2].decode()).decode())
        self.runs = config
        self.loads += 1

    def holds(self, config: bytes) -> bool:
        self._answer()
        return self.runs == config

    def serves(self, config: bytes) -> bool:
        return self.holds(config)

    def since(self) -> object:
        self._answer()
        return self.starts

    def config(self) -> bytes:
        self._answer()
        return self.runs

    def close(self) -> None:
        pass

    @property
    def text(self) -> str:
        return bytes.fromhex(self.runs.split(b'"')[-2].decode()).decode()

    def _answer(self) -> None:
        if self.is_silent:
            raise CaddyUnreachable("does not answer: connection refused")

    def _check(self, text: str) -> None:
        for number, line in enumerate(text.splitlines(), 1):
            for name in self.lacks:
                if line.strip().startswith(name):
                    raise CaddyRefusal(f"Caddyfile:{number}: unrecognized directive: {name}")


def fragment(place: int, name: str) -> Fragment:
    directive = "geo_ip" if name == "geo" else "respond"
    blocks = parse(f"http://{name}.test {{\n\t{directive} {name}\n}}\n", f"container {name}")
    return Fragment(f"local/{name}", f"container {name}", place, blocks)


PARTS = tuple(fragment(place, name) for place, name in enumerate(SITES))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wanted(*parts: Fragment) -> Wanted:
    pipeline = Pipeline(loaded())
    made = pipeline.configuration(parts)
    return Wanted(Configuration(made.text, (), FakeCaddy().adapt(made.text), made.assembly), parts, pipeline.separate())


def server(clock: Clock, caddy: FakeCaddy, url: str = "http://10.0.0.5:2019") -> Server:
    return Server(Target(url, "container edge"), caddy, quarantine_of(caddy.adapt, clock), clock)


def live(clock: Clock, seconds: float, *servers: Server) -> None:
    until = clock.now + seconds
    while clock.now < until:
        clock.now = max(min(each.step() for each in servers), clock.now + 0.01)


def test_a_server_that_lacks_a_module_has_everything_else(clock: Clock) -> None:
    caddy = FakeCaddy(lacks=("geo_ip",))
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 3, made)
    assert "one.test" in caddy.text and "two.test" in caddy.text and "geo.test" not in caddy.text
    problem = "server http://10.0.0.5:2019 (container edge): left out there: container geo: "
    assert [str(each) for each in made.problems if str(each).startswith(problem)]
    # nothing is sent again while nothing changes, until it may be tried again
    loads = caddy.loads
    live(clock, 5, made)
    assert caddy.loads == loads
    made.want(wanted(PARTS[0], PARTS[2]))
    live(clock, 1, made)
    assert not made.problems and "geo.test" not in caddy.text
    caddy.lacks = ()
    made.want(wanted(*PARTS))
    live(clock, 1, made)
    assert not made.problems and "geo.test" in caddy.text


def test_a_server_that_refuses_everything_keeps_what_it_has_and_is_not_asked_all_the_time(clock: Clock) -> None:
    caddy = FakeCaddy(lacks=("http", "#"))
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 60, made)
    assert caddy.runs == b"{}"
    assert "it refuses everything and keeps what it has" in str(made.problems[0])
    caddy.lacks = ()
    live(clock, 16, made)
    assert not made.problems and all(f"{name}.test" in caddy.text for name in SITES)


def test_a_server_that_is_away_for_a_moment_is_no_problem_and_is_configured_within_two_seconds(clock: Clock) -> None:
    caddy = FakeCaddy()
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 3, made)
    caddy.is_silent = True
    live(clock, 1.5, made)
    assert not made.problems
    live(clock, 600, made)
    assert [str(each) for each in made.problems] == [
        "server http://10.0.0.5:2019 (container edge): does not answer: connection refused"
    ]
    caddy.is_silent, caddy.runs = False, b"{}"
    live(clock, 1.2, made)
    assert "one.test" in caddy.text and not made.problems


def test_a_follower_configures_nothing(clock: Clock) -> None:
    caddy = FakeCaddy()
    made = server(clock, caddy)
    made.leads = lambda: False
    made.want(wanted(*PARTS))
    live(clock, 30, made)
    assert not caddy.loads


def test_a_controller_that_leads_again_does_not_bring_back_what_it_had(clock: Clock) -> None:
    caddy = FakeCaddy()
    made = server(clock, caddy)
    fleet = Fleet(lambda target: made, urls=("http://10.0.0.5:2019",))
    fleet.found(Inventory(()))
    fleet.close()
    fleet.publish(wanted(*PARTS))
    live(clock, 2, made)
    # another one leads, and changes it
    fleet.forget()
    caddy.runs = newer = wanted(PARTS[0]).configuration.json
    live(clock, 10, made)
    assert caddy.runs == newer


def test_only_what_no_server_accepts_is_refused(clock: Clock) -> None:
    caddys = {"http://a:2019": FakeCaddy(lacks=("geo_ip",)), "http://b:2019": FakeCaddy()}
    fleet = Fleet(lambda target: server(clock, caddys[target.url], target.url), urls=tuple(caddys))
    fleet.found(Inventory(()))
    try:
        config = fleet.adapt(wanted(*PARTS).configuration.text)
        fleet.load(config)
        assert caddys["http://b:2019"].runs == config and caddys["http://a:2019"].runs == b"{}"
        with pytest.raises(CaddyRefusal, match="no_such"):
            for each in caddys.values():
                each.lacks = ("no_such",)
            fleet.adapt("http://x.test {\n\tno_such\n}\n")
        for each in caddys.values():
            each.is_silent = True
        with pytest.raises(CaddyUnreachable, match="none of 2 servers answers"):
            fleet.load(b'{"apps":1,"text":"00"}')
    finally:
        fleet.close()


def test_two_servers_that_refuse_something_build_apart(clock: Clock) -> None:
    two = [FakeCaddy(lacks=("geo_ip",)), FakeCaddy(lacks=("geo_ip",))]
    both = [server(clock, caddy, f"http://{number}:2019") for number, caddy in enumerate(two)]
    given = wanted(*PARTS)
    for each in both:
        each.want(given)
    one, other = given.builder(), given.builder()
    without_geo = [each for each in PARTS if each.key != "local/geo"]
    one(without_geo)
    assert "geo.test" in other(PARTS).text and "geo.test" not in one(without_geo).text
    live(clock, 3, *both)
    assert all("one.test" in caddy.text and "two.test" in caddy.text and "geo.test" not in caddy.text for caddy in two)


def test_a_server_that_refused_everything_gets_the_next_configuration_at_once(clock: Clock) -> None:
    caddy = FakeCaddy(lacks=("http", "#"))
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 60, made)
    caddy.lacks = ("geo_ip",)
    made.want(wanted(PARTS[0]))
    live(clock, 0.1, made)
    assert "one.test" in caddy.text


def test_a_server_that_refused_everything_is_asked_again_when_it_has_restarted(clock: Clock) -> None:
    caddy = FakeCaddy(lacks=("http", "#"))
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 60, made)
    caddy.lacks, caddy.starts = (), 1
    live(clock, 1, made)
    assert "one.test" in caddy.text and not made.problems


@pytest.mark.parametrize("leads", [True, False])
def test_a_server_that_refused_everything_is_left_alone_when_another_controller_leads(
    clock: Clock, leads: bool
) -> None:
    caddy = FakeCaddy(lacks=("http", "#"))
    made = server(clock, caddy)
    made.want(wanted(*PARTS))
    live(clock, 60, made)
    made.leads = lambda: leads
    made.forget()
    for _ in range(100):
        due = made.step()
        assert due > clock.now
        clock.now = due


def test_a_server_that_hangs_does_not_delay_the_others() -> None:
    hangs, answers = threading.Event(), threading.Event()

    class Hanging(FakeCaddy):
        def load(self, config: bytes) -> None:
            hangs.set()
            assert answers.wait(60)

    caddys = {"http://a:2019": Hanging(), "http://b:2019": FakeCaddy()}
    made = Fleet(lambda target: server(Clock(), caddys[target.url], target.url), urls=tuple(caddys))
    made.found(Inventory(()))
    try:
        given = wanted(*PARTS)
        made.load(given.configuration.json)
        assert hangs.is_set() and caddys["http://b:2019"].runs == given.configuration.json
        assert not answers.is_set()
    finally:
        answers.set()
        made.close()


def test_the_text_is_adapted_by_servers_of_the_settings_only() -> None:
    found = Inventory((EngineInventory("local", servers=(ControlledServer("container stranger", ("10.0.0.9",)),)),))
    caddys = {"http://10.0.0.9:2019": FakeCaddy(), "http://b:2019": FakeCaddy(is_silent=True)}
    for urls, words in (((), "install one"), (("http://b:2019",), "none of 2 servers answers")):
        made = Fleet(lambda target: server(Clock(), caddys[target.url], target.url), urls=urls)
        made.found(found)
        try:
            with pytest.raises(CaddyUnreachable, match=words):
                made.adapt("a.test\n")
        finally:
            made.close()


def test_what_was_made_before_the_lead_changed_is_not_published() -> None:
    caddy = FakeCaddy()
    made = Fleet(lambda target: server(Clock(), caddy, target.url), urls=("http://b:2019",))
    controller = Controller(made, cast(Leadership, SimpleNamespace(leads=True)))
    configuration, builders = wanted(*PARTS).configuration, Pipeline(loaded()).separate
    try:
        controller.found(Inventory(()))
        for _ in range(2):
            # lost, and regained
            controller.lead_changed()
        controller.publish(configuration, PARTS, builders)
        assert made._wanted is None
        controller.found(Inventory(()))
        controller.leadership = cast(Leadership, SimpleNamespace(leads=False))
        controller.publish(configuration, PARTS, builders)
        assert made._wanted is None
        controller.leadership = cast(Leadership, SimpleNamespace(leads=True))
        controller.publish(configuration, PARTS, builders)
        assert made._wanted is not None
    finally:
        made.close()


def test_what_another_controller_made_is_noticed() -> None:
    caddy = FakeCaddy(runs=b"")
    made = Fleet(lambda target: server(Clock(), caddy, target.url), urls=("http://b:2019",))
    made.found(Inventory(()))
    try:
        assert not made.runs_another(b"{1}")
        caddy.runs = b"{1}"
        assert not made.runs_another(b"{1}")
        assert made.runs_another(b"{2}") and made.runs_another(b"")
    finally:
        made.close()
