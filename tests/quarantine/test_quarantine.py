"""Finding what Caddy refuses: whom its words point at, how often it is asked, and that nobody waits for that."""

import json

import pytest
from attrs import evolve
from dockcaddy import caddyfile
from dockcaddy.caddyjson import FragmentDocuments
from dockcaddy.caddyjson.site_routes import SiteRoutes
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import MOST_SENIOR, Fragment
from dockcaddy.quarantine.memory import CRASHES_WITHIN, PROVEN_AFTER
from dockcaddy.settings.limits import MAX_SEARCH_TIME
from quarantining import quarantine_of
from simulated_caddy import GOOD, NO_FILE, NO_ROUTE, Caddy, first_with, fragment, site


def test_what_is_named_in_the_words_costs_one_load_each() -> None:
    caddy = Caddy(first_with(".pem", NO_FILE))
    caddy.settle(*GOOD)
    bad = [fragment(f"bad{n:02}", site(f"bad{n}", f"tls /no/{n}/key.pem")) for n in range(20)]
    assert caddy.settle(*GOOD, *bad) == [each.key for each in bad]
    assert caddy.refused == 20


def test_what_caddy_was_setting_up_costs_one_load_each() -> None:
    caddy = Caddy(first_with("(((", NO_ROUTE))
    caddy.settle(*GOOD)
    bad = [fragment(f"bad{n:02}", site(f"bad{n}", f"header X-{n} (((")) for n in range(20)]
    assert caddy.settle(*GOOD, *bad) == [each.key for each in bad]
    assert caddy.refused == 20


def test_what_a_rule_refused_is_not_adapted_at_a_start() -> None:
    texts: list[str] = []

    def adapt(text: str) -> bytes:
        texts.append(text)
        return b"{}"

    def unreachable(text: str) -> bytes:
        raise CaddyUnreachable("it starts")

    at_once = SiteRoutes(adapt, lambda work, things: [*map(work, things)])
    quarantine = quarantine_of(adapt, lambda: 0.0, documents=FragmentDocuments(adapt, at_once))
    refused, good = (fragment(name, f"{name}.test {{\n\trespond x\n}}\n") for name in ("refused", "good"))
    quarantine.begin([evolve(refused, refused=True), good])
    assert len(texts) == 1 and "good.test" in texts[0] and "refused.test" not in texts[0]
    # whoever needs the documents hears of it
    definer = fragment("options", "{\n\tdebug\n}\n", MOST_SENIOR)
    quarantine_of(adapt, lambda: 0.0, documents=FragmentDocuments(unreachable)).begin([definer, good])


def test_what_caddy_refuses_at_times_is_said_by_who_needs_the_documents() -> None:
    answers = [CaddyRefusal("out of time"), b"{}", CaddyRefusal("out of time")]

    def adapt(text: str) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, CaddyRefusal):
            raise answer
        return answer

    definer = fragment("options", "{\n\tdebug\n}\n", MOST_SENIOR)
    quarantine_of(adapt, lambda: 0.0, documents=FragmentDocuments(adapt)).begin([definer])
    assert answers == []


@pytest.mark.parametrize("more", [0, 300])
def test_hundreds_of_one_kind_cost_one_load(more: int) -> None:
    caddy = Caddy(first_with(".pem", NO_FILE))
    caddy.settle(*GOOD)
    bad = [fragment(f"bad{n:03}", site(f"bad{n}", "tls /no/key.pem")) for n in range(300)]
    good = [fragment(f"more{n}", site(f"more{n}", "respond x")) for n in range(more)]
    assert caddy.settle(*GOOD, *bad, *good) == [each.key for each in bad]
    assert caddy.refused <= 2
    assert caddy.loads[-1].count(".test") == 20 + more


def test_of_one_kind_only_the_host_that_is_refused_is_left_out() -> None:
    caddy = Caddy(first_with("xn--", NO_ROUTE))
    alike = [fragment(name, site(name, "respond x")) for name in ("a", "xn--", "b")]
    assert caddy.settle(*GOOD, *alike) == ["xn--"]
    assert "http://a.test" in caddy.loads[-1] and "http://b.test" in caddy.loads[-1]


