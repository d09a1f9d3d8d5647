"""Labels that say nothing to us though their author thinks they do. Pure.

They are no errors, nothing is lost but what was never said: each is a warning with the way out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from attrs import frozen

from dockcaddy.caddyfile import SITE_DIRECTIVES

# two words with so much in common are one and a slip of it
NEAR = 0.85
_HEAD = re.compile(r"[^._\-: /]*")
_SEGMENT = re.compile(r"(?:[0-9]+_)?(.+?)(?:_[0-9]+)?")
_DIRECTIVES = SITE_DIRECTIVES | {"import", "log"}
_OTHER_PROXIES = {"traefik.": "Traefik", "VIRTUAL_HOST": "nginx-proxy", "VIRTUAL_PORT": "nginx-proxy"}


@frozen
class Oversight:
    """What was probably overlooked: at which label (or variable), and the way out."""

    label: str
    message: str


def in_labels(labels: Mapping[str, str], prefix: str) -> Iterator[Oversight]:
    """What a resource's labels under the prefix leave out, and those that only look as if they were under it."""
    yield from _unread(labels, prefix)
    for head, keys in _by_site(labels, prefix).items():
        if head not in labels:
            yield from _forgotten_site(head, keys)


def bare_sites(labels: Mapping[str, str], prefix: str) -> frozenset[str]:
    """The site labels under which nothing stands: another resource has to say what the site does."""
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
    for key in labels:
        rest = None if ours.match(key) else _rest(key, prefix)
        # plugins have labels of their own: caddy_ingress_network, caddy_health_gate
        if rest is not None and not (key.startswith(f"{prefix}_") and _word(rest[1:]) not in _DIRECTIVES):
            meant = re.sub(r"^[_\-: /](?![0-9]+(?:\.|\Z))", ".", rest)
            told = f'it is not read, labels of ours are "{prefix}" and "{prefix}.x": write {prefix}{meant}'
            yield Oversight(key, told)


def _rest(key: str, prefix: str) -> str | None:
    """What follows in a key that begins with something like the prefix, None where it does not."""
    wanted = prefix.lower()
    if key[: len(prefix)].lower() == wanted and not key[len(prefix) :][:1].isalnum():
        return key[len(prefix) :]
    head = _head(key)
    # comparing takes its time, and most are nothing like it
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


def _forgotten_site(head: str, keys: Sequence[str]) -> Iterator[Oversight]:
    for key in keys:
        if _word(key[len(head) + 1 :]) in SITE_DIRECTIVES:
            yield Oversight(
                key, f'without a label "{head}" it is taken for a global option: name the site, {head}: app.example.org'
            )
            return
