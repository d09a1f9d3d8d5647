"""The `dockcaddy run` of this container."""

import itertools
from pathlib import Path

from dockcaddy.errors import CaddyUnreachable

PROCESSES = Path("/proc")


def running_arguments(processes: Path = PROCESSES, *, only_first: bool = False) -> list[str]:
    """The arguments of the oldest `dockcaddy run` among the processes. Raises CaddyUnreachable where there is none.

    With `only_first`, it has to be the process that the container was started for.
    """
    numbers = sorted(int(path.name) for path in processes.iterdir() if path.name.isdigit())
    numbers = [each for each in numbers if each == 1 or not only_first]
    for number in numbers:
        words = _command_line(processes / str(number))
        for place, (program, command) in enumerate(itertools.pairwise(words)):
            if command == "run" and _is_ours(program):
                return words[place + 2 :]
    raise CaddyUnreachable("no dockcaddy runs here")


def _command_line(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        # it has ended
        return []


def _is_ours(program: str) -> bool:
    """`/usr/local/bin/dockcaddy`, or the `dockcaddy` of `python -m dockcaddy`."""
    return Path(program).name == "dockcaddy" or program.endswith("dockcaddy/__main__.py")
