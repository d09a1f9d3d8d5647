"""Ports that nobody listens on, nor comes from."""

import secrets
import socket


def free_port() -> int:
    """A port below those that Linux gives to connections, which would keep a listener from it, above usual ones."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", 21_000 + secrets.randbelow(11_000)))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
