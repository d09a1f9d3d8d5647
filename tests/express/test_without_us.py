"""New plain sites answer while dockcaddy is dead, and it takes them up again: no request fails, none is answered by another."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from proxy import Proxy
from stand_in_engine import StandInEngine
from town import Town

Eventually = Callable[..., None]


def files(folder: Path) -> list[Path]:
    return [each for each in (folder / "state/upstreams/sites").rglob("*") if each.is_file()]


@pytest.fixture
def town(engine: StandInEngine, start_proxy, external: str, eventually: Eventually) -> Town:
    """One site that Caddy has, and two that it finds in the folder."""
    proxy = start_proxy("--express", "--caddy-admin", external)
    proxy.admin = external
    made = Town(engine, proxy)
    made.add("first")
    eventually(lambda: made.right("first"))
    for name in ("second", "third"):
        made.add(name)
    eventually(lambda: made.right("second", "third"))
    assert "second.test" not in AdminClient(external).config().decode()
    return made


def restarted(town: Town, start_proxy: Callable[..., Proxy], external: str) -> Proxy:
    proxy = start_proxy("--express", "--caddy-admin", external, wait=False)
    proxy.port, proxy.admin = town.proxy.port, external
    return proxy


def test_killed_and_restarted(town: Town, start_proxy, external: str, tmp_path: Path, eventually: Eventually) -> None:
    with town.visitor("first", "second", "third") as visitor:
        town.proxy.process.kill()
        town.proxy.process.wait(10)
        assert town.right("first", "second", "third")
        proxy = restarted(town, start_proxy, external)
        eventually(lambda: proxy.said("live:"))
        assert "second.test" in AdminClient(external).config().decode()
        eventually(lambda: not files(tmp_path))
    assert visitor.visits and not visitor.failures


def test_what_is_gone_in_the_meantime_is_gone(
    town: Town, start_proxy, external: str, tmp_path: Path, eventually: Eventually
) -> None:
    with town.visitor("first", "third") as visitor:
        town.proxy.process.kill()
        town.proxy.process.wait(10)
        town.engine.remove("second")
        restarted(town, start_proxy, external)
        eventually(lambda: town.gone("second"))
        eventually(lambda: not files(tmp_path))
        assert town.gone("second")
    assert visitor.visits and not visitor.failures


def test_what_has_another_address_in_the_meantime_is_asked_there(
    town: Town, start_proxy, external: str, tmp_path: Path, eventually: Eventually
) -> None:
    with town.visitor("third") as visitor:
        town.proxy.process.kill()
        town.proxy.process.wait(10)
        for name in ("first", "second"):
            town.engine.remove(name)
            town.add(name)
        restarted(town, start_proxy, external)
        eventually(lambda: town.right("first", "second"))
        eventually(lambda: not files(tmp_path))
        assert town.right("first", "second")
    assert visitor.visits and not visitor.failures


def test_a_replaced_container_is_still_found_after_a_restart(
    town: Town, start_proxy, external: str, tmp_path: Path, eventually: Eventually
) -> None:
    town.engine.remove("first")
    town.add("first")
    eventually(lambda: town.right("first"))
    with town.visitor("first", "second", "third") as visitor:
        town.proxy.process.kill()
        town.proxy.process.wait(10)
        restarted(town, start_proxy, external)
        eventually(lambda: not files(tmp_path))
    assert visitor.visits and not visitor.failures


def test_its_own_caddy_comes_up_with_them_while_the_engine_is_down(
    engine: StandInEngine, start_proxy, eventually: Eventually
) -> None:
    town = Town(engine, start_proxy("--express"))
    town.add("first")
    eventually(lambda: town.right("first"))
    town.add("second")
    eventually(lambda: town.right("second"))
    town.proxy.process.kill()
    town.proxy.process.wait(10)
    engine.stop_answering()
    proxy = start_proxy("--express", wait=False)
    proxy.port = town.proxy.port
    town.proxy = proxy
    eventually(lambda: town.right("first", "second"))


def test_a_caddy_that_does_not_see_the_folder_is_loaded_and_it_is_reported(
    engine: StandInEngine, start_proxy, external: str, tmp_path: Path, eventually: Eventually
) -> None:
    (tmp_path / "elsewhere").write_text("")
    folder = ("--address-directory", str(tmp_path / "elsewhere/upstreams"))
    proxy = start_proxy("--express", *folder, "--caddy-admin", external)
    proxy.admin = external
    town = Town(engine, proxy)
    for name in ("first", "second"):
        town.add(name)
        eventually(lambda name=name: town.right(name))
    assert "second.test" in AdminClient(external).config().decode()
    eventually(lambda: proxy.said("new sites cannot be in") == 1)


def test_servers_of_a_controller_have_no_folder_in_common(
    engine: StandInEngine, start_proxy, external: str, eventually: Eventually
) -> None:
    proxy = start_proxy("--express", "--mode", "controller", "--caddy-admin", external, wait=False)
    eventually(lambda: proxy.said("servers of a controller have no folder in common, so each new site is a load"))
