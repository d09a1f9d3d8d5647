"""Labels that have no effect although their author expects one. Pure.

They are no errors: each is a warning with what to write.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from attrs import frozen

from dockcaddy.caddyfile import DIRECTIVES, SITE_DIRECTIVES
from dockcaddy.compile.template_hints import misread_addresses

# two words this similar are one word and its misspelling
NEAR = 0.85
# keys as people usually write them
PLAIN_KEY = re.compile(r"[\w.@*/-]+")
_HEAD = re.compile(r"[^._\-: /]*")
_SEGMENT = re.compile(r"(?:[0-9]+_)?(.+?)(?:_[0-9]+)?")
# options of a proxy that name upstreams, or may
_SOURCES = frozenset(("to", "dynamic", "import"))
_OTHER_PROXIES = {"traefik.": "Traefik", "VIRTUAL_HOST": "nginx-proxy", "VIRTUAL_PORT": "nginx-proxy"}


@frozen
class Oversight:
    """A probable mistake: the label, and what to write."""

    label: str
    message: str


def in_labels(labels: Mapping[str, str], prefix: str) -> Iterator[Oversight]:
    """Probable mistakes in the labels under the prefix, and labels that only look as if they were under it."""
    yield from _unread(labels, prefix)
    for head, keys in _by_site(labels, prefix).items():
        if head not in labels:
            yield from _forgotten_site(head, keys)
        for word, instead in misread_addresses(labels.get(head, "")) if "{{" not in labels.get(head, "") else ():
            yield Oversight(head, f'"{word}" is taken for the name of a host: {instead}')
        yield from _proxies_without_upstreams(labels, keys)


def bare_sites(labels: Mapping[str, str], prefix: str) -> frozenset[str]:
    """The site labels without directives: another resource has to define what the site does."""
    return frozenset(head for head, keys in _by_site(labels, prefix).items() if head in labels and not keys)


def for_other_proxies(labels: Mapping[str, str], environment: Sequence[str]) -> str:
    """The proxy for which a container without labels of ours is configured, `""` where there is none."""
    if labels.get("traefik.enable", "").lower() == "false":
        return ""
    names = [*labels, *(variable.partition("=")[0] for variable in environment)]
    found = (proxy for name in names for start, proxy in _OTHER_PROXIES.items() if name.startswith(start))
    return next(found, "")


def _unread(labels: Mapping[str, str], prefix: str) -> Iterator[Oversight]:
    ours = re.compile(rf"{re.escape(prefix)}(?:_[0-9]+)?(?:\.|\Z)")
    for key, value in labels.items():
        if meant := _whole_line(key, value, prefix):
            yield Oversight(key, f"a label is KEY=VALUE on the command line: write {meant}")
            continue
        rest = None if ours.match(key) else _rest(key, prefix)
        # plugins have labels of their own, like caddy_ingress_network and caddy_health_gate
        if rest is not None and not (key.startswith(f"{prefix}_") and _word(rest[1:]) not in DIRECTIVES):
            meant = re.sub(r"^[_\-: /](?![0-9]+(?:\.|\Z))", ".", rest)
            message = f'the label is ignored, only these are read: "{prefix}" and "{prefix}.x": write {prefix}{meant}'
            yield Oversight(key, message)


def _whole_line(key: str, value: str, prefix: str) -> str:
    """The label meant by `-l "caddy: example.org"`, or by a key in quotes; `""` for a proper key."""
    bare = key.lstrip("\"'` ")
    if not bare.startswith(prefix):
        return ""
    name, colon, rest = bare.partition(": ")
    if colon and not value and PLAIN_KEY.fullmatch(name):
        return f"{name}={rest.strip()}"
    return f"{bare.rstrip(chr(34) + chr(39) + '` ')}={value.rstrip(chr(34) + chr(39))}" if bare != key else ""


def _rest(key: str, prefix: str) -> str | None:
    """The rest of a key that begins with something like the prefix, None where it does not."""
    wanted = prefix.lower()
    if key[: len(prefix)].lower() == wanted and not key[len(prefix) :][:1].isalnum():
        return key[len(prefix) :]
    head = _head(key)
    # comparing is slow, and most keys are not similar at all
    if head[:1].lower() != wanted[:1] or 2 * min(len(head), len(wanted)) < NEAR * (len(head) + len(wanted)):
        return None
    return key[len(head) :] if SequenceMatcher(None, head.lower(), wanted).ratio() >= NEAR else None


def _head(key: str) -> str:
    found = _HEAD.match(key)
    return found[0] if found else ""


def _word(path: str) -> str:
    """The first name of `0_root.x`, without what only orders it."""
    found = _SEGMENT.fullmatch(path.partition(".")[0])
    return found[1] if found else ""


def _by_site(labels: Mapping[str, str], prefix: str) -> dict[str, list[str]]:
    """Each `PREFIX` and `PREFIX_1` with the keys under it."""
    ours = re.compile(rf"({re.escape(prefix)}(?:_[0-9]+)?)(?:\.|\Z)")
    sites: dict[str, list[str]] = {}
    for key in sorted(labels):
        found = ours.match(key)
        if found:
            keys = sites.setdefault(found[1], [])
            if key != found[1]:
                keys.append(key)
    return sites


def _proxies_without_upstreams(labels: Mapping[str, str], keys: Iterable[str]) -> Iterator[Oversight]:
    """`reverse_proxy: 8080`, where Caddy takes the number for a host, and a proxy without upstreams."""
    for key in keys:
        value = labels[key].strip()
        if _word(key.rpartition(".")[2]) != "reverse_proxy":
            continue
        if value.isdecimal():
            yield Oversight(key, f'"{value}" is taken for the name of a host: write {{{{upstreams {value}}}}}')
        elif not value and not any(
            _word(each[len(key) + 1 :]) in _SOURCES for each in labels if each.startswith(f"{key}.")
        ):
            yield Oversight(key, f'it names no upstream: write {key}: "{{{{upstreams PORT}}}}"')


def _forgotten_site(head: str, keys: Sequence[str]) -> Iterator[Oversight]:
    for key in keys:
        if _word(key[len(head) + 1 :]) in SITE_DIRECTIVES:
            yield Oversight(
                key, f'without a label "{head}" it is taken for a global option: name the site, {head}: app.example.org'
            )
            return
