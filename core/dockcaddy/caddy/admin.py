"""A client of Caddy's admin API (https://caddyserver.com/docs/api), Caddy 2.8 and newer."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache

import requests
from caddy_api_client import CaddyAPIClient

from dockcaddy.caddy.admin_url import address_of
from dockcaddy.caddy.exchange import error_text, result_of
from dockcaddy.caddy.words import without_values
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.files import UnixConnection
from dockcaddy.model import bracketed

# a working Caddy answers a small request within this time, in seconds
PATIENCE = 0.75
# a Caddy that answered this many seconds ago, in the same pass, is not probed again
FRESH = 0.03
# a Caddy that ended is running again within this time, in seconds
BACK = 2.0

# status, body and headers
_Answer = tuple[int, bytes, Mapping[str, str]]
# errors of a connection that ends in the middle of a call
_BROKEN_OFF = (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead)


def listen_address(address: str) -> str:
    """An admin address as Caddy's `admin.listen` takes it: `tcp/` is put before what names no network."""
    address = address.strip()
    return address if "/" in address else f"tcp/{address}"


class AdminClient:
    """The admin API at a URL, over one connection that is kept open. Safe to use from several threads.

    URLs: `http://localhost:2019`, `localhost:2019`, `tcp/localhost:2019`, `:2019`, `unix//run/caddy.sock`,
    `unix:///run/caddy.sock`, `https://caddy.example.org:2021`. `tls` is what an https URL is connected with, by default
    without a client certificate and with the system's authorities. `timeout` bounds every read and `connect_timeout` every connect, in seconds. `remedy` is
    added to the error if nothing answers, and says what to do.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        connect_timeout: float = 2.0,
        remedy: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self._tls = (tls or _default_tls()) if url.strip().startswith("https:") else None
        self._remedy = f", {remedy}" if remedy else ""
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._unix_path, self._host, self._port = address_of(url)
        self._called = ""
        self._connection: http.client.HTTPConnection | None = None
        self._last_answer = self._last_silence = float("-inf")
        self._silence = ""
        self._adapted = ""
        self._lock = threading.Lock()
        # over this connection, because its own has no unix sockets, no time limits and none of Caddy's errors: see docs/decisions
        self._api = CaddyAPIClient(url)
        self._api._make_request = self._response

    def load(self, config: bytes) -> None:
        """Make Caddy run this JSON configuration. If Caddy refuses, it keeps the one it has.

        Raises CaddyRefusal with Caddy's error text, also if loading crashes Caddy twice or does not finish;
        CaddyUnreachable if nothing answers.
        """
        for _ in range(2):
            try:
                self.request("POST", "/load", config, "application/json")
                return
            except CaddyUnreachable as error:
                if isinstance(error.__cause__, TimeoutError) and self._is_well():
                    raise CaddyRefusal("loading it does not finish") from error
                if not isinstance(error.__cause__, _BROKEN_OFF) or not self._is_back():
                    raise
        raise CaddyRefusal("caddy crashes when it loads it")

    def _is_back(self) -> bool:
        deadline = time.monotonic() + BACK
        while time.monotonic() < deadline:
            try:
                self.admin_settings()
                return True
            except CaddyUnreachable:
                time.sleep(0.02)
        return False

    def _is_well(self) -> bool:
        """Whether Caddy adapts a Caddyfile. While it loads a configuration, it answers nothing about configurations."""
        try:
            self._quickly("POST", "/adapt", b"", "text/caddyfile")
            return True
        except CaddyUnreachable:
            return False

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for a Caddyfile; nothing is loaded. Raises CaddyRefusal and CaddyUnreachable."""
        self._adapted = caddyfile
        answer = self.request("POST", "/adapt", caddyfile.encode(), "text/caddyfile")
        return result_of(answer)

    def config(self) -> bytes:
        """The JSON configuration that Caddy runs. Raises CaddyUnreachable."""
        return bytes(self._api._make_request("GET", "/config/").content)

    def admin_settings(self) -> bytes | None:
        """The `admin` part of the running configuration as JSON, `null` if it has none.

        None if Caddy has no configuration at all. Raises CaddyUnreachable.
        """
        try:
            return self.request("GET", "/config/admin").strip()
        except CaddyRefusal:
            # without a configuration there is no path to read
            return None

    def mark(self) -> str | None:
        """The `@id` of the running configuration, `""` without one; None without a configuration. Answers quickly.

        Raises CaddyUnreachable, also if the response takes long or is none of Caddy's.
        """
        return self._mark_in(*self._quickly("GET", "/config/@id"))

    def _mark_in(self, status: int, answer: bytes) -> str | None:
        """The `@id` in a response. Raises CaddyUnreachable if it is none of Caddy's."""
        if status == 400 and error_text(answer):
            # without a configuration there is no path to read
            return None
        try:
            found = (json.loads(answer) or "") if status < 300 else None
        except ValueError:
            found = None
        if not isinstance(found, str):
            what = f"answered GET /config/@id with status {status}, which is not a response of caddy's admin API"
            raise CaddyUnreachable(f"caddy at {self.url} {what}")
        return found

    def replace_mark(self, before: str | None, mark: str) -> bool:
        """Replace the `@id` of the running configuration, if it is still this one. Returns whether it was.

        Where there was no configuration (None), there is one then that says nothing else. Raises CaddyUnreachable and
        CaddyRefusal.
        """
        # PUT creates what does not exist, and nothing else; POST replaces it
        method, conditions = "PUT", {"Content-Type": "application/json"}
        with self._lock:
            if before is not None:
                status, answer, headers = self._exchange_all("GET", "/config/@id", None, {})
                if self._mark_in(status, answer) != before:
                    return False
                method, conditions = "POST", {**conditions, "If-Match": headers.get("Etag", "")}
            status, answer, _ = self._exchange_all(method, "/config/@id", json.dumps(mark).encode(), conditions)
        if status in (409, 412):
            return False
        if status >= 300:
            raise CaddyRefusal(error_text(answer) or f"status {status}")
        return True

    def metrics(self, method: str = "GET") -> str:
        """Caddy's metrics. Requests for them are not in Caddy's log. Raises CaddyUnreachable."""
        status, answer = self._quickly(method, "/metrics")
        if status >= 300:
            why = f": {text}" if (text := error_text(answer)) else ""
            raise CaddyUnreachable(f"caddy at {self.url} answered {method} /metrics with status {status}{why}")
        return answer.decode(errors="replace")

    def at_rest(self) -> object | None:
        """The connection, if Caddy has said on it that it takes no configuration at the moment, and keeps it open."""
        with suppress(CaddyUnreachable):
            # while it takes one, it answers nothing about configurations
            self._quickly("GET", "/config/admin")
            return self._connection if self._connection is not None and self._connection.sock is not None else None
        return None

    def has_kept(self, connection: object) -> bool:
        """Whether Caddy still answers on this connection. It ends all of them when it takes a configuration.

        Raises CaddyUnreachable if it does not answer in time.
        """
        with self._lock, self._hurried():
            kept = self._connection
            if kept is None or kept is not connection or kept.sock is None:
                return False
            try:
                # the server in Caddy answers this, and Caddy itself neither logs nor counts it
                self._once("OPTIONS", "*", None, {})
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                if isinstance(error, TimeoutError):
                    raise self._silent(error) from error
            return kept.sock is not None

    def _quickly(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> tuple[int, bytes]:
        with self._lock, self._hurried():
            return self._exchange(method, path, body, content_type)

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Within, no read takes longer than a working Caddy needs. Only with the lock."""
        usual, self._timeout = self._timeout, min(PATIENCE, self._timeout)
        try:
            yield
        finally:
            self._timeout = usual

    def listens_at(self) -> str:
        """Where a Caddy without a configuration listens (`admin.listen`), `""` for Caddy's own default.

        Raises CaddyUnreachable.
        """
        if self._unix_path is not None:
            return f"unix/{self._unix_path}"
        if self._tls is not None:
            # what answers there is not the endpoint that `admin.listen` sets
            return ""
        family = self._answers_to_any_host()
        if family is None:
            # Caddy accepts only host names of its own address, so it listens at the one that is called here
            return f"tcp/{self._called or f'{bracketed(self._host)}:{self._port}'}"
        if not self._was_given_a_configuration():
            # the port that is called here may be forwarded from another one
            return ""
        return f"tcp/{'[::]' if family == socket.AF_INET6 else '0.0.0.0'}:{self._port}"

    def _answers_to_any_host(self) -> socket.AddressFamily | None:
        """The address family of the connection if Caddy answers to any host name, as it listens at every address."""
        with self._lock:
            status, _ = self._exchange("GET", "/config/", None, "", {"Host": "dockcaddy.invalid"})
            connected = self._connection.sock if self._connection is not None else None
            return connected.family if status < 300 and connected is not None else None

    def _was_given_a_configuration(self) -> bool:
        """Whether Caddy was started with a configuration, which may have set the listen address."""
        with self._lock:
            status, answer = self._exchange("GET", "/debug/vars", None, "")
        command = json.loads(answer).get("cmdline") or [] if status < 300 else []
        return any(word.startswith(("--config", "-c", "--resume", "-r")) for word in command)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        with self._lock:
            self._drop()

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> bytes:
        """The body of the response. Raises CaddyRefusal for status 400, CaddyUnreachable for every other error."""
        with self._lock:
            self._make_sure_it_answers()
            status, answer = self._exchange(method, path, body, content_type)
            self._last_answer = time.monotonic()
        if status < 300 and not answer.lstrip().startswith(b"<"):
            return answer
        message = without_values(error_text(answer), self._adapted)
        if status == 400 and message:
            raise CaddyRefusal(message)
        why = f": {message}" if message else ", which is not a response of caddy's admin API"
        raise CaddyUnreachable(f"caddy at {self.url} answered {method} {path} with status {status}{why}{self._remedy}")

    def _make_sure_it_answers(self) -> None:
        """Probe with a short request before a long one, so that a Caddy that hangs is noticed quickly."""
        now = time.monotonic()
        if now < self._last_answer + FRESH:
            return
        if now < self._last_silence + PATIENCE:
            raise CaddyUnreachable(self._silence)
        try:
            with self._hurried():
                self._exchange("GET", "/config/admin", None, "")
        except CaddyUnreachable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            self._last_silence, self._silence = time.monotonic(), str(error)
            # without a cause: `load` takes a timeout as cause for one of the load itself
            raise CaddyUnreachable(self._silence) from None

    def _exchange(
        self, method: str, path: str, body: bytes | None, content_type: str, more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {**({"Content-Type": content_type} if content_type else {}), **(more or {})}
        status, answer, _ = self._exchange_all(method, path, body, headers)
        return status, answer

    def _exchange_all(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> _Answer:
        reused = self._connection is not None
        try:
            return self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            # Caddy may have closed the kept connection in the meantime
            if not reused or isinstance(error, TimeoutError):
                raise self._silent(error) from error
            broken_off = error
        try:
            return self._once(method, path, body, headers)
        except (ConnectionRefusedError, FileNotFoundError) as error:
            self._drop()
            raise self._silent(error) from broken_off
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise self._silent(error) from error

    def _silent(self, error: BaseException) -> CaddyUnreachable:
        return CaddyUnreachable(f"caddy at {self.url} does not answer: {_cause(error)}{self._remedy}")

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> _Answer:
        if self._connection is None or self._connection.sock is None:
            connection = self._new_connection()
            connection.connect()
            if self._unix_path is None:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        self._connection.sock.settimeout(self._timeout)
        self._connection.request(method, path, body, {**({"Host": self._called} if self._called else {}), **headers})
        response = self._connection.getresponse()
        answer = response.status, response.read(), dict(response.headers)
        if answer[0] != 403 or b"host not allowed" not in answer[1] or "Host" in headers:
            return answer
        # only now: a connection that has ended since has no address, and its answer counts
        if not (address := self._address()):
            return answer
        # a Caddy that listens at one address knows itself by this address only, and by no name
        self._called = address
        return self._once(method, path, body, {**headers, "Host": address})

    def _address(self) -> str:
        """The address and port that is connected, as a host; `""` on a unix socket."""
        connected = self._connection.sock if self._connection is not None and self._unix_path is None else None
        return f"{bracketed(connected.getpeername()[0])}:{self._port}" if connected is not None else ""

    def _new_connection(self) -> http.client.HTTPConnection:
        if self._unix_path is not None:
            return UnixConnection(self._unix_path, self._connect_timeout)
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._connect_timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._connect_timeout)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _response(
        self, method: str, endpoint: str, data: object = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """What caddy-api-client expects of a call. Raises CaddyRefusal and CaddyUnreachable."""
        response = requests.Response()
        body = json.dumps(data).encode() if data is not None else None
        response._content = self.request(method, endpoint, body, "application/json")
        response.status_code = 200
        return response


@cache
def _default_tls() -> ssl.SSLContext:
    # to read the system's authorities takes longer than a connection
    return ssl.create_default_context()


def _cause(error: BaseException) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed"
    if isinstance(error, http.client.BadStatusLine):
        return "the response is not HTTP"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
