"""The metrics. `FIGURES` names all of them: the docs and the dashboard are checked against it."""

from collections import Counter as Counts
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from attrs import fields, frozen
from dockcaddy import EventKind, Load, ResourceStatus, SiteStatus, StatusFeed, Update, __version__
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@frozen
class Figure:
    """One metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


RELOADS = Figure(
    "dockcaddy_reloads_total", "counter", "Loads of a configuration into Caddy, by how they ended.", ("result",)
)
RELOAD_SECONDS = Figure("dockcaddy_reload_seconds", "histogram", "How long Caddy took for a configuration it accepted.")
EVENT_TO_LIVE = Figure(
    "dockcaddy_event_to_live_seconds", "histogram", "From the first event of a change until it was live in Caddy."
)
PASSES = Figure("dockcaddy_passes_total", "counter", "Passes of the loop.")
EVENTS = Figure("dockcaddy_events_total", "counter", "What happened, by kind of event.", ("kind",))
SITES = Figure(
    "dockcaddy_sites", "gauge", "Sites, by condition, its state and its reason.", ("condition", "status", "reason")
)
RESOURCES = Figure(
    "dockcaddy_resources",
    "gauge",
    "Containers and services, by condition, its state and its reason.",
    ("condition", "status", "reason"),
)
QUARANTINED = Figure("dockcaddy_quarantined", "gauge", "Containers and services left out because Caddy refuses them.")
PROBLEMS = Figure("dockcaddy_problems", "gauge", "What is wrong now, by severity.", ("severity",))
ENGINE_UP = Figure("dockcaddy_engine_up", "gauge", "1 if the engine answers, else 0.", ("engine",))
CADDY_UP = Figure("dockcaddy_caddy_up", "gauge", "1 if Caddy answers, else 0.")
CERTIFICATE = Figure(
    "dockcaddy_certificate_expiry_timestamp_seconds",
    "gauge",
    "When a certificate ends, since the epoch.",
    ("name", "issuer"),
)
INFO = Figure("dockcaddy_info", "gauge", "1, with the version as a label.", ("version",))
CPU = Figure("process_cpu_seconds_total", "counter", "Seconds of CPU that dockcaddy took, without Caddy.")
MEMORY = Figure("process_resident_memory_bytes", "gauge", "Memory of dockcaddy, without Caddy.")
FIGURES = (
    RELOADS,
    RELOAD_SECONDS,
    EVENT_TO_LIVE,
    PASSES,
    EVENTS,
    SITES,
    RESOURCES,
    QUARANTINED,
    PROBLEMS,
    ENGINE_UP,
    CADDY_UP,
    CERTIFICATE,
    INFO,
    CPU,
    MEMORY,
)


class Figures:
    """Counts what updates say, and reads the rest from the status when it is asked. Belongs to one thread."""

    def __init__(self, feed: StatusFeed) -> None:
        # of each metric a second one, which says when it was made
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._reloads = Counter(RELOADS.name, RELOADS.help, RELOADS.labels, registry=self._registry)
        self._reload_seconds = Histogram(
            RELOAD_SECONDS.name, RELOAD_SECONDS.help, buckets=_SECONDS, registry=self._registry
        )
        self._event_to_live = Histogram(
            EVENT_TO_LIVE.name, EVENT_TO_LIVE.help, buckets=_SECONDS, registry=self._registry
        )
        self._passes = Counter(PASSES.name, PASSES.help, registry=self._registry)
        self._events = Counter(EVENTS.name, EVENTS.help, EVENTS.labels, registry=self._registry)
        # Prometheus takes no notice of the first time otherwise
        for result in get_args(fields(Load).result.type):
            self._reloads.labels(result)
        for kind in get_args(EventKind):
            self._events.labels(kind)
        self._registry.register(_Now(feed))
        ProcessCollector(registry=self._registry)

    def take(self, update: Update) -> None:
        """Count an update."""
        for load in update.loads:
            self._reloads.labels(load.result).inc()
            if load.result == "accepted":
                self._reload_seconds.observe(load.seconds)
        if update.took is not None:
            self._event_to_live.observe(update.took)
        if update.is_pass:
            self._passes.inc()
        for event in update.events:
            self._events.labels(event.kind).inc()

    def exposition(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)


@frozen
class _Now(Collector):
    """What the status says now."""

    feed: StatusFeed

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        status = self.feed.current
        yield _by_condition(SITES, status.sites.values())
        yield _by_condition(RESOURCES, status.resources.values())
        quarantined = sum(
            each.conditions.programmed.reason in ("RefusedByCaddy", "LastKnownGood")
            for each in status.resources.values()
        )
        yield _gauge(QUARANTINED, [((), quarantined)])
        severities = Counts(each.severity for each in status.problems)
        yield _gauge(PROBLEMS, [((each,), severities[each]) for each in ("error", "warning")])
        yield _gauge(ENGINE_UP, [((each.name,), each.is_up) for each in status.engines])
        yield _gauge(CADDY_UP, [((), status.caddy.is_up)])
        ends = [((name, each.issuer), each.not_after) for each in status.certificates for name in each.names]
        yield _gauge(CERTIFICATE, dict(ends).items())
        yield _gauge(INFO, [((__version__,), 1)])


def _by_condition(figure: Figure, things: Iterable[SiteStatus | ResourceStatus]) -> Metric:
    counted = Counts((each.type, each.state, each.reason) for thing in things for each in thing.conditions)
    return _gauge(figure, sorted(counted.items()))


def _gauge(figure: Figure, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    made = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
    for labels, value in samples:
        made.add_metric(list(labels), float(value))
    return made
