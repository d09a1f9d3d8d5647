"""Clients that never read: the loop does no more work for them, little is kept for each, and others are answered."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dockcaddy_status import server
from dockcaddy_status.server import CONNECTIONS, Server
from dockcaddy_status.stream import LISTENERS, WAITING
from observed import Observed
from status_server import HANGING, Served, connected, eventually, served
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from work import lines_run

CLIENTS = 100
EVENTS = ("/api/v1/events", 1)
# more responses than the buffers of a socket take
SCRAPES = 80
TURNS = 120
# no message and no response is longer here
LONGEST = 32_768


def asking(site: Served, path: str, times: int = 1) -> socket.socket:
    """A client that asks so many times and never reads, once it is answered."""
    client = connected(site.path)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * times)
    select.select([client], [], [], HANGING)
    return client


@contextmanager
def deaf(site: Served, *asked: tuple[str, int]) -> Iterator[None]:
    """Within, a hundred clients ask for each path so many times, and none of them reads."""
    clients = [asking(site, path, times) for _ in range(CLIENTS) for path, times in asked]
    try:
        yield
    finally:
        for each in clients:
            each.close()


def come_and_go(world: Observed, turns: int = TURNS) -> int:
    """Containers come and go in each pass. Returns how much work that was for the loop."""
    work = 0
    for turn in range(turns):
        world.engine.resources.clear()
        for number in range(4):
            # what is refused has long messages
            labels = {"caddy": f"http://{turn}-{number}.test", "caddy.respond": "x", "caddy.bogus": "y" * 400}
            world.put(f"web-{turn}-{number}", labels)
        work += lines_run(world.turn)
    return work


def server_of(site: Served) -> Server:
    """The server that answers."""
    found: Server = site.service._awaken.__self__
    return found


def connections(site: Served) -> set[Any]:
    """Those that the server has."""
    found: set[Any] = server_of(site)._servers[0].server_state.connections
    return found


def test_they_are_no_work_for_the_loop_little_is_kept_for_each_and_others_are_answered(
    world: Observed, site: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # however slow this machine is, none of them is ended because it does not read
    monkeypatch.setattr(server, "READING_PATIENCE", 10_000.0)
    assert site.get("/healthz").status == 200
    alone = come_and_go(world)
    other = Observed.make()
    other.reconciler.pipeline = world.reconciler.pipeline
    (tmp_path / "other").mkdir()
    with served(other.keeper, tmp_path / "other") as crowded, deaf(crowded, EVENTS, ("/metrics", SCRAPES)):
        beside = come_and_go(other)
        # at once, without a second try
        for path in ("/healthz", "/metrics", "/", "/api/v1/sites"):
            assert crowded.get(path).status == 200, path
        assert eventually(lambda: f"passes_total {TURNS}" in crowded.get("/metrics").body.decode())
        waiting = [each.qsize() for each in list(server_of(crowded).streams._queues)]
        unread = [each.transport.get_write_buffer_size() for each in list(connections(crowded))]
    assert beside == pytest.approx(alone, rel=0.01)
    assert len(waiting) <= LISTENERS and max(waiting, default=0) <= WAITING
    assert len(unread) <= CONNECTIONS and 0 < max(unread) <= HIGH_WATER_LIMIT + LONGEST


def test_who_follows_the_events_is_heard_once_those_that_never_read_are_let_go(world: Observed, site: Served) -> None:
    with deaf(site, EVENTS):
        assert site.get("/api/v1/events").status == 503
        come_and_go(world)
        assert eventually(lambda: not server_of(site).streams._queues)
        with site.events() as following:
            assert following()[0] == "revision"
            come_and_go(world, 1)
            assert following()[0] == "event"


def test_nothing_is_left_of_clients_that_are_gone(world: Observed, site: Served) -> None:
    with deaf(site, EVENTS, ("/metrics", 1)):
        come_and_go(world, 3)
        assert server_of(site).streams._queues
    assert eventually(lambda: not server_of(site).streams._queues and not connections(site))
