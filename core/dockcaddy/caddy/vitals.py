"""What Caddy's metrics say: when it took its configuration, and whether a controller that leads is alive.

Requests for metrics are short, and Caddy's log has no line about them.
"""

import re
from collections.abc import Callable, Hashable
from contextlib import suppress

from attrs import define, field, frozen

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyUnreachable

# a request for metrics by this method shows that the controller that leads is alive
BEAT = "BEAT"

# what may change the configuration, and what does not although it is a POST
_CHANGES = re.compile(
    r'^caddy_admin_http_requests_total\{(?=[^}]*code="200")(?=[^}]*method="(?:POST|PUT|PATCH|DELETE)")'
    r'(?![^}]*path="/adapt")[^}]*\} (\S+)',
    re.MULTILINE,
)
_RELOADED = re.compile(r"^caddy_config_last_reload_success_timestamp_seconds (\S+)", re.MULTILINE)
_STARTED = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
# Caddy calls every method that it does not know OTHER
_BEATS = re.compile(
    rf'^caddy_admin_http_requests_total\{{[^}}]*method="(?:OTHER|{BEAT})"[^}}]*path="/metrics"[^}}]*\}} (\S+)',
    re.MULTILINE,
)


@frozen
class Vitals:
    """What metrics say: when Caddy and its configuration were started, how many beats it has counted, and how many changes.

    Those are requests that may have changed the configuration. All are empty if Caddy has no metrics.
    """

    since: tuple[str, ...] = ()
    beats: tuple[str, ...] = ()
    changes: float = 0.0


def vitals_of(client: AdminClient, method: str = "GET") -> Vitals:
    """The vitals of a Caddy. Raises CaddyUnreachable."""
    text = client.metrics(method)
    # a Caddy that only says when it was started does not tell of another configuration
    reloaded = tuple(_RELOADED.findall(text))
    since = (*reloaded, *_STARTED.findall(text)) if reloaded else ()
    changes = sum(map(float, _CHANGES.findall(text)))
    return Vitals(since, tuple(_BEATS.findall(text)) or ("0",), changes) if since else Vitals()


@define
class Loads:
    """Knows whether a Caddy took something else than what this program loads.

    Metrics have a line for each upstream. A Caddy that `is_direct`, so that nothing else answers the connections to it, is
    asked for them only after it has ended the connection, as it does when it takes a configuration.
    """

    client: AdminClient
    is_direct: bool = False
    _known: Vitals = field(factory=Vitals)
    # has been open since before that was known
    _connection: object = None

    def since(self) -> Hashable:
        """Since when Caddy has its configuration; empty where it does not say. Raises CaddyUnreachable."""
        if self._connection is None or not self.client.has_kept(self._connection):
            # a configuration that Caddy is just taking has its time only when it is taken
            self._connection = self.client.at_rest() if self.is_direct else None
            self._known = vitals_of(self.client)
        return self._known.since

    def done(self, load: Callable[[], None]) -> Hashable | None:
        """Since when Caddy has what `load` loads; None where it is not known whether it has taken something else too."""
        with suppress(CaddyUnreachable):
            if not self._known.since:
                self.since()
        before, self._known, self._connection = self._known, Vitals(), None
        load()
        with suppress(CaddyUnreachable):
            self.since()
        # the last of `since` is when Caddy was started
        is_one = self._known.since[-1:] == before.since[-1:] and self._known.changes == before.changes + 1
        return self._known.since if before.since and is_one else None
