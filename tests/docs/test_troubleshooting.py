"""docs/troubleshooting.md: every message that a user may meet has an entry there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENTRY = re.compile(r"^- `(.+)`$", re.MULTILINE)
ROUND = re.compile(r"^(?:error|warning): [^:]+: (?:label [^:]*(?::[^ ][^:]*)*: )?(.*)$", re.MULTILINE)
# what makes a message of labels, of an engine or of Caddy; those of settings name the setting and what it takes
MAKERS = {"Problem", "Oversight", "LabelError", "EngineUnreachable", "CaddyUnreachable"}
LOGGED = {"warning", "error"}
WORD = re.compile(r"[a-z]{2,}")


def entries(project: Path) -> list[re.Pattern[str]]:
    """The messages of the page; `...` stands for anything."""
    found = ENTRY.findall((project / "docs/troubleshooting.md").read_text())
    return [re.compile(re.escape(each).replace(re.escape("..."), ".+").replace(r"\ ", " ")) for each in found]


def text_of(node: ast.expr) -> str:
    """The text that an expression makes, with `(...)` for what is only known later; `""` where that is all of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sd]", "(...)", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "(...)" for part in node.values)
    return ""


def messages(path: Path) -> Iterator[str]:
    """The messages that a module makes, as far as they are written where they are made."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        is_logged = name in LOGGED and isinstance(function, ast.Attribute) and ast.unparse(function.value) == "logger"
        if not (is_logged or name in MAKERS):
            continue
        # one of them is the message; others name the resource and the label, or are the remedy
        made = ": ".join(text for each in node.args for text in [text_of(each)] if " " in text)
        if len(WORD.findall(made)) > 1:
            yield made


def test_every_message_of_the_code_has_an_entry(project: Path) -> None:
    known = entries(project)
    modules = sorted([*(project / "core").rglob("*.py"), *(project / "plugins").rglob("*.py")])
    missing = [
        f"{path.name}: {text}"
        for path in modules
        for text in messages(path)
        if not any(each.search(text) for each in known)
    ]
    assert not missing, "docs/troubleshooting.md: say what to do:\n" + "\n".join(missing)


@pytest.mark.parametrize("folder", ["messages", "conflicts", "policy"])
def test_every_message_of_the_golden_files_has_an_entry(project: Path, folder: str) -> None:
    known = entries(project)
    found = [
        text
        for path in sorted((project / "tests/golden" / folder).glob("*.expected"))
        for text in ROUND.findall(path.read_text())
    ]
    assert found
    missing = [text for text in found if not any(each.search(text) for each in known)]
    assert not missing, "docs/troubleshooting.md: say what to do:\n" + "\n".join(missing)


def test_no_entry_stands_for_anything(project: Path) -> None:
    for each in entries(project):
        assert not each.search("container (...): something that nobody has written down")
