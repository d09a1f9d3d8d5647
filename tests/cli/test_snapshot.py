"""`dockcaddy snapshot`: it says what it holds, and `--redact` keeps it back."""

import json
import tempfile
from collections.abc import Callable, Iterator

import pytest
from ports import free_port
from stand_in_engine import StandInEngine

SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def engine() -> Iterator[tuple[str, StandInEngine]]:
    """An engine with one labelled container that has a secret, and its URL."""
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock", free_port()) as made:
        made.add("web", SITE, environment=("DB_PASSWORD=hunter2", "MODE=production"))
        yield f"unix://{folder}/engine.sock", made


def test_it_warns_that_it_holds_environment_variables(dockcaddy: Callable, engine: tuple[str, StandInEngine]) -> None:
    result = dockcaddy("snapshot", "--docker-sockets", engine[0])
    assert result.status == 0
    assert "hunter2" in result.out
    assert result.err.startswith("warning: the snapshot contains the values of 2 environment variables")
    assert "--redact" in result.err and result.err.count("\n") == 1


def test_redacted_it_holds_none_and_renders_the_same(dockcaddy: Callable, engine: tuple[str, StandInEngine]) -> None:
    whole = dockcaddy("snapshot", "--docker-sockets", engine[0])
    result = dockcaddy("snapshot", "--redact", "--docker-sockets", engine[0])
    assert (result.status, result.err) == (0, "")
    assert "hunter2" not in result.out and "production" not in result.out
    assert "DB_PASSWORD=" in json.dumps(json.loads(result.out))
    rendered = [dockcaddy("render", "--raw", "--inventory", "-", given=each.out).out for each in (whole, result)]
    assert rendered[0] == rendered[1] and "a.example.org" in rendered[0]


def test_without_any_there_is_nothing_to_warn_of(dockcaddy: Callable, engine: tuple[str, StandInEngine]) -> None:
    engine[1].remove("web")
    assert dockcaddy("snapshot", "--docker-sockets", engine[0]).err == ""


def test_check_finds_what_is_meant_for_another_proxy_in_the_environment_too(
    dockcaddy: Callable, engine: tuple[str, StandInEngine], caddy: str
) -> None:
    engine[1].add("old", {}, environment=("VIRTUAL_HOST=old.example.org",))
    engine[1].add("odd", {"Caddy": "odd.example.org"})
    result = dockcaddy("check", "--docker-sockets", engine[0], "--caddy", caddy)
    assert result.status == 0, result.err
    assert "warning: container old: configured for nginx-proxy and not for dockcaddy" in result.err
    assert "warning: container odd: label Caddy: the label is ignored" in result.err
    assert result.err.count("\n") == 2
