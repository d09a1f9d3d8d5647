"""What clients lose while Caddy takes one configuration after the other: `python benchmarks/reloads.py`, as root.

Caddy alone, and clients that connect anew for each request, with and without the kernel handing on what waits at the
old listeners (net.ipv4.tcp_migrate_req).
"""

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dockcaddy.caddy.admin import AdminClient
from measuring import Table, caddy, free_port

MIGRATION = Path("/proc/sys/net/ipv4/tcp_migrate_req")
CLIENTS, RELOADS, PAUSE = 20, 200, 0.05
REQUEST = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"


def configuration(port: int, admin: str, number: int) -> bytes:
    """A site that says the number."""
    answer = {"handler": "static_response", "body": str(number)}
    server = {"listen": [f":{port}"], "routes": [{"handle": [answer]}]}
    return json.dumps({"admin": {"listen": admin}, "apps": {"http": {"servers": {"one": server}}}}).encode()


def ask(port: int) -> str:
    """One request; gives what came of it."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(REQUEST)
            return "answered" if connection.recv(4096).startswith(b"HTTP/1.1 200") else "ended"
    except OSError:
        return "reset"


@contextlib.contextmanager
def clients(port: int) -> Iterator[Counter[str]]:
    """What comes of requests that are made all the time."""
    counts: Counter[str] = Counter()
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            counts[ask(port)] += 1

    threads = [threading.Thread(target=visit) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    yield counts
    over.set()
    for each in threads:
        each.join()


def measure(table: Table, setting: str) -> None:
    """A row of the table."""
    MIGRATION.write_text(setting)
    port = free_port()
    with caddy(port) as running:
        admin = f"unix/{running.folder}/admin.sock"
        client = AdminClient(admin)
        client.load(configuration(port, admin, 0))
        with clients(port) as counts:
            for number in range(1, RELOADS + 1):
                client.load(configuration(port, admin, number))
                time.sleep(PAUSE)
    table.row(setting, f"{counts.total():,}", f"{counts['reset']:,}", f"{counts['ended']:,}")


def main() -> None:
    """Print the table."""
    before = MIGRATION.read_text()
    table = Table(("net.ipv4.tcp_migrate_req", "requests", "reset while connecting", "ended without an answer"))
    try:
        for setting in "01":
            measure(table, setting)
    finally:
        MIGRATION.write_text(before)


if __name__ == "__main__":
    main()
