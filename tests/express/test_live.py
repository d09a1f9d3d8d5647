"""New plain sites answer from a real Caddy that is not loaded for them, and no other site is disturbed."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define, field
from stand_in_engine import StandInEngine
from town import Proxy, Town

Eventually = Callable[..., None]
Calm = Callable[[Callable[[], object]], None]


@pytest.fixture
def options() -> tuple[str, ...]:
    return ("--express",)


@pytest.fixture
def town(engine: StandInEngine, start_proxy: Callable[..., Proxy], options: tuple[str, ...], eventually) -> Town:
    made = Town(engine, start_proxy(*options))
    made.add("first")
    eventually(lambda: made.right("first"))
    return made


@define(eq=False)
class Regular:
    """Asks one site again and again on one connection; `faults` has wrong answers and connections that were closed."""

    port: int
    host: str
    wanted: str
    visits: int = 0
    faults: list[str] = field(factory=list)
    _ends: threading.Event = field(factory=threading.Event)

    def visit(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self._ends.wait(0.002):
            try:
                connection.request("GET", "/", headers={"Host": self.host})
                body = connection.getresponse().read().decode()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                body = repr(error)
            self.visits += 1
            if body != self.wanted:
                self.faults.append(body)

    def leave(self) -> None:
        self._ends.set()


@contextmanager
def regulars(town: Town, name: str, count: int = 4) -> Iterator[list[Regular]]:
    made = [Regular(town.proxy.port, f"{name}.test", town.engine.containers[name].address) for _ in range(count)]
    threads = [threading.Thread(target=each.visit) for each in made]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        for each in made:
            each.leave()
        for thread in threads:
            thread.join()


def files(folder: Path) -> list[Path]:
    return [each for each in (folder / "state/upstreams/sites").rglob("*") if each.is_file()]


def replica(town: Town, name: str) -> str:
    """One more container of the site `app.test`; gives its address."""
    return town.add(name, caddy=f"http://app.test:{town.proxy.port}").address


def answering(town: Town) -> set[str]:
    return {town.proxy.body("app.test") for _ in range(24)}


def test_a_plain_new_site_loads_nothing(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    for name in ("second", "third"):
        town.add(name)
    eventually(lambda: town.right("first", "second", "third"))
    assert town.proxy.loads == loads
    eventually(lambda: town.proxy.said("live: http://third.test"))


def test_twenty_that_come_and_go_close_no_connection_and_fail_no_request(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    with regulars(town, "first") as visitors:
        for number in range(20):
            town.add(f"new-{number}")
        eventually(lambda: town.right(*(f"new-{number}" for number in range(20))))
        for number in range(20):
            town.engine.remove(f"new-{number}")
        eventually(lambda: all(town.gone(f"new-{number}") for number in range(20)))
    assert [each.faults for each in visitors] == [[]] * 4
    assert all(each.visits for each in visitors)
    assert town.proxy.loads == loads


def test_replicas_come_and_go(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    replicas = {"one": replica(town, "one")}
    eventually(lambda: answering(town) == set(replicas.values()))
    for name in ("two", "three"):
        replicas[name] = replica(town, name)
        eventually(lambda: answering(town) == set(replicas.values()))
    for name in ("one", "three"):
        town.engine.remove(name)
        del replicas[name]
        eventually(lambda: answering(town) == set(replicas.values()))
    assert town.proxy.loads == loads


def test_a_replaced_container_is_asked_at_its_new_address(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    for name in ("one", "two", "three"):
        address = replica(town, name)
        eventually(lambda address=address: answering(town) == {address})
        town.engine.remove(name)
    eventually(lambda: answering(town) == {""})
    assert town.proxy.loads == loads


def test_one_that_is_stopping_is_not_asked_and_answers_as_a_site_without_upstreams(
    town: Town, eventually: Eventually
) -> None:
    gate = {"caddy_health_gate": "true"}
    loads = town.proxy.loads
    sick = town.create("sick", caddy=f"http://app.test:{town.proxy.port}", **gate)
    sick.health = "starting"
    town.engine.start("sick")
    eventually(lambda: answering(town) == {"status 503"})
    town.engine.set_health("sick", "healthy")
    eventually(lambda: answering(town) == {sick.address})
    town.engine.set_health("sick", "unhealthy")
    eventually(lambda: answering(town) == {"status 503"})
    assert town.proxy.loads == loads


def test_the_next_load_takes_it_up_without_a_gap_and_its_file_goes(
    town: Town, tmp_path: Path, eventually: Eventually
) -> None:
    town.add("second")
    eventually(lambda: town.right("second"))
    assert len(files(tmp_path)) == 1
    loads = town.proxy.loads
    with town.visitor("first", "second") as visitor:
        town.add("other", caddy__respond="here", **{"caddy.reverse_proxy": ""})
        eventually(lambda: town.proxy.body("other.test") == "here")
        eventually(lambda: not files(tmp_path))
    assert visitor.visits and not visitor.failures
    assert town.proxy.loads == loads + 1


def test_one_that_is_part_of_the_configuration_has_no_upstream_and_goes_with_a_load(
    town: Town, tmp_path: Path, eventually: Eventually
) -> None:
    town.add("second")
    eventually(lambda: town.right("second"))
    town.add("other", caddy__respond="here", **{"caddy.reverse_proxy": ""})
    eventually(lambda: town.proxy.body("other.test") == "here")
    loads = town.proxy.loads
    with town.visitor("first") as visitor:
        town.engine.remove("second")
        eventually(lambda: town.proxy.body("second.test") == "status 503")
        eventually(lambda: town.proxy.said("gone: http://second.test"))
        eventually(lambda: town.gone("second"))
        eventually(lambda: not files(tmp_path))
    assert not visitor.failures and town.proxy.loads == loads + 1


def test_a_site_of_the_configuration_is_replaced_and_scaled_without_a_load(town: Town, eventually: Eventually) -> None:
    replicas = {"one": replica(town, "one")}
    eventually(lambda: answering(town) == set(replicas.values()))
    town.add("other", caddy__respond="here", **{"caddy.reverse_proxy": ""})
    eventually(lambda: town.proxy.body("other.test") == "here")
    loads = town.proxy.loads
    with regulars(town, "first") as visitors:
        town.engine.remove("one")
        eventually(lambda: answering(town) == {"status 503"})
        replicas = {"two": replica(town, "two")}
        eventually(lambda: answering(town) == set(replicas.values()))
        replicas["three"] = replica(town, "three")
        eventually(lambda: answering(town) == set(replicas.values()))
        town.engine.crash("two")
        eventually(lambda: answering(town) == {replicas["three"]})
        town.engine.start("two")
        eventually(lambda: answering(town) == set(replicas.values()))
    assert [each.faults for each in visitors] == [[]] * 4
    assert town.proxy.loads == loads


def test_another_kind_of_site_needs_a_load_and_the_next_one_of_its_kind_does_not(
    town: Town, eventually: Eventually
) -> None:
    loads = town.proxy.loads
    town.add("second", caddy__encode="gzip")
    eventually(lambda: town.right("second"))
    assert town.proxy.loads == loads + 1
    town.add("third", caddy__encode="gzip")
    town.add("fourth")
    eventually(lambda: town.right("third", "fourth"))
    assert town.proxy.loads == loads + 1


def test_another_label_of_a_site_that_is_not_part_of_the_configuration(town: Town, eventually: Eventually) -> None:
    town.add("second")
    eventually(lambda: town.right("second"))
    town.engine.remove("second")
    town.add("second", caddy__header="X-Second yes")
    eventually(lambda: town.right("second"))
    eventually(lambda: "X-Second" in configuration(town))


def configuration(town: Town) -> str:
    from dockcaddy.caddy.admin import AdminClient

    return AdminClient(town.proxy.admin).config().decode()


def test_files_that_somebody_deletes_are_written_again(town: Town, tmp_path: Path, eventually: Eventually) -> None:
    town.add("second")
    eventually(lambda: town.right("second"))
    for each in files(tmp_path):
        each.unlink()
    assert town.gone("second")
    eventually(lambda: town.right("second"))


def test_where_no_file_can_be_written_a_new_site_is_a_load(town: Town, tmp_path: Path, eventually: Eventually) -> None:
    folder = tmp_path / "state/upstreams/sites"
    eventually(folder.is_dir)
    folder.rmdir()
    folder.write_text("")
    loads = town.proxy.loads
    town.add("second")
    eventually(lambda: town.right("second"))
    assert town.proxy.loads == loads + 1
    eventually(lambda: town.proxy.said("new sites cannot be in") == 1)


@pytest.mark.parametrize("options", [("--express", "--set", "upstreams.dynamic=true")])
def test_with_addresses_in_files_a_site_and_its_replicas_need_no_load_ever(town: Town, eventually: Eventually) -> None:
    loads = town.proxy.loads
    replicas = {name: replica(town, name) for name in ("one", "two")}
    eventually(lambda: answering(town) == set(replicas.values()))
    assert town.proxy.loads == loads
    town.add("other", caddy__respond="here", **{"caddy.reverse_proxy": ""})
    eventually(lambda: town.proxy.body("other.test") == "here")
    loads = town.proxy.loads
    replicas["three"] = replica(town, "three")
    eventually(lambda: answering(town) == set(replicas.values()))
    town.engine.remove("one")
    eventually(lambda: answering(town) == {replicas["two"], replicas["three"]})
    assert town.proxy.loads == loads
