"""Caddy needs nobody: dockcaddy hangs, ends, is killed or replaced, and every site is answered, visited before or not."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from hanging import hanging
from proxy import Proxy
from stand_in_engine import StandInEngine
from town import Town

Eventually = Callable[..., None]
SITES = [f"site-{number}" for number in range(8)]
# Caddy makes a connection for each request: there is none that could be used on
NEW_CONNECTIONS = {"caddy__reverse_proxy__transport": "http", "caddy__reverse_proxy__transport__keepalive": "off"}
DYNAMIC = ("--set", "upstreams.dynamic=true")


def populated(engine: StandInEngine, proxy: Proxy, eventually: Eventually) -> Town:
    """A town of many sites, of which half were visited."""
    town = Town(engine, proxy)
    for name in SITES:
        town.add(name, **NEW_CONNECTIONS)
    eventually(lambda: town.right(*SITES[::2]))
    eventually(lambda: SITES[-1] in configuration(proxy))
    return town


def configuration(proxy: Proxy) -> str:
    return AdminClient(proxy.admin).config().decode()


def answered_at_once(town: Town, times: int = 3) -> bool:
    """Whether many who ask for all sites at the same time get the right answers, none of them a stand-in for a wait."""
    with ThreadPoolExecutor(len(SITES)) as visitors:
        return all(all(visitors.map(town.right, SITES)) for _ in range(times))


def test_while_dockcaddy_hangs(engine: StandInEngine, start_proxy, eventually: Eventually) -> None:
    town = populated(engine, start_proxy(*DYNAMIC), eventually)
    loads = town.proxy.loads
    with hanging(town.proxy.process.pid):
        assert answered_at_once(town)
        assert answered_at_once(town)
    town.engine.remove(SITES[0])
    eventually(lambda: town.proxy.body(f"{SITES[0]}.test") == "status 503")
    assert town.proxy.loads == loads


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_after_dockcaddy_ended_beside_an_external_caddy(
    engine: StandInEngine, start_proxy, external: str, eventually: Eventually, end: signal.Signals
) -> None:
    proxy = start_proxy(*DYNAMIC, "--caddy-admin", external)
    proxy.admin = external
    town = populated(engine, proxy, eventually)
    proxy.process.send_signal(end)
    proxy.process.wait(10)
    assert answered_at_once(town)


def test_while_dockcaddy_is_replaced_beside_an_external_caddy(
    engine: StandInEngine, start_proxy, external: str, eventually: Eventually
) -> None:
    old = start_proxy(*DYNAMIC, "--caddy-admin", external)
    old.admin = external
    town = populated(engine, old, eventually)
    before = configuration(old)
    old.end()
    town.engine.crash(SITES[1])
    new = start_proxy(*DYNAMIC, "--caddy-admin", external, wait=False)
    new.port, new.admin = old.port, external
    town.proxy = new
    eventually(lambda: new.body(f"{SITES[1]}.test") == "status 503")
    town.engine.start(SITES[1])
    eventually(lambda: answered_at_once(town, 1))
    # not one load: the file is what changed
    assert configuration(new) == before and not new.said("they stand in the configuration")


def test_a_caddy_that_does_not_see_the_folder_gets_addresses_and_it_is_told(
    engine: StandInEngine, start_proxy, external: str, tmp_path: Path, eventually: Eventually
) -> None:
    # as where it runs in a container of its own: nothing can be read below a file
    (tmp_path / "elsewhere").write_text("")
    folder = ("--address-directory", str(tmp_path / "elsewhere/upstreams"))
    proxy = start_proxy(*DYNAMIC, *folder, "--caddy-admin", external)
    proxy.admin = external
    town = populated(engine, proxy, eventually)
    eventually(lambda: proxy.said("addresses of upstreams cannot be in") == 1)
    assert "{file." not in configuration(proxy)
    proxy.process.kill()
    proxy.process.wait(10)
    assert answered_at_once(town)
