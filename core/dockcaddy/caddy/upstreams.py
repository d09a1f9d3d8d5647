"""Upstreams: what Caddy says of them in its metrics, and whether anything answers at their addresses."""

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from dockcaddy.caddyfile import split_host_port

if TYPE_CHECKING:
    from dockcaddy.caddy.admin import AdminClient

# https://caddyserver.com/docs/metrics#reverse-proxy
_HEALTHY = re.compile(r'^caddy_reverse_proxy_upstreams_healthy\{upstream="((?:[^"\\]|\\.)*)"\} (\S+)', re.MULTILINE)
_DEFAULT_PORTS = {"https": "443"}
# seconds within which an upstream takes a connection
PATIENCE = 0.5
REFUSED = "ConnectionRefused"
FAILED = "ConnectionFailed"
REFUSES = (
    "refuses connections: its program has to listen at this port and at 0.0.0.0, not only at 127.0.0.1: "
    "docker logs shows whether it still starts"
)


def upstreams_of(client: "AdminClient") -> Mapping[str, str]:
    """By address, how Caddy finds it: `HealthyForCaddy` or `UnhealthyForCaddy`. Raises CaddyUnreachable."""
    found = _HEALTHY.findall(client.metrics())
    return {address: "HealthyForCaddy" if float(value) > 0 else "UnhealthyForCaddy" for address, value in found}


def connection_trouble(address: str, patience: float = PATIENCE) -> str:
    """Why no connection to `host:port` comes about within so many seconds: `REFUSED`, `FAILED`, or `""` where one does.

    An address that only Caddy understands, such as a socket or a range of ports, has no trouble.
    """
    host, port = split_host_port(address)
    if not port.isdecimal():
        return ""
    try:
        with suppress(ValueError, OverflowError):
            socket.create_connection((host.strip("[]"), int(port)), patience).close()
    except ConnectionRefusedError:
        return REFUSED
    except OSError:
        return FAILED
    return ""


def dial_of(address: str) -> str:
    """The address of an upstream as Caddy's metrics have it: `host:port`, without the scheme."""
    scheme, sign, rest = address.rpartition("://")
    rest = rest.partition("/")[0] if not rest.startswith("unix/") else rest
    if rest.startswith("unix/") or split_host_port(rest)[1]:
        return rest
    return f"{rest}:{_DEFAULT_PORTS.get(scheme, '80') if sign else '80'}"
