"""The tutorial: its commands, run in their order by a shell, give what the page shows."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from own_image import built_image
from real_engine import docker

pytestmark = pytest.mark.engine

BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
# the image is built without a package index here
BUILD = "docker build -t dockcaddy .\n"
# what changes nothing can be looked at again until it shows what is expected
LOOKS = re.compile(r"curl |docker (?:exec|logs|cp) ")


@frozen
class Step:
    """A block of commands and what the page shows of their output."""

    commands: str
    shown: str = ""

    @property
    def only_looks(self) -> bool:
        """Whether the first command changes nothing."""
        return bool(LOOKS.match(self.commands))


def steps(page: str) -> Iterator[Step]:
    """The blocks of commands, each with the block of output that follows it."""
    commands = ""
    for kind, text in BLOCK.findall(page):
        if kind == "text":
            yield Step(commands, text)
            commands = ""
            continue
        if commands:
            yield Step(commands)
        commands = text
    if commands:
        yield Step(commands)


def shows(output: str, shown: str) -> bool:
    """Whether the lines shown are in the output, in this order, each perhaps with more around it; `...` is anything."""
    lines = [re.escape(line.strip()).replace(re.escape("..."), ".*") for line in shown.splitlines() if line.strip()]
    return re.search(r"[^\n]*\n(?:.*\n)*?[^\n]*".join(lines), output) is not None


@pytest.fixture
def clean_machine() -> Iterator[None]:
    """The names of the page are free, and free again at the end."""
    taken = docker("ps", "-aq", "--filter", "name=^(caddy|whoami|broken)$")
    assert not taken, "the tutorial needs a machine without containers caddy, whoami and broken"
    docker("tag", built_image(), "dockcaddy")
    yield
    for command in (
        "docker rm -f -v caddy whoami broken notes-notes-1",
        "docker network rm notes_default caddy",
        "docker volume rm caddy_data",
        "docker rmi dockcaddy",
    ):
        subprocess.run(command.split(), capture_output=True, check=False, timeout=120)


@pytest.mark.usefixtures("clean_machine")
def test_each_step_gives_what_the_page_shows(project: Path, tmp_path: Path, eventually: Callable[..., None]) -> None:
    found = list(steps((project / "docs/tutorial.md").read_text()))
    assert found[0].commands == BUILD and any(step.shown for step in found)
    for step in found[1:]:

        def run(step: Step = step) -> bool:
            command = ["bash", "-e", "-o", "pipefail", "-c", step.commands]
            done = subprocess.run(
                command,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 0, f"{step.commands}{done.stdout}"
            assert shows(done.stdout, step.shown), f"{step.commands}{done.stdout}\ninstead of\n{step.shown}"
            return True

        if step.only_looks:
            eventually(run, 40)
        else:
            run()
