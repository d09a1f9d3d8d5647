"""Names in the network."""

import socket
import threading
from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError

# seconds; nothing else goes on meanwhile
PATIENCE = 1.0
_STEPS = 10_000


def get_host_by_name(context: Context, name: str) -> str:
    """An address of the host, looked up once; the first one in order where it has several."""
    context.spend(_STEPS)
    return context.keep(lambda: _looked_up(name), name)


def _looked_up(name: str) -> str:
    found: list[str] = []

    def ask() -> None:
        try:
            found.extend(sorted({str(each[4][0]) for each in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}))
        except (OSError, UnicodeError):
            found.clear()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if not found:
        raise FunctionError(f'no address of host "{name}" was found within {PATIENCE:g} s')
    return found[0]


FUNCTIONS: dict[str, Callable[..., object]] = {"getHostByName": get_host_by_name}
