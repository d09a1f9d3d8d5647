"""Why Caddy cannot listen on this machine, and what may be done about it."""

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from dockcaddy.caddy.ports import holder_of, obstacle
from dockcaddy.quarantine.ports import PortFault

# https://docs.kernel.org/networking/ip-sysctl.html
_FIRST_FOR_ALL = "net.ipv4.ip_unprivileged_port_start"
# Docker's own, for a port that a container publishes
_PUBLISHER = "docker-proxy"


@frozen
class ThisMachine:
    """Where Caddy is our child process: it may listen where we may. `caddy` is its program.

    Sites without a port listen at `http_port` and `https_port`.
    """

    caddy: Path
    http_port: int = 80
    https_port: int = 443

    def can_listen(self, fault: PortFault) -> bool | None:
        """Whether the port is available now."""
        return not obstacle("", fault.port, fault.transport, shared=True)

    def cause(self, fault: PortFault) -> str:
        """Which process has the port, or that it is not allowed."""
        if not fault.is_taken:
            return "caddy is not permitted to listen there"
        holder = holder_of(fault.port, fault.transport)
        if holder is None:
            return f"taken by another program (sudo ss -lnp 'sport = :{fault.port}' shows which)"
        what = ", a container that publishes it" if holder.name == _PUBLISHER else ""
        return f"taken by {holder}{what}"

    def remedies(self, fault: PortFault) -> Sequence[str]:
        """End what has it, or get the permission, or have sites elsewhere."""
        if fault.is_taken:
            return "stop that", self._elsewhere(fault)
        return (
            "run as root",
            f"`sudo setcap cap_net_bind_service=+ep {self.caddy}`",
            f"`sudo sysctl -w {_FIRST_FOR_ALL}={min(fault.port, self.http_port)}`",
            self._elsewhere(fault),
        )

    def _elsewhere(self, fault: PortFault) -> str:
        """As all sites listen there, or only those that say so."""
        if fault.port == self.http_port:
            return f"use another port with --http-port {_other(fault.port)}"
        if fault.port == self.https_port:
            return f"use another port with --https-port {_other(fault.port)}"
        return "give the sites another port"


def _other(port: int) -> int:
    """80 -> 8080, 443 -> 8443, 8080 -> 8081."""
    return port + 8000 if port < 1024 else port + 1 if port < 65535 else port - 1
