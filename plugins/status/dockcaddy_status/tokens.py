"""The token of the TCP port, and which addresses need none."""

import ipaddress
from pathlib import Path

from dockcaddy import DockcaddyError


def token_of(token: str, file: str) -> str:
    """The token, or that of the file. Raises DockcaddyError where the file gives none."""
    if not file:
        return token
    try:
        found = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise DockcaddyError(f"status.token_file {file}: cannot be read: {reason}") from error
    if not found:
        raise DockcaddyError(f"status.token_file {file}: is empty")
    return found


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of `127.0.0.1:8090` or `[::1]:8090`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the address."""
    return ipaddress.ip_address(host_and_port(address)[0]).is_loopback
