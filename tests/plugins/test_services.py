"""Services of plugins beside the loop: when they are called, and what their faults cost."""

from collections.abc import Callable, Hashable
from contextlib import suppress

import dockcaddy
import pytest
from attrs import define, field
from clock import Clock
from dockcaddy import Block, ServiceContext, ServiceType, SiteContext, SiteTransformer, plugins, testing
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Proxy
from dockcaddy.plugins.guard import Contribution
from dockcaddy.plugins.services import GuardedService
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.reconcile.services import Services, StateChanged
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = Configuration("")


@define
class Recorder:
    """A service that notes its calls, and does what a test wants in one of them."""

    calls: list[str] = field(factory=list)
    state: Hashable = "ready"
    retry_at: float | None = None
    wrong: tuple[str, ...] = ()
    does: dict[str, Callable[[], object]] = field(factory=dict)

    def _do(self, name: str, usual: object = None) -> object:
        self.calls.append(name)
        return self.does[name]() if name in self.does else usual

    def start(self) -> object:
        return self._do("start")

    def before_offer(self, configuration: Configuration) -> object:
        return self._do("before_offer")

    def after_accepted(self, configuration: Configuration) -> object:
        return self._do("after_accepted")

    def holds(self) -> object:
        return self._do("holds", True)

    def problems(self) -> object:
        return self.does["problems"]() if "problems" in self.does else self.wrong

    def stop(self) -> object:
        return self._do("stop")


def services(*made: object, clock: Callable[[], float] | None = None) -> Services:
    clock = clock or Clock()
    context = ServiceContext(lambda section: section(), Proxy(), clock)

    def creating(one: object) -> Callable[[ServiceContext], object]:
        return lambda context: one() if isinstance(one, type) else one

    types = [
        Contribution("service", f"s{n}", ServiceType(f"s{n}", creating(one)), "site") for n, one in enumerate(made)
    ]
    return Services([GuardedService(each, context) for each in types], clock)


def messages(running: Services) -> list[str]:
    return [str(each) for each in running.problems()]


def fail() -> None:
    raise ZeroDivisionError("division by zero")


def test_a_service_is_called_at_the_steps_of_a_pass() -> None:
    recorder = Recorder()
    running = services(recorder)
    running.start()
    assert running.begin_pass() == {"s0": "ready"}
    running.before_offer(ACCEPTED)
    running.after_accepted(ACCEPTED)
    assert running.hold()
    running.stop()
    running.stop()
    assert recorder.calls == ["start", "before_offer", "after_accepted", "holds", "stop"]


def test_a_state_that_changes_has_the_configuration_made_anew() -> None:
    recorder = Recorder()
    running = services(recorder)
    running.start()
    running.before_offer(ACCEPTED)
    recorder.state = "another"
    with pytest.raises(StateChanged, match="service s0"):
        running.before_offer(ACCEPTED)
    assert running.begin_pass() == {"s0": "another"}
    running.before_offer(ACCEPTED)


def test_what_it_reports_is_a_problem_of_the_service() -> None:
    recorder = Recorder(wrong=("the disk is full",))
    running = services(recorder)
    running.start()
    assert messages(running) == ["service s0: the disk is full"]
    recorder.wrong = ()
    running.after_accepted(ACCEPTED)
    assert messages(running) == []


@pytest.mark.parametrize("method", ["start", "before_offer", "after_accepted", "holds", "problems"])
def test_a_fault_costs_the_service_its_state_and_no_other_one_anything(method: str) -> None:
    clock = Clock()
    bad, good = Recorder(does={method: fail}), Recorder()
    running = services(bad, good, clock=clock)
    running.start()
    for call in (running.before_offer, running.after_accepted):
        try:
            call(ACCEPTED)
        except StateChanged:
            call(ACCEPTED)
    assert running.hold()
    assert running.begin_pass() == {"s0": None, "s1": "ready"}
    (message,) = messages(running)
    assert message.startswith('service "s0" of plugin site: ZeroDivisionError: division by zero (')
    assert list(dict.fromkeys(good.calls)) == ["start", "before_offer", "after_accepted", "holds"]
    bad.does.clear()
    clock.now = min(running.retries())
    running.begin_pass()
    with pytest.raises(StateChanged):
        running.before_offer(ACCEPTED)
    assert messages(running) == [] and running.begin_pass() == {"s0": "ready", "s1": "ready"}


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (object(), "without start()"),
        (Recorder(does={"before_offer": lambda: 5}), "returns an int, expected nothing"),
        (Recorder(does={"holds": lambda: None}), "returns None, expected True or False"),
        (Recorder(does={"problems": lambda: "text"}), "returns a str as its problems, expected texts"),
        (
            Recorder(state=[]),
            'service "s0" of plugin site: has a list as its state, expected a value that does not change',
        ),
        (Recorder(retry_at="soon"), "has a str as its retry_at"),  # type: ignore[arg-type]
        (fail, "without start()"),
    ],
)
def test_what_a_service_gives_is_checked(made: object, told: str) -> None:
    running = services(made)
    running.start()
    for call in (lambda: running.before_offer(ACCEPTED), running.hold):
        with suppress(StateChanged):
            call()
    assert told in str(messages(running))


class Restless(Recorder):
    """Its state is another one whenever it is asked for."""

    state = property(lambda self: object())  # type: ignore[assignment]

    def __init__(self) -> None:
        self.calls, self.retry_at, self.wrong, self.does = [], None, (), {}


