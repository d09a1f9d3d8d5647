"""Upstreams without a port: the port that the resource exposes, if there is exactly one.

Caddy uses port 80, or 443 with `https`. This reads rendered labels and not the arguments of `upstreams`, since the port may
stand beside it: `{{upstreams}}:8080`.
"""

import re
from collections.abc import Collection, Iterable

from attrs import evolve
from dockcaddy import UPSTREAM_DIRECTIVES, Context, Label, Resource, bracketed

from dockcaddy_upstreams.dynamic import MARK

_HTTP, _HTTPS = 80, 443
_ORDER = re.compile(r"^\d+_|_\d+$")
_SCHEME = re.compile(r"(?:([a-z0-9]+)://)?(.+)")


def with_ports(context: Context, labels: Iterable[Label]) -> Iterable[Label]:
    """The labels with ports in upstreams of the resource that have none."""
    exposed = exposed_tcp(context.resource)
    if not exposed:
        return labels
    own = {bracketed(each) for each in (*context.resource.targets, MARK)}
    return [_with_port(context, each, own, exposed) if _names_upstreams(each.key) else each for each in labels]


def exposed_tcp(resource: Resource) -> list[int]:
    """The TCP ports that a resource exposes, sorted; of a service those that it publishes."""
    return sorted({each.container_port for each in resource.ports if each.protocol == "tcp"})


def _names_upstreams(key: str) -> bool:
    """Whether the arguments of a directive with this label key are upstreams: a proxy's, or those of `to` in it."""
    names = [_ORDER.sub("", _ORDER.sub("", part)) for part in key.split(".")]
    return names[-1] in UPSTREAM_DIRECTIVES or (names[-1] == "to" and names[-2] in UPSTREAM_DIRECTIVES)


def _with_port(context: Context, label: Label, own: Collection[str], exposed: list[int]) -> Label:
    missing: set[int] = set()

    def completed(word: re.Match[str]) -> str:
        found = _SCHEME.fullmatch(word[0])
        default = _HTTPS if found and found[1] == "https" else _HTTP
        if found is None or found[2] not in own or default in exposed:
            return word[0]
        if len(exposed) > 1:
            missing.add(default)
            return word[0]
        # the other protocol's port
        return word[0] if exposed[0] in (_HTTP, _HTTPS) else f"{word[0]}:{exposed[0]}"

    value = re.sub(r"\S+", completed, label.value)
    for default in missing:
        context.warn(
            f"upstreams: it has no port, so caddy uses {default}, but {', '.join(map(str, exposed))} are exposed: "
            f"write the port, {{{{upstreams {exposed[0]}}}}}",
            label.origin,
        )
    return label if value == label.value else evolve(label, value=value)
