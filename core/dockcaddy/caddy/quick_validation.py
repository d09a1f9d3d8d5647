"""Validates configurations with a Caddy that stays, a few milliseconds each.

It has to load each of them, with one more connection policy of a kind that no Caddy has. Caddy comes to that after
everything else of a server has been set up, and starts nothing. So of a configuration that is right it complains of this
policy, and of any other it complains earlier (`App.Provision` of https://pkg.go.dev/github.com/caddyserver/caddy/v2/modules/caddyhttp).
"""

import json
from typing import Any

from attrs import frozen

from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.limited_process import EndedError, LimitedProcess, admin_at
from dockcaddy.caddy.validation import CommandValidator, without_side_effects
from dockcaddy.errors import CaddyRefusal
from dockcaddy.settings import limits

_END = "dockcaddy_end"
# set up as part of the app http; Caddy sets up others in any order
_APPS = frozenset(("http", "tls"))


@frozen
class QuickValidator:
    """Validates what has one server, and no other apps than those for HTTP; everything else `command` does.

    The process is that of `adapter`.
    """

    command: CommandValidator
    adapter: LimitedAdapter

    def validate(self, config: bytes, caddyfile: str) -> None:
        """See CommandValidator."""
        decoded = json.loads(config)
        apps = decoded.get("apps") or {}
        servers = (apps.get("http") or {}).get("servers") or {}
        if len(servers) != 1 or apps.keys() - _APPS:
            self.command.validate(config, caddyfile)
            return
        process = self.adapter.running()
        folder = str(process.socket.parent)
        quiet = without_side_effects(decoded, folder, certificate_files=not self.command.elsewhere)
        words = _refusal(process, quiet)
        if words is None:
            self.command.validate(config, caddyfile)
        elif _END not in words:
            self.command.raise_for(words, caddyfile)


def _refusal(process: LimitedProcess, config: dict[str, Any]) -> str | None:
    """What Caddy says; None where it did not come to the end of it."""
    (server,) = config["apps"]["http"]["servers"].values()
    server["tls_connection_policies"] = [*(server.get("tls_connection_policies") or ()), {"match": {_END: {}}}]
    config["admin"] = admin_at(process.socket)
    try:
        process.said("/load", json.dumps(config).encode(), "application/json", limits.ADAPTER_PATIENCE)
    except CaddyRefusal as refusal:
        return str(refusal)
    except EndedError:
        pass
    # it should not have been accepted
    process.end()
    return None
