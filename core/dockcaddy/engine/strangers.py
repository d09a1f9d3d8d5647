"""Containers that have no labels of ours, where that looks like an oversight. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockcaddy.compile import lint
from dockcaddy.engine.records import container_name
from dockcaddy.errors import one_line
from dockcaddy.model import Problem
from dockcaddy.settings import limits


def warnings(items: Iterable[Mapping[str, Any]], prefix: str) -> tuple[Problem, ...]:
    """What was probably meant for us of items of `GET /containers/json`; those for another proxy in one line for each."""
    found: list[Problem] = []
    by_proxy: dict[str, list[str]] = {}
    for item in items:
        labels = {key: str(value) for key, value in (item.get("Labels") or {}).items()}
        owner = one_line(container_name(item))
        misspelt = [
            Problem(f"container {owner}", one_line(each.label), one_line(each.message), "warning")
            for each in lint.in_labels(labels, prefix)
        ]
        found += misspelt
        environment = ((item.get("Inspect") or {}).get("Config") or {}).get("Env") or ()
        proxy = "" if misspelt else lint.for_other_proxies(labels, environment)
        if proxy:
            by_proxy.setdefault(proxy, []).append(owner)
    found += [_for_other(proxy, sorted(names), prefix) for proxy, names in by_proxy.items()]
    return tuple(found)


def _for_other(proxy: str, names: Sequence[str], prefix: str) -> Problem:
    more = f" and {len(names) - limits.MAX_EXAMPLES} more" if len(names) > limits.MAX_EXAMPLES else ""
    owner = f"container{'s' if len(names) > 1 else ''} {', '.join(names[: limits.MAX_EXAMPLES])}{more}"
    message = f"configured for {proxy} and not for us, nothing of it is served: "
    labels = f'add the labels {prefix}: app.example.org and {prefix}.reverse_proxy: "{{{{upstreams PORT}}}}"'
    return Problem(owner, "", message + labels, "warning")
