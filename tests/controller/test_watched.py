"""Whether a server runs what it was given, whatever part of the configuration has changed. With a stock Caddy."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.watched import Mark, WatchedCaddy
from dockcaddy.errors import CaddyUnreachable
from servers import StockCaddy

APPS = {"http": {"servers": {"srv0": {"listen": [":0"], "routes": [{"match": [{"host": ["a.test"]}]}]}}}}


def config(**more: Any) -> bytes:
    return json.dumps({"apps": APPS, **more}, separators=(",", ":")).encode()


def log(level: str) -> dict[str, Any]:
    return {"logs": {"log0": {"level": level, "writer": {"output": "discard"}}}}


def patiently(eventually: Callable[..., None], work: Callable[[], Any]) -> Any:
    """The result, as soon as the endpoint answers: it is away for a moment after each load."""
    found = []

    def answers() -> bool:
        try:
            found.append(work())
        except CaddyUnreachable:
            return False
        return True

    eventually(answers)
    return found[-1]


@pytest.mark.process
def test_any_change_is_one_to_load(servers: Callable[..., list[StockCaddy]], eventually: Callable[..., None]) -> None:
    url = servers(1)[0].url

    def watched() -> WatchedCaddy:
        return WatchedCaddy(AdminClient(url), mark=lambda: Mark(1, "one"))

    def holds(caddy: WatchedCaddy, wanted: bytes) -> bool:
        return bool(patiently(eventually, lambda: caddy.holds(wanted)))

    first = config(logging=log("INFO"), storage={"module": "file_system", "root": "/tmp/one"})
    caddy = watched()
    patiently(eventually, lambda: caddy.load(first))
    others = [
        config(logging=log("INFO")),
        config(logging=log("DEBUG"), storage={"module": "file_system", "root": "/tmp/one"}),
        config(logging=log("INFO"), storage={"module": "file_system", "root": "/tmp/two"}),
        config(
            logging=log("INFO"),
            storage={"module": "file_system", "root": "/tmp/one"},
            admin={"config": {"persist": False}},
        ),
    ]
    for other in others:
        # whoever loaded it: this controller, or an earlier one
        assert not holds(caddy, other) and not holds(watched(), other)
        assert holds(caddy, first) and holds(watched(), first)
    for other in (*others, config()):
        patiently(eventually, lambda other=other: caddy.load(other))
        assert holds(caddy, other) and holds(watched(), other)


@pytest.mark.process
def test_a_server_that_listens_at_one_address_is_reached_by_its_name(
    servers: Callable[..., list[StockCaddy]], eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers(1)[0]
    usual = socket.getaddrinfo

    def resolve(host: str, *more: Any, **named: Any) -> Any:
        return usual("127.0.0.1" if host == "edge-1" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    caddy = WatchedCaddy(AdminClient(server.url.replace("127.0.0.1", "edge-1")))
    wanted = config()
    patiently(eventually, lambda: caddy.load(wanted))
    assert patiently(eventually, lambda: caddy.holds(wanted)) and server.has("a.test")
