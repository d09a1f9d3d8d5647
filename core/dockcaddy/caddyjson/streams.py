"""Keep WebSockets and other long streams open when Caddy reloads."""

import json

from attrs import frozen

from dockcaddy.caddyjson.apps import NANOSECONDS, PROXY, proxies
from dockcaddy.hookspecs import Adapter

_OPTION = "stream_close_delay"


def keep_streams(config: bytes, delay: float) -> bytes:
    """Caddy's JSON in which every proxy closes its streams `delay` seconds after a reload, unless it has its own delay.

    See https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming. 0 keeps Caddy's default: at once.
    """
    if not delay or PROXY not in config:
        return config
    nanoseconds = int(delay * NANOSECONDS)
    if _OPTION.encode() not in config:
        return config.replace(PROXY, PROXY + f',"{_OPTION}":{nanoseconds}'.encode())
    decoded = json.loads(config)
    for proxy in proxies(decoded):
        proxy.setdefault(_OPTION, nanoseconds)
    return json.dumps(decoded, separators=(",", ":")).encode()


@frozen
class StreamKeeper:
    """An adapter whose configurations keep streams open for `delay` seconds after a reload."""

    adapter: Adapter
    delay: float

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for the text. Raises CaddyRefusal and CaddyUnreachable."""
        return keep_streams(self.adapter.adapt(caddyfile), self.delay)