def test_a_word_of_the_complaint_in_a_good_site_is_no_reason_to_blame_it() -> None:
    caddy = Caddy(first_with("secret-cause", "no such file or directory"))
    innocent = fragment("innocent", site("innocent", "respond directory"))
    assert caddy.settle(*GOOD, innocent, fragment("bad", site("bad", "x secret-cause"))) == ["bad"]


def test_who_stands_at_the_line_is_not_blamed_for_what_another_one_says() -> None:
    caddy = Caddy()
    quick = caddy.quarantine.adapt

    def adapt(text: str) -> bytes:
        if "too-few" in text:
            line = next((n for n, line in enumerate(text.splitlines(), 1) if "innocent.test" in line), 1)
            raise CaddyRefusal(f"parsing caddyfile tokens for 'eab': wrong count after 'too-few', at Caddyfile:{line}")
        return quick(text)

    caddy.quarantine.adapt = adapt
    innocent = fragment("innocent", site("innocent", "respond x"), 1)
    assert caddy.settle(*GOOD, innocent, fragment("bad", site("bad", "eab too-few"))) == ["bad"]


def test_what_comes_beside_one_that_cannot_be_read_comes_with_one_load() -> None:
    caddy = Caddy()
    quick = caddy.quarantine.adapt

    def adapt(text: str) -> bytes:
        for number, line in enumerate(text.splitlines(), start=1):
            if "banana" in line:
                raise CaddyRefusal(f"Caddyfile:{number}: unrecognized directive: banana")
        return quick(text)

    caddy.quarantine.adapt = adapt
    caddy.settle(*GOOD)
    like_what_is_there = fragment("alike", site("alike", "respond x"))
    unlike = fragment("unlike", site("unlike", "header X-A b"))
    bad = fragment("bad", site("bad", "banana"))
    assert caddy.settle(*GOOD, like_what_is_there, bad, unlike) == ["bad"]
    assert len(caddy.loads) == 2


def test_of_two_of_one_name_the_one_that_says_the_line_is_left_out() -> None:
    def adapt(text: str) -> bytes:
        for number, line in enumerate(text.splitlines(), 1):
            if "bogus" in line:
                raise CaddyRefusal(f"Caddyfile:{number}: unrecognized directive: bogus")
        return quick(text)

    caddy = Caddy()
    quick, caddy.quarantine.adapt = caddy.quarantine.adapt, adapt
    blocks = (
        caddyfile.parse(site("shared", "bogus x"), "container web"),
        caddyfile.parse(site("shared"), "container web"),
    )
    older = Fragment("one/web", "container web", 1, blocks[0])
    newer = Fragment(
        "two/web", "container web", 2, blocks[1] + caddyfile.parse(site("b", "respond b"), "container web")
    )
    caddy.settle(older, newer)
    assert "bogus" not in caddy.loads[-1] and "http://b.test" in caddy.loads[-1]


def test_what_loads_slowly_is_looked_for_in_parts_and_nothing_new_waits_for_it() -> None:
    caddy = Caddy(first_with("cause", "no reason"), slow=MAX_SEARCH_TIME / 3)
    caddy.settle(*GOOD)
    bad = [fragment(f"bad{n:02}", site(f"bad{n}", f"header {n} cause")) for n in range(10)]
    told = caddy.settle(*GOOD, *bad)
    assert told == [each.key for each in bad]
    assert caddy.refused < 10
    assert "waits until" in str(caddy.quarantine.problems)
    assert caddy.quarantine.next_retry is not None and caddy.quarantine.next_retry <= caddy.now
    late = fragment("late", site("late", "respond late"))
    before = caddy.now
    caddy.settle(*GOOD, *bad, late)
    assert "late.test" in caddy.loads[-1]
    assert caddy.now - before < 3 * MAX_SEARCH_TIME


