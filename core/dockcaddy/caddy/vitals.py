"""What Caddy's metrics say: when it took its configuration, and whether a controller that leads is alive.

Requests for metrics are short, and Caddy's log has no line about them.
"""

import re

from attrs import frozen

from dockcaddy.caddy.admin import AdminClient

# a request for metrics by this method shows that the controller that leads is alive
BEAT = "BEAT"

_RELOADED = re.compile(r"^caddy_config_last_reload_success_timestamp_seconds (\S+)", re.MULTILINE)
_STARTED = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
# Caddy calls every method that it does not know OTHER
_BEATS = re.compile(
    rf'^caddy_admin_http_requests_total\{{[^}}]*method="(?:OTHER|{BEAT})"[^}}]*path="/metrics"[^}}]*\}} (\S+)',
    re.MULTILINE,
)


@frozen
class Vitals:
    """What metrics say: when Caddy and its configuration were started, and how many beats it has counted.

    Both are empty if Caddy has no metrics.
    """

    since: tuple[str, ...] = ()
    beats: tuple[str, ...] = ()


def vitals_of(client: AdminClient, method: str = "GET") -> Vitals:
    """The vitals of a Caddy. Raises CaddyUnreachable."""
    text = client.metrics(method)
    # a Caddy that only says when it was started does not tell of another configuration
    reloaded = tuple(_RELOADED.findall(text))
    since = (*reloaded, *_STARTED.findall(text)) if reloaded else ()
    return Vitals(since, tuple(_BEATS.findall(text)) or ("0",)) if since else Vitals()
