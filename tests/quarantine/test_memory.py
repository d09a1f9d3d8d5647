"""What is remembered of a fragment that is left out."""

from dockcaddy import caddyfile
from dockcaddy.fragment import Fragment
from dockcaddy.model import Pending, Problem
from dockcaddy.quarantine.memory import Memory

FRAGMENT = Fragment("a", "container a", 1, caddyfile.parse("a.test {\n\trespond a\n}\n", "container a"))
PROBLEM = Problem("container a", "caddy.respond", "the older resource wins")


def test_one_that_waits_for_its_next_try_keeps_why_it_was_refused() -> None:
    memory = Memory(lambda: 7.0)
    memory.reject(FRAGMENT, PROBLEM, "b", is_by_rule=True)
    memory.postpone(FRAGMENT)
    rejection = memory.rejections["a"]
    assert (rejection.problem, rejection.older, rejection.is_by_rule) == (PROBLEM, "b", True)
    assert (rejection.retry_at, rejection.refusals, rejection.is_untried) == (7.0, 1, False)


def test_one_that_was_never_tried_only_waits() -> None:
    memory = Memory(lambda: 7.0)
    memory.postpone(FRAGMENT)
    memory.postpone(FRAGMENT)
    rejection = memory.rejections["a"]
    assert (rejection.is_untried, rejection.refusals, type(rejection.problem)) == (True, 0, Pending)
