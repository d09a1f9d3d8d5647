"""No label proxies to another machine than those of the company, whatever it imports and however it is written."""

from collections.abc import Iterable, Mapping
from typing import Any

import dockcaddy
from dockcaddy import Block, Context, DocumentContext, DocumentRule, Finding, LabelError


@dockcaddy.hook
def dockcaddy_document_rules() -> Iterable[DocumentRule]:
    return [DocumentRule("company-upstreams", find, check)]


def find(context: DocumentContext, part: Mapping[str, Any], hosts: tuple[str, ...] | None) -> Iterable[Finding]:
    """The upstreams in a route that are elsewhere; `hosts` is None for what is no route."""
    waiting: list[Any] = [part] if hosts is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            dial = str(node.get("dial", ""))
            if dial and not dial.partition(":")[0].endswith(".example.org"):
                yield Finding("company-upstreams", f"{dial} is not a machine of the company", (dial,))


def check(context: Context, blocks: tuple[Block, ...], finding: Finding) -> None:
    """Refuse the resource unless it is of the project `gateway`."""
    if context.resource.labels.get("com.docker.compose.project") != "gateway":
        raise LabelError(blocks[0].origins[0].label, finding.reason)
