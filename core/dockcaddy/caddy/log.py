"""Caddy's log as a part of ours, without its access log (see `passed_on`). Routine lines of every reload and repeated lines are logged at debug level."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen

from dockcaddy.errors import one_line
from dockcaddy.settings import limits

_LEVELS = {"debug": logging.DEBUG, "info": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}
# lines of every load and of every end, and errors that dockcaddy reports itself, with the resource's name
_ROUTINE = (
    "HTTP/2 skipped because it requires TLS",
    "HTTP/3 skipped because it requires TLS",
    "admin endpoint on open interface",
    "server is listening only on the HTTP port",
    "exiting; byeee",
    "admin.api: request error",
    "context canceled",
    "unable to unlock",
    "unable to clean up lock",
)
# a port that Caddy cannot listen at: the reconciler reports it, with the process that holds it
_PORT = re.compile(r"(?<!administration endpoint: )listen (?:tcp|udp)[46]? \S*: bind: ")
# logged once only, at any level: our own reads of the configuration, and that a site is HTTP only
_ONCE = re.compile(r"received request: GET /config/(?:admin)?$|server is listening only on the HTTP port")
# https://caddyserver.com/docs/automatic-https#errors
_CERTIFICATES = ("tls.obtain", "tls.renew", "tls.issuance", "http.acme_client", "http.issuance")
# what Caddy warns of each time it reads a Caddyfile: what is deprecated
_OF_ADAPTER = "config.adapter."
_NO_CERTIFICATE = "could not get certificate from issuer"
_OBTAINED = "certificate obtained successfully"
# logged for each request that Caddy answers with an error
_OF_REQUESTS = "http.log.error"
_DIALLED = re.compile(r"\bdial tcp (\S+:\d+): ")
# a line that repeats within this time, in seconds, is logged at debug level
REPEATED_WITHIN = 60.0


@frozen
class Entry:
    """A line of Caddy's log. `level` is one of `logging`'s; Caddy's info is our debug.

    `is_failure` if it may be the reason why Caddy ends. `request` is what it is about: `GET http://a.test/x, status 502`.
    """

    level: int
    message: str
    logger: str = ""
    identifier: str = ""
    event: str = ""
    error: str = ""
    is_failure: bool = False
    request: str = ""
    host: str = ""

    @property
    def is_about_certificates(self) -> bool:
        """Whether it is about getting a certificate from a certificate authority."""
        return self.logger.startswith(_CERTIFICATES)


def entry_of(line: str) -> Entry:
    """The entry of a line. Text that is not Caddy's usual JSON becomes the message as it is."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return Entry(
            logging.DEBUG if is_about_a_port(line) else logging.INFO, line, is_failure=line.startswith("Error:")
        )
    if not isinstance(given, dict):
        return Entry(logging.INFO, line)
    level = _LEVELS.get(str(given.get("level", "info")), logging.INFO)
    message = _message(given, line)
    if any(routine in message for routine in _ROUTINE):
        level = logging.DEBUG
    is_failure = level >= logging.ERROR
    if is_about_a_port(message):
        level = logging.DEBUG
    return Entry(
        level,
        message,
        str(given.get("logger", "")),
        str(given.get("identifier", "")),
        str(given.get("msg", "")),
        str(given.get("error", "")),
        is_failure,
        *_request(given),
    )


def is_about_a_port(message: str) -> bool:
    """Whether the message says that Caddy cannot listen at a site's port."""
    return _PORT.search(message) is not None


def _message(given: Mapping[str, Any], line: str) -> str:
    message = str(given.get("msg", line))
    if given.get("error"):
        message = f"{message}: {given['error']}"
    if given.get("logger"):
        message = f"{given['logger']}: {message}"
    if "method" in given and "uri" in given:
        message = f"{message}: {given['method']} {given['uri']}"
    return message


def _request(given: Mapping[str, Any]) -> tuple[str, str]:
    """The request that a line is about, with its status, and the request's host; empty where it is about none."""
    request = given.get("request")
    if not isinstance(request, dict) or "host" not in request:
        return "", ""
    host = one_line(str(request["host"]))
    status = f", status {given['status']}" if given.get("status") else ""
    return f"{one_line(str(request.get('method', '')))} {host}{one_line(str(request.get('uri', '')))}{status}", host


