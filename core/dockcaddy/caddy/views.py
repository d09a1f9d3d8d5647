"""Which upstreams Caddy finds healthy, from its metrics (https://caddyserver.com/docs/metrics#reverse-proxy)."""

import re
from collections.abc import Mapping

from dockcaddy.caddy.admin import AdminClient

_HEALTHY = re.compile(r'^caddy_reverse_proxy_upstreams_healthy\{upstream="((?:[^"\\]|\\.)*)"\} (\S+)', re.MULTILINE)


def upstreams_of(client: AdminClient) -> Mapping[str, bool]:
    """By address, whether Caddy sends requests there. Raises CaddyUnreachable."""
    return {address: float(value) > 0 for address, value in _HEALTHY.findall(client.metrics())}
