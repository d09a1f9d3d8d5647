"""Looks from time to time at what Caddy knows and does not report: upstreams, certificates. In a thread of its own."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from attrs import define, field

from dockcaddy.caddy import AdminClient, CaddyProcess
from dockcaddy.caddy.folders import caddy_folders
from dockcaddy.caddy.views import upstreams_of
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.logs import report_own_fault
from dockcaddy.run.connections import Connections
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.stored_certificates import StoredCertificates

# seconds between two looks; certificates change rarely
INTERVAL = 5.0
CERTIFICATES_EVERY = 12
# Caddy finds out every ten seconds which upstreams are healthy. Its answer has a line for each, so that with many of them it
# is asked less often.
UPSTREAMS_EVERY = 2
UPSTREAMS_A_LOOK = 1_000


def caddy_watch_for(connections: Connections, process: CaddyProcess | None, keeper: StatusKeeper) -> "CaddyWatch":
    """What looks at the program's own Caddy, and at the certificates of one that it started."""
    client = AdminClient(connections.url, tls=connections.tls) if connections.url else None
    if process is None:
        return CaddyWatch(keeper, client)
    certificates = StoredCertificates(caddy_folders(os.environ)[0])
    return CaddyWatch(keeper, client, process.uncertified, certificates, process.obtained)


@define(eq=False)
class CaddyWatch:
    """Hands what it sees to the status. Without a `client` or `certificates` it does not look at these.

    `obtained` is how many certificates Caddy has got: where there are more, they are read at once.
    """

    keeper: StatusKeeper
    client: AdminClient | None = None
    uncertified: Callable[[], Mapping[str, str]] = lambda: {}
    certificates: StoredCertificates | None = None
    obtained: Callable[[], int] = lambda: 0
    _looks: int = 0
    _obtained_before: int = 0
    _next_ask: int = 0
    _views: Mapping[str, bool] = field(factory=dict)

    def look(self) -> None:
        """Look once."""
        if self.client is not None and self._looks >= self._next_ask:
            try:
                self._views = upstreams_of(self.client)
            except CaddyUnreachable:
                # the loop reports that it does not answer
                self._views = {}
            self._next_ask = self._looks + max(UPSTREAMS_EVERY, len(self._views) // UPSTREAMS_A_LOOK)
        self.keeper.caddy_reports(self._views, self.uncertified())
        obtained = self.obtained()
        if self.certificates is not None and (
            self._looks % CERTIFICATES_EVERY == 0 or obtained != self._obtained_before
        ):
            self.keeper.certificates_found(self.certificates.read())
            self._obtained_before = obtained
        self._looks += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within, look again and again."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(INTERVAL if self._looks else 1.0):
                try:
                    self.look()
                except Exception as error:
                    self._looks += 1
                    report_own_fault("status of caddy", error)

        threading.Thread(target=work, name="caddy-watch", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            if self.client is not None:
                self.client.close()
