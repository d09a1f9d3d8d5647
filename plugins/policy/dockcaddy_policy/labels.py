"""Finds the label that led to what was found in Caddy's JSON."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from dockcaddy import Block

# fields whose options have other names
_OPTIONS = {"automatic_https": "auto_https", "certificate_authorities": "pki", "template_file": "browse"}

# shorter texts are in too many words
_SHORT = 3
# placeholders, and how labels write them (https://caddyserver.com/docs/caddyfile/concepts#placeholders)
_SHORTHANDS = {
    "http.request.host.labels.": "labels.",
    "http.request.host}": "host}",
    "http.request.header.": "header.",
    "http.request.uri.query.": "query.",
    "http.request.uri.path": "path",
    "http.request.method}": "method}",
    "http.regexp.": "re.",
    "http.vars.": "vars.",
}


def as_written(text: str) -> str:
    """The text with placeholders as labels write them."""
    for name, shorthand in _SHORTHANDS.items() if "{http." in text else ():
        text = text.replace("{" + name, "{" + shorthand)
    return text


def label_of(blocks: Iterable[Block], texts: Sequence[str], names: Sequence[str]) -> str:
    """The label with one of these texts as a word, or in one; else with a directive or option that a field is named after.

    `""` if there is none.
    """
    lines = [line for line in _lines(blocks) if line.keys and line.origins]
    texts = sorted(map(as_written, texts), key=len, reverse=True)
    found = _first(lines, texts, lambda line, text: text in line.keys)
    found = found or _first(
        lines, texts, lambda line, text: len(text) > _SHORT and any(text in word for word in line.keys)
    )
    options = [_OPTIONS.get(name, name) for name in names]
    found = found or _first(lines, options, lambda line, name: name.startswith(line.keys[0]))
    return found.origins[0].label if found else ""


def _first(lines: Iterable[Block], texts: Iterable[str], fits: Callable[[Block, str], bool]) -> Block | None:
    return next((line for text in texts if text for line in lines if fits(line, text)), None)


def _lines(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        yield from _lines(block.children)
