"""The problems that `check` found, for people, programs, GitHub's annotations and code scanning (SARIF 2.1.0)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import frozen

from dockcaddy import __version__
from dockcaddy.cli import result
from dockcaddy.model import Problem

if TYPE_CHECKING:
    from dockcaddy.compose import Position

STYLES = ("text", "json", "github", "sarif")
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# severity -> what is said of all such problems
_RULES = {
    "error": "a label that is left out, or that keeps a site from being served",
    "warning": "a label that has no effect, or another one than it seems",
}


@frozen
class Located:
    """A problem with its place in a Compose file, None where it has none."""

    problem: Problem
    position: "Position | None" = None


def write_problems(style: str, found: Sequence[Located], summary: str) -> None:
    """Print the problems on standard output, in one of the styles for programs. `summary` is one line about the rest."""
    if style == "github":
        result.write("".join(f"{_annotation(each)}\n" for each in found) + f"{summary}\n")
    else:
        document = _report(found, summary) if style == "json" else _sarif(found)
        result.write(json.dumps(document, indent=2) + "\n")


def _report(found: Iterable[Located], summary: str) -> dict[str, Any]:
    problems = [
        {
            "severity": each.problem.severity,
            "resource": each.problem.resource,
            "label": each.problem.label,
            "message": each.problem.message,
            "file": each.position.file if each.position else None,
            "line": each.position.line if each.position else None,
            "column": each.position.column if each.position else None,
        }
        for each in found
    ]
    return {"version": 1, "summary": summary, "problems": problems}


def _annotation(located: Located) -> str:
    """A workflow command, https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands"""
    problem, at = located.problem, located.position
    where = {"file": at.file, "line": at.line, "col": at.column} if at else {}
    properties = ",".join(
        f"{key}={_escaped(str(value), ':,')}" for key, value in {**where, "title": "dockcaddy"}.items()
    )
    return f"::{problem.severity} {properties}::{_escaped(str(problem))}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sarif(found: Iterable[Located]) -> dict[str, Any]:
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in _RULES.items()]
    driver = {"name": "dockcaddy", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_finding(each) for each in found]}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _finding(located: Located) -> Mapping[str, Any]:
    problem, at = located.problem, located.position
    names = [{"name": problem.resource, "kind": "resource"}]
    if problem.label:
        names.append({"name": problem.label, "kind": "member"})
    place: dict[str, Any] = {"logicalLocations": names}
    if at is not None:
        region = {"startLine": at.line, "startColumn": at.column}
        place["physicalLocation"] = {"artifactLocation": {"uri": _uri(at.file)}, "region": region}
    return {
        "ruleId": problem.severity,
        "ruleIndex": list(_RULES).index(problem.severity),
        "level": problem.severity,
        "message": {"text": str(problem)},
        "locations": [place],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
