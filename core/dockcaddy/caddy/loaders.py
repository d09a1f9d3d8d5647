"""Loading a configuration without moving the admin endpoint that it is loaded through."""

import json
from collections.abc import Callable

from attrs import frozen

from dockcaddy.caddy.admin import AdminClient


@frozen
class CaddyLoader:
    """A client whose configurations are completed before they are loaded."""

    client: AdminClient
    complete: Callable[[bytes], bytes]

    def adapt(self, caddyfile: str) -> bytes:
        """See AdminClient."""
        return self.client.adapt(caddyfile)

    def load(self, config: bytes) -> None:
        """See AdminClient."""
        self.client.load(self.complete(config))

    def config(self) -> bytes:
        """See AdminClient."""
        return self.client.config()

    def close(self) -> None:
        """See AdminClient."""
        self.client.close()


def strange_caddy(client: AdminClient) -> CaddyLoader:
    """A Caddy that was there before us: where its admin endpoint listens is its own business, and stays so.

    What a configuration itself says of the admin endpoint comes first.
    """
    return CaddyLoader(client, lambda config: with_admin(config, client.request("GET", "/config/admin").strip()))


def with_admin(config: bytes, admin: bytes) -> bytes:
    """The configuration with these admin settings (JSON) where it has none."""
    if admin in (b"", b"null"):
        return config
    if config.startswith(b'{"apps":'):
        # Caddy writes `admin` first, so there is none; parsing a large configuration takes its time
        return b'{"admin":' + admin + b"," + config[1:]
    decoded = json.loads(config) if config.strip() else {}
    return json.dumps({"admin": json.loads(admin), **(decoded or {})}, separators=(",", ":")).encode()
