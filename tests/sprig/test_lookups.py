"""getHostByName: a name server that does not answer delays rendering once, for one name at a time."""

import threading
from collections.abc import Iterator

import pytest
from attrs import define, field
from dockcaddy.gotemplate import FunctionError
from dockcaddy_sprig.network import Lookups


@define(eq=False)
class Server:
    """Answers `fast` names at once, and the others when it is released."""

    released: threading.Event = field(factory=threading.Event)
    asked: list[str] = field(factory=list)

    def ask(self, name: str) -> list[str]:
        self.asked.append(name)
        if name == "missing":
            raise OSError
        if not name.startswith("fast"):
            self.released.wait()
        return ["10.0.0.1", "10.0.0.2"]


@define(eq=False)
class Waits(Lookups):
    """Counts how often it would wait for its whole patience."""

    waited: int = 0

    def _asked(self, name: str) -> str:
        before = set(self._slow)
        found = super()._asked(name)
        self.waited += self._slow != before
        return found


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.released.set()


def test_an_address_is_found_at_once(server: Server) -> None:
    assert Lookups(server.ask, 5).address("fast-1") == "10.0.0.1"


def test_a_missing_name_is_an_error(server: Server) -> None:
    with pytest.raises(FunctionError, match='no address of host "missing"'):
        Lookups(server.ask, 5).address("missing")


def test_names_without_an_answer_are_waited_for_once(server: Server) -> None:
    lookups = Waits(server.ask, 0.01)
    for _ in range(5):
        for name in ("slow-1", "slow-2", "slow-3"):
            with pytest.raises(FunctionError, match="no address"):
                lookups.address(name)
    assert lookups.waited == 1 and server.asked.count("slow-1") == 1


def test_a_late_answer_is_used_by_the_next_rendering(server: Server) -> None:
    lookups = Lookups(server.ask, 0.01)
    with pytest.raises(FunctionError):
        lookups.address("slow")
    (thread,) = lookups._pending.values()
    server.released.set()
    thread.join()
    assert lookups.address("slow") == "10.0.0.1" and server.asked == ["slow"]


def test_no_more_than_a_few_names_are_asked_for_at_once(server: Server) -> None:
    lookups = Lookups(server.ask, 0.01)
    for number in range(50):
        with pytest.raises(FunctionError):
            lookups.address(f"slow-{number}")
    assert len(server.asked) == 16
