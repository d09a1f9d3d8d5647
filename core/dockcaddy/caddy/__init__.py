"""The Caddy side: the admin API's client, adapting, the managed child process.

What talks to a running Caddy is imported when it is first asked for: its HTTP client takes longer to import than a
Caddyfile takes to be adapted.
"""

import importlib
from typing import TYPE_CHECKING, Any

from dockcaddy.caddy.command import CommandAdapter, Version, find_caddy
from dockcaddy.caddy.modules import modules_of
from dockcaddy.caddy.validation import CommandValidator
from dockcaddy.caddy.words import refused_line, without_values

if TYPE_CHECKING:
    from dockcaddy.caddy.admin import AdminClient, listen_address
    from dockcaddy.caddy.limited import LimitedAdapter
    from dockcaddy.caddy.loaders import CaddyLoader, ExternalCaddy, with_admin
    from dockcaddy.caddy.process import GRACE, CaddyProcess, with_defaults
    from dockcaddy.caddy.quick_validation import QuickValidator

_TALKERS = {
    "AdminClient": "admin",
    "listen_address": "admin",
    "GRACE": "process",
    "LimitedAdapter": "limited",
    "QuickValidator": "quick_validation",
    "CaddyLoader": "loaders",
    "ExternalCaddy": "loaders",
    "with_admin": "loaders",
    "CaddyProcess": "process",
    "with_defaults": "process",
}

__all__ = [
    "GRACE",
    "AdminClient",
    "CaddyLoader",
    "CaddyProcess",
    "CommandAdapter",
    "CommandValidator",
    "ExternalCaddy",
    "LimitedAdapter",
    "QuickValidator",
    "Version",
    "find_caddy",
    "listen_address",
    "modules_of",
    "refused_line",
    "with_admin",
    "with_defaults",
    "without_values",
]


def __getattr__(name: str) -> Any:
    if name not in _TALKERS:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_TALKERS[name]}"), name)
