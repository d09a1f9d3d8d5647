"""Replicas come, go, restart and are replaced: the real Caddy answers from those that are there, and is never reloaded."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in_engine import StandInEngine
from town import Proxy, Town

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]


@pytest.fixture
def options() -> tuple[str, ...]:
    return ("--set", "upstreams.dynamic=true")


@pytest.fixture
def town(engine: StandInEngine, start_proxy: Callable[..., Proxy], options: tuple[str, ...]) -> Town:
    return Town(engine, start_proxy(*options))


def replica(town: Town, name: str, **labels: str) -> str:
    """One more container of the site `app.test`; gives its address."""
    return town.add(name, caddy=f"http://app.test:{town.proxy.port}", **labels).address


def answering(town: Town) -> set[str]:
    """The addresses that answer for the site."""
    return {town.proxy.body("app.test") for _ in range(24)}


def test_scaling_up_and_down_reloads_nothing(town: Town, eventually: Eventually, calm: Calm) -> None:
    replicas = {"one": replica(town, "one")}
    eventually(lambda: answering(town) == set(replicas.values()))
    loads = town.proxy.loads
    for name in ("two", "three"):
        replicas[name] = replica(town, name)
        calm(lambda: answering(town) == set(replicas.values()))
    for name in ("one", "three"):
        town.engine.remove(name)
        del replicas[name]
        calm(lambda: answering(town) == set(replicas.values()))
    assert town.proxy.loads == loads


def test_a_restart_and_a_replacement_reload_nothing(town: Town, eventually: Eventually, calm: Calm) -> None:
    address = replica(town, "one")
    eventually(lambda: answering(town) == {address})
    loads = town.proxy.loads
    town.engine.crash("one")
    calm(lambda: answering(town) == {"status 503"})
    town.engine.start("one")
    calm(lambda: answering(town) == {address})
    town.engine.remove("one")
    calm(lambda: answering(town) == {"status 503"})
    address = replica(town, "two")
    calm(lambda: answering(town) == {address})
    assert town.proxy.loads == loads


def test_the_new_labels_of_a_replaced_container_hold_at_once(town: Town, eventually: Eventually, calm: Calm) -> None:
    replica(town, "old", caddy__reverse_proxy__lb_policy="first", caddy__header="X-Age old")
    eventually(lambda: answering(town) == {town.engine.containers["old"].address})
    town.engine.remove("old")
    address = replica(town, "new", caddy__reverse_proxy__lb_policy="random")
    calm(lambda: answering(town) == {address})
    assert not town.proxy.said("something else in container")


def test_one_that_is_not_healthy_is_not_asked(town: Town, eventually: Eventually, calm: Calm) -> None:
    gate = {"caddy_health_gate": "true"}
    good = replica(town, "good", **gate)
    sick = town.create("sick", caddy=f"http://app.test:{town.proxy.port}", **gate)
    sick.health = "starting"
    town.engine.start("sick")
    eventually(lambda: answering(town) == {good})
    loads = town.proxy.loads
    town.engine.set_health("sick", "healthy")
    calm(lambda: answering(town) == {good, sick.address})
    town.engine.set_health("sick", "unhealthy")
    calm(lambda: answering(town) == {good})
    assert town.proxy.loads == loads


def test_the_next_start_knows_the_addresses_while_the_engine_is_down(
    engine: StandInEngine, start_proxy, options: tuple[str, ...], eventually: Eventually
) -> None:
    first = Town(engine, start_proxy(*options))
    address = replica(first, "one")
    eventually(lambda: answering(first) == {address})
    first.proxy.process.send_signal(signal.SIGTERM)
    first.proxy.process.wait(10)
    engine.stop_answering()
    second = start_proxy(*options, wait=False)
    second.port = first.proxy.port
    eventually(lambda: second.body("app.test") == address)


def test_where_no_file_can_be_written_addresses_stand_in_the_configuration_until_it_can(
    town: Town, eventually: Eventually
) -> None:
    first = replica(town, "one")
    eventually(lambda: answering(town) == {first})
    # one byte is less than an address: a disk that is full
    town.proxy.limit_files(1)
    second = replica(town, "two")
    eventually(lambda: answering(town) == {first, second})
    eventually(lambda: town.proxy.said("they stand in the configuration") == 1)
    town.proxy.limit_files(-1)
    eventually(lambda: town.proxy.said("no longer: service upstreams:"))
    loads = town.proxy.loads
    town.engine.remove("one")
    eventually(lambda: answering(town) == {second})
    assert town.proxy.loads == loads


def test_files_that_somebody_deletes_are_written_again(town: Town, tmp_path: Path, eventually: Eventually) -> None:
    address = replica(town, "one")
    eventually(lambda: answering(town) == {address})
    folder = tmp_path / "state/upstreams"
    shutil.rmtree(folder)
    eventually(lambda: any(folder.iterdir()) and answering(town) == {address})


def test_what_no_proxy_needs_any_more_is_deleted(town: Town, tmp_path: Path, eventually: Eventually) -> None:
    def kept() -> set[str]:
        return {each.name.partition("-test-")[0] for each in (tmp_path / "state/upstreams").iterdir()}

    town.add("one")
    town.add("two", caddy__respond="here", **{"caddy.reverse_proxy": ""})
    eventually(lambda: kept() == {"one"})


def test_the_option_of_the_resolver_that_was_is_taken_and_told(
    engine: StandInEngine, start_proxy, free_port: Callable[[], int], eventually: Eventually
) -> None:
    proxy = start_proxy("--set", "upstreams.dynamic=true", "--resolver", f"127.0.0.1:{free_port()}")
    eventually(lambda: proxy.said("--resolver is no longer needed"))
