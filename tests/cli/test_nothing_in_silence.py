"""Everything is checked before anything starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.caddy.process import CaddyProcess

SITE = {"caddy": "a.example.org", "caddy.respond": "hi"}
REFUSED = {"caddy": "b.example.org", "caddy.no_such_directive": ""}


def test_the_mode_that_there_is_may_be_named(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web=SITE)
    assert dockcaddy("render", "--mode", "standalone", "--controller-network=", "--inventory", path).status == 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Caddys that were started."""
    found: list[Any] = []
    monkeypatch.setattr(CaddyProcess, "start", lambda process, *arguments: found.append(process))
    return found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--output", "nowhere"), 'no output "nowhere"'),
        (("--output", "admin=ftp://x"), "use http, https or a unix socket"),
        (("--output", "json"), "output json needs a path"),
        (("--output", "caddyfile"), "output caddyfile needs a path"),
    ],
)
def test_every_output_is_checked_before_a_caddy_starts(
    dockcaddy: Callable, started: list[Any], sandbox: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = dockcaddy("run", "--output", "admin", *arguments, "--state-directory", "state")
    assert (result.status, started) == (2, [])
    assert told in result.err and result.err.count("\n") == 1
    assert not (sandbox / "state").exists()


def test_an_unknown_output_is_told_with_what_there_is(dockcaddy: Callable) -> None:
    assert "there are admin, caddyfile, json" in dockcaddy("run", "--output", "nowhere").err


def test_without_processing_one_refusal_costs_everything(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    given = ("--inventory", snapshot(web=SITE, bad=REFUSED), "--caddy", caddy)
    result = dockcaddy("render", "--strict", "--process-caddyfile=false", *given)
    assert (result.status, result.out) == (1, "")
    assert "container bad: label caddy.no_such_directive: " in result.err
    assert "a.example.org" in dockcaddy("render", "--strict", "--process-caddyfile=true", *given).out