def accepted(running: Services) -> int:
    """How often sites are made in one pass until the states stay as they are."""
    running.begin_pass()
    for times in range(1, 10):
        try:
            running.before_offer(ACCEPTED)
            running.after_accepted(ACCEPTED)
            return times
        except StateChanged:
            running.states()
    raise AssertionError("the states keep changing")


def test_a_state_that_keeps_changing_costs_the_service_its_state_and_keeps_nothing_from_being_served() -> None:
    clock = Clock()
    good = Recorder()
    running = services(Restless(), good, clock=clock)
    running.start()
    assert accepted(running) == 3
    assert running.states() == {"s0": None, "s1": "ready"}
    assert messages(running) == [
        'service "s0" of plugin site: its state changes at every call, so it is left alone for a while'
    ]
    assert running.hold() and accepted(running) == 1
    pauses = []
    for _ in range(6):
        pauses.append(min(running.retries()) - clock.now)
        clock.now += pauses[-1]
        assert accepted(running) == 3
    assert pauses == [1, 2, 4, 8, 16, 30]


def test_a_state_may_change_once_in_every_pass() -> None:
    recorder = Recorder()
    running = services(recorder)
    running.start()
    for number in range(5):
        recorder.state = number
        assert accepted(running) == 2
        assert messages(running) == [] and running.states() == {"s0": number}


class Spiteful:
    """A state that cannot be compared."""

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError("division by zero")


def test_a_state_that_cannot_be_compared_is_a_fault_of_the_service() -> None:
    recorder = Recorder(state=Spiteful())
    running = services(recorder)
    running.start()
    recorder.state = Spiteful()
    for _ in range(3):
        accepted(running)
        assert running.hold()
    (message,) = messages(running)
    assert message.startswith('service "s0" of plugin site: ZeroDivisionError: division by zero (')
    pipeline = Pipeline(plugins.load())
    pipeline.use_states({"s0": Spiteful()})
    pipeline.use_states({"s0": Spiteful()})


def test_a_service_that_fails_to_start_is_stopped_before_it_is_created_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    bad = Recorder(does={"start": fail, "stop": fail})
    running = services(bad, clock=clock)
    running.start()
    assert bad.calls == ["start", "stop"]
    (message,) = messages(running)
    assert "division by zero" in message
    running.stop()
    assert bad.calls == ["start", "stop"]


def test_after_a_fault_a_service_is_left_alone_for_the_rest_of_a_slow_pass() -> None:
    clock = Clock()
    recorder = Recorder(does={"before_offer": fail})
    running = services(recorder, clock=clock)
    running.start()
    running.begin_pass()
    with suppress(StateChanged):
        running.before_offer(ACCEPTED)
    before = messages(running)
    clock.now += 60
    running.after_accepted(ACCEPTED)
    assert before and messages(running) == before
    assert "after_accepted" not in recorder.calls
    running.begin_pass()
    recorder.does.clear()
    with suppress(StateChanged):
        running.before_offer(ACCEPTED)
    assert messages(running) == []


@given(st.lists(st.sampled_from((0.0, 0.3, 1.0, 5.0, 60.0)), min_size=40, max_size=40), st.booleans())
def test_the_same_fault_stays_the_same_problem_however_slow_the_passes_are(pauses: list[float], checks: bool) -> None:
    clock, after = Clock(), iter(pauses)
    running = services(Recorder(does={"before_offer": fail}), clock=clock)
    running.start()
    told = []
    for _ in range(4):
        running.begin_pass()
        for _ in range(4):
            with suppress(StateChanged):
                clock.now += next(after)
                running.before_offer(ACCEPTED)
                clock.now += next(after)
                running.after_accepted(ACCEPTED)
                break
        else:
            pytest.fail("its state changes without an end")
        told.append(messages(running))
        if checks:
            running.hold()
    assert len(told[0]) == 1 and told == [told[0]] * 4


def test_a_service_that_always_wants_a_pass_gets_one_in_a_while() -> None:
    clock = Clock()
    running = services(Recorder(retry_at=-5.0), clock=clock)
    running.start()
    running.begin_pass()
    assert list(running.retries()) == [clock.now + 1]


def test_one_that_cannot_be_stopped_keeps_no_other_one_running(caplog: pytest.LogCaptureFixture) -> None:
    good = Recorder()
    running = services(Recorder(does={"stop": fail}), good)
    running.start()
    running.stop()
    assert good.calls == ["start", "stop"] and "division by zero" in caplog.text


def test_a_site_is_made_for_the_state_of_a_service_and_for_none_where_no_daemon_runs() -> None:
    def transform(context: SiteContext, site: Block) -> Block:
        return Block(site.keys, (Block(("respond", str(context.state("paint", "plain")))),), origins=site.origins)

    class Painting:
        __name__ = "painting"

        @dockcaddy.hook
        def dockcaddy_site_transformers(self) -> list[SiteTransformer]:
            return [SiteTransformer("painting", transform)]

    pipeline = Pipeline(plugins.load(modules=[Painting()]))
    resource = testing.container("web-1", labels={"caddy": "a.test", "caddy.respond": "x"})
    inventory = Inventory((EngineInventory("local", (resource,)),))
    assert "respond plain" in pipeline.build(inventory).text
    pipeline.use_states({"paint": "red"})
    assert "respond red" in pipeline.build(inventory).text
