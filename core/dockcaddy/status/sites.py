"""The conditions of one site. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from dockcaddy.caddy.upstreams import FAILED, REFUSED, REFUSES, dial_of
from dockcaddy.caddyfile import split_host_port
from dockcaddy.model import Resource
from dockcaddy.narration.live import LiveSite
from dockcaddy.status.model import Condition, Conditions, ResourceStatus, SiteStatus, State, UpstreamStatus
from dockcaddy.status.observation import Failure
from dockcaddy.status.places import Places


@frozen
class Surroundings:
    """What the conditions of sites depend on besides the sites.

    `places` are the resources by address and by name. `caddys_view` says by address how Caddy finds an upstream: healthy,
    unhealthy, or out of reach. `uncertified` says why a host has no certificate. `silent` are engines that do not answer.
    """

    places: Places
    caddys_view: Mapping[str, str]
    uncertified: Mapping[str, str]
    silent: Mapping[str, str]
    failure: Failure | None


def served(
    live: LiveSite, addresses: tuple[str, ...], makers: Sequence[ResourceStatus], around: Surroundings
) -> SiteStatus:
    """A site of the configuration. `makers` are the resources that make it."""
    upstreams = tuple(_upstream(each.address, live.resources, around) for each in live.upstreams)
    programmed = _programmed(makers, around.failure)
    ready = _ready(live, addresses, programmed, upstreams, around)
    conditions = Conditions(Condition("Accepted", "True", "Accepted"), programmed, ready)
    return SiteStatus(addresses[0], addresses, live.urls, live.resources, conditions, upstreams)


def unserved(addresses: tuple[str, ...], urls: tuple[str, ...], maker: ResourceStatus) -> SiteStatus:
    """A site that the labels of a resource define, and that is not in the configuration."""
    accepted, programmed, _ = maker.conditions
    ready = Condition(
        "Ready", "Unknown" if programmed.state == "Unknown" else "False", "NotProgrammed", programmed.message
    )
    conditions = Conditions(accepted, programmed, ready)
    return SiteStatus(addresses[0], addresses, urls, (str(maker),), conditions, is_served=False)


def _programmed(makers: Iterable[ResourceStatus], failure: Failure | None) -> Condition:
    if failure is not None:
        return Condition("Programmed", "Unknown", failure.reason, failure.message)
    for maker in makers:
        if maker.conditions.programmed.reason == "LastKnownGood":
            message = f"{maker}: {maker.conditions.programmed.message}"
            return Condition("Programmed", "True", "LastKnownGood", message)
    return Condition("Programmed", "True", "Programmed")


def _ready(
    live: LiveSite,
    addresses: Iterable[str],
    programmed: Condition,
    upstreams: Sequence[UpstreamStatus],
    around: Surroundings,
) -> Condition:
    if not programmed.is_true:
        return Condition("Ready", programmed.state, programmed.reason, programmed.message)
    if live.is_page:
        return Condition(
            "Ready", "False", "Stopped", f"it answers with a page until {live.makers} runs again: start it"
        )
    failed = next((host for host in map(host_of, live.urls) if host in around.uncertified), None)
    if failed is not None:
        message = f"there is no certificate for {failed}, caddy tries again: {around.uncertified[failed]}"
        return Condition("Ready", "False", "NoCertificate", message)
    if live.lacks_upstreams:
        return _without_upstreams(live, around) or Condition(
            "Ready", "False", "NoUpstreams", "its proxy has no upstream, every request gets status 503"
        )
    if not upstreams:
        # `{{if isHealthy}}` has left out the proxy
        by_itself = Condition("Ready", "True", "NoUpstreams", "caddy answers by itself")
        return (_without_upstreams(live, around) if live.is_idle else None) or by_itself
    return _by_upstreams(upstreams, live, around)


def _by_upstreams(upstreams: Sequence[UpstreamStatus], live: LiveSite, around: Surroundings) -> Condition:
    bad = [each for each in upstreams if each.healthy != "True"]
    if len(bad) < len(upstreams):
        message = f"{len(upstreams) - len(bad)} of {len(upstreams)} upstreams are healthy" if bad else ""
        return Condition("Ready", "True", "UpstreamsHealthy", message)
    unhealthy = [each for each in bad if each.healthy == "False"]
    unknown = [each for each in bad if each.healthy == "Unknown"]
    if not unhealthy and all(each.reason == "NotChecked" for each in unknown):
        return Condition("Ready", "True", "NotChecked", "caddy sends requests there, and nothing checks the upstream")
    first = (unhealthy or unknown)[0]
    named = f"{first.container} {first.address}".strip()
    if first.reason == "EngineUnreachable" and (resource := _resource_at(first.address, live.resources, around)):
        where = f"{named} is on engine {resource.engine}, which does not answer"
        return Condition("Ready", "Unknown", first.reason, f"its health is not known: {where}")
    state: State = "False" if unhealthy else "Unknown"
    return Condition("Ready", state, first.reason, f"no upstream is healthy: {named} {_WORDS[first.reason]}")


# states in which a container is there and serves nothing
_HELD = {"paused": "Paused", "restarting": "Restarting"}
_UNKNOWN = frozenset(("NotChecked", "EngineUnreachable"))
_WORDS = {
    "Unhealthy": "fails its health check: docker inspect shows the output of the last one",
    "Starting": "has not passed its health check yet",
    "Stopped": "does not run: start it",
    "Paused": "is paused: docker unpause lets it go on",
    "Restarting": "has ended and is started again: docker logs shows why it ends",
    "UnhealthyForCaddy": "is unhealthy for caddy, as its checks or requests failed: see its log",
    REFUSED: REFUSES,
    FAILED: "cannot be reached by caddy: its log says why, and a firewall may be the reason",
    "NotChecked": "is checked by nothing",
}


def _without_upstreams(live: LiveSite, around: Surroundings) -> Condition | None:
    """Why a proxy has no upstream, as far as the resources say."""
    for name in live.resources:
        resource = around.places.by_owner.get(name)
        if resource is None:
            continue
        if resource.unreachable:
            return Condition(
                "Ready", "False", "Unreachable", f"{name}: it has no address that caddy reaches: {resource.unreachable}"
            )
        reason = _reason(resource)
        if reason in _WORDS:
            return Condition("Ready", "False", reason, f"{name} {_WORDS[reason]}")
    return None


def _reason(resource: Resource) -> str:
    if resource.state in _HELD and not resource.stopping:
        return _HELD[resource.state]
    if not resource.running or resource.stopping:
        return "Stopped"
    return {"unhealthy": "Unhealthy", "starting": "Starting", "healthy": "Healthy"}.get(resource.health, "Running")


def _upstream(address: str, makers: Sequence[str], around: Surroundings) -> UpstreamStatus:
    resource = _resource_at(address, makers, around)
    view = around.caddys_view.get(dial_of(address), "")
    if resource is None:
        reason = view or "NotChecked"
        return UpstreamStatus(address, "", _healthy(reason), reason)
    reason = "EngineUnreachable" if resource.engine in around.silent else _reason(resource)
    # what a container says of itself explains what Caddy notices
    if _healthy(view) == "False" and _healthy(reason) != "False":
        reason = view
    return UpstreamStatus(address, resource.name, _healthy(reason), reason)


def _healthy(reason: str) -> State:
    return "Unknown" if reason in _UNKNOWN else "False" if reason in _WORDS else "True"


def _resource_at(address: str, makers: Sequence[str], around: Surroundings) -> Resource | None:
    dialled = dial_of(address)
    return around.places.at((split_host_port(dialled)[0].strip("[]"), dialled), makers)


def host_of(url: str) -> str:
    """The host of an https URL, `""` for others."""
    scheme, _, rest = url.partition("://")
    return split_host_port(rest.partition("/")[0])[0].lower() if scheme == "https" else ""
