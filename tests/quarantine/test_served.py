"""A search for what Caddy refuses takes no site away that Caddy serves meanwhile."""

import pytest
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.settings.limits import MAX_LEFT_OUT_ALONE, MAX_SERVED_FIRST
from simulated_caddy import GOOD, NO_FILE, Caddy, first_with, fragment, site

FEW = GOOD[:6]
NEW = fragment("new", site("new", "respond new"), 100)


def hosts(text: str) -> int:
    return text.count(".test")


def settled(caddy: Caddy, *fragments: Fragment, passes: int = 20, pause: float = 5.0) -> list[str]:
    """As many passes as it takes until Caddy accepts something."""
    for _ in range(passes):
        try:
            return caddy.settle(*fragments)
        except CaddyRefusal:
            caddy.now += pause
    raise AssertionError("nothing was accepted")


@pytest.mark.parametrize("refusals", range(1, 30))
@pytest.mark.parametrize("more", [(), (NEW,)], ids=["one less", "one less and one new"])
def test_a_caddy_that_refuses_everything_for_a_while_loses_no_site(refusals: int, more: tuple[Fragment, ...]) -> None:
    left = refusals

    def complains(text: str) -> str:
        nonlocal left
        left -= 1
        return "no reason" if left >= 0 else ""

    caddy = Caddy(is_asked=True)
    caddy.settle(*FEW)
    caddy.complains = complains
    wanted = (*FEW[1:], *more)
    settled(caddy, *wanted)
    assert all(hosts(text) >= len(FEW) - 2 for text in caddy.loads)
    caddy.now += 20.0
    assert not settled(caddy, *wanted)
    assert hosts(caddy.loads[-1]) == len(wanted)


def test_what_caddy_refuses_by_now_without_a_reason_is_left_out_alone() -> None:
    caddy = Caddy(is_asked=True)
    caddy.settle(*GOOD)
    caddy.complains = lambda text: "no reason" if "good7.test" in text else ""
    assert settled(caddy, *GOOD, NEW) == ["good7"]
    assert all(hosts(text) >= len(GOOD) - 1 for text in caddy.loads)
    assert "new.test" in caddy.loads[-1]


def test_what_caddy_names_by_now_is_left_out_with_one_load_each() -> None:
    caddy = Caddy(is_asked=True)
    bad = [fragment(f"old{n}", site(f"old{n}", f"tls /gone/{n}.pem")) for n in range(3)]
    caddy.settle(*GOOD, *bad)
    caddy.complains = first_with("/gone/", NO_FILE)
    assert settled(caddy, *GOOD, *bad, NEW) == ["old0", "old1", "old2"]
    assert all(hosts(text) >= len(GOOD) for text in caddy.loads)


def test_two_that_are_refused_by_now_without_a_reason_are_found_when_others_have_waited_long_enough() -> None:
    caddy = Caddy(is_asked=True)
    caddy.settle(*FEW)
    caddy.complains = lambda text: "no reason" if "good1.test" in text or "good4.test" in text else ""
    begun = caddy.now
    assert settled(caddy, *FEW, NEW) == ["good1", "good4"]
    assert MAX_SERVED_FIRST <= caddy.now - begun < MAX_SERVED_FIRST + 10.0


def test_each_pass_tries_others_and_only_so_many() -> None:
    caddy = Caddy(is_asked=True)
    caddy.settle(*GOOD)
    caddy.complains = lambda text: "no reason"
    for _ in range(3):
        caddy.tries.clear()
        with pytest.raises(CaddyRefusal, match="no reason"):
            caddy.settle(*GOOD[1:])
        assert len(caddy.tries) <= MAX_LEFT_OUT_ALONE + 2
    assert caddy.loads[-1].count(".test") == len(GOOD)
