"""The possible results after Caddy fills in the variables of a line.

Only the operator sets the value of a variable. But a variable that does not exist becomes empty, or the default in the
label: `localhost:20{$NO_SUCH}19`, `{$NO_SUCH:localhost}:2019`. So the rules check each of these readings.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from attrs import evolve
from dockcaddy import Block

from dockcaddy_policy.options import TOP_OPTIONS
from dockcaddy_policy.secret_names import looks_secret

Fill = Callable[[str, str], str]

# Caddy fills in the first while it parses the Caddyfile, the second while it loads the configuration or serves a request
REFERENCE = re.compile(r"\{\$(\w+)(?::([^{}]*))?\}")
_PLACEHOLDER = re.compile(r"\{env\.([^{}\\]+)\}")


def has_variables(blocks: Iterable[Block]) -> bool:
    """Whether the blocks contain variables."""
    return any("{$" in key or "{env." in key for block in blocks for key in block.keys) or any(
        has_variables(block.children) for block in blocks
    )


def with_values(blocks: Iterable[Block], secrets: tuple[str, ...]) -> tuple[Block, ...]:
    """The blocks with a value for each variable; a placeholder `{env.*}` with the name of a secret stays."""
    return _all(blocks, _value, secrets)


def without_values(blocks: Iterable[Block], secrets: tuple[str, ...]) -> Iterator[tuple[Block, ...]]:
    """The blocks twice: with the default of each variable, and with all variables empty."""
    yield _all(blocks, lambda name, default: default, secrets)
    yield _all(blocks, lambda name, default: "", secrets)


def _value(name: str, default: str) -> str:
    """A sample value: a word that is neither a path nor a port, and is different for each name."""
    return "v" + name.lower().replace("_", "-")


def _all(blocks: Iterable[Block], fill: Fill, secrets: tuple[str, ...]) -> tuple[Block, ...]:
    return tuple(_filled_in(block, fill, secrets, is_top=True) for block in blocks)


def _filled_in(block: Block, fill: Fill, secrets: tuple[str, ...], *, is_top: bool = False) -> Block:
    keys = tuple(_words(block.keys, fill, secrets))
    if is_top and block.keys and not any(key.strip(",") for key in keys):
        # without an address Caddy reads it as the global options, if it contains only such options
        is_options = all(child.keys[:1] and child.keys[0] in TOP_OPTIONS for child in block.children)
        keys = () if is_options else tuple(_words(block.keys, _value, secrets))
    return evolve(block, keys=keys, children=tuple(_filled_in(each, fill, secrets) for each in block.children))


def _words(keys: tuple[str, ...], fill: Fill, secrets: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        word = REFERENCE.sub(lambda match: fill(match[1], match[2] or ""), key)
        word = _PLACEHOLDER.sub(lambda match: _of_placeholder(match, fill, secrets), word)
        if fill is _value and keys[:2] == ("output", "file") and key.startswith(("{$", "{env.")):
            # operators set variables for log files to paths of logs
            word = f"/var/log/{word}"
        if word or not REFERENCE.fullmatch(key):
            yield word


def _of_placeholder(match: re.Match[str], fill: Fill, secrets: tuple[str, ...]) -> str:
    return match[0] if looks_secret(match[1], secrets) else fill(match[1], "")
