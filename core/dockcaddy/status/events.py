"""What differences of the status mean for people. Pure."""

from collections.abc import Iterator, Mapping

from dockcaddy.status.model import Certificate, Condition, Event, EventKind, PartStatus, ResourceStatus, SiteStatus

# a new site with one of these is no news: it comes up, is not meant to be up, or what it was made of says so itself
_EXPECTED = frozenset(("Starting", "Stopped", "NotProgrammed"))
# a resource with one of these was meant to have a site
_REFUSALS = frozenset(("RefusedByRule", "InvalidLabels", "ConflictsWith", "RefusedByCaddy", "LeftOut"))


def site_event(before: Condition | None, now: SiteStatus, time: float) -> Event | None:
    """What it means that `Ready` was `before`, None for a new site, and is something else now. What is unknown is no news."""
    ready = now.conditions.ready
    was = before.state if before is not None else None
    if ready.state in (was, "Unknown"):
        return None
    if ready.is_true:
        kind: EventKind = "SiteUp" if was is None else "SiteRecovered"
        return Event(time, kind, str(now), ready.reason, ready.message, (now.name,))
    if was is None and ready.reason in _EXPECTED:
        return None
    return Event(time, "SiteDown", str(now), ready.reason, ready.message, (now.name,))


def is_known(before: Condition | None, ready: Condition) -> bool:
    """Whether a later `Ready` is compared with this one: not while it is unknown, or a new site starts."""
    return ready.state != "Unknown" and (before is not None or ready.reason != "Starting")


def resource_event(before: ResourceStatus | None, now: ResourceStatus, time: float) -> Event | None:
    """What it means for people that a resource has other conditions."""
    was, reason = _trouble(before) if before is not None else "", _trouble(now)
    if was == reason:
        return None
    if not reason:
        # a site that was not served says so itself
        is_back = was == "LastKnownGood"
        return Event(time, "SiteRecovered", str(now), "Programmed", "", now.sites) if is_back else None
    condition = next(each for each in now.conditions if each.reason == reason)
    kind: EventKind = "LastKnownGood" if reason == "LastKnownGood" else "SiteRefused"
    return Event(time, kind, str(now), reason, condition.message, now.sites)


def _trouble(resource: ResourceStatus) -> str:
    """Why its labels are not served, `""` where they are, or where it has none."""
    accepted, programmed, _ = resource.conditions
    if programmed.reason == "LastKnownGood":
        return programmed.reason
    return next((each.reason for each in (accepted, programmed) if each.reason in _REFUSALS), "")


def part_events(before: Mapping[str, PartStatus], now: Mapping[str, PartStatus], time: float) -> Iterator[Event]:
    """Engines that are lost or back."""
    for name, each in now.items():
        was = before.get(name)
        if was is not None and was.is_up != each.is_up:
            yield Event(time, "EngineBack" if each.is_up else "EngineLost", f"engine {name}", "", each.message)


def caddy_event(before: PartStatus, now: PartStatus, time: float) -> Event | None:
    """Caddy is lost or back. That it does not run before the first load is no news."""
    if before.is_up == now.is_up or (now.is_up and before.since == 0.0):
        return None
    return Event(time, "CaddyBack" if now.is_up else "CaddyLost", "caddy", "", now.message)


def certificate_event(certificate: Certificate, time: float) -> Event:
    """A certificate that should have been renewed by now."""
    days = (certificate.not_after - time) / 86400
    left = (
        f"{days:.0f} days are left" if days >= 2 else f"{days * 24:.0f} hours are left" if days > 0 else "it has ended"
    )
    message = f"{left}, and caddy has not renewed it: its log says why"
    subject = f"certificate {', '.join(certificate.names[:3])}"
    return Event(time, "CertificateNearEnd", subject, "Expired" if days <= 0 else "NearEnd", message, certificate.names)
