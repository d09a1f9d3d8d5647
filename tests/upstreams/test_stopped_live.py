"""A page for a stopped container, live: it comes with the stop, goes with the start, and with the container."""

import http.client
from collections.abc import Callable

import pytest
from town import Town

pytestmark = pytest.mark.process
Eventually = Callable[..., None]


def ask(town: Town, host: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """A response: its status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", town.proxy.port, timeout=10)
    connection.request(method, "/some/path", headers={"Host": host, **headers})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, body


def stop(town: Town, name: str) -> None:
    """`docker stop`."""
    town.engine.tell(town.engine.containers[name], "kill", signal="15")
    town.engine.set_state(name, "exited", "die")


def test_the_page_comes_with_the_stop_and_goes_with_the_start(town: Town, eventually: Eventually) -> None:
    made = town.engine.add(
        "app",
        {
            "caddy": f"http://app.test:{town.proxy.port}",
            "caddy.reverse_proxy": town.upstreams,
            "caddy_when_stopped": "page",
        },
    )
    eventually(lambda: town.proxy.body("app.test") == made.address)
    stop(town, "app")
    eventually(lambda: "not running" in ask(town, "app.test")[2])
    status, headers, body = ask(town, "app.test")
    assert (status, headers["retry-after"], headers["cache-control"]) == (503, "60", "no-store")
    assert headers["content-type"].startswith("text/plain") and "<" not in body
    status, headers, body = ask(town, "app.test", Accept="text/html,application/xhtml+xml")
    assert (
        status == 503 and headers["content-type"] == "text/html; charset=utf-8" and body.startswith("<!doctype html>")
    )
    status, headers, body = ask(town, "app.test", "HEAD", Accept="text/html")
    assert (status, headers["retry-after"], body) == (503, "60", "")
    assert ask(town, "app.test", "POST")[0] == 503
    town.engine.start("app")
    eventually(lambda: town.proxy.body("app.test") == made.address)
    # it crashes again and again
    for _ in range(3):
        town.engine.crash("app")
        eventually(lambda: ask(town, "app.test")[0] == 503)
        assert "not running" in ask(town, "app.test")[2]
        town.engine.start("app")
        eventually(lambda: town.proxy.body("app.test") == made.address)
    stop(town, "app")
    eventually(lambda: "not running" in ask(town, "app.test")[2])
    town.engine.remove("app")
    eventually(lambda: ask(town, "app.test")[0] == 200)
    assert ask(town, "app.test")[2] == ""


def test_one_replica_is_enough(town: Town, eventually: Eventually) -> None:
    labels = {
        "caddy": f"http://two.test:{town.proxy.port}",
        "caddy.reverse_proxy": town.upstreams,
        "caddy_when_stopped": "page",
    }
    one, two = town.engine.add("one", labels), town.engine.add("two", labels)
    eventually(lambda: {town.proxy.body("two.test") for _ in range(8)} == {one.address, two.address})
    stop(town, "one")
    eventually(lambda: {town.proxy.body("two.test") for _ in range(8)} == {two.address})
    stop(town, "two")
    eventually(lambda: "not running" in ask(town, "two.test")[2])
    town.engine.remove("one")
    town.engine.start("two")
    eventually(lambda: town.proxy.body("two.test") == two.address)
