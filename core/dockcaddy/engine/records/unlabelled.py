"""Warnings about containers without labels of ours that were probably meant for us. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockcaddy.engine.records.ignored_labels import ignored
from dockcaddy.engine.records.resources import container_name
from dockcaddy.errors import listed, one_line
from dockcaddy.model import Problem
from dockcaddy.settings import limits

# what begins the names of labels and variables for other proxies, and the labels that turn these off
_OTHER_PROXIES = {
    "traefik.": "Traefik",
    "VIRTUAL_HOST": "nginx-proxy",
    "VIRTUAL_PORT": "nginx-proxy",
    "proxy.aliases": "GoDoxy",
    "proxy.#": "GoDoxy",
    "proxy.*.": "GoDoxy",
}
_OFF = {"traefik.enable": "false", "proxy.exclude": "true"}


def warnings(items: Iterable[Mapping[str, Any]], prefix: str) -> tuple[Problem, ...]:
    """Warnings for items of `GET /containers/json`: one for each with misspelt labels, and one for each other proxy."""
    found: list[Problem] = []
    by_proxy: dict[str, list[str]] = {}
    for item in items:
        labels = {key: str(value) for key, value in (item.get("Labels") or {}).items()}
        owner = one_line(container_name(item))
        misspelt = list(ignored(labels, prefix))
        if misspelt:
            # all have the same mistake, or are meant for another dockcaddy
            first, count = misspelt[0], len(misspelt) - 1
            others = f" (and {count} other label{'s' if count > 1 else ''} like it)" if count else ""
            message = one_line(f"{first.message}{others}")
            found.append(Problem(f"container {owner}", one_line(first.label), message, "warning"))
        environment = ((item.get("Inspect") or {}).get("Config") or {}).get("Env") or ()
        proxy = "" if misspelt else _other_proxy(labels, environment)
        if proxy:
            by_proxy.setdefault(proxy, []).append(owner)
    found += [_for_other(proxy, sorted(names), prefix) for proxy, names in by_proxy.items()]
    return tuple(found)


def _for_other(proxy: str, names: Sequence[str], prefix: str) -> Problem:
    owner = f"container{'s' if len(names) > 1 else ''} {listed(names, limits.MAX_EXAMPLES)}"
    labels = f'add the labels {prefix}: app.example.org and {prefix}.reverse_proxy: "{{{{upstreams PORT}}}}"'
    return Problem(owner, "", f"configured for {proxy} and not for dockcaddy, so it is not served: {labels}", "warning")


def _other_proxy(labels: Mapping[str, str], environment: Sequence[str]) -> str:
    """The proxy for which a container without labels of ours is configured, `""` if there is none."""
    if any(labels.get(name, "").lower() == value for name, value in _OFF.items()):
        return ""
    names = [*labels, *(variable.partition("=")[0] for variable in environment)]
    found = (proxy for name in names for start, proxy in _OTHER_PROXIES.items() if name.startswith(start))
    return next(found, "")
