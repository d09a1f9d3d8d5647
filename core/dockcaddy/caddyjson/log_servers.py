"""Caddy does not wait long for the servers that it sends its logs to. Pure."""

from typing import Any

from attrs import evolve

from dockcaddy.caddyjson.document import NANOSECONDS, Document, Json

# Caddy connects to log servers one after the other: of a second for all of them each gets at least this
SHORTEST_TIMEOUT = NANOSECONDS // 20


def with_dial_timeouts(document: Document) -> Document:
    """The document, in which Caddy does not wait long for the servers that it sends its logs to."""
    logging = document.rest.get("logging") or {}
    logs = logging.get("logs") or {}
    sent = [name for name, log in logs.items() if _is_sent(log)]
    if not sent:
        return document
    most = max(NANOSECONDS // len(sent), SHORTEST_TIMEOUT)
    changed = {name: {**logs[name], "writer": _with_timeout(logs[name]["writer"], most)} for name in sent}
    return evolve(document, rest={**document.rest, "logging": {**logging, "logs": {**logs, **changed}}})


def _is_sent(log: Any) -> bool:
    writer = (log or {}).get("writer")
    return isinstance(writer, dict) and writer.get("output") == "net"


def _with_timeout(writer: Json, most: int) -> Json:
    return {**writer, "dial_timeout": min(writer.get("dial_timeout") or most, most), "soft_start": True}
