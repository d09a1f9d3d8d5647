"""What the commands say of resources that the constraint excludes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from snapshots import snapshot_of

SITE = {"caddy": "a.example.org", "caddy.respond": "a"}
OTHER = {"caddy": "b.example.org", "caddy.respond": "b", "zone": "internal"}
PUBLIC = "--constraint=!Label(`zone`, `internal`)"


@pytest.fixture
def call(dockcaddy: Callable, snapshot: Callable, caddy: str) -> Callable:
    """A command about two containers."""
    given = ("--inventory", snapshot(web=SITE, admin=OTHER), "--caddy", caddy)
    return lambda command, *arguments: dockcaddy(command, *given, *arguments)


def test_render_leaves_them_out(call: Callable) -> None:
    result = call("render", PUBLIC)
    assert "a.example.org" in result.out and "b.example.org" not in result.out


def test_check_names_them(call: Callable) -> None:
    result = call("check", PUBLIC)
    assert result.status == 0 and "1 container, 1 site, ok" in result.out
    assert "container admin: excluded by the constraint !Label(`zone`, `internal`)" in result.err


def test_check_says_that_all_are_excluded(call: Callable) -> None:
    result = call("check", "--constraint=Name(`x`)")
    assert "the constraint excludes every labelled container and service: Name(`x`)" in result.err
    assert "has a label" not in result.err


def test_many_are_one_line_without_those_that_never_started(dockcaddy: Callable, sandbox: Path, caddy: str) -> None:
    document = snapshot_of({f"app-{number}": OTHER | {"caddy": f"{number}.test"} for number in range(9)})
    for number, state in ((3, "created"), (4, "exited")):
        document["engines"][0]["containers"][number]["State"] = state
    (sandbox / "snapshot.json").write_text(json.dumps(document))
    err = dockcaddy("check", "--inventory", "snapshot.json", "--caddy", caddy, PUBLIC).err
    assert "info: container app-0, container app-1, container app-2 and 4 more: excluded by the constraint" in err
    assert err.count("excluded by") == 1


@pytest.mark.parametrize("subject", ["admin", "container admin"])
def test_explain_says_why_there_is_nothing(call: Callable, subject: str) -> None:
    result = call("explain", subject, PUBLIC)
    assert (result.status, result.out) == (0, "")
    assert "container admin: excluded by the constraint !Label(`zone`, `internal`)" in result.err


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
def test_a_wrong_constraint_is_an_error_with_its_column(
    call: Callable, monkeypatch: pytest.MonkeyPatch, source: str, sandbox: object
) -> None:
    wrong, arguments = "Label(`zone` `public`)", ()
    if source == "flag":
        arguments = (f"--constraint={wrong}",)
    elif source == "variable":
        monkeypatch.setenv("DOCKCADDY_CONSTRAINT", wrong)
    else:
        Path("dockcaddy.toml").write_text(f"constraint = '{wrong}'\n")
    result = call("render", *arguments)
    assert result.status == 2 and "column 14: expected ), not `public`" in result.err, result.err
    assert "Traceback" not in result.err
