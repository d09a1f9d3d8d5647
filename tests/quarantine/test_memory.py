"""What is remembered of a fragment that is left out."""

import pytest
from attrs import evolve
from dockcaddy import caddyfile, testing
from dockcaddy.fragment import Fragment
from dockcaddy.model import Pending, Problem
from dockcaddy.quarantine.memory import Memory

FRAGMENT = Fragment("a", "container a", 1, caddyfile.parse("a.test {\n\trespond a\n}\n", "container a"))
PROBLEM = Problem("container a", "caddy.respond", "the older resource wins")


def test_one_that_waits_for_its_next_try_keeps_why_it_was_refused() -> None:
    memory = Memory(lambda: 7.0)
    memory.reject(FRAGMENT, PROBLEM, "b", None, is_by_rule=True)
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


SERVICE = """a.test {
	reverse_proxy /api/* http://10.0.1.3:80 http://10.0.1.4:80 other:80 {
		lb_policy first
	}
	handle {
		reverse_proxy {
			to 10.0.1.3:81 10.0.1.4:81
		}
	}
}
"""


def service(text: str, *addresses: str, kind: str = "service") -> Fragment:
    resource = evolve(testing.container("web"), kind=kind, targets=addresses)
    return Fragment("a", "service web", 1, caddyfile.parse(text, "service web"), addresses=addresses, resource=resource)


def fallback(before: Fragment, now: Fragment) -> Fragment | None:
    memory = Memory(lambda: 7.0)
    memory.remember({"a": before})
    return memory.fallback(now)


def test_a_service_keeps_its_last_good_version_with_the_tasks_that_it_has_now() -> None:
    found = fallback(service(SERVICE, "10.0.1.3", "10.0.1.4"), service("", "10.0.1.4", "fd00::5"))
    assert found is not None and found.addresses == ("10.0.1.4", "fd00::5")
    assert found.resource is not None and found.resource.targets == ("10.0.1.4", "fd00::5")
    expected = SERVICE.replace("http://10.0.1.3:80 http://10.0.1.4:80", "http://10.0.1.4:80 http://[fd00::5]:80")
    expected = expected.replace("10.0.1.3:81 10.0.1.4:81", "10.0.1.4:81 [fd00::5]:81")
    assert caddyfile.write(found.blocks) == expected


def test_the_same_tasks_are_the_same_version() -> None:
    before = service(SERVICE, "10.0.1.3", "10.0.1.4")
    assert fallback(before, service("", "10.0.1.3", "10.0.1.4")) is before


@pytest.mark.parametrize(
    ("text", "addresses", "kind"),
    [
        (SERVICE, ("10.0.1.9",), "service"),
        (SERVICE, (), "service"),
        (SERVICE, ("10.0.1.4",), "container"),
        (SERVICE.replace("lb_policy first", "header_up X-At 10.0.1.3"), ("10.0.1.4",), "service"),
    ],
    ids=["no-task-is-left", "it-has-none", "a-container", "an-address-that-is-gone-would-stay"],
)
def test_an_address_that_may_be_anothers_now_is_not_served(text: str, addresses: tuple[str, ...], kind: str) -> None:
    assert fallback(service(text, "10.0.1.3", "10.0.1.4", kind=kind), service("", *addresses, kind=kind)) is None