@define
class _Repeated:
    logged_at: float
    times: int = 0


@define
class CaddyLog:
    """Decides which lines of Caddy's log are logged, and at which level. `clock` gives seconds.

    `obtained` is how many certificates Caddy has got, `unconnected` are the addresses to which it could not connect.
    """

    clock: Callable[[], float] = time.monotonic
    obtained: int = 0
    unconnected: set[str] = field(factory=set)
    _once: set[str] = field(factory=set)
    _repeated: dict[str, _Repeated] = field(factory=dict)
    _adapter: dict[str, None] = field(factory=dict)
    _without_certificate: dict[str, str] = field(factory=dict)
    _causes: dict[str, None] = field(factory=dict)

    @property
    def uncertified(self) -> dict[str, str]:
        """By host, why Caddy has no certificate for it. May be read from any thread."""
        return dict(self._without_certificate)

    def record_of(self, entry: Entry) -> tuple[int, str] | None:
        """Level and message to log; None to log nothing."""
        if entry.logger.startswith(_OF_REQUESTS) and (dialled := _DIALLED.search(entry.message)):
            self._note_unconnected(dialled[1])
        if found := _ONCE.search(entry.message):
            return self._first_only(found[0], entry)
        if entry.is_about_certificates:
            return self._about_certificate(entry)
        if entry.level < logging.WARNING:
            return entry.level, entry.message
        if entry.logger.startswith(_OF_ADAPTER):
            return self._about_caddyfile(entry)
        return self._folded(entry)

    def _note_unconnected(self, address: str) -> None:
        if len(self.unconnected) < limits.MAX_REMEMBERED_LOG_LINES:
            self.unconnected.add(address)

    def take_unconnected(self) -> set[str]:
        """Those that were noted since the last call. From any thread."""
        taken, self.unconnected = self.unconnected, set()
        return taken

    def _about_caddyfile(self, entry: Entry) -> tuple[int, str]:
        is_known = entry.message in self._adapter
        if not is_known:
            _forget_oldest(self._adapter)
            self._adapter[entry.message] = None
        return logging.DEBUG if is_known else entry.level, entry.message

    def _first_only(self, cause: str, entry: Entry) -> tuple[int, str] | None:
        if cause in self._once:
            return None
        self._once.add(cause)
        return entry.level, entry.message

    def _about_certificate(self, entry: Entry) -> tuple[int, str]:
        """Each attempt logs several lines: one warning for each cause is enough, and one line for the success."""
        if entry.event == _OBTAINED:
            self.obtained += 1
            self._causes.pop(self._without_certificate.pop(entry.identifier, ""), None)
            return logging.INFO, f"certificate for {entry.identifier} obtained"
        cause = _cause(entry.error)
        if entry.level < logging.WARNING or entry.event != _NO_CERTIFICATE:
            return logging.DEBUG, entry.message
        _forget_oldest(self._without_certificate)
        self._without_certificate[entry.identifier] = cause
        if cause in self._causes:
            return logging.DEBUG, entry.message
        _forget_oldest(self._causes)
        self._causes[cause] = None
        return logging.WARNING, f"no certificate for {entry.identifier} yet, caddy tries again: {cause}"

    def _folded(self, entry: Entry) -> tuple[int, str]:
        message = f"{entry.message} ({entry.request})" if entry.request else entry.message
        # requests of one site that fail alike repeat each other
        cause = f"{entry.host} {entry.message}"
        now, before = self.clock(), self._repeated.get(cause)
        if before is not None and now < before.logged_at + REPEATED_WITHIN:
            before.times += 1
            return logging.DEBUG, message
        _forget_oldest(self._repeated)
        self._repeated[cause] = _Repeated(now)
        times = f" (repeated {before.times} times since the last line)" if before is not None and before.times else ""
        return entry.level, f"{message}{times}"


def _cause(error: str) -> str:
    """Why there is no certificate. Caddy retries at the authority's staging endpoint, which counts as the same cause."""
    reason = error.rpartition("performing request: ")[2]
    return reason.replace("acme-staging-v02", "acme-v02")


def _forget_oldest(kept: dict[str, Any]) -> None:
    if len(kept) >= limits.MAX_REMEMBERED_LOG_LINES:
        del kept[next(iter(kept))]
