"""How every browser and proxy asks: once more, where a connection ended without an answer."""

import functools
import http.client
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def asked_again(ask: Callable[P, T]) -> Callable[P, T]:
    """A request that is made a second time where it got no answer at all.

    Go's server ends a connection whose request it reads just after another configuration took over.
    """

    @functools.wraps(ask)
    def asking(*arguments: P.args, **more: P.kwargs) -> T:
        try:
            return ask(*arguments, **more)
        except (ConnectionResetError, http.client.RemoteDisconnected):
            return ask(*arguments, **more)

    return asking


@asked_again
def body(port: int, host: str, path: str = "/", address: str = "127.0.0.1") -> str:
    """What a visitor of a site at an address, by default this machine's, gets; of anything but an answer with status 200 only the status."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host, "Connection": "close"})
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == 200 else f"status {answer.status}"
    finally:
        connection.close()
