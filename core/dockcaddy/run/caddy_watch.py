"""Looks from time to time at what Caddy knows and does not report: upstreams, certificates. In a thread of its own."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, repeat

from attrs import define, field

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.folders import caddy_folders
from dockcaddy.caddy.log import CaddyLog
from dockcaddy.caddy.process import CaddyProcess
from dockcaddy.caddy.upstreams import FAILED, connection_trouble, dial_of, upstreams_of
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.logs import report_own_fault
from dockcaddy.run.connections import Connections
from dockcaddy.run.delayed import repeated
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.stored_certificates import StoredCertificates

# seconds until the first look, and between two looks; certificates change rarely
FIRST_AFTER, INTERVAL = 1.0, 5.0
CERTIFICATES_EVERY = 12
# Caddy finds out every ten seconds which upstreams are healthy. Its answer has a line for each, so that with many of them it
# is asked less often.
UPSTREAMS_EVERY = 2
UPSTREAMS_A_LOOK = 1_000
# seconds of a look within which it tries to connect to upstreams
TRYING = 2.0


def caddy_watch_for(connections: Connections, process: CaddyProcess | None, keeper: StatusKeeper) -> "CaddyWatch":
    """What looks at the program's own Caddy, and at the certificates of one that it started."""
    client = AdminClient(connections.url, tls=connections.tls) if connections.url else None
    if process is None:
        return CaddyWatch(keeper, client)
    certificates = StoredCertificates(caddy_folders(os.environ)[0])
    return CaddyWatch(keeper, client, certificates, process.log)


@define(eq=False)
class CaddyWatch:
    """Hands what it sees to the status. Without a `client` or `certificates` it does not look at these.

    Where the `log` of Caddy says that it has got more certificates, they are read at once. Where it says that Caddy could not
    connect to an upstream, that is tried here too, until it can be done or no site has the upstream any more.
    """

    keeper: StatusKeeper
    client: AdminClient | None = None
    certificates: StoredCertificates | None = None
    log: CaddyLog = field(factory=CaddyLog)
    clock: Callable[[], float] = time.monotonic
    _looks: int = 0
    _obtained_before: int = 0
    _next_ask: int = 0
    _views: Mapping[str, str] = field(factory=dict)
    # why no connection to an upstream comes about, by address
    _troubles: dict[str, str] = field(factory=dict)

    def look(self) -> None:
        """Look once."""
        if self.client is not None and self._looks >= self._next_ask:
            try:
                self._views = upstreams_of(self.client)
            except CaddyUnreachable:
                # the loop reports that it does not answer
                self._views = {}
            self._next_ask = self._looks + max(UPSTREAMS_EVERY, len(self._views) // UPSTREAMS_A_LOOK)
        self._connect()
        self.keeper.caddy_reports({**self._views, **self._troubles}, self.log.uncertified)
        obtained = self.log.obtained
        if self.certificates is not None and (
            self._looks % CERTIFICATES_EVERY == 0 or obtained != self._obtained_before
        ):
            self.keeper.certificates_found(self.certificates.read())
            self._obtained_before = obtained
        self._looks += 1

    def _connect(self) -> None:
        """Try to connect to the upstreams to which Caddy could not."""
        troubles = dict.fromkeys(self.log.take_unconnected(), FAILED) | self._troubles
        if not troubles:
            return
        sites = self.keeper.current.sites.values()
        there = {dial_of(each.address) for site in sites for each in site.upstreams}
        end = self.clock() + TRYING
        tried: dict[str, str] = {}
        untried: dict[str, str] = {}
        for address in filter(there.__contains__, troubles):
            if self.clock() >= end:
                untried[address] = troubles[address]
            elif trouble := connection_trouble(address):
                tried[address] = trouble
        # the next look begins with those for which there was no time
        self._troubles = untried | tried

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within, look again and again."""
        try:
            with repeated(chain((FIRST_AFTER,), repeat(INTERVAL)), self._look_whatever_happens):
                yield
        finally:
            if self.client is not None:
                self.client.close()

    def _look_whatever_happens(self) -> None:
        try:
            self.look()
        except Exception as error:
            self._looks += 1
            report_own_fault("status of caddy", error)
