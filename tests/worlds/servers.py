"""Stock Caddys as the servers of a controller: processes of their own, whose admin endpoints are at ports of this machine."""

import functools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.vitals import vitals_of
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from ports import free_port as any_free_port


@functools.cache
def _port() -> int:
    """Where the sites of all servers listen: they share it, as Caddys of one user do."""
    return any_free_port()


def site(name: str) -> dict[str, str]:
    """Labels of a site that answers with its name."""
    return {"caddy": f"http://{name}.test:{_port()}", "caddy.respond": name}


def admin_options(urls: Sequence[str]) -> list[str]:
    """The options of a controller that name its servers."""
    return [option for url in urls for option in ("--caddy-admin", url)]


@define(eq=False)
class StockCaddy:
    """One `caddy run`. `address` is where its admin endpoint listens."""

    program: str
    folder: Path
    address: str
    process: "subprocess.Popen[bytes] | None" = None
    log: list[str] = field(factory=list)

    def start(self, config: object = None) -> None:
        """Start it, with this configuration or with none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CADDY_", "DOCKCADDY_"))}
        environment |= {f"XDG_{name}_HOME": str(self.folder / name.lower()) for name in ("CONFIG", "DATA")}
        command = [self.program, "run"]
        if config is not None:
            (self.folder / "start.json").write_text(json.dumps(config))
            command += ["--config", str(self.folder / "start.json")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env={**environment, "CADDY_ADMIN": self.address}, stderr=log
            )

    @property
    def url(self) -> str:
        """Its admin URL."""
        return f"http://{self.address}"

    @property
    def config(self) -> Any:
        """What it runs; None where it does not answer."""
        client = AdminClient(self.url, timeout=1, connect_timeout=1)
        try:
            return json.loads(client.config())
        except CaddyUnreachable:
            return None
        finally:
            client.close()

    @property
    def beats(self) -> float:
        """How many signs of life of a controller that leads it has counted; 0 where it does not answer."""
        client = AdminClient(self.url, timeout=1, connect_timeout=1)
        try:
            return sum(map(float, vitals_of(client).beats))
        except CaddyUnreachable:
            return 0
        finally:
            client.close()

    def has(self, *sites: str) -> bool:
        """Whether it serves these sites and no others."""
        return self.hosts == set(sites)

    @property
    def hosts(self) -> set[str]:
        """The hosts of its sites."""
        servers = (((self.config or {}).get("apps") or {}).get("http") or {}).get("servers") or {}
        return {
            host
            for server in servers.values()
            for route in server.get("routes") or ()
            for match in route.get("match") or ()
            for host in match.get("host") or ()
        }

    @property
    def said(self) -> str:
        """Its log."""
        return (self.folder / "log").read_text()

    def lose(self) -> None:
        """Have somebody delete its configuration."""
        client = AdminClient(self.url)
        try:
            client.request("DELETE", "/config/")
        except CaddyRefusal:
            pass
        finally:
            client.close()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


@pytest.fixture
def servers(caddy: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., list[StockCaddy]]]:
    """Starts so many stock Caddys without a configuration."""
    made: list[StockCaddy] = []

    def start(count: int) -> list[StockCaddy]:
        new = [
            StockCaddy(caddy, tmp_path / f"server-{len(made) + place}", f"127.0.0.1:{free_port()}")
            for place in range(count)
        ]
        made.extend(new)
        for each in new:
            each.start()
        return new

    yield start
    for each in made:
        each.kill()


def waited_for(url: str) -> AdminClient:
    """A client of the Caddy at this admin endpoint, once it answers."""
    client = AdminClient(url, timeout=60, connect_timeout=60)
    for _ in range(1_000):
        try:
            client.config()
            break
        except CaddyUnreachable:
            time.sleep(0.02)
    return client
