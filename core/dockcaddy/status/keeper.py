"""Keeps the status from pass to pass, and hands it to subscribers."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from attrs import define, evolve, field

from dockcaddy.logs import report_own_fault
from dockcaddy.merge.assembly import Assembly
from dockcaddy.settings import limits
from dockcaddy.status.dates import Dates
from dockcaddy.status.events import caddy_event, certificate_event, is_known, part_events, resource_event, site_event
from dockcaddy.status.history import HistoryFile
from dockcaddy.status.model import Certificate, Condition, Event, PartStatus, Status, Update
from dockcaddy.status.observation import Observation
from dockcaddy.status.resource_book import Changed, ResourceBook
from dockcaddy.status.site_book import SiteBook
from dockcaddy.status.sites import Surroundings

logger = logging.getLogger("dockcaddy")

Subscriber = Callable[[Update], None]
_NO_ASSEMBLY = Assembly(())


@define(eq=False)
class StatusKeeper:
    """The status of everything. `time` gives seconds since the epoch; any thread may read `current`. `environment` is Caddy's, if known.

    The loop shows it its passes, another thread what Caddy reports. It does not wait for anybody: a subscriber is called
    while nothing else happens, so it only puts what it gets into a queue of its own.
    """

    time: Callable[[], float] = time.time
    prefix: str = "caddy"
    history: HistoryFile | None = None
    environment: Mapping[str, str] | None = None
    current: Status = field(factory=Status)
    resources: ResourceBook = field(init=False)
    sites: SiteBook = field(init=False)
    _dates: Dates = field(init=False)
    _ready: dict[str, Condition] = field(factory=dict)
    _seen: Observation = field(factory=Observation)
    _views: Mapping[str, str] = field(factory=dict)
    _uncertified: Mapping[str, str] = field(factory=dict)
    _certificates: tuple[Certificate, ...] = ()
    _ending: frozenset[tuple[str, ...]] = frozenset()
    _events: list[Event] = field(factory=list)
    _is_pruned: bool = False
    _subscribers: list[Subscriber] = field(factory=list)
    _lock: threading.RLock = field(factory=threading.RLock)

    def __attrs_post_init__(self) -> None:
        known, events = self.history.load() if self.history is not None else ({}, ())
        self._dates = Dates(known)
        self.resources, self.sites = ResourceBook(self.prefix), SiteBook(self.prefix, self.environment)
        self._ready = {
            subject.removeprefix("site "): each.ready
            for subject, each in known.items()
            if subject.startswith("site ") and each.ready.state != "Unknown"
        }
        self.current = evolve(self.current, history=tuple(events), time=self.time())

    @property
    def made(self) -> int:
        """How many resources and sites were looked at."""
        return self.resources.made + self.sites.made

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have it called with each update. Returns what ends that."""
        with self._lock:
            self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with self._lock:
                if subscriber in self._subscribers:
                    self._subscribers.remove(subscriber)

        return unsubscribe

    # --- what happens

    def observe(self, seen: Observation) -> None:
        """A pass is over."""
        with self._protected():
            self._observe(seen)

    def caddy_restarted(self, crashes: int) -> None:
        """Caddy ended and was started again; it had crashed so many times, or somebody ended it."""
        what = f"crashed {crashes} times" if crashes > 1 else "crashed" if crashes else "was ended by somebody"
        with self._lock:
            message = f"caddy {what} and was started again: its log says why"
            self._events.append(Event(self.time(), "CaddyCrashed", "caddy", "Crashed" if crashes else "Ended", message))

    def caddy_reports(self, views: Mapping[str, str], uncertified: Mapping[str, str]) -> None:
        """How Caddy finds upstreams, by address, and why it has no certificate for hosts. From any thread."""
        with self._protected():
            if (views, uncertified) == (self._views, self._uncertified):
                return
            for host, why in uncertified.items():
                if host not in self._uncertified:
                    self._events.append(Event(self.time(), "CertificateFailed", f"certificate {host}", "Failed", why))
            self._views, self._uncertified = dict(views), dict(uncertified)
            self._update(Changed(), Update(self.current))

    def certificates_found(self, certificates: Iterable[Certificate]) -> None:
        """The certificates in Caddy's storage. From any thread."""
        with self._protected():
            now = self.time()
            self._certificates = tuple(certificates)
            ending = [each for each in self._certificates if each.is_near_end(now, limits.MAX_PART_LEFT)]
            self._events += [certificate_event(each, now) for each in ending if each.names not in self._ending]
            self._ending = frozenset(each.names for each in ending)
            if self._certificates != self.current.certificates or self._events:
                self._publish(Update(self.current), is_changed=True)

    @contextmanager
    def _protected(self) -> Iterator[None]:
        """A bug within costs the status, and nothing that is served."""
        try:
            with self._lock:
                self._dates.begin(self.time())
                yield
        except Exception as error:
            report_own_fault("status", error)

    # --- one pass

    def _observe(self, seen: Observation) -> None:
        if seen.inventory is None:
            seen = evolve(
                seen,
                inventory=self._seen.inventory,
                fragments=self._seen.fragments,
                configuration=seen.configuration or self._seen.configuration,
            )
        before, self._seen = self._seen, seen
        figures = Update(self.current, (), seen.loads, seen.took, is_pass=True)
        if seen.is_like(before):
            self._publish(figures, is_changed=False)
            return
        changed = self.resources.take(seen, self._dates)
        self._prune()
        self._update(changed, figures)

    def _prune(self) -> None:
        """Forget what an earlier run kept of resources that are gone, once every engine has answered."""
        seen = self._seen
        if self._is_pruned or seen.inventory is None or not all(each.is_known for each in seen.inventory.engines):
            return
        self._is_pruned = True
        is_there = self.resources.statuses
        for subject in [each for each in self._dates.known if not each.startswith("site ") and each not in is_there]:
            self._dates.forget(subject)

    def _update(self, changed: Changed, update: Update) -> None:
        """Make again what changed, and hand it out."""
        before = self.current
        names = self._update_sites(changed)
        keys = changed.keys | self._owners_of(names)
        for key in keys & self.resources.facts.keys():
            sites = self.sites.by_owner.at(str(self.resources.facts[key].resource))
            self.resources.set_ready(key, [self.sites.statuses[name] for name in sites], self._dates)
        for key in keys:
            if (now := self.resources.statuses.get(key)) is not None:
                self._note(resource_event(before.resources.get(key), now, self.time()))
        self._update_parts()
        self._publish(update, is_changed=bool(keys or names) or self._has_other_parts(before))

    def _update_sites(self, changed: Changed) -> set[str]:
        configuration, before = self._seen.configuration, self.current.sites
        assembly = configuration.assembly if configuration is not None else _NO_ASSEMBLY
        silent = {name: why for name, why in self._seen.engines.items() if why}
        around = Surroundings(self.resources.places, self._views, self._uncertified, silent, self._seen.failure)
        book = self.resources
        names = self.sites.take(assembly, book.partial, book.statuses, changed, around, self._dates)
        for name in names:
            now = self.sites.statuses.get(name)
            if now is None:
                self._ready.pop(name, None)
                if name in before and before[name].is_served:
                    self._note(Event(self.time(), "SiteGone", f"site {name}", "", "", (name,)))
                continue
            self._note(site_event(self._ready.get(name), now, self.time()))
            if is_known(self._ready.get(name), now.conditions.ready):
                self._ready[name] = now.conditions.ready
        return names

    def _owners_of(self, names: Iterable[str]) -> set[str]:
        owners = {
            owner
            for name in names
            for each in (self.current.sites, self.sites.statuses)
            if name in each
            for owner in each[name].resources
        }
        by_owner = self.resources.places.by_owner
        return {by_owner[owner].key for owner in owners if owner in by_owner}

    def _note(self, event: Event | None) -> None:
        if event is not None:
            self._events.append(event)

    # --- what belongs to the whole

    def _update_parts(self) -> None:
        known = {each.name: each for each in self.current.engines}
        engines = {name: self._part(known.get(name), name, why) for name, why in self._seen.engines.items()}
        self._events += part_events(known, engines, self.time())
        caddy, failure = self.current.caddy, self._seen.failure
        if self._seen.configuration is not None or failure is not None:
            why = failure.message if failure is not None and failure.reason == "CaddyUnreachable" else ""
            caddy = self._part(caddy, "caddy", why)
            self._note(caddy_event(self.current.caddy, caddy, self.time()))
        is_complete = self._seen.inventory is not None and self._seen.configuration is not None
        self.current = evolve(
            self.current,
            engines=tuple(engines.values()),
            caddy=caddy,
            problems=self._seen.problems,
            listing=self._seen.configuration,
            is_complete=is_complete,
        )

    def _part(self, before: PartStatus | None, name: str, why: str) -> PartStatus:
        made = PartStatus(name, not why, why)
        if before is not None and before.is_up == made.is_up and before.since:
            return before if before == made else evolve(made, since=before.since)
        return evolve(made, since=self.time())

    def _has_other_parts(self, before: Status) -> bool:
        now = self.current
        return (before.engines, before.caddy, before.problems) != (now.engines, now.caddy, now.problems) or (
            before.listing is not now.listing or before.is_complete != now.is_complete
        )

    def _publish(self, update: Update, *, is_changed: bool) -> None:
        events, self._events = tuple(self._events), []
        # before anybody reads it: what was read is still so after a kill
        if self.history is not None:
            self.history.keep(self._dates, events)
        if is_changed or events:
            self.current = evolve(
                self.current,
                revision=self.current.revision + 1,
                time=self.time(),
                resources=dict(self.resources.statuses),
                sites=dict(self.sites.statuses),
                certificates=self._certificates,
                history=(*self.current.history, *events)[-limits.MAX_HISTORY :],
            )
        made = evolve(update, status=self.current, events=events)
        for subscriber in tuple(self._subscribers):
            subscriber(made)
