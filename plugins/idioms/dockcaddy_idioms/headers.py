"""Idioms of the directives about header fields (https://caddyserver.com/docs/caddyfile/directives/header)."""

from collections.abc import Collection, Iterator, Sequence

from attrs import evolve
from dockcaddy import UPSTREAM_DIRECTIVES, Label

from dockcaddy_idioms.places import is_directive, is_option, names_of, split_last
from dockcaddy_idioms.values import after_matcher, is_filled_in, plain_words, quoted

_LISTED = (",", ";")
_DIRECTIVES = ("header", "request_header")
_OPTIONS = ("header_up", "header_down")
# these have no block
_LINES = (*_OPTIONS, "request_header")
_NOT_FIELDS = frozenset(("defer", "match"))


def has_values(key: str) -> bool:
    """Whether the label's value may be one of a header field."""
    names = names_of(key)
    return _is_field(names) or _is_about_fields(names)


def header_value(label: Label) -> str | None:
    """A header's value of several words, which Caddy would read as a search and a replacement."""
    names = names_of(label.key)
    return _one_value(names[-1], label.value) if _is_field(names) else _one_line(label.value, names[-1])


def _is_field(names: tuple[str, ...]) -> bool:
    return names[-2:-1] == ("header",) and is_directive(names[:-1]) and names[-1] not in _NOT_FIELDS


def _is_about_fields(names: tuple[str, ...]) -> bool:
    if names[-1] in _OPTIONS:
        return is_option(names, *UPSTREAM_DIRECTIVES)
    return names[-1] in _DIRECTIVES and is_directive(names)


def _one_line(text: str, directive: str) -> str | None:
    words = plain_words(text)
    matcher, rest = after_matcher(words) if directive in _DIRECTIVES else ([], words)
    if len(rest) < 3 or is_filled_in(rest[0]):
        return None
    value = _one_value(rest[0], " ".join(rest[1:]))
    return None if value is None else " ".join([*matcher, rest[0], value])


def _one_value(name: str, text: str) -> str | None:
    """The text as one value; None if it is one word, is quoted, or is a search and a replacement."""
    words = plain_words(text)
    if len(words) < 2 or name.startswith("-"):
        return None
    if len(words) == 2 and not words[0].endswith(_LISTED):
        return None
    stripped = text.strip()
    # Caddy has no single quotes; those of a source, as in `'self'`, are more than two or not around all of it
    is_quoted = stripped.count("'") == 2 and stripped[0] == stripped[-1] == "'"
    return quoted(stripped[1:-1] if is_quoted else stripped)


def is_in_block(key: str) -> bool:
    """Whether the label is in the block of a directive that has none."""
    return _has_no_block(names_of(split_last(key)[0]))


def header_blocks(labels: Sequence[Label], concerned: Collection[int]) -> Iterator[Label]:
    """`header_up.X-Field: value`: these directives have no block, each field is a line of its own."""
    parents = {split_last(labels[place].key)[0] for place in concerned}
    bare = {label.key for label in labels if label.key in parents and not label.value.strip()}
    taken = {label.key for label in labels} - bare
    count = 0
    for label in labels:
        parent, field = split_last(label.key)
        if label.key in bare:
            continue
        if parent not in parents:
            yield label
            continue
        while f"{parent}_{count}" in taken:
            count += 1
        taken.add(f"{parent}_{count}")
        yield evolve(label, key=f"{parent}_{count}", value=f"{field} {label.value}".strip())


def _has_no_block(names: tuple[str, ...]) -> bool:
    return names[-1] in _LINES and _is_about_fields(names)
