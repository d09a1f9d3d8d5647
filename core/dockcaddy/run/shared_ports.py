"""Another Caddy at the ports of ours: the system would share the requests among them."""

import logging
import time
from pathlib import Path

from dockcaddy import caddyfile
from dockcaddy.caddy.ports import holder_of, is_shared
from dockcaddy.caddyfile import CaddyfileError, ListenPorts
from dockcaddy.quarantine.ports import PortFault
from dockcaddy.quarantine.this_machine import ThisMachine
from dockcaddy.run.operator_files import read_base
from dockcaddy.settings.table import Settings

logger = logging.getLogger("dockcaddy")

# one that ends has closed its ports by then, in seconds
PATIENCE = 1.0


def warn_of_shared_ports(settings: Settings, caddy: Path) -> None:
    """Warn of each port for HTTP and HTTPS that another process has, and would share with ours.

    Caddy listens with SO_REUSEPORT, so that two of one user fail at nothing.
    """
    machine = ThisMachine(caddy, settings.http_port, settings.https_port)
    end = time.monotonic() + PATIENCE
    for port in _ports(settings):
        while (taken := is_shared(port)) and time.monotonic() < end:
            time.sleep(0.05)
        if taken:
            ways = ", or ".join(machine.remedies(PortFault(port)))
            who = holder_of(port) or "another program"
            logger.warning("port %d: %s listens there too, each gets a part of the requests: %s", port, who, ways)


def _ports(settings: Settings) -> tuple[int, ...]:
    """The ports of the settings, or those that the operator's Caddyfile sets."""
    found = ListenPorts(settings.http_port, settings.https_port)
    if base := read_base(settings.caddyfile_path):
        try:
            found = ListenPorts.of(caddyfile.parse(base.text, base.path), found)
        except CaddyfileError:
            # it is reported with the first pass
            return ()
    return found.http, found.https
