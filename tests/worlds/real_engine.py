"""Containers and networks of one test on the real engine."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field
from dockcaddy.engine import Connection, Engine, EngineOptions

_OURS = re.compile(r"\Acaddy(?=(?:_[0-9]+)?(?:\.|\Z))")


def docker(*arguments: str) -> str:
    """Run the docker command; gives what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def logs(container: str) -> str:
    """What a container has logged to its standard error."""
    return subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True, timeout=60).stderr


def hostname(body: str) -> str:
    """Which container traefik/whoami says it is; nothing where the answer is another's."""
    found = re.search(r"^Hostname: (\S+)", body, re.MULTILINE)
    return found[1] if found else ""


@contextmanager
def listening(prefix: str, eventually: Callable[..., None]) -> Iterator[Engine]:
    """The engine, whose events are heard already; nothing is ever polled."""
    made = Engine(Connection(), EngineOptions(prefix))
    heard: list[bool] = []
    try:
        made.start(lambda urgent=False: heard.append(urgent))
        eventually(lambda: heard)
        yield made
    finally:
        made.close()


def with_dockcaddy(caddy: str) -> list[str]:
    """Options of `docker run` that give a container this very dockcaddy with its libraries, Caddy, and the engine's socket."""
    pythons_own = (sysconfig.get_path("stdlib"), f"{sysconfig.get_path('stdlib')}/lib-dynload")
    folders = [each for each in sys.path if Path(each).is_absolute() and Path(each).is_dir()]
    folders = [each for each in folders if each not in pythons_own]
    mounts = [f"--volume={each}:{each}:ro" for each in folders]
    mounts += [f"--volume={caddy}:/usr/local/bin/caddy:ro", "--volume=/var/run/docker.sock:/var/run/docker.sock"]
    return [f"--env=PYTHONPATH={os.pathsep.join(folders)}", *mounts]


@define
class Containers:
    """Containers of one test, and their networks. `prefix` is their labels': another one keeps them apart from others."""

    mark: str
    prefix: str = "caddy"
    names: list[str] = field(factory=list)

    def run(
        self, name: str, *options: str, image: str = "traefik/whoami", command: tuple[str, ...] = (), **labels: str
    ) -> str:
        """Start one with labels; `__` stands for a dot in a key. Gives its full name."""
        full = f"{self.mark}-{name}"
        keys = {key: _OURS.sub(self.prefix, key.replace("__", "."), count=1) for key in labels}
        given = [f"--label={key}={labels[each]}" for each, key in keys.items()]
        if not any(each.startswith("--network=container:") for each in options):
            given.append(f"--hostname={name}")
        # fmt: off
        docker(
            "run", "-d", f"--name={full}", f"--label=test={self.mark}", *given, *options,
            image, *command,
        )
        # fmt: on
        self.names.append(full)
        return full

    def run_dockcaddy(self, name: str, caddy: str, *options: str) -> str:
        """`dockcaddy run` in a container, this very one with its libraries. Gives the container's full name."""
        command = ("python3", "-m", "dockcaddy", "run", "--label-prefix", self.prefix)
        return self.run(name, *with_dockcaddy(caddy), *options, image="python:3.11-slim", command=command)

    def network(self, name: str) -> str:
        """Make a network; gives its full name."""
        full = f"{self.mark}-{name}"
        docker("network", "create", f"--label=test={self.mark}", full)
        return full

    def remove_all(self) -> None:
        """Leave nothing behind."""
        if found := docker("ps", "-aq", "--filter", f"label=test={self.mark}").split():
            docker("rm", "-f", "-v", *found)
        if found := docker("network", "ls", "-q", "--filter", f"label=test={self.mark}").split():
            docker("network", "rm", *found)
