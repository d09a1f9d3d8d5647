"""The template engine does what Go's text/template does: Go's output or Go's error, one case a test."""

from pathlib import Path
from typing import Any

import pytest
from conformance_cases import made, read, wanted

FOLDER = Path(__file__).parent / "conformance"
CASES, EXPECTED, KINDS = (read(FOLDER, name) for name in ("cases", "expected", "kinds"))
# what a comparison with Go found later
FURTHER = list(zip(*(read(FOLDER.parent / "further", name) for name in ("cases", "expected")), strict=True))
# Go allows 100 000 nested templates; here the limit is lower, and its number stands in the message
OTHER_LIMIT = "stress-recursion-endless"


@pytest.mark.parametrize(
    ("case", "expected"), list(zip(CASES, EXPECTED, strict=True)), ids=[case["name"] for case in CASES]
)
def test_the_output_or_the_error_is_gos(case: dict[str, Any], expected: dict[str, Any]) -> None:
    got, go = made(case, KINDS), wanted(expected)
    if case["name"] == OTHER_LIMIT:
        got["error"]["message"] = got["error"]["message"].replace("(2000)", "(100000)")
    assert got == go


@pytest.mark.parametrize(("case", "expected"), FURTHER, ids=[case["name"] for case, _ in FURTHER])
def test_what_was_found_later_is_gos_too(case: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made(case, KINDS) == wanted(expected)


def test_no_case_is_lost() -> None:
    errors = sum("error" in expected for expected in EXPECTED)
    assert (len(EXPECTED) - errors, errors) == (614, 410)
