"""Mode controller, put together as the settings describe it: the servers, and the election of the controller that leads."""

import secrets
import socket
import time
from collections.abc import Callable, Sequence

from attrs import define

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.watched import WatchedCaddy
from dockcaddy.controller import Controller, Election, Fleet, Leadership, Lock, Server, Target, Unlocked
from dockcaddy.controller.chosen_lock import ChosenLock
from dockcaddy.controller.server_lock import ServerLock
from dockcaddy.controller.swarm_lock import SwarmLock
from dockcaddy.engine import Engine
from dockcaddy.engine.servers import server_label
from dockcaddy.errors import CaddyRefusal
from dockcaddy.run.composition import quarantine_for
from dockcaddy.run.connections import tls_for
from dockcaddy.settings.table import Settings

# a server that answers nothing for so long is asked again, in seconds
TIMEOUT, CONNECT_TIMEOUT = 30.0, 1.0


def controller_for(
    settings: Settings, engines: Sequence[Engine] = (), clock: Callable[[], float] = time.monotonic
) -> Controller | None:
    """The controller that the settings describe, None if there are no servers to configure. Raises SettingsError."""
    if not settings.has_servers:
        return None
    tls = tls_for(settings)

    def client(target: Target) -> AdminClient:
        return AdminClient(target.url, TIMEOUT, CONNECT_TIMEOUT, tls=tls)

    for url in settings.caddy_admin:
        AdminClient(url, tls=tls)
    on_servers = ServerLock(client, clock)
    lock = _lock(settings, engines, on_servers)
    leadership = Leadership(Election(_name(), lock, clock))

    def leads() -> bool:
        return leadership.leads

    def connect(target: Target) -> Server:
        # there is no mark as long as the lock on the servers is not the one that is used
        caddy = WatchedCaddy(client(target), leads, lambda: on_servers.mark)
        quarantine = quarantine_for(settings, [caddy], clock, rules=lambda: made.document_rules)
        assert quarantine is not None
        return Server(target, caddy, quarantine, clock, leads, made.tell)

    fleet = Fleet(
        connect,
        server_label(settings.label_prefix),
        settings.controller_network,
        settings.caddy_admin,
        on_servers.use,
    )
    made = Controller(fleet, leadership)
    leadership.changed = made.lead_changed
    return made


def _lock(settings: Settings, engines: Sequence[Engine], on_servers: ServerLock) -> Lock:
    if settings.leader_lock == "none":
        return Unlocked()
    if settings.leader_lock == "servers":
        return on_servers
    # what tells controllers of one Swarm apart that configure different servers, or different sites
    groups = (settings.controller_network, settings.constraint)
    in_swarm = [SwarmLock(each.connection, settings.label_prefix, groups) for each in engines]
    return in_swarm[0] if settings.leader_lock == "swarm" else ChosenLock([*in_swarm, on_servers])


def _name() -> str:
    """What other controllers call this one: the host's name, and a part that no other one has."""
    host = "".join(each if each.isalnum() else "-" for each in socket.gethostname())
    return f"{host}-{secrets.token_hex(3)}"


@define
class NoCommonFolder:
    """In place of the servers where a folder is needed that they read: each has files of its own."""

    def adapt(self, caddyfile: str) -> bytes:
        """Refuse."""
        raise CaddyRefusal("servers of a controller have no folder in common")
