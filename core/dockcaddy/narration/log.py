"""The program's log: a line when a site goes live, changes or goes away, and for each problem."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from attrs import define, evolve, field

from dockcaddy.caddyfile import ListenPorts
from dockcaddy.errors import listed, one_line
from dockcaddy.model import EngineInventory, Inventory, Problem, Resource, Unreached
from dockcaddy.narration.live import Change, LiveChanges, LiveSite, LiveSites, Upstream
from dockcaddy.narration.narrator import Pass, ProblemLog
from dockcaddy.narration.skipped import skipped, unlabelled
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

# networks that a container is on if it names none, or cannot be connected to
_DEFAULT_NETWORKS = frozenset(("bridge", "podman", "host", "none"))


class DescribedEngine(Protocol):
    """An engine, as the log describes it."""

    @property
    def name(self) -> str:
        """Its name in inventories."""

    @property
    def description(self) -> str:
        """What it is and where: `docker 20.10.24 at unix:///var/run/docker.sock`."""

    @property
    def unlabelled(self) -> int:
        """How many of its containers had no labels of ours when all of them were listed last."""


@define
class LogNarrator:
    """Writes to the log. `word` describes a site that is delivered, `tip` is logged once there are sites.

    It `has_reported` once a pass has come to an end.
    """

    engines: Sequence[DescribedEngine] = ()
    label_prefix: str = "caddy"
    word: str = "live"
    tip: str = ""
    sites: LiveSites = field(factory=LiveSites)
    has_reported: bool = False
    _problems: ProblemLog = field(factory=ProblemLog)
    _unreached: set[tuple[str, str]] = field(factory=set)
    _introduced: set[str] = field(factory=set)
    _seen: dict[str, Resource] = field(factory=dict)
    _ports: ListenPorts | None = None
    _is_waiting: bool | None = None
    _was_delivered: bool = True

    def report(self, problems: Iterable[Problem]) -> None:
        """Log each problem when it appears and when it is gone."""
        self.has_reported = True
        problems = tuple(problems)
        self._unreached = {(each.resource, each.label) for each in problems if isinstance(each, Unreached)}
        self._problems.report(problems)

    def finished(self, done: Pass) -> None:
        """Log what the pass changed."""
        self._introduce(done)
        if logger.isEnabledFor(logging.DEBUG):
            self._report_resources(done)
        if not done.is_delivered:
            if self._was_delivered:
                logger.debug("the configuration is not delivered yet")
            self._was_delivered = False
            return
        self._was_delivered = True
        changes = self.sites.take(done.configuration.assembly, done.inventory, self._unreached)
        self._report_ports(done)
        took = {"milliseconds": round((done.ended - done.noticed) * 1000)}
        self._report_new(changes.live, took)
        self._report_changed(changes.changed, took)
        _report_gone(changes.gone, took)
        if changes == LiveChanges():
            logger.debug("no site has changed")
        self._report_waiting(done)

    def closing(self, fate: str) -> None:
        """The program ends. `fate` says what happens to the sites, `{}`."""
        logger.info("ending: %s", fate.format(counted(len(self.sites), "site")))

    def _introduce(self, done: Pass) -> None:
        """Describe an engine when it answers for the first time."""
        for engine in self.engines:
            found = next((each for each in done.inventory.engines if each.name == engine.name), None)
            if found is None or not found.is_known or engine.name in self._introduced:
                continue
            self._introduced.add(engine.name)
            count, rest = len(found.resources), engine.unlabelled
            fields = {"event": "watching", "labelled": count, "unlabelled": rest}
            without = f"{rest} without{unlabelled(found.unserved)}"
            _log(f"watching {engine.description}: {_kinds(found)} with {self.label_prefix} labels, {without}", fields)
            for names, reason in skipped(found.unserved):
                _log(f"not served: {names}: {reason}", {"event": "not_served", "names": names, "reason": reason})

    def _report_ports(self, done: Pass) -> None:
        """Log where sites without a port listen: once, and again after a change."""
        ports = done.configuration.assembly.listen_ports
        if ports != self._ports:
            self._ports = ports
            fields = {"event": "ports", "http": ports.http, "https": ports.https}
            _log(f"sites listen on ports {ports.http} (http) and {ports.https} (https)", fields)

    def _report_new(self, live: Sequence[LiveSite], took: dict[str, Any]) -> None:
        if len(live) > limits.MAX_SINGLE_LINES:
            _summarise(self.word, live, took)
            return
        for site in live:
            self._report_one(site, took)

    def _report_one(self, site: LiveSite, took: dict[str, Any]) -> None:
        """Log a site that is live, or that answers with a page because its containers have stopped."""
        if site.is_page:
            message = f"stopped: {site.url} answers with a page until {site.makers} runs again {_time(took)}"
            _log(message, _fields("site_stopped", site, took), "stopped")
        else:
            _log(f"{self.word}: {site} {_time(took)}", _fields("site_live", site, took), self.word)

    def _report_changed(self, changed: Sequence[Change], took: dict[str, Any]) -> None:
        if len(changed) > limits.MAX_SINGLE_LINES:
            _summarise("changed", [each.site for each in changed], took)
            return
        for each in changed:
            before, site = each.before, each.site
            if before.is_page != site.is_page:
                self._report_one(site, took)
                continue
            message = f"changed: {site.url} {_what_changed(each)} {_time(took)}"
            _log(message, _fields("site_changed", site, took), "changed")

    def _report_waiting(self, done: Pass) -> None:
        """Log an example for newcomers where there are no sites, and the tip where there are some."""
        has_none = not any(engine.resources for engine in done.inventory.engines)
        if self._is_waiting is None and has_none and not len(self.sites):
            prefix = self.label_prefix
            network = _own_network(done.inventory)
            example = (
                f"docker run -d {network}-l {prefix}=http://whoami.localhost \\\n"
                f"  -l '{prefix}.reverse_proxy={{{{upstreams 80}}}}' traefik/whoami"
            )
            logger.info(
                "waiting for a container with %s labels, for example:",
                prefix,
                extra={"example": example, "fields": {"event": "waiting"}},
            )
        self._is_waiting = has_none
        if self.tip and len(self.sites):
            logger.info("tip: %s", self.tip)
            self.tip = ""

    def _report_resources(self, done: Pass) -> None:
        """Log which resources have changed, for --log-level debug."""
        resources = [each for engine in done.inventory.engines for each in engine.resources]
        current = {each.key: each for each in resources}
        changes = [
            _change(each, self._seen.get(key)) for key, each in current.items() if self._seen.get(key) is not each
        ]
        changes += [f"{each} is gone" for key, each in self._seen.items() if key not in current]
        self._seen = current
        for line in changes[: limits.MAX_SINGLE_LINES]:
            logger.debug("%s", line)
        if len(changes) > limits.MAX_SINGLE_LINES:
            logger.debug("and %d more containers have changed", len(changes) - limits.MAX_SINGLE_LINES)


def _change(now: Resource, before: Resource | None) -> str:
    state = "stopping" if now.stopping else now.state or ("running" if now.running else "stopped")
    health = f", {now.health}" if now.health != "none" else ""
    at = f" at {', '.join(map(one_line, now.targets))}" if now.targets else ", no address"
    return f"{now} is {'new' if before is None else 'changed'}: {one_line(state)}{health}{at}"


def _what_changed(change: Change) -> str:
    """`gains web-2 172.17.0.3:80`, `loses ...`, and the resources that have changed it, with what they bring."""
    before, site = change.before, change.site
    gained = [each for each in site.upstreams if each not in before.upstreams]
    lost = [each for each in before.upstreams if each not in site.upstreams]
    moved = [f"{verb} {_listed(some)}" for verb, some in (("gains", gained), ("loses", lost)) if some]
    joined = [] if moved else [each for each in site.resources if each not in before.resources]
    left = [] if moved else [each for each in before.resources if each not in site.resources]
    some = [f"with {_with(each, change)}" for each in dict.fromkeys((*change.brought, *joined))][: limits.MAX_EXAMPLES]
    some += [f"without {', '.join(left)}"] if left else []
    said = [each for each in (" and ".join(moved), " and ".join(some)) if each]
    return ", ".join(said) or f"by labels of {', '.join(site.resources[: limits.MAX_EXAMPLES])}"


def _with(resource: str, change: Change) -> str:
    """What a resource brings: it may count for requests to all others."""
    brought = change.brought.get(resource, ())
    return f"{', '.join(brought[: limits.MAX_EXAMPLES])} of {resource}" if brought else resource


def _listed(upstreams: Sequence[Upstream]) -> str:
    return listed(tuple(map(str, upstreams)), limits.MAX_EXAMPLES)


def _report_gone(gone: Sequence[LiveSite], took: dict[str, Any]) -> None:
    if len(gone) > limits.MAX_SINGLE_LINES:
        _summarise("gone", gone, took)
        return
    for site in gone:
        # why it is gone is no lack
        _log(f"gone: {evolve(site, lacks_upstreams=False)} {_time(took)}", _fields("site_gone", site, took), "gone")


def _summarise(word: str, sites: Sequence[LiveSite], took: dict[str, Any]) -> None:
    some = [site.urls[0] for site in sites[: limits.MAX_EXAMPLES]]
    fields = {"event": f"sites_{word}", "sites": len(sites), "urls": some, **took}
    _log(f"{word}: {len(sites)} sites, {', '.join(some)} and others {_time(took)}", fields, word)


def _fields(event: str, site: LiveSite, took: dict[str, Any]) -> dict[str, Any]:
    upstreams = [each.address for each in site.upstreams]
    return {"event": event, "urls": site.urls, "resources": site.resources, "upstreams": upstreams, **took}


def _log(message: str, fields: dict[str, Any], emphasis: str = "") -> None:
    logger.info("%s", message, extra={"fields": fields, "emphasis": emphasis})


def _time(took: dict[str, Any]) -> str:
    """`(13 ms)`, `(1.3 s)`."""
    number = took["milliseconds"]
    return f"({number} ms)" if number < 1000 else f"({number / 1000:.1f} s)"


def _own_network(inventory: Inventory) -> str:
    """`--network caddy ` where Caddy runs in a container on such a network: others are not on it by themselves."""
    containers = [engine.caddy for engine in inventory.engines if engine.caddy is not None]
    names = [
        each.network for caddy in containers for each in caddy.attachments if each.network not in _DEFAULT_NETWORKS
    ]
    return f"--network {one_line(names[0])} " if names else ""


def _kinds(engine: EngineInventory) -> str:
    """How many containers and services it has."""
    services = sum(each.kind == "service" for each in engine.resources)
    containers = len(engine.resources) - services
    named = [counted(containers, "container")] if containers or not services else []
    return ", ".join([*named, *([counted(services, "service")] if services else [])])


def counted(count: int, thing: str) -> str:
    """`1 site`, `2 sites`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