@pytest.mark.parametrize("slow", [MAX_SEARCH_TIME / 3, MAX_SEARCH_TIME * 2])
def test_a_slow_search_comes_to_its_end(slow: float) -> None:
    caddy = Caddy(first_with("cause", "no reason"), slow=slow)
    bad = [fragment(f"bad{n:02}", site(f"bad{n}", f"header {n} cause"), n) for n in range(5)]
    good = [fragment(f"new{n:02}", site(f"new{n}", f"respond {n}"), n) for n in range(5)]
    for _ in range(40):
        told = caddy.settle(*GOOD, *bad, *good)
        if "waits until" not in str(caddy.quarantine.problems):
            break
    assert told == [each.key for each in bad]
    assert caddy.loads[-1].count(".test") == 25


@pytest.mark.parametrize("refusal", ["no reason", NO_ROUTE])
def test_what_is_like_the_accepted_does_not_wait_for_hundreds_that_are_unlike_it(refusal: str) -> None:
    caddy = Caddy(first_with("cause", refusal), slow=MAX_SEARCH_TIME / 10)
    caddy.settle(*GOOD)
    bad = [fragment(f"bad{n:03}", site(f"bad{n}", f"header {n} cause", f"d{n % 9} x"), n) for n in range(300)]
    new = fragment("new", site("new", "respond something-new"), 1000)
    caddy.settle(*GOOD, *bad, new)
    assert "new.test" in caddy.loads[-1]


def test_what_is_unlike_everything_waits_for_one_of_each_shape_at_most() -> None:
    caddy = Caddy(first_with("cause", NO_ROUTE))
    bad = [fragment(f"bad{n:03}", site(f"bad{n}", f"header {n} cause", f"d{n % 9} x"), n) for n in range(300)]
    new = fragment("new", site("new", "vars a b"), 1000)
    caddy.settle(*bad, new)
    (first,) = {text for text in caddy.loads if "new.test" in text}
    assert caddy.tries.index(first) < 40


def test_what_is_due_again_is_tried_beside_what_is_new() -> None:
    caddy = Caddy(first_with("cause", "no reason"))
    bad = fragment("bad", site("bad", "respond cause"))
    caddy.settle(*GOOD, bad)
    caddy.now += 11
    new = fragment("new", site("new", "respond new"))
    assert caddy.settle(*GOOD, bad, new) == ["bad"]
    assert ["new.test" in text for text in caddy.loads[-2:]] == [False, True]


def test_two_that_are_refused_by_now_both_stay_as_they_were() -> None:
    caddy = Caddy(first_with("cause", "no reason"))
    caddy.settle(*GOOD, *(fragment(name, site(name, "respond before")) for name in "ab"))
    caddy.settle(*GOOD, *(fragment(name, site(name, f"respond cause{name}")) for name in "ab"))
    assert caddy.loads[-1].count("respond before") == 2


def test_hundreds_that_are_refused_one_by_one_end_in_a_verdict_each() -> None:
    caddy = Caddy(first_with("cause", NO_ROUTE))
    bad = [fragment(f"bad{n:04}", site(f"bad{n}", f"header {n} cause")) for n in range(600)]
    assert len(caddy.settle(*bad)) == 600


def test_what_caddy_comes_to_no_end_with_is_left_out_like_what_it_refuses() -> None:
    caddy = Caddy()
    quick = caddy.quarantine.adapt

    def adapt(text: str) -> bytes:
        if "endless" in text:
            raise CaddyUnreachable("caddy does not answer: timed out") from TimeoutError("timed out")
        return quick(text)

    caddy.quarantine.adapt = adapt
    bad = fragment("bad", site("bad", "respond endless"))
    assert caddy.settle(*GOOD, bad, fragment("new", site("new", "respond x"))) == ["bad"]
    assert "new.test" in caddy.loads[-1]
    assert str(caddy.quarantine.problems[0]) == "container bad: caddy refuses it: adapting it does not finish"


def test_a_caddy_that_is_away_is_nobodys_fault() -> None:
    caddy = Caddy()

    def adapt(text: str) -> bytes:
        raise CaddyUnreachable("caddy does not answer: timed out") from TimeoutError("timed out")

    caddy.quarantine.adapt = adapt
    with pytest.raises(CaddyUnreachable):
        caddy.settle(*GOOD)
    assert caddy.quarantine.problems == ()


