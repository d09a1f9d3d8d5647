"""The loop with a clock that only moves when told: what is asked, what is sent, and when."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from adapting import as_json
from attrs import define, evolve, field
from clock import Clock
from dockcaddy import AdmissionRule, Attachment, Block, Context, LabelError, caddyfile
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, EngineUnreachable, OutputError
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.schedule import CHECK_INTERVAL
from dockcaddy.reconcile.watch import EngineWatches
from quarantining import quarantine_of


@define(eq=False)
class FakeEngine:
    name: str = "local"
    resources: dict[str, Resource] = field(factory=dict)
    down: bool = False
    asked: int = 0
    resyncs: int = 0

    def start(self, wake: Callable[[], None]) -> None:
        pass

    def inventory(self) -> EngineInventory:
        self.asked += 1
        if self.down:
            raise EngineUnreachable("no answer")
        return EngineInventory(self.name, tuple(self.resources.values()))

    def resync(self) -> None:
        self.resyncs += 1

    def close(self) -> None:
        pass

    def put(self, name: str, **labels: str) -> None:
        keys = {key.replace("__", "."): value for key, value in labels.items()}
        self.resources[name] = Resource("container", name, name, labels=keys, running=True)


@define(eq=False, slots=False)
class FakeOutput:
    written: list[str] = field(factory=list)
    failing: bool = False
    lost: bool = False
    refuses: str = "\0"

    def write(self, configuration: Configuration) -> None:
        if self.failing:
            raise OutputError("disk full")
        if self.refuses in configuration.text:
            raise CaddyRefusal(f"loading: cannot open {self.refuses}")
        self.written.append(configuration.text)
        self.lost = False

    def holds(self, configuration: Configuration) -> bool:
        return not self.lost

    def close(self) -> None:
        pass


@define(eq=False)
class World:
    clock: Clock
    engine: FakeEngine
    caddy: FakeOutput
    file: FakeOutput
    reconciler: Reconciler
    adapted: list[str]

    def turn(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.reconciler.mailbox.wake()
        self.reconciler.step()


@pytest.fixture
def world() -> World:
    clock, engine, caddy, file = Clock(), FakeEngine(), FakeOutput(), FakeOutput()
    adapted: list[str] = []

    def adapt(text: str) -> bytes:
        adapted.append(text)
        if "bogus" in text:
            line = next(number for number, line in enumerate(text.splitlines(), 1) if "bogus" in line)
            raise CaddyRefusal(f"Caddyfile:{line}: unrecognized directive: bogus")
        return as_json(text)

    reconciler = Reconciler(
        EngineWatches.of([engine], clock),
        Pipeline(Registry()),
        quarantine_of(adapt, clock),
        Outputs([Delivery("admin", caddy, clock, is_live=True), Delivery("caddyfile", file, clock)]),
        clock,
    )
    return World(clock, engine, caddy, file, reconciler, adapted)


def test_equal_configuration_is_adapted_and_sent_once_however_often_it_is_woken(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    # alone, the operator's and the whole
    adapted = list(world.adapted)
    for _ in range(5):
        world.turn()
    assert (len(world.caddy.written), len(world.file.written)) == (1, 1)
    assert world.adapted == adapted


def test_memory_is_given_back_after_a_change_and_after_a_poll_and_once_more_when_calm(world: World) -> None:
    asked = [0]

    def give_back() -> None:
        asked[0] += 1

    world.reconciler.give_back_memory = give_back
    world.reconciler.schedule.begin(world.clock())
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    for _ in range(3):
        world.turn()
    assert asked == [1]
    world.engine.put("b", caddy="b.test", caddy__respond="hi")
    world.turn()
    assert asked == [2]
    world.turn(60)
    assert asked == [3]
    # threads that brought responses may have held them until then
    for expected in (3, 4, 4):
        for _ in range(5):
            world.clock.advance(CHECK_INTERVAL - 0.1)
            world.reconciler.step()
        assert asked == [expected]


def test_a_failed_list_call_keeps_the_last_configuration(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    world.engine.down = True
    world.engine.resources.clear()
    world.turn()
    assert len(world.caddy.written) == 1
    world.engine.down = False
    world.turn(60)
    assert world.caddy.written[-1] == "# Empty caddyfile"


def test_an_engine_that_never_answered_publishes_nothing(world: World) -> None:
    world.engine.down = True
    world.turn()
    assert world.caddy.written == []


def test_the_engine_is_asked_again_with_a_growing_pause(world: World) -> None:
    world.engine.down = True
    world.turn()
    asked = world.engine.asked
    for _ in range(100):
        world.clock.advance(0.1)
        world.reconciler.step()
    assert 8 <= world.engine.asked - asked <= 15


def test_an_output_that_fails_does_not_stop_the_others_and_is_tried_again(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.file.failing = True
    world.turn()
    assert len(world.caddy.written) == 1
    world.file.failing = False
    world.clock.advance(1)
    world.reconciler.step()
    assert len(world.file.written) == 1
    assert len(world.caddy.written) == 1


def test_a_configuration_changed_by_somebody_else_is_put_right_without_an_event(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    world.caddy.lost = True
    for _ in range(5):
        world.clock.advance(1)
        world.reconciler.step()
    assert len(world.caddy.written) == 2


def test_a_caddy_that_lost_its_configuration_by_a_restart_is_configured_at_once(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    world.caddy.lost = True
    world.reconciler.mailbox.caddy_started()
    world.reconciler.step()
    assert len(world.caddy.written) == 2


def test_a_caddy_that_restarted_with_its_configuration_is_sent_nothing(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    world.reconciler.mailbox.caddy_started()
    world.reconciler.step()
    assert len(world.caddy.written) == 1


def test_a_refused_directive_costs_only_its_resource(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.engine.put("b", caddy="a.test", caddy__bogus="x")
    world.turn()
    assert "respond hi" in world.caddy.written[-1]
    assert "bogus" not in world.caddy.written[-1]
    problems = [str(problem) for problem in world.reconciler.problems]
    assert problems == ["container b: label caddy.bogus: caddy refuses it: unrecognized directive: bogus"]


def test_a_configuration_that_does_not_load_costs_only_the_resource_at_fault(world: World) -> None:
    world.caddy.refuses = "/no/cert.pem"
    for name in "abcdefgh":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond=name)
    world.engine.put("i", caddy="i.test", caddy__tls="/no/cert.pem /no/key.pem")
    world.turn()
    assert world.caddy.written[-1].count(".test") == 8
    assert "i.test" not in world.caddy.written[-1]


def test_what_was_refused_is_tried_again_after_a_growing_pause(world: World) -> None:
    world.caddy.refuses = "/no/cert.pem"
    world.engine.put("a", caddy="a.test", caddy__respond="a")
    world.turn()
    world.engine.put("b", caddy="b.test", caddy__tls="/no/cert.pem /no/key.pem")
    world.turn()
    world.caddy.refuses = "\0"
    world.turn(1)
    assert "b.test" not in world.caddy.written[-1]
    world.clock.advance(30)
    world.reconciler.step()
    assert "b.test" in world.caddy.written[-1]


def test_a_refused_resource_is_tried_at_once_when_it_changes(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__bogus="x")
    world.turn()
    world.engine.put("a", caddy="a.test", caddy__respond="x")
    world.turn(0.2)
    assert "respond x" in world.caddy.written[-1]


def test_a_broken_newcomer_changes_nothing_that_is_sent(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="a")
    world.turn()
    world.engine.put("b", caddy="b.test", caddy__respond="{{nonsense}}")
    world.engine.put("c", **{"caddy__": "x"})
    world.engine.put("d", caddy="d.test", caddy__bogus="1")
    world.turn()
    assert len(world.caddy.written) == 1
    assert {problem.resource for problem in world.reconciler.problems} == {
        "container b",
        "container c",
        "container d",
    }


def test_when_everything_is_refused_nobody_is_blamed_and_it_is_tried_again(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="a")
    world.engine.put("b", caddy="b.test", caddy__respond="b")
    world.caddy.refuses = ""
    world.turn()
    assert world.caddy.written == []
    world.caddy.refuses = "\0"
    world.clock.advance(2)
    world.reconciler.step()
    assert world.caddy.written[-1].count(".test") == 2


def test_the_last_good_base_caddyfile_stays_while_the_new_one_is_refused(world: World) -> None:
    texts = ["base.test {\n\trespond one\n}\n"]
    world.reconciler.base = lambda: BaseCaddyfile("Caddyfile", texts[-1])
    world.engine.put("a", caddy="a.test", caddy__respond="a")
    world.turn()
    texts.append("base.test {\n\tbogus\n}\n")
    world.engine.put("b", caddy="b.test", caddy__respond="b")
    world.turn()
    assert "respond one" in world.caddy.written[-1] and "b.test" in world.caddy.written[-1]
    assert "caddyfile Caddyfile: caddy refuses it" in str(world.reconciler.problems[-1])
    texts.append("base.test {\n\trespond two\n}\n")
    world.turn()
    assert "respond two" in world.caddy.written[-1]


def test_polling_lists_everything_anew_and_can_be_switched_off(world: World) -> None:
    for _ in range(4):
        world.clock.advance(30)
        world.reconciler.step()
    assert world.engine.resyncs == 4
    world.reconciler.schedule.polling_interval = 0
    for _ in range(4):
        world.clock.advance(30)
        world.reconciler.step()
    assert world.engine.resyncs == 4


def test_a_problem_is_logged_once_when_it_appears_and_once_when_it_is_gone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "dockcaddy")
    world.engine.put("a", caddy="a.test", caddy__respond="{{nonsense}}")
    for _ in range(3):
        world.turn()
    world.engine.put("a", caddy="a.test", caddy__respond="x")
    for _ in range(3):
        world.turn()
    told = [record.getMessage() for record in caplog.records if "nonsense" in record.getMessage()]
    assert told == [
        'container a: label caddy.respond: function "nonsense" is not defined',
        'no longer: container a: label caddy.respond: function "nonsense" is not defined',
    ]


def test_an_unchanged_resource_is_rendered_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    renderer = world.reconciler.pipeline._renderer
    original = renderer.render
    monkeypatch.setattr(
        type(renderer), "render", lambda self, context: rendered.append(context.resource.name) or original(context)
    )
    for name in "abc":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond=name)
    world.turn()
    world.engine.resources["b"] = evolve(world.engine.resources["b"])
    world.turn()
    assert rendered == ["a", "b", "c", "b"]


def test_a_resource_that_cannot_be_rendered_any_more_stays_as_it_was(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="one")
    world.turn()
    world.engine.put("a", caddy="a.test", caddy__respond="{{nope}}")
    world.engine.put("b", caddy="b.test", caddy__respond="b")
    world.turn()
    assert "respond one" in world.caddy.written[-1] and "b.test" in world.caddy.written[-1]
    assert 'function "nope" is not defined' in str(world.reconciler.problems)


def test_a_resource_that_caddy_refuses_by_now_stays_as_it_was(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="one")
    world.turn()
    world.engine.put("a", caddy="a.test", caddy__bogus="")
    world.turn()
    assert len(world.caddy.written) == 1
    assert "unrecognized directive" in str(world.reconciler.problems)


def test_what_was_good_at_another_address_is_not_put_back(world: World) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="one")
    world.turn()
    world.engine.put("a", caddy="a.test", caddy__respond="{{nope}}")
    moved = evolve(world.engine.resources["a"], attachments=(Attachment("front", ipv4="172.18.0.9"),))
    world.engine.resources["a"] = moved
    world.turn()
    assert "a.test" not in world.caddy.written[-1]


def test_what_an_admission_rule_refuses_is_not_put_back(world: World) -> None:
    refusing: list[str] = []

    def check(context: Context, blocks: tuple[Block, ...]) -> None:
        if refusing:
            raise LabelError("caddy", "not today")

    world.reconciler.pipeline = Pipeline(Registry(admission_rules=(AdmissionRule("strict", check),)))
    world.engine.put("a", caddy="a.test", caddy__respond="one")
    world.turn()
    refusing.append("from now on")
    world.engine.put("a", caddy="a.test", caddy__respond="two")
    world.turn()
    assert "a.test" not in world.caddy.written[-1]


def test_what_an_earlier_run_had_accepted_is_put_back_while_it_cannot_be_rendered(world: World) -> None:
    kept = Fragment("local/a", "container a", 0, caddyfile.parse("a.test {\n\trespond one\n}\n", ""))
    world.reconciler.quarantine.remember({"local/a": kept})
    world.engine.put("a", caddy="a.test", caddy__respond="{{nope}}")
    world.turn()
    assert "respond one" in world.caddy.written[-1]


def test_of_two_that_contradict_each_other_the_older_stays_until_it_is_gone(world: World) -> None:
    world.engine.put("a", caddy="x.test", **{"caddy__@api__path": "/a/*", "caddy__respond": "@api a"})
    world.turn()
    world.engine.put("b", caddy="x.test", **{"caddy__@api__path": "/b/*", "caddy__respond": "@api b"})
    world.engine.resources["b"] = evolve(world.engine.resources["b"], created=5)
    world.turn()
    assert len(world.caddy.written) == 1
    assert "@api differs from that of container a" in str(world.reconciler.problems)
    del world.engine.resources["a"]
    world.turn()
    assert "path /b/*" in world.caddy.written[-1] and world.reconciler.problems == ()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CaddyRefusal("no more"), "caddy: refuses everything: no more"),
        (CaddyUnreachable("caddy does not answer"), "caddy: caddy does not answer"),
    ],
)
def test_the_reason_why_nothing_changes_is_logged_once_when_it_appears_and_once_when_it_is_gone(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception, message: str
) -> None:
    def fail(text: str) -> bytes:
        raise error

    caplog.set_level("INFO", "dockcaddy")
    assert world.reconciler.quarantine is not None
    adapt, world.reconciler.quarantine.adapt = world.reconciler.quarantine.adapt, fail
    world.engine.put("a", caddy="a.test", caddy__respond="a")
    for _ in range(3):
        world.turn(60)
    assert caplog.messages == [message]
    world.reconciler.quarantine.adapt = adapt
    world.turn(60)
    assert caplog.messages == [message, f"no longer: {message}"]


def refusing(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on Caddy refuses everything without a reason. Returns what it is asked to load."""
    loads: list[str] = []

    def write(configuration: Configuration) -> None:
        loads.append(configuration.text)
        raise CaddyRefusal("no reason")

    monkeypatch.setattr(world.caddy, "write", write)
    return loads


