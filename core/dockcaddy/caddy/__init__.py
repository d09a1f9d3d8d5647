"""The Caddy side: the admin API's client, adapting, the managed child process."""

from dockcaddy.caddy.admin import AdminClient, listen_address, refused_line
from dockcaddy.caddy.command import CommandAdapter, find_caddy
from dockcaddy.caddy.process import CaddyProcess, with_defaults

__all__ = [
    "AdminClient",
    "CaddyProcess",
    "CommandAdapter",
    "find_caddy",
    "listen_address",
    "refused_line",
    "with_defaults",
]
