"""A listener that leads to another one, as a published port or a socket in another folder does."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

ENGINE = "/var/run/docker.sock"
_FORWARDER = """
import socket, sys, threading
sys.path.insert(0, sys.argv[1])
from forwarding import forward
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[2])
listener.listen(64)
with forward(listener, sys.argv[3]):
    print("ready", flush=True)
    threading.Event().wait()
"""


@contextlib.contextmanager
def engine_at(path: Path) -> Iterator[None]:
    """Within, the engine answers at this socket too; afterwards all connections through it are broken."""
    path.unlink(missing_ok=True)
    command = [sys.executable, "-c", _FORWARDER, str(Path(__file__).parent), str(path), ENGINE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


@contextlib.contextmanager
def forward(listener: socket.socket, target: str) -> Iterator[None]:
    """Pass on whatever comes to `target`, a socket's path or HOST:PORT, for as long as the context lasts."""
    threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
    try:
        yield
    finally:
        listener.close()


def _accept(listener: socket.socket, target: str) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            # Caddy's admin endpoint is away for a moment whenever another configuration takes over
            far = _connected(target)
        except OSError:
            near.close()
            continue
        for pair in ((near, far), (far, near)):
            threading.Thread(target=_copy, args=pair, daemon=True).start()


def _connected(target: str) -> socket.socket:
    if target.startswith("/"):
        far = socket.socket(socket.AF_UNIX)
        far.connect(target)
        return far
    host, _, port = target.rpartition(":")
    return socket.create_connection((host, int(port)))


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
