"""The log of sites whose upstreams are all unhealthy."""

import pytest
from dockcaddy.settings import limits
from dockcaddy.status.health_log import HealthLog
from observed import Observed

WEB = {"caddy": "http://web.test", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def said(world: Observed, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    world.keeper.subscribe(HealthLog().take)
    caplog.set_level("INFO")
    return caplog


def test_a_site_is_logged_when_its_last_healthy_upstream_is_lost_and_when_one_is_back(
    world: Observed, said: pytest.LogCaptureFixture
) -> None:
    for name in ("web", "more"):
        world.put(name, WEB, health="healthy")
    world.turn()
    world.change("web", health="unhealthy")
    world.turn()
    said.clear()
    for _ in range(2):
        world.change("more", health="unhealthy")
        world.turn()
    [line] = said.messages
    assert line.startswith("site http://web.test: no upstream is healthy: ")
    assert line.endswith("fails its health check: docker inspect shows the output of the last one")
    assert said.records[0].levelname == "WARNING"
    said.clear()
    world.change("more", health="healthy")
    world.turn()
    assert said.messages == ["site http://web.test: an upstream is healthy again"]


def test_what_a_changed_configuration_tells_is_not_said_twice(world: Observed, said: pytest.LogCaptureFixture) -> None:
    world.put("web", WEB)
    world.turn()
    world.change("web", state="paused", running=False, targets=())
    world.turn()
    world.change("web", state="running", running=True, targets=("172.18.0.9",))
    world.turn()
    assert not any("healthy" in line for line in said.messages)


def test_of_many_sites_some_are_named(world: Observed, said: pytest.LogCaptureFixture) -> None:
    names = [f"app-{number}" for number in range(limits.MAX_SINGLE_LINES + 1)]
    for name in names:
        world.put(name, {**WEB, "caddy": f"http://{name}.test"}, health="healthy")
    world.turn()
    said.clear()
    for name in names:
        world.change(name, health="unhealthy")
    world.turn()
    [line] = said.messages
    assert line.startswith(f"{len(names)} sites: no upstream is healthy: http://app-0.test, http://app-1.test, ")
    assert line.endswith(" and others, dockcaddy status lists them")


def test_a_new_run_says_what_is_down_and_when_it_is_back(world: Observed, caplog: pytest.LogCaptureFixture) -> None:
    world.put("web", WEB, health="unhealthy")
    world.turn()
    # another run knows from the history that it was down
    world.keeper.subscribe(HealthLog().take)
    caplog.set_level("INFO")
    world.put("other", {**WEB, "caddy": "http://other.test"})
    world.turn()
    assert [line.partition(": ")[0] for line in caplog.messages if "healthy" in line] == ["site http://web.test"]
    world.change("web", health="healthy")
    world.turn()
    assert caplog.messages[-1] == "site http://web.test: an upstream is healthy again"
