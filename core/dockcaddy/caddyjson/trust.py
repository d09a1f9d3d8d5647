"""Caddy does not install its authorities in this machine's trust store. Pure.

Caddy reads the store once. An authority that it installed itself it installs again with every configuration, which takes
half a second each time and blocks other loads. `caddy trust` installs it once.
"""

import re
from typing import Any

from dockcaddy.caddyjson.apps import with_changed_apps

# where certificates of Caddy's own are used: named explicitly, or for hosts that no public authority serves, which are
# names without a dot, local names and addresses (https://caddyserver.com/docs/automatic-https#local-https)
_OWN = re.compile(
    rb'"pki":|"acme_server"|"module":"internal"'
    rb'|"host":\[[^\]]*"(?:[^".,\]]+|[^"]*\.(?:localhost|local|internal|home\.arpa)|[\d.]+|[\da-f.]*:[\da-f:.]*)"',
    re.IGNORECASE,
)


def without_installed_trust(config: bytes) -> bytes:
    """The configuration (JSON), in which no authority is installed; the same bytes where there is none."""
    if not _OWN.search(config):
        return config
    return with_changed_apps(config, _install_nothing)


def _install_nothing(apps: dict[str, Any]) -> bool:
    pki = apps.get("pki") or {}
    named = {"local": {}, **(pki.get("certificate_authorities") or {})}
    authorities = {name: {**authority, "install_trust": False} for name, authority in named.items()}
    apps["pki"] = {**pki, "certificate_authorities": authorities}
    return True
