"""How the program reaches Caddy: the admin API, and the program on disk."""

import logging
import os
import ssl
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.command import CommandAdapter, find_caddy
from dockcaddy.caddy.loaders import CaddyLoader, ExternalCaddy
from dockcaddy.caddy.process import with_defaults
from dockcaddy.controller import Fleet
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.hookspecs import Adapter
from dockcaddy.settings.table import Settings

logger = logging.getLogger("dockcaddy")


@frozen
class Connections:
    """How outputs reach Caddy. `url` is the program's own one (`""`: none); `log` are its log settings.

    `listen` is where a child of ours listens, `""` where Caddy was there before us. In mode controller, the servers are the
    program's own Caddy. `tls` is for https URLs.
    """

    url: str
    listen: str = ""
    log: Mapping[str, Any] = field(factory=dict)
    servers: Fleet | None = None
    tls: ssl.SSLContext | None = None

    @property
    def has_caddy(self) -> bool:
        """Whether there is a Caddy of the program's own."""
        return bool(self.url) or self.servers is not None

    @property
    def environment(self) -> Mapping[str, str] | None:
        """Caddy's environment where it is a child of ours, None where it is not known."""
        return os.environ if self.listen else None

    def connect(self, url: str, output: str = "") -> CaddyLoader | Fleet:
        """A connection to the admin API at `url`, `""` for the program's own Caddy, for the output of this name.

        Raises SettingsError.
        """
        if not url and self.servers is not None:
            return self.servers
        if not url and not self.url:
            raise SettingsError(f"output {output} needs a caddy: leave one to start, or name it with --caddy-admin URL")
        option = f"--output {output}={url}" if url else "--caddy-admin"
        is_child = self.listen and not url
        # one that ended is started again
        remedy = "restart dockcaddy if this lasts" if is_child else f"start it, or correct {option}"
        client = AdminClient(url or self.url, tls=self.tls, remedy=remedy)
        if not is_child:
            return CaddyLoader(client, ExternalCaddy(client).load)
        return CaddyLoader(client, lambda config: client.load(self.complete(config)), is_direct=True)

    def complete(self, config: bytes) -> bytes:
        """A configuration for our child: with its admin endpoint, and with our log settings where it has none."""
        return with_defaults(config, self.listen, dict(self.log))


def adapters_for(settings: Settings, connections: Connections) -> list[Adapter]:
    """Those that there are: the running Caddy, and the program on disk. That comes first if the Caddys are servers."""
    adapters: list[Adapter] = [connections.connect("")] if connections.has_caddy else []
    try:
        adapters.insert(0 if connections.servers is not None else 1, CommandAdapter(find_caddy(settings.caddy)))
    except CaddyUnreachable:
        logger.debug("no caddy program on this machine")
    return adapters


def tls_for(settings: Settings) -> ssl.SSLContext | None:
    """What https URLs are connected with, None if the settings say nothing. Raises SettingsError."""
    ca, certificate, key = settings.caddy_admin_ca, settings.caddy_admin_cert, settings.caddy_admin_key
    if key and not certificate:
        raise SettingsError(f"--caddy-admin-key {key}: there is no certificate for it, set --caddy-admin-cert")
    if not (ca or certificate):
        return None
    option = f"--caddy-admin-ca {ca}"
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if certificate:
            option = f"--caddy-admin-cert {certificate}"
            context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{option}: {error.strerror or error}") from None
    return context