def test_an_output_of_a_plugin_that_refuses_everything_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "ab":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    refusing(world, monkeypatch)
    (delivery,) = world.reconciler.outputs.live
    delivery.caddy = 'output "edge" of plugin site'
    del world.engine.resources["a"]
    for _ in range(3):
        world.turn(60)
    assert 'output "edge" of plugin site: refuses everything: no reason' in caplog.messages


def test_a_failed_output_does_not_make_a_caddy_that_refuses_everything_be_asked_without_a_pause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.file.failing = True
    for name in "abc":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    loads = refusing(world, monkeypatch)
    del world.engine.resources["a"]
    world.turn()
    world.clock.advance(0.6)
    before = len(loads)
    for _ in range(20):
        world.reconciler.step()
    assert len(loads) == before


def test_an_unreachable_caddy_is_not_asked_without_a_pause_while_an_output_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.turn()
    asked = 0

    def adapt(text: str) -> bytes:
        nonlocal asked
        asked += 1
        raise CaddyUnreachable("no answer")

    world.caddy.failing = world.caddy.lost = True
    monkeypatch.setattr(world.reconciler.quarantine, "adapt", adapt)
    world.clock.advance(3)
    world.reconciler.step()
    world.engine.put("b", caddy="b.test", caddy__respond="hi")
    world.turn()
    world.clock.advance(0.5)
    before = asked
    for _ in range(20):
        world.reconciler.step()
    assert asked == before


