"""The `dockcaddy run` of this container."""

import itertools
from collections.abc import Callable
from pathlib import Path

from dockcaddy.errors import CaddyUnreachable

PROCESSES = Path("/proc")
# what `docker run --init`, `init: true` and Podman's `--init` start first
_INITS = frozenset(("docker-init", "podman-init", "tini", "tini-static", "catatonit", "dumb-init"))


def running_arguments(processes: Path = PROCESSES) -> list[str]:
    """The arguments of the oldest `dockcaddy run` among the processes. Raises CaddyUnreachable where there is none."""
    return _arguments(processes, lambda number: True)


def main_arguments(processes: Path = PROCESSES) -> list[str]:
    """The same, of the process that the container was started for: the first one, or the child of an init there."""
    is_init = _read(processes / "1" / "comm").strip() in _INITS

    def is_main(number: int) -> bool:
        # the name of the program before it, in parentheses, may have blanks
        parent = _read(processes / str(number) / "stat").rpartition(")")[2].split()[1:2]
        return number == 1 or (is_init and parent == ["1"])

    return _arguments(processes, is_main)


def _arguments(processes: Path, counts: Callable[[int], bool]) -> list[str]:
    for number in filter(counts, sorted(int(path.name) for path in processes.iterdir() if path.name.isdigit())):
        words = _read(processes / str(number) / "cmdline").split("\0")[:-1]
        for place, (program, command) in enumerate(itertools.pairwise(words)):
            if command == "run" and _is_ours(program):
                return words[place + 2 :]
    raise CaddyUnreachable("no dockcaddy runs here")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError:
        # the process has ended
        return ""


def _is_ours(program: str) -> bool:
    """`/usr/local/bin/dockcaddy`, or the `dockcaddy` of `python -m dockcaddy`."""
    return Path(program).name == "dockcaddy" or program.endswith("dockcaddy/__main__.py")
