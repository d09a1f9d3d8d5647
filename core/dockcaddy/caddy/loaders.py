"""Load a configuration without moving the admin endpoint that it is loaded through."""

import json
from collections.abc import Callable

from attrs import define, frozen

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyRefusal

# in Caddy's error text about an admin address
_ADMIN_FAILED = "starting caddy administration endpoint"


@frozen
class CaddyLoader:
    """An admin client that completes configurations before it loads them."""

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


@define
class ExternalCaddy:
    """A Caddy that somebody else runs. Its admin endpoint keeps its address.

    The `admin` part comes from the first of: the new configuration, the running one, the one that ran before Caddy lost
    its configuration. If none is known, it is the address at which Caddy is reached.
    """

    client: AdminClient
    _admin: bytes = b""

    def adapt(self, caddyfile: str) -> bytes:
        """See AdminClient."""
        return self.client.adapt(caddyfile)

    def load(self, config: bytes) -> None:
        """See AdminClient."""
        running = self.client.admin_settings()
        if running is not None:
            self._admin = running
            self.client.load(with_admin(config, running))
        elif self._admin:
            self.client.load(with_admin(config, self._admin))
        else:
            self._load_first(config)

    def _load_first(self, config: bytes) -> None:
        """Load into a Caddy without a configuration, which cannot be asked where it listens."""
        address = self.client.listens_at()
        admin = json.dumps({"listen": address}).encode() if address else b""
        try:
            self.client.load(with_admin(config, admin))
        except CaddyRefusal as refusal:
            if not admin or _ADMIN_FAILED not in str(refusal):
                raise
            # the address leads there by a detour such as a forwarded port, and Caddy listens at its default
            self.client.load(config)

    def config(self) -> bytes:
        """See AdminClient."""
        return self.client.config()

    def close(self) -> None:
        """See AdminClient."""
        self.client.close()


def with_admin(config: bytes, admin: bytes) -> bytes:
    """The configuration with these admin settings (JSON), unless it has its own."""
    if admin in (b"", b"null"):
        return config
    if config.startswith(b'{"apps":'):
        # Caddy writes `admin` first, so there is none; parsing a large configuration is slow
        return b'{"admin":' + admin + b"," + config[1:]
    decoded = json.loads(config) if config.strip() else {}
    return json.dumps({"admin": json.loads(admin), **(decoded or {})}, separators=(",", ":")).encode()