LOOPING = {
    "apps": {"http": {"servers": {"srv0": {"named_routes": {"x": {"handle": [{"handler": "invoke", "name": "x"}]}}}}}}
}


def test_a_hazard_costs_its_resource_and_is_not_loaded() -> None:
    caddy = Caddy()
    plain = caddy.quarantine.adapt
    caddy.quarantine.adapt = lambda text: (
        json.dumps(LOOPING, separators=(",", ":")).encode() if "invoke" in text else plain(text)
    )
    assert caddy.settle(*GOOD, fragment("bad", site("bad", "invoke x"))) == ["bad"]
    assert caddy.refused == 0
    (problem,) = caddy.quarantine.problems
    assert problem.message == 'the named route "x" invokes itself: the first request would crash caddy'


def test_a_hazard_of_the_operators_own_is_their_business() -> None:
    caddy = Caddy()
    caddy.quarantine.adapt = lambda text: json.dumps(LOOPING, separators=(",", ":")).encode()
    operators = fragment("caddyfile", site("own", "invoke x"), MOST_SENIOR)
    assert caddy.settle(operators, *GOOD) == []


def newcomer() -> tuple[Caddy, Fragment, Fragment]:
    """A Caddy that runs a fragment, and another one since a moment ago."""
    caddy = Caddy()
    good, bad = fragment("good", site("good", "respond good")), fragment("bad", site("bad", "respond bad"))
    caddy.settle(good)
    caddy.now += 5
    caddy.settle(good, bad)
    return caddy, good, bad


def test_what_came_last_before_caddy_began_to_crash_is_left_out() -> None:
    caddy, good, bad = newcomer()
    for _ in range(2):
        caddy.quarantine.caddy_crashed()
        assert caddy.settle(good, bad) == []
    caddy.quarantine.caddy_crashed()
    assert caddy.settle(good, bad) == ["bad"]
    assert "bad" not in caddy.loads[-1] and "good" in caddy.loads[-1]
    assert (
        str(caddy.quarantine.problems[0])
        == "container bad: caddy crashes repeatedly since it was added, so it is left out for a while"
    )


def test_what_caddy_crashed_of_is_not_tried_more_often_because_it_is_refused_then() -> None:
    caddy, good, bad = newcomer()
    for _ in range(3):
        caddy.quarantine.caddy_crashed()
    assert caddy.settle(good, bad) == ["bad"]
    caddy.complains = first_with("respond bad", "loading certificates: no such file or directory")
    caddy.now += CRASHES_WITHIN
    assert caddy.settle(good, bad) == ["bad"] and caddy.refused == 1
    assert caddy.quarantine.next_retry == caddy.now + 2 * CRASHES_WITHIN


def test_what_caddy_had_for_long_is_not_blamed_for_its_crashes() -> None:
    caddy = Caddy()
    old = [fragment(name, site(name, "respond x")) for name in "ab"]
    caddy.settle(*old)
    caddy.now += PROVEN_AFTER
    for _ in range(10):
        caddy.quarantine.caddy_crashed()
        assert caddy.settle(*old) == []


def test_crashes_that_are_far_apart_are_nobodys_fault() -> None:
    caddy = Caddy()
    for _ in range(5):
        caddy.settle(fragment("a", site("a", "respond a")))
        caddy.now += CRASHES_WITHIN / 2 + 1
        caddy.quarantine.caddy_crashed()
    assert caddy.quarantine.problems == ()


def test_of_many_that_came_together_the_one_at_fault_is_left_out_in_the_end() -> None:
    caddy = Caddy()
    crowd = [fragment(str(number), site(str(number), "respond x"), number) for number in range(20)]
    caddy.settle(*crowd)
    crashes = 0
    for _ in range(4000):
        if "http://7.test" in caddy.loads[-1]:
            caddy.quarantine.caddy_crashed()
            crashes += 1
        caddy.settle(*crowd)
        caddy.now += 1
    assert caddy.settle(*crowd) == ["7"]
    assert crashes < 40
