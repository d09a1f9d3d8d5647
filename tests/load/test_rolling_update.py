"""Three replicas are replaced one by one under load: no request fails, no WebSocket is dropped."""

import http.client
import threading
from collections.abc import Callable

import pytest
import websocket

pytestmark = [pytest.mark.engine, pytest.mark.load]

REPLICAS = 3
SOCKETS = 20
SIZE = 16
CHECK = "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8000\")'"
HEALTH = (f"--health-cmd={CHECK}", "--health-interval=300ms", "--health-retries=3")


def status(port: int, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        return answer.status if len(answer.read()) == SIZE else 0
    finally:
        connection.close()


class Talk:
    """WebSockets that say something and hear it back, again and again, from one thread."""

    def __init__(self, port: int, host: str, count: int) -> None:
        self.dropped: list[str] = []
        self.said = 0
        self._over = threading.Event()
        self._sockets = [
            websocket.create_connection(f"ws://127.0.0.1:{port}/", host=f"{host}:{port}", timeout=10)
            for _ in range(count)
        ]
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        while self._sockets and not self._over.wait(0.02):
            for each in list(self._sockets):
                try:
                    each.send(f"word {self.said}")
                    assert each.recv() == f"word {self.said}"
                    self.said += 1
                except (OSError, AssertionError, websocket.WebSocketException) as error:
                    self.dropped.append(repr(error))
                    self._sockets.remove(each)

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        for each in self._sockets:
            each.close()


# where a replica takes no connection from SIGTERM on, the request goes to another: at once, as Caddy gives up a request
# that waits between two tries (lb_try_duration, lb_try_interval) when the next configuration comes
ELSEWHERE = {"reverse_proxy.lb_retries": "5", "reverse_proxy.fail_duration": "2s"}


@pytest.mark.parametrize(
    ("how", "more"),
    [("drains", {}), ("closes", ELSEWHERE)],
    ids=["answers-on-while-it-drains", "closes-its-port-at-once"],
)
def test_a_rolling_update_under_load(
    replicas, running, hey, eventually: Callable[..., None], how: str, more: dict[str, str]
) -> None:
    proxied = {"reverse_proxy": "{{upstreams 8000}}"}
    site = replicas.site(f"http://app.test:{running.port}", proxied | more) | {"caddy_health_gate": "true"}
    talking = replicas.site(f"http://talk.test:{running.port}", proxied)
    replicas.start(how, talking)
    old = [replicas.start(how, site, *HEALTH) for _ in range(REPLICAS)]
    eventually(lambda: replicas.healthy(*old))
    eventually(lambda: status(running.port, "app.test") == status(running.port, "talk.test") == 200)
    eventually(lambda: running.upstreams() == REPLICAS + 1)
    loads = running.loads()
    talk = Talk(running.port, "talk.test", SOCKETS)
    visit = hey("app.test")
    try:
        for name in old:
            said = talk.said
            new = replicas.start(how, site, *HEALTH)
            eventually(lambda new=new: replicas.healthy(new))
            replicas.stop(name)
            eventually(lambda: running.upstreams() == REPLICAS + 1)
            eventually(lambda said=said: talk.said > said or talk.dropped)
    finally:
        visit.end()
        talk.end()
    assert visit.answers and not visit.failures, visit.report
    assert not talk.dropped
    # the new one enters, the old one leaves, three times; what falls together is one change
    assert running.loads() - loads <= 2 * REPLICAS
    # what Caddy has just accepted when it takes a configuration is closed (benchmarks/reloads.py)
    assert visit.cut <= running.loads() - loads, visit.report


class TestWithoutReloads:
    """Caddy reads its upstreams from files: nobody ends a connection that is kept, so that wrk has nothing to count either."""

    @pytest.fixture
    def options(self) -> tuple[str, ...]:
        return ("--set", "upstreams.dynamic=true")

    @pytest.mark.parametrize(("how", "more"), [("drains", {}), ("closes", ELSEWHERE)], ids=["drains", "closes"])
    def test_a_rolling_update_reloads_nothing_and_loses_nothing(
        self, replicas, running, wrk, eventually: Callable[..., None], how: str, more: dict[str, str]
    ) -> None:
        site = replicas.site(f"http://app.test:{running.port}", {"reverse_proxy": "{{upstreams 8000}}"} | more)
        site |= {"caddy_health_gate": "true"}
        old = [replicas.start(how, site, *HEALTH) for _ in range(REPLICAS)]
        eventually(lambda: replicas.healthy(*old) and status(running.port, "app.test") == 200)
        loads = running.loads()
        visit = wrk("app.test")
        try:
            for name in old:
                new = replicas.start(how, site, *HEALTH)
                eventually(lambda new=new: replicas.healthy(new))
                replicas.stop(name)
        finally:
            visit.end()
        assert visit.answers and not visit.failures, visit.report
        assert running.loads() == loads
