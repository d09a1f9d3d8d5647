"""Names in the network. A name server that does not answer delays rendering by a second, not again and again."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from attrs import define, field
from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError

# seconds; nothing else goes on meanwhile
PATIENCE = 1.0
_STEPS = 10_000
_MOST_PENDING, _MOST_SLOW = 16, 1_000


def _addresses(name: str) -> list[str]:
    """Raises OSError and UnicodeError where there are none."""
    return sorted({str(each[4][0]) for each in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})


@define(eq=False)
class Lookups:
    """Looks names up beside the loop. `ask` gives the addresses of a name."""

    ask: Callable[[str], list[str]] = _addresses
    patience: float = PATIENCE
    _pending: dict[str, threading.Thread] = field(factory=dict)
    _late: dict[str, str] = field(factory=dict)
    # names that were once waited for in vain
    _slow: set[str] = field(factory=set)

    def get_host_by_name(self, context: Context, name: str) -> str:
        """An address of the host, looked up once; the first one in order where it has several."""
        context.spend(_STEPS)
        return context.keep(lambda: self.address(name), name)

    def address(self, name: str) -> str:
        """An address. Raises FunctionError where there is none, and where it is not known yet.

        It waits for one slow name at a time, and for each of them once.
        """
        self._pending = {each: thread for each, thread in self._pending.items() if thread.is_alive()}
        found = self._late.pop(name, "")
        if not found and name not in self._pending and len(self._pending) < _MOST_PENDING:
            found = self._asked(name)
        if not found:
            raise FunctionError(f'no address of host "{name}" was found within {self.patience:g} s')
        return found

    def _asked(self, name: str) -> str:
        can_wait = not self._pending and name not in self._slow
        if len(self._late) >= _MOST_SLOW:
            self._late.clear()

        def ask() -> None:
            with suppress(OSError, UnicodeError, IndexError):
                self._late[name] = self.ask(name)[0]

        thread = self._pending[name] = threading.Thread(target=ask, name="lookup", daemon=True)
        thread.start()
        if can_wait:
            thread.join(self.patience)
            if thread.is_alive():
                self._slow = {*self._slow, name} if len(self._slow) < _MOST_SLOW else {name}
        return self._late.pop(name, "")


def functions() -> dict[str, Callable[..., object]]:
    """The functions of this page, with what they remember."""
    return {"getHostByName": Lookups().get_host_by_name}