def test_what_was_only_tried_is_not_delivered_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    with monkeypatch.context() as context:
        refusing(world, context)
        del world.engine.resources["a"]
        world.turn()
    world.clock.advance(0.5)
    world.reconciler._check()
    assert world.caddy.written[-1].count("respond") == 4
    world.turn(60)
    assert world.caddy.written[-1].count("respond") == 3


def test_what_caddy_refused_is_not_saved_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.reconciler.last_good = LastGood(tmp_path / "last-good.db")
    for name in "abcd":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    served = world.reconciler.last_good.load().json
    refusing(world, monkeypatch)
    del world.engine.resources["a"]
    world.turn()
    world.reconciler._close()
    assert world.reconciler.last_good.load().json == served


def test_a_search_takes_no_site_from_a_caddy_beside_one_that_is_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FakeOutput()
    deliveries = [*world.reconciler.outputs.deliveries, Delivery("admin=other", other, world.clock, is_live=True)]
    world.reconciler.outputs.deliveries = deliveries
    names = "abcdefghijkl"
    for name in names:
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    world.caddy.written.clear()

    def unknown(configuration: Configuration) -> bool:
        raise OutputError("down")

    other.failing = True
    monkeypatch.setattr(other, "holds", unknown)
    write = world.caddy.write

    def refuse_one(configuration: Configuration) -> None:
        if "c.test" in configuration.text:
            raise CaddyRefusal("no reason")
        write(configuration)

    monkeypatch.setattr(world.caddy, "write", refuse_one)
    del world.engine.resources["a"]
    world.turn(3)
    assert all(text.count("respond") >= len(names) - 2 for text in world.caddy.written)


def test_problems_that_stay_are_not_reported_as_solved_while_caddy_is_away(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("dockcaddy"), "propagate", True)
    caplog.set_level(logging.INFO, "dockcaddy")
    world.engine.put("a", caddy="a.test", caddy__respond="hi")
    world.engine.put("bad", caddy="c.test", caddy__bogus="x")
    world.turn()

    def adapt(text: str) -> bytes:
        raise CaddyUnreachable("no answer")

    monkeypatch.setattr(world.reconciler.quarantine, "adapt", adapt)
    world.engine.put("b", caddy="b.test", caddy__respond="hi")
    world.turn()
    assert "no longer: container bad" not in caplog.text


def test_all_new_resources_are_searched_without_loading_an_empty_configuration(world: World) -> None:
    for name in "ab":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.turn()
    world.engine.resources.clear()
    for name in "cde":
        world.engine.put(name, caddy=f"{name}.test", caddy__respond="hi")
    world.engine.put("x", caddy="x.test", caddy__respond="bad")
    world.caddy.refuses = "bad"
    world.turn()
    assert all("respond" in text for text in world.caddy.written)
    assert world.caddy.written[-1].count("respond") == 3
