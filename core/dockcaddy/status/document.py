"""The status as JSON documents, as the API gives them and `dockcaddy status --json` prints them. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any

from dockcaddy.model import Problem
from dockcaddy.status.model import (
    Certificate,
    Condition,
    Conditions,
    Event,
    Listing,
    PartStatus,
    ResourceStatus,
    SiteStatus,
    Status,
    UpstreamStatus,
)

Document = dict[str, Any]


@singledispatch
def as_document(thing: object) -> Any:
    """The document of a part of the status."""
    raise TypeError(f"{type(thing).__name__} is no part of the status")


@as_document.register
def _(thing: Condition) -> Document:
    return {
        "type": thing.type,
        "status": thing.state,
        "reason": thing.reason,
        "message": thing.message,
        "since": written_time(thing.since),
    }


@as_document.register
def _(thing: Conditions) -> list[Document]:
    return [as_document(each) for each in thing]


@as_document.register
def _(thing: UpstreamStatus) -> Document:
    return {
        "address": thing.address,
        "container": thing.container,
        "healthy": thing.healthy,
        "reason": thing.reason,
    }


@as_document.register
def _(thing: SiteStatus) -> Document:
    return {
        "name": thing.name,
        "addresses": list(thing.addresses),
        "urls": list(thing.urls),
        "resources": list(thing.resources),
        "served": thing.is_served,
        "conditions": as_document(thing.conditions),
        "upstreams": [as_document(each) for each in thing.upstreams],
    }


@as_document.register
def _(thing: ResourceStatus) -> Document:
    return {
        "key": thing.key,
        "kind": thing.kind,
        "name": thing.name,
        "engine": thing.engine,
        "image": thing.image,
        "state": thing.container_state,
        "health": thing.health,
        "sites": list(thing.sites),
        "conditions": as_document(thing.conditions),
        "problems": [as_document(each) for each in thing.problems],
    }


@as_document.register
def _(thing: Problem) -> Document:
    return {
        "resource": thing.resource,
        "label": thing.label,
        "severity": thing.severity,
        "message": thing.message,
    }


@as_document.register
def _(thing: PartStatus) -> Document:
    return {"name": thing.name, "up": thing.is_up, "message": thing.message, "since": written_time(thing.since)}


@as_document.register
def _(thing: Certificate) -> Document:
    return {
        "names": list(thing.names),
        "issuer": thing.issuer,
        "not_before": written_time(thing.not_before),
        "not_after": written_time(thing.not_after),
    }


@as_document.register
def _(thing: Event) -> Document:
    return {
        "time": written_time(thing.time),
        "kind": thing.kind,
        "subject": thing.subject,
        "reason": thing.reason,
        "message": thing.message,
        "sites": list(thing.sites),
    }


def listing_document(listing: Listing | None) -> Document:
    """The Caddyfile with the labels that made each line."""
    # only a line feed ends a line of a Caddyfile
    texts = listing.text.split("\n") if listing is not None else []
    origins = listing.lines if listing is not None else ()
    return {
        "lines": [
            {
                "number": number,
                "text": text,
                "origins": [
                    {"resource": each.resource, "label": each.label}
                    for each in (origins[number - 1] if number <= len(origins) else ())
                ],
            }
            for number, text in enumerate(texts, 1)
        ]
    }


def written_time(time: float) -> str | None:
    """A time in RFC 3339, None where it is not known."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}" if time else None


def _whole(status: Status) -> Document:
    return {
        "revision": status.revision,
        "time": written_time(status.time),
        "complete": status.is_complete,
        "caddy": as_document(status.caddy),
        "engines": [as_document(each) for each in status.engines],
    }


DOCUMENTS: Mapping[str, Callable[[Status], Document]] = {
    "sites": lambda status: {
        **_whole(status),
        "sites": [as_document(status.sites[name]) for name in sorted(status.sites)],
    },
    "resources": lambda status: {
        **_whole(status),
        "resources": [as_document(each) for each in sorted(status.resources.values(), key=lambda each: each.key)],
    },
    "problems": lambda status: {**_whole(status), "problems": [as_document(each) for each in status.problems]},
    "certificates": lambda status: {
        **_whole(status),
        "certificates": [as_document(each) for each in status.certificates],
    },
    "history": lambda status: {**_whole(status), "history": [as_document(each) for each in reversed(status.history)]},
    "caddyfile": lambda status: {**_whole(status), **listing_document(status.listing)},
}
