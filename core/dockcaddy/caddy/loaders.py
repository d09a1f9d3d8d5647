"""Load a configuration without moving the admin endpoint that it is loaded through."""

import json
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from attrs import Factory, define, field

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.exchange import decoded
from dockcaddy.caddy.vitals import Loads
from dockcaddy.errors import CaddyRefusal

# in Caddy's error text about an admin address
_ADMIN_FAILED = "starting caddy administration endpoint"


@define
class CaddyLoader:
    """An admin client that knows since when Caddy has what it loads by `put`. `is_direct`: see Loads."""

    client: AdminClient
    put: Callable[[bytes], None]
    is_direct: bool = False
    _loads: Loads = field(default=Factory(lambda self: Loads(self.client, self.is_direct), takes_self=True))

    def adapt(self, caddyfile: str) -> bytes:
        """See AdminClient."""
        return self.client.adapt(caddyfile)

    def load(self, config: bytes) -> Hashable | None:
        """See Loader."""
        return self._loads.done(lambda: self.put(config))

    def config(self) -> bytes:
        """See AdminClient."""
        return self.client.config()

    def since(self) -> Hashable:
        """See Loader."""
        return self._loads.since()

    def close(self) -> None:
        """See AdminClient."""
        self.client.close()


# what of `admin` decides who reaches the endpoint, and where
_REACH = ("listen", "disabled", "origins", "enforce_origin", "identity", "remote")


@define
class ExternalCaddy:
    """A Caddy that somebody else runs. Its admin endpoint stays as it is, whatever a configuration says about it.

    It is as in the running configuration, or as in the one that ran before Caddy lost its configuration. If neither is
    known, it is the address at which Caddy is reached.
    """

    client: AdminClient
    _admin: bytes = b""

    def load(self, config: bytes) -> None:
        """Have Caddy run it. Raises CaddyRefusal and CaddyUnreachable."""
        running = self.client.admin_settings()
        if running is not None:
            self._admin = running
        if self._admin:
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
            self.client.load(with_admin(config, b""))


def with_admin(config: bytes, admin: bytes) -> bytes:
    """The configuration with these admin settings (JSON). Of its own ones, those stay that do not move the endpoint."""
    admin = b"" if admin == b"null" else admin
    if config.startswith(b'{"apps":'):
        # Caddy writes `admin` first, so there is none; parsing a large configuration is slow
        return b'{"admin":' + admin + b"," + config[1:] if admin else config
    rest = decoded(config)
    merged = {**(json.loads(admin) if admin else {}), **own_admin(rest.pop("admin", None))}
    return json.dumps({**({"admin": merged} if merged else {}), **rest}, separators=(",", ":")).encode()


def own_admin(admin: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a configuration says in `admin` that does not move the endpoint."""
    return {key: value for key, value in (admin or {}).items() if key not in _REACH}
