"""sprig's functions do what those of sprig v3.3.0 do: its output or its error, one case a test."""

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_cases import made, read, wanted

FOLDER = Path(__file__).parent / "conformance"
CASES, EXPECTED = (read(FOLDER, name) for name in ("cases", "expected"))
# what a comparison with sprig found later
FURTHER = list(zip(*(read(FOLDER.parent / "further", name) for name in ("cases", "expected")), strict=True))
KINDS = json.loads((FOLDER.parent.parent / "gotemplate" / "conformance" / "kinds.json").read_text())


@pytest.mark.parametrize(
    ("case", "expected"), list(zip(CASES, EXPECTED, strict=True)), ids=[case["name"] for case in CASES]
)
def test_the_output_or_the_error_is_sprigs(case: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made(case, KINDS) == wanted(expected)


@pytest.mark.parametrize(("case", "expected"), FURTHER, ids=[case["name"] for case, _ in FURTHER])
def test_what_was_found_later_is_sprigs_too(case: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made(case, KINDS) == wanted(expected)


def test_no_case_is_lost() -> None:
    errors = sum("error" in expected for expected in EXPECTED)
    assert (len(EXPECTED) - errors, errors) == (245, 217)
