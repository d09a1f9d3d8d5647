"""Hundreds of broken containers are checked by a Caddy that stays: each costs a few texts, and no program is started for it."""

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from command_line import Call
from dockcaddy.caddy.limited_process import LimitedProcess
from dockcaddy.settings import limits

pytestmark = pytest.mark.process

BROKEN = 60


def unknown(number: int) -> Mapping[str, str]:
    return {f"caddy.unknown{number}": "x"}


def without_arguments(number: int) -> Mapping[str, str]:
    return {"caddy.header": f"X-A {number}", "caddy.rewrite": ""}


def at_load(number: int) -> Mapping[str, str]:
    return {"caddy.@m.path_regexp": f"[a{number}", "caddy.respond": "@m x"}


def with_log(number: int) -> Mapping[str, str]:
    return {"caddy.log.level": f"level{number}", "caddy.respond": "x"}


def with_policy(number: int) -> Mapping[str, str]:
    return {"caddy.tls.key_type": f"type{number}", "caddy.respond": "x"}


@pytest.mark.parametrize(
    ("broken", "texts"), [(unknown, 1), (without_arguments, 2), (at_load, 1), (with_log, 2), (with_policy, 2)]
)
def test_each_broken_container_costs_a_few_texts_and_no_program(
    dockcaddy: Call,
    snapshot: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[int], Mapping[str, str]],
    texts: int,
) -> None:
    # on a machine that stands still for seconds, a load would count as one that never ends
    monkeypatch.setattr(limits, "ADAPTER_PATIENCE", 60.0)
    started: list[Any] = []
    asked: list[str] = []
    start, said = subprocess.Popen.__init__, LimitedProcess.said

    def starting(self: Any, command: Any, *given: Any, **named: Any) -> None:
        started.append(command)
        start(self, command, *given, **named)

    def asking(self: LimitedProcess, path: str, *given: Any) -> bytes:
        asked.append(path)
        return said(self, path, *given)

    monkeypatch.setattr(subprocess.Popen, "__init__", starting)
    monkeypatch.setattr(LimitedProcess, "said", asking)
    boxes = {f"bad_{n}": {"caddy": f"bad{n}.test", **broken(n)} for n in range(BROKEN)}
    boxes |= {f"good_{n}": {"caddy": f"good{n}.test", "caddy.respond": "ok"} for n in range(BROKEN)}
    done = dockcaddy("check", "--inventory", snapshot(**boxes))
    told = {line.split(":")[1].strip() for line in done.err.splitlines() if line.startswith("error: ")}
    assert told == {f"container bad-{n}" for n in range(BROKEN)}
    assert len(started) <= 4, started
    assert len(asked) <= texts * BROKEN + 20
