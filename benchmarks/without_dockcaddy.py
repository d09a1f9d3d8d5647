"""What Caddy answers while dockcaddy hangs, and when it is gone: `python benchmarks/without_dockcaddy.py`.

Caddy alone, with the ways in which it may learn the addresses of upstreams: from a DNS server, which dockcaddy would be,
asked at intervals (`dynamic a`) or when it connects (`transport http` with `resolvers`), and from files.
"""

import contextlib
import http.client
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import define, field
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyUnreachable
from measuring import Program, Table, caddy, free_port, seconds_until

SITES, REQUESTS, PLACES = 6, 4000, 6
# longer than what was answered may be kept
SETTLED = 0.5
BACKEND = "http://:{port} {{\n\trespond hello\n}}\n"
# site, resolver, port -> what stands in its proxy
Way = Callable[[int, str, int], str]


@define(eq=False)
class Resolver:
    """A DNS server whose every name is this machine. It may hang, and end."""

    hangs: bool = False
    _socket: socket.socket = field(factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def start(self) -> str:
        """Listen; gives the address."""
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._answer_all, daemon=True).start()
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def end(self) -> None:
        """From now on nobody listens there."""
        self._socket.close()

    def _answer_all(self) -> None:
        self._socket.settimeout(0.1)
        while True:
            try:
                question, sender = self._socket.recvfrom(1500)
            except TimeoutError:
                continue
            except OSError:
                return
            if not self.hangs:
                self._socket.sendto(_answer(question), sender)


def _answer(question: bytes) -> bytes:
    asked = question[12 : question.index(0, 12) + 5]
    is_ipv4 = asked[-4:-2] == b"\0\1"
    head = question[:2] + b"\x85\x80\0\1\0" + bytes([is_ipv4]) + b"\0\0\0\0"
    return head + asked + (b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if is_ipv4 else b"")


def at_intervals(site: int, resolver: str, port: int) -> str:
    """`dynamic a`, every 100 ms."""
    return f"dynamic a site-{site}.internal. {port} {{\nresolvers {resolver}\nrefresh 100ms\n}}"


def when_connecting(site: int, resolver: str, port: int) -> str:
    """A name, asked for by who connects."""
    return f"to site-{site}.internal:{port}\ntransport http {{\nresolvers {resolver}\n}}"


def from_files(site: int, resolver: str, port: int) -> str:
    """As `upstreams.dynamic` does it."""
    folder = Path(tempfile.gettempdir()) / "dockcaddy-places"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{site}.{place}" for place in range(PLACES)]
    for path in paths:
        path.write_text("127.0.0.1")
    return "dynamic multi {\n" + "".join(f"a {{file.{path}}} {port}\n" for path in paths) + "}"


def in_the_configuration(site: int, resolver: str, port: int) -> str:
    """Without `upstreams.dynamic`: each change is a reload."""
    return f"to 127.0.0.1:{port}"


WAYS: Sequence[tuple[str, Way]] = (
    ("asked every 100 ms (`dynamic a`)", at_intervals),
    ("asked when connecting", when_connecting),
    ("read from files", from_files),
    ("in the configuration", in_the_configuration),
)


def visit(port: int, site: int) -> tuple[int, float]:
    """The status of one request, and how many seconds it took."""
    begun = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("GET", "/", headers={"Host": f"{site}.test"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - begun


def at_once(port: int) -> str:
    """What comes of a request to each site, all made at the same time."""
    with ThreadPoolExecutor(SITES) as visitors:
        came = list(visitors.map(lambda site: visit(port, site), range(SITES)))
    statuses = "/".join(sorted({str(status) for status, _ in came}))
    slowest = max(seconds for _, seconds in came)
    return f"{statuses}, {slowest:.0f} s" if slowest >= 1 else f"{statuses}, {slowest * 1000:.0f} ms"


def work(running: Program, port: int) -> str:
    """Microseconds of processor time for each request."""
    before = running.cpu()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(REQUESTS):
        connection.request("GET", "/", headers={"Host": f"{number % SITES}.test"})
        connection.getresponse().read()
    return f"{(running.cpu() - before) / REQUESTS * 1e6:.0f}"


def load(running: Program, port: int, way: Way, resolver: str, *, kept: bool) -> None:
    """A backend and the sites in front of it; connections to it are kept or not."""
    backend, keeping = free_port(), "" if kept else "transport http {\nkeepalive off\n}"
    text = BACKEND.format(port=backend)
    for site in range(SITES):
        proxy = way(site, resolver, backend)
        proxy = proxy.replace("resolvers", "keepalive off\nresolvers") if "transport" in proxy and not kept else proxy
        options = f"{proxy}\n{'' if 'transport' in proxy else keeping}"
        text += f"http://{site}.test:{port} {{\nreverse_proxy {{\n{options}\n}}\n}}\n"
    client = AdminClient(running.admin)
    seconds_until(lambda: _answers(client), time.perf_counter())
    client.load(client.adapt(text).replace(b"{", b'{"admin":{"listen":"%b"},' % running.admin.encode(), 1))


def _answers(client: AdminClient) -> bool:
    with contextlib.suppress(CaddyUnreachable):
        return bool(client.config())
    return False


def measure(way: Way) -> list[str]:
    """Work for a request; then, with the DNS server hanging and gone, sites with a connection to go on with, and without."""
    cells = []
    for kept in (True, False):
        port, resolver = free_port(), Resolver()
        with caddy(port) as running:
            load(running, port, way, resolver.start(), kept=kept)
            at_once(port)
            if kept:
                cells.append(work(running, port))
            resolver.hangs = True
            time.sleep(SETTLED)
            cells.append(at_once(port))
            resolver.end()
            time.sleep(SETTLED)
            cells.append(at_once(port))
    return cells


def main() -> None:
    """Print the table."""
    columns = ("addresses are", "CPU for a request, µs", "hung", "gone", "hung, new connection", "gone, new connection")
    table = Table(columns)
    for name, way in WAYS:
        table.row(name, *measure(way))


if __name__ == "__main__":
    main()
