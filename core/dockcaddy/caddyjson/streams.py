"""Keep WebSockets and other long streams open when Caddy reloads."""

import json
from typing import Any

from attrs import frozen

from dockcaddy.hookspecs import Adapter

_PROXY = b'"handler":"reverse_proxy"'
_OPTION = "stream_close_delay"


def keep_streams(config: bytes, delay: float) -> bytes:
    """Caddy's JSON in which every proxy closes its streams `delay` seconds after a reload, unless it has its own delay.

    See https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming. 0 keeps Caddy's default: at once.
    """
    if not delay or _PROXY not in config:
        return config
    nanoseconds = int(delay * 1e9)
    if _OPTION.encode() not in config:
        # a JSON string has no unescaped quote, so this is always the name of a handler
        return config.replace(_PROXY, _PROXY + f',"{_OPTION}":{nanoseconds}'.encode())
    decoded = json.loads(config)
    _set_delay(decoded, nanoseconds)
    return json.dumps(decoded, separators=(",", ":")).encode()


def _set_delay(node: Any, nanoseconds: int) -> None:
    if isinstance(node, dict):
        if node.get("handler") == "reverse_proxy":
            node.setdefault(_OPTION, nanoseconds)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _set_delay(each, nanoseconds)


@frozen
class StreamKeeper:
    """An adapter whose configurations keep streams open for `delay` seconds after a reload."""

    adapter: Adapter
    delay: float

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for the text. Raises CaddyRefusal and CaddyUnreachable."""
        return keep_streams(self.adapter.adapt(caddyfile), self.delay)
