"""The Caddy side: the admin API's client, adapting, the managed child process."""

from dockcaddy.caddy.admin import AdminClient, listen_address, refused_line
from dockcaddy.caddy.command import CommandAdapter, find_caddy, version_of
from dockcaddy.caddy.loaders import CaddyLoader, ExternalCaddy, with_admin
from dockcaddy.caddy.process import GRACE, CaddyProcess, with_defaults
from dockcaddy.caddy.streams import StreamKeeper, keep_streams

__all__ = [
    "GRACE",
    "AdminClient",
    "CaddyLoader",
    "CaddyProcess",
    "CommandAdapter",
    "ExternalCaddy",
    "StreamKeeper",
    "find_caddy",
    "keep_streams",
    "listen_address",
    "refused_line",
    "version_of",
    "with_admin",
    "with_defaults",
]
