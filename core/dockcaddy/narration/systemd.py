"""systemd's view of the program (`Type=notify`): it is ready once a configuration is live, and `systemctl status` shows how
many sites it serves. See sd_notify(3).
"""

import logging
import socket
from collections.abc import Iterable, MutableMapping

from attrs import define, frozen

from dockcaddy.model import Problem
from dockcaddy.narration.log import LogNarrator, counted
from dockcaddy.narration.narrator import Pass

logger = logging.getLogger("dockcaddy")
_VARIABLE = "NOTIFY_SOCKET"


@frozen
class Systemd:
    """Where systemd listens: the path of a socket, with `@` an abstract one; `""`: nobody wants to know."""

    address: str = ""

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> "Systemd":
        """The one of the environment. It is taken out, because Caddy would report too, and earlier."""
        return cls(environment.pop(_VARIABLE, ""))

    def tell(self, *lines: str) -> None:
        """Send `NAME=value` lines. A failure is logged, because systemd ends a program that never becomes ready."""
        if not self.address:
            return
        path = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(path)
                sender.sendall("\n".join(lines).encode())
        except OSError as error:
            logger.warning("systemd at %s: %s", self.address, error.strerror or error)


@define
class SystemdNarrator:
    """Reports to `log`, and the state to systemd."""

    log: LogNarrator
    systemd: Systemd
    _problems: int = 0
    _status: str = ""

    def report(self, problems: Iterable[Problem]) -> None:
        """All problems there are now."""
        current = list(problems)
        self._problems = len(current)
        self.log.report(current)

    def finished(self, done: Pass) -> None:
        """A pass is over. The program is ready when its configuration is live."""
        self.log.finished(done)
        if done.is_delivered:
            self.ready(f"{counted(len(self.log.sites), 'site')}, {counted(self._problems, 'problem')}")

    def ready(self, status: str) -> None:
        """A configuration is live; `status` describes it."""
        if status != self._status:
            self._status = status
            self.systemd.tell("READY=1", f"STATUS={status}")

    def closing(self, fate: str) -> None:
        """The program ends."""
        self.systemd.tell("STOPPING=1", "STATUS=ending")
        self.log.closing(fate)
