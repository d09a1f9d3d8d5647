"""Labels that the engine's inventory ignores although they were probably meant for us. Pure.

They look like labels under the prefix: a typo in the prefix, a wrong separator, `KEY: VALUE` as one key.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from attrs import frozen

from dockcaddy.caddyfile import DIRECTIVES
from dockcaddy.engine.records.label_keys import Keys, once, under

# two words this similar are one word and its misspelling
NEAR = 0.85
# keys as people usually write them
PLAIN_KEY = re.compile(r"[\w.@*/-]+")
_HEAD = re.compile(r"[^._\-: /]*")
_NUMBER = re.compile(r"[_\-: /]?([0-9]+)(?=\.|\Z)")
# who writes one of these means a site
_ANSWERS = frozenset(("reverse_proxy", "php_fastcgi", "file_server", "respond", "redir"))
_SEGMENT = re.compile(r"(?:[0-9]+_)?(.+?)(?:_[0-9]+)?")


@frozen
class Oversight:
    """A probable mistake: the label, and what to write."""

    label: str
    message: str


def ignored(labels: Mapping[str, str], prefix: str) -> Iterator[Oversight]:
    """The labels that are not under the prefix and probably should be."""
    for key, rest in _unusual(tuple(labels), prefix):
        if meant := _whole_line(key, labels[key], prefix):
            yield Oversight(key, f"a label is KEY=VALUE on the command line: write {meant}")
            continue
        # plugins have labels of their own, like caddy_ingress_network and caddy_health_gate
        if rest is not None and not (key.startswith(f"{prefix}_") and first_name(rest[1:]) not in DIRECTIVES):
            message = (
                f'the label is ignored, only these are read: "{prefix}" and "{prefix}.x": write {prefix}{_meant(rest)}'
            )
            yield Oversight(key, message)
        elif rest is not None and first_name(rest.partition(".")[2]) in _ANSWERS:
            path = key.partition(".")[2]
            message = f"the label is ignored, only numbers tell sites apart: write {prefix}_1 and {prefix}_1.{path}"
            yield Oversight(key, message)


@once
def _unusual(keys: Keys, prefix: str) -> Sequence[tuple[str, str | None]]:
    """The keys that may be meant for us and are not plainly ours, each with what follows something like the prefix."""
    ours = frozenset(under(keys, prefix))
    rests = [(key, None if key in ours else _rest(key, prefix)) for key in keys]
    return [(key, rest) for key, rest in rests if rest is not None or ": " in key or key != _bare(key)]


def _meant(rest: str) -> str:
    """What should stand after the prefix: `_1` for `-1` and `1`, `.tls` for `_tls` and `:tls`."""
    if number := _NUMBER.match(rest):
        return f"_{number[1]}{rest[number.end() :]}"
    return re.sub(r"^[_\-: /]", ".", rest)


def _whole_line(key: str, value: str, prefix: str) -> str:
    """The label meant by `-l "caddy: example.org"`, or by a key in quotes; `""` for a proper key."""
    bare = _bare(key)
    if not bare.startswith(prefix):
        return ""
    name, colon, rest = bare.partition(": ")
    if colon and not value and PLAIN_KEY.fullmatch(name):
        return f"{name}={rest.strip()}"
    return f"{bare.rstrip(chr(34) + chr(39) + '` ')}={value.rstrip(chr(34) + chr(39))}" if bare != key else ""


def _bare(key: str) -> str:
    return key.lstrip("\"'` ")


def _rest(key: str, prefix: str) -> str | None:
    """The rest of a key that begins with something like the prefix, None where it does not."""
    wanted = prefix.lower()
    if key[: len(prefix)].lower() == wanted and not key[len(prefix) :][:1].isalnum():
        return key[len(prefix) :]
    if found := re.fullmatch(rf"{re.escape(wanted)}([0-9]+)", _head(key).lower()):
        return f"{found[1]}{key[len(_head(key)) :]}"
    head = _head(key)
    # comparing is slow, and most keys are not similar at all
    if head[:1].lower() != wanted[:1] or 2 * min(len(head), len(wanted)) < NEAR * (len(head) + len(wanted)):
        return None
    return key[len(head) :] if SequenceMatcher(None, head.lower(), wanted).ratio() >= NEAR else None


def _head(key: str) -> str:
    found = _HEAD.match(key)
    return found[0] if found else ""


def first_name(path: str) -> str:
    """The first name of `0_root.x`, without what only orders it."""
    found = _SEGMENT.fullmatch(path.partition(".")[0])
    return found[1] if found else ""
