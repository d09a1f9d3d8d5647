"""One server: what it refuses of what others accept costs only that, and only there. Each step is made by the test."""

import pytest
from attrs import define, field
from clock import Clock
from dockcaddy.caddyfile import parse
from dockcaddy.controller import Fleet, Server, Target, Wanted
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory
from dockcaddy.quarantine import Quarantine
from dockcaddy.reconcile.pipeline import Pipeline
from policies import loaded

SITES = ("one", "geo", "two")


@define(eq=False)
class FakeCaddy:
    """Takes the text as its configuration. It lacks the directives in `lacks`, or does not answer."""

    lacks: tuple[str, ...] = ()
    is_silent: bool = False
    runs: bytes = b"{}"
    loads: int = 0
    refused: list[str] = field(factory=list)

    def adapt(self, caddyfile: str) -> bytes:
        self._answer()
        self._check(caddyfile)
        return b'{"apps":%d,"text":"%b"}' % (len(caddyfile), caddyfile.encode().hex().encode())

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
    return Server(Target(url, "container edge"), caddy, Quarantine(caddy.adapt, clock), clock)


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
