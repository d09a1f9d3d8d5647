"""The documentation site: `sphinx-build --fail-on-warning -c docs . site` makes it from the pages as they are on GitHub.

The source folder is the project's, so that links to CONTRIBUTING.md, examples and code work in both places.
"""

import re
from pathlib import Path

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Name, Punctuation, String, Text
from sphinx.application import Sphinx

project = "dockcaddy"
html_title = project
root_doc = "docs/index"
include_patterns = ["docs/**.md", "examples/**.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
# not even looked into
exclude_patterns = [".*", "site", "build", "dist", "wheels", "core", "plugins", "tests", "benchmarks"]

extensions = ["myst_parser"]
# anchors as GitHub makes them
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]
nitpicky = True

html_theme = "furo"
html_copy_source = False
html_show_copyright = False


class Caddyfile(RegexLexer):
    """The colours of a Caddyfile: of directives, placeholders and what is quoted."""

    name = "Caddyfile"
    tokens = {  # noqa: RUF012
        "root": [
            (r"#.*$", Comment),
            (r"^([ \t]*)([^\s{}`\"]\S*)", bygroups(Text, Keyword)),
            (r"\{[^{}\s]+\}", Name.Variable),
            (r"`[^`]*`|\"[^\"]*\"", String),
            (r"[{}]", Punctuation),
            (r"\n|[ \t]+|[^\s{}`\"]+|.", Text),
        ],
    }


_LISTED = re.compile(r"^(?:## (?P<caption>.+)|- \[.+?\]\((?P<page>[^)#]+)\.md\).*)$", re.MULTILINE)

_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)\)")


def _replace_folders(app: Sphinx, name: str, source: list[str]) -> None:
    """A link to a folder, which GitHub lists, leads to its README.md, or is text where there is none."""
    page = Path(app.srcdir) / f"{name}.md"

    def replaced(link: re.Match[str]) -> str:
        folder = page.parent / link[2]
        if not folder.is_dir():
            return link[0]
        return f"[{link[1]}]({link[2]}/README.md)" if (folder / "README.md").is_file() else link[1]

    source[0] = _LINK.sub(replaced, source[0])


def _add_navigation(_: Sphinx, name: str, source: list[str]) -> None:
    """The lists of pages in index.md, which people read on GitHub, are the navigation of the site."""
    if name == "docs/decisions/README":
        source[0] += "\n\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    if name != root_doc:
        return
    pages: dict[str, list[str]] = {}
    for found in _LISTED.finditer(source[0]):
        if found["caption"]:
            caption = found["caption"]
        else:
            pages.setdefault(caption, []).append(found["page"])
    trees = (
        f"```{{toctree}}\n:caption: {caption}\n:hidden:\n\n" + "\n".join(listed) + "\n```"
        for caption, listed in pages.items()
    )
    source[0] += "\n\n" + "\n\n".join(trees) + "\n"


def _add_entrance(app: Sphinx, error: Exception | None) -> None:
    """The site's first page is at its root too."""
    if error is None and app.builder.format == "html":
        target = f"{root_doc}.html"
        page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={target}">'
        (Path(app.outdir) / "index.html").write_text(f'{page}<a href="{target}">dockcaddy</a>\n', encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Hooks of Sphinx."""
    app.add_lexer("caddyfile", Caddyfile)
    app.connect("source-read", _replace_folders)
    app.connect("source-read", _add_navigation)
    app.connect("build-finished", _add_entrance)
