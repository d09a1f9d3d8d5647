"""The pictures of the docs."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

PICTURES = Path(__file__).parent.parent.parent / "docs/pictures"
# what differs from run to run
TIMES_AND_PORTS = re.compile(r"\d+ ms|(?<=localhost:)\d+")


@pytest.fixture
def session() -> ModuleType:
    """The program that draws the README's animation."""
    spec = importlib.util.spec_from_file_location("session", PICTURES / "session.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.process
def test_the_animation_shows_what_the_demo_prints(session: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    drawn = session.drawn(session.steps(session.recorded()))
    assert TIMES_AND_PORTS.sub("N", drawn) == TIMES_AND_PORTS.sub("N", session.PICTURE.read_text()), (
        f"run {Path(sys.executable).name} docs/pictures/session.py"
    )
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_has_words_for_those_who_do_not_see_it_and_both_colour_schemes(path: Path) -> None:
    text = path.read_text()
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and (root.get("aria-label") or root.get("aria-labelledby"))
    assert "prefers-color-scheme: dark" in text and "http" not in text.replace(
        "http://www.w3.org/2000/svg", ""
    ).replace("http://hello.localhost", "").replace("http://shop.localhost", "")
