"""Changes to the apps of a configuration. Pure."""

import json
from collections.abc import Callable, Iterator
from typing import Any

# a second, as Caddy's JSON counts durations
NANOSECONDS = 1_000_000_000
# how every proxy begins; a JSON string has no unescaped quote, so this is always the name of a handler
PROXY = b'"handler":"reverse_proxy"'


def with_changed_apps(config: bytes, change: Callable[[dict[str, Any]], bool]) -> bytes:
    """The configuration (JSON) after `change`, which edits its apps and returns whether it changed them.

    The same bytes where it did not, or where there are no apps: a configuration may have logs only.
    """
    decoded = json.loads(config)
    apps = decoded.get("apps")
    return json.dumps(decoded, separators=(",", ":")).encode() if apps and change(apps) else config


def proxies(node: Any) -> Iterator[dict[str, Any]]:
    """All proxies within a part of a configuration."""
    if isinstance(node, dict):
        if node.get("handler") == "reverse_proxy":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from proxies(each)
