"""Links and paths in the docs lead somewhere."""

import re
from pathlib import Path

import pytest
from dockcaddy.cli import COMMANDS, documentation

PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/**/*.md")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
# paths in backticks that begin with a folder of the project
PATH = re.compile(r"`((?:core|plugins|tests|docs|examples|benchmarks)/[a-z0-9_./-]*)`")


def pages(project: Path) -> list[Path]:
    return [page for pattern in PAGES for page in project.glob(pattern)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("kind", ["links", "paths"])
def test_every_link_and_path_leads_somewhere(project: Path, kind: str) -> None:
    lost = []
    for page in pages(project):
        text = page.read_text()
        if kind == "paths":
            lost += [f"{page.name}: {path}" for path in PATH.findall(text) if not (project / path).exists()]
            continue
        for target, anchor in LINK.findall(text):
            linked = page.parent / target if target else page
            if not linked.exists() or (anchor and linked.suffix == ".md" and anchor not in anchors(linked)):
                lost.append(f"{page.name}: {target}{anchor}")
    assert not lost


def test_every_page_is_listed(project: Path) -> None:
    index = (project / "docs/index.md").read_text()
    listed = {target for target, _ in LINK.findall(index)}
    found = {path.relative_to(project / "docs").as_posix() for path in (project / "docs").rglob("*.md")}
    unlisted = {page for page in found - listed - {"index.md"} if not page.startswith("decisions/")}
    assert not unlisted, f"docs/index.md, which is the navigation of the site, does not list {unlisted}"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_a_command_leads_somewhere(project: Path, command: str) -> None:
    for page in documentation.PAGES.get(command, documentation.EVERYTHING):
        name, _, anchor = page.partition("#")
        path = project / "docs" / name
        assert path.is_file() and (not anchor or f"#{anchor}" in anchors(path)), page
