"""Caddy keeps out of this machine's store of trusted certificates. Pure.

It reads the store once in its life: an authority that it put there itself it puts there again with every configuration,
which takes half a second for each, as long as no other one is taken up. `caddy trust` does it once.
"""

import re
from typing import Any

from dockcaddy.caddyjson.apps import with_changed_apps

# what has a certificate of Caddy's own: where that is said, and hosts that nobody else gives one to, which are names
# without a dot, of the machine or its network, and addresses (https://caddyserver.com/docs/automatic-https#local-https)
_OWN = re.compile(
    rb'"pki":|"acme_server"|"module":"internal"'
    rb'|"host":\[[^\]]*"(?:[^".,\]]+|[^"]*\.(?:localhost|local|internal|home\.arpa)|[\d.]+|[\da-f.]*:[\da-f:.]*)"',
    re.IGNORECASE,
)


def without_installed_trust(config: bytes) -> bytes:
    """The configuration (JSON), in which no authority is put there; the same bytes where there can be none."""
    if not _OWN.search(config):
        return config
    return with_changed_apps(config, _install_nothing)


def _install_nothing(apps: dict[str, Any]) -> bool:
    pki = apps.get("pki") or {}
    named = {"local": {}, **(pki.get("certificate_authorities") or {})}
    authorities = {name: {**authority, "install_trust": False} for name, authority in named.items()}
    apps["pki"] = {**pki, "certificate_authorities": authorities}
    return True
