"""The documentation site: built without warnings and without a network, and every link in it leads somewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from attrs import define, field

pytestmark = [pytest.mark.process, pytest.mark.site]

# Sphinx, in a process where whoever connects fails
BUILD = """
import socket, sys
def refuse(*_): raise SystemExit("the site's build uses the network")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""
# what a browser would load from somewhere else
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]* src="(?:https?:)?//|<link[^>]*stylesheet[^>]* href="(?:https?:)?//"""
)
LOADED_BY_STYLE = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


@define
class _Page(HTMLParser):
    """The anchors of a page, and what it links to."""

    anchors: set[str] = field(factory=set)
    links: list[str] = field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the command of docs/conf.py."""
    folder, project = tmp_path_factory.mktemp("site"), Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", BUILD, "--fail-on-warning", "-q", "-c", "docs", ".", str(folder)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    found = {}
    for path in site.rglob("*.html"):
        found[path] = _Page()
        found[path].feed(path.read_text(encoding="utf-8"))
    return found


def lost(pages: dict[Path, _Page]) -> Iterator[str]:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors
            ):
                yield f"{path.name}: {link}"


def test_every_link_and_anchor_leads_somewhere(pages: dict[Path, _Page]) -> None:
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert not list(lost(pages))


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, _Page]) -> None:
    for path in pages:
        assert not LOADED.findall(path.read_text(encoding="utf-8")), path.name
    for path in site.rglob("*.css"):
        assert not LOADED_BY_STYLE.findall(path.read_text(encoding="utf-8")), path.name


def test_the_first_page_is_at_the_root(site: Path) -> None:
    assert 'url=docs/index.html"' in (site / "index.html").read_text()


def test_a_search_finds_the_recipes(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert all(f'"docs/how-to/{page}"' in index for page in ("login", "certificates", "sites"))
