"""What plugins do wrong costs one resource, and is told with the plugin, the contribution, the file and the line."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import faulty
import pytest
from plugin_faults import CASES, FAULTY, IN_OTHER_WORDS, NAMES, labels_of

GOOD = {"caddy": "http://good.test", "caddy.respond": "good"}


@pytest.mark.parametrize(("contribution", "fault"), CASES, ids=map(" ".join, CASES))
def test_a_fault_costs_one_resource_and_is_told_where_it_is(
    dockcaddy: Callable, snapshot: Callable, contribution: str, fault: str
) -> None:
    path = snapshot(good=GOOD, bad=labels_of(contribution, fault))
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", path)
    assert result.status == 0
    assert "http://good.test {\n\trespond good\n}" in result.out
    assert "stolen" not in result.out
    errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.err
    assert "Traceback" not in result.err
    if contribution == "site":
        assert errors[0].startswith(f"error: site http://site-{fault}.test: {NAMES['site']} ")
        assert f"http://site-{fault}.test {{\n\trespond untouched\n}}" in result.out
    else:
        assert errors[0].startswith("error: container bad: ")
        assert contribution == "shown-rule" or f"{contribution}-{fault}" not in result.out
    if contribution in ("function", "gate"):
        assert "label caddy.respond: " in errors[0]
    if fault not in IN_OTHER_WORDS:
        assert NAMES[contribution] in errors[0]
        assert re.search(rf" \({re.escape(FAULTY)}:[0-9]+\)$", errors[0])
        place = Path(FAULTY).read_text().splitlines()[int(errors[0].rpartition(":")[2].rstrip(")")) - 1]
        assert fault not in faulty.ALWAYS or place.strip().startswith(("raise", "return", "sys.exit", "class Deep"))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("text", 'function "text" of plugin faulty returns None, its annotation says str'),
        ("number", 'function "number" of plugin faulty returns a str, its annotation says int'),
        ("texts", 'function "texts" of plugin faulty returns a list, its annotation says list[str]'),
    ],
)
def test_a_result_is_what_the_annotation_says(
    dockcaddy: Callable, snapshot: Callable, template: str, told: str
) -> None:
    labels = {"caddy": "http://bad.test", "caddy.respond": f"{{{{print ({template})}}}}"}
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", snapshot(good=GOOD, bad=labels))
    assert f"error: container bad: label caddy.respond: {told} ({FAULTY}:" in result.err
    assert "good.test" in result.out and "bad.test" not in result.out


def test_half_a_character_is_written_as_go_does(dockcaddy: Callable, snapshot: Callable) -> None:
    labels = {"caddy": "http://a.test", "caddy.respond": "{{half}}"}
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", snapshot(a=labels))
    assert (result.status, "respond a\ufffdb" in result.out) == (0, True)


@pytest.mark.process
def test_nothing_that_a_plugin_prints_gets_among_the_result(snapshot: Callable) -> None:
    labels = {"caddy": "http://a.test", "caddy.respond": "{{prints}}"}
    command = [sys.executable, "-m", "dockcaddy", "render", "--plugin", FAULTY, "--inventory", snapshot(a=labels)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "http://a.test {\n\trespond fine\n}\n"
    printed = [line for line in ended.stderr.splitlines() if "plugin" in line]
    assert printed[:3] == ["printed by a plugin", "written by a plugin", "written by a plugin, to the descriptor"]
    assert "said by a program of a plugin" in printed
    assert any(re.fullmatch(rf"warning: {re.escape(FAULTY)}:\d+: a plugin warns", line) for line in printed)


def test_a_function_has_room_for_its_calls_however_deep_the_template_is_nested(
    dockcaddy: Callable, snapshot: Callable
) -> None:
    inner = "(print " * 180 + "deep" + ")" * 180
    fine = {"caddy": "http://a.test", "caddy.respond": "{{" + inner + "}}"}
    endless = {"caddy": "http://b.test", "caddy.respond": "{{" + inner.replace("deep", "faulty") + "}}"}
    endless["fault"] = "function recurses-in-c"
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", snapshot(a=fine, b=endless))
    assert result.status == 0
    assert "respond 0" in result.out and "b.test" not in result.out
    assert 'function "faulty" of plugin faulty failed: RecursionError' in result.err


def test_a_gate_that_fails_costs_the_resource_even_if_the_function_that_asked_does_not_care(
    dockcaddy: Callable, snapshot: Callable
) -> None:
    labels = {"caddy": "http://bad.test", "caddy.respond": "{{sly}}", "fault": "gate raises"}
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", snapshot(good=GOOD, bad=labels))
    assert "good.test" in result.out and "bad.test" not in result.out
    assert NAMES["gate"] in result.err


def test_what_is_slow_is_told_by_its_own_name(dockcaddy: Callable, snapshot: Callable) -> None:
    labels = {"caddy": "http://a.test", "caddy.respond": "{{slow 1.1}}"}
    result = dockcaddy("render", "--plugin", FAULTY, "--inventory", snapshot(a=labels))
    told = [line for line in result.err.splitlines() if "nothing else was done" in line]
    assert len(told) == 1
    assert told[0].startswith('warning: container a: label caddy.respond: function "slow" of plugin faulty took 1.')
