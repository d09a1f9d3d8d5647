"""Ask a real Caddy, started for this one request, what answers an address. Nothing is contacted but that Caddy."""

import contextlib
import datetime
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from attrs import evolve, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dockcaddy.caddy.command import complaint, not_run
from dockcaddy.caddy.limited_process import ending_with_us
from dockcaddy.caddyjson.tracing import MARK, REQUEST, ROOT, UPSTREAM, Mark, ports_of, servers_at, traced
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, SettingsError
from dockcaddy.files import TemporaryFolder
from dockcaddy.settings import limits

_PORTS = {"http": 80, "https": 443}
# the line of Caddy's log when it has taken its configuration
_STARTED = b"serving initial configuration"


@frozen
class Request:
    """The request that is tried. `usual_port` is that of URLs without a port."""

    url: SplitResult
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    usual_port: int = 0

    @classmethod
    def of(cls, text: str, method: str, headers: Sequence[str]) -> "Request":
        """Raises SettingsError for what is no URL or header. Without a scheme it is https."""
        try:
            url = urlsplit(text if "://" in text else f"https://{text}")
            port = url.port
        except ValueError as error:
            raise SettingsError(f"{text}: not a URL: {str(error).lower()}") from None
        if url.scheme not in _PORTS or not url.hostname or port == 0 or any(each.isspace() for each in text):
            raise SettingsError(f"{text}: expected a URL like https://example.org/path")
        pairs = [each.partition(":") for each in headers]
        if wrong := next((name for name, colon, _ in pairs if not colon or not name.strip()), None):
            raise SettingsError(f'--header {wrong}: expected "Name: value"')
        return cls(url, method.upper(), tuple((name.strip(), value.strip()) for name, _, value in pairs))

    @property
    def port(self) -> int:
        """The port that it is sent to."""
        return self.url.port or self.usual_port or _PORTS[self.url.scheme]

    def to(self, config: Mapping[str, Any]) -> "Request":
        """The request to a Caddy with this configuration, whose `http_port` and `https_port` a machine maps to the usual ones."""
        usual = config.get("apps", {}).get("http", {}).get(f"{self.url.scheme}_port")
        return evolve(self, usual_port=int(usual or 0))

    @property
    def target(self) -> str:
        """Its path and query."""
        return (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")


@frozen
class Way:
    """The way of a request: the marks that it passed, and the response. `status` is 0 where nothing listens at its `port`."""

    port: int = 0
    marks: tuple[Mark, ...] = ()
    status: int = 0
    location: str = ""
    body: str = ""
    upstreams: tuple[str, ...] = ()
    received: str = ""
    root: str = ""
    unsure: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()

    @property
    def routes(self) -> tuple[Mark, ...]:
        """The routes that matched."""
        return tuple(each for each in self.marks if not each.handler)

    @property
    def handlers(self) -> tuple[Mark, ...]:
        """The handlers that it passed; the last one answers."""
        return tuple(each for each in self.marks if each.handler)


def way_of(config: bytes, request: Request, program: Path) -> Way:
    """The way of a request through a configuration. Raises CaddyRefusal and CaddyUnreachable."""
    decoded = json.loads(config)
    known = ports_of(decoded)
    request = request.to(decoded)
    if request.port not in known:
        return Way(request.port)
    host = request.url.hostname or ""
    with ExitStack() as stack:
        ports = {port: stack.enter_context(_reserved()) for port in known}
        certificate, key = _certificate(host)
        trace = traced(decoded, ports, certificate, key, host)
        # the sockets are closed, and Caddy takes their ports
        stack.close()
        with _running(trace.config, program, ports[request.port]) as listens:
            if not listens:
                return Way(request.port)
            way = _asked(request, ports, trace.marks)
    return evolve(way, unsure=trace.unsure, others=tuple(servers_at(decoded, request.port)[1:]))


@contextmanager
def _reserved() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def _certificate(host: str) -> tuple[str, str]:
    """A certificate that is trusted by nobody, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dockcaddy try")])
    # an address without a name in it has no SNI, and Caddy takes the only certificate
    names = [x509.DNSName(host)] if host.isascii() and not host.replace(".", "").isdigit() and ":" not in host else []
    start = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2999))
        .add_extension(x509.SubjectAlternativeName(names or [x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


@contextmanager
def _running(config: Mapping[str, Any], program: Path, port: int) -> Iterator[bool]:
    """A Caddy with this configuration. Gives whether it listens at the port. Its data is in a temporary folder."""
    with TemporaryFolder.made("try") as folder:
        file, log = folder / "caddy.json", folder / "log"
        file.write_text(json.dumps(config))
        environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        command = [str(program), "run", "--config", str(file)]
        end_with_us = ending_with_us()
        # a signal that came while the process is being started would leave it behind
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))

        def begin() -> None:
            end_with_us()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

        try:
            with log.open("wb") as written:
                process = subprocess.Popen(
                    command,
                    stdout=written,
                    stderr=written,
                    cwd=folder,
                    env=environment,
                    preexec_fn=begin,  # noqa: PLW1509  calls into libc
                )
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise not_run(program, error) from error
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield _listens(process, port, log)
        finally:
            process.kill()
            process.wait()


def _listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> bool:
    deadline = time.monotonic() + limits.CADDY_COMMAND_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        # Caddy listens everywhere before it writes this line
        has_started = _STARTED in log.read_bytes()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        if has_started:
            return False
        time.sleep(0.01)
    if process.returncode is None:
        raise CaddyUnreachable("caddy: it did not start in time")
    raise CaddyRefusal(complaint(log.read_text(errors="replace")))


def _asked(request: Request, ports: Mapping[int, int], marks: Sequence[Mark]) -> Way:
    host, port = request.url.hostname or "", ports[request.port]
    raw = socket.create_connection(("127.0.0.1", port), timeout=limits.ENGINE_CALL_TIMEOUT)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.sock = raw
    with contextlib.closing(connection):
        if request.url.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            try:
                connection.sock = context.wrap_socket(raw, server_hostname=host)
            except ssl.SSLError:
                # the port speaks plain HTTP, or has no certificate for this name
                return Way(request.port)
        named = {name.lower() for name, _ in request.headers}
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        default = request.url.netloc.rpartition("@")[2]
        for name, value in (*(() if "host" in named else (("Host", default),)), *request.headers):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read(limits.MAX_EXAMPLE_BODY).decode(errors="replace")
    return Way(
        request.port,
        tuple(marks[int(each)] for each in answer.headers.get_all(MARK) or ()),
        answer.status,
        _location(answer.getheader("Location") or "", ports),
        body,
        tuple(answer.headers.get_all(UPSTREAM) or ()),
        answer.getheader(REQUEST) or "",
        answer.getheader(ROOT) or "",
    )


def _location(location: str, ports: Mapping[int, int]) -> str:
    """The address of a redirect with the ports of the original."""
    for port, here in ports.items():
        shown = "" if port in _PORTS.values() else f":{port}"
        location = location.replace(f":{here}/", f"{shown}/")
    return location
