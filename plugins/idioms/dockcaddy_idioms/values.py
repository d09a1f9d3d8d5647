"""The words of a label's value."""

import re

from dockcaddy import Label, split_matcher


def plain_words(value: str) -> list[str]:
    """The words of a value; none if it contains quotes, escapes, comments or heredocs."""
    words = value.split()
    if "\\" in value or any(word[0] in '"`#' or word.startswith("<<") for word in words):
        return []
    return words


def quoted(text: str) -> str:
    """Text as one token of a label's value."""
    if text and not re.search(r"[\s\"`\\#]", text):
        return text
    return f"`{text}`" if "`" not in text else '"' + text.replace('"', '\\"') + '"'


def after_matcher(words: list[str]) -> tuple[list[str], list[str]]:
    """The matcher at the beginning, if there is one, and the other words."""
    matcher, rest = split_matcher(words)
    return [matcher] if matcher else [], list(rest)


def is_filled_in(word: str) -> bool:
    """Whether Caddy replaces the word before it reads the line: by another word, a matcher, or several words."""
    return word.startswith(("{args", "{$", "{block"))


def with_value(label: Label, value: str) -> Label:
    """The label with another value. `evolve` takes several times as long."""
    return Label(label.key, value, label.origin, label.conditional)
