"""Words of the code: one plain word for each thing, the same as in docs/architecture.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted([*(ROOT / "core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
# each with what is written instead
WORDS = {
    r"settl(?:e[sd]?|ing)": "resolve, reconcile, stable",
    r"judg(?:e[sd]?|ing|e?ments?)": "check, live output",
    r"condemn(?:s|ed|ing)?": "reject",
    r"blam(?:e[sd]?|ing)": "cause",
    r"verdicts?": "result",
    r"suspects?": "candidate",
    r"stand-?ins?": "placeholder, fallback",
    r"claim(?:s|ed|ing)?": "matched requests, setting",
    r"takeovers?": "shadowing",
    r"(?<!import )expansions?": "import expansion",
    r"crowding": "too large together",
    r"hazard(?:s|ous)?": "unsafe setting",
    r"harm(?:s|ed|ing|ful|less)?": "unsafe, risk",
    r"pac(?:e[sd]?|ing)": "debounce",
    r"linger(?:s|ed|ing)": "grace period",
    r"withh(?:olds?|olding|eld)": "refused by policy",
    r"told": "reported",
}
FORBIDDEN = re.compile(rf"\b(?:{'|'.join(WORDS)})\b")
# the option is called so, as people have it in their settings
ACCEPTED = re.compile(r"\btakeovers: bool\b|settings\.takeovers\b")


def plain(line: str) -> str:
    """The words of a line, those within identifiers included."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", ACCEPTED.sub("", line)).lower()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_uses_the_plain_words(path: Path) -> None:
    found = [
        f"{number}: {match[0]}"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in FORBIDDEN.finditer(plain(line))
    ]
    assert not found, f"{path.relative_to(ROOT)}: {', '.join(found)}: see WORDS for what to write"


@pytest.mark.parametrize(
    "line", ["def _was_told()", "UnsafeHazard", "what it claims", "SETTLED_AFTER", "takeovers = 1"]
)
def test_a_word_is_found_wherever_it_stands(line: str) -> None:
    assert FORBIDDEN.search(plain(line))


@pytest.mark.parametrize("line", ["import expansion", "self.settings.takeovers", "charm", "space", "a tolderol"])
def test_other_words_are_left_alone(line: str) -> None:
    assert not FORBIDDEN.search(plain(line))
