"""The `dockcaddy run` of this container, or at a socket."""

import itertools
import os
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from dockcaddy.errors import CaddyUnreachable

PROCESSES = Path("/proc")
# Docker's and Podman's sign of a container
SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))
# what `docker run --init`, `init: true` and Podman's `--init` start first
_INITS = frozenset(("docker-init", "podman-init", "tini", "tini-static", "catatonit", "dumb-init"))

# pid, uid and gid: https://man7.org/linux/man-pages/man7/unix.7.html
_CREDENTIALS = struct.Struct("3i")


@frozen
class Running:
    """A `dockcaddy run` as it was started: the arguments behind `run`, and environment and folder as far as we may see them."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


def running_at(path: Path, processes: Path = PROCESSES) -> Running:
    """The one that listens at a unix socket.

    Raises CaddyUnreachable where there is none, the system does not say, or its options are not ours to take over: they name programs
    and plugins that would run as this user.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(str(path))
            credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except PermissionError as error:
        raise CaddyUnreachable(f"the status at {path} is for the user that dockcaddy runs as") from error
    except (OSError, AttributeError) as error:
        # not every system names who listens
        reason = getattr(error, "strerror", "") or error
        raise CaddyUnreachable(
            f"no dockcaddy answers at {path}: {reason}: start it, or name its --state-directory"
        ) from error
    number, user, _ = _CREDENTIALS.unpack(credentials)
    process = processes / str(number)
    if user not in (0, os.geteuid()) and not any(each.exists() for each in SIGNS):
        raise CaddyUnreachable(
            f"the dockcaddy at {path} is of another user: run this as that user, or repeat its options"
        )
    if not _sees_our_files(process):
        raise CaddyUnreachable(f"the dockcaddy at {path} is in a container: run this there, with docker exec")
    arguments = _run_arguments(_words(process))
    if arguments is None:
        raise CaddyUnreachable(f"no dockcaddy answers at {path}: another program listens there")
    variables = (each.partition("=") for each in _read(process / "environ").split("\0"))
    environment = {name: value for name, sign, value in variables if sign}
    try:
        folder = (process / "cwd").readlink()
    except OSError:
        folder = Path.cwd()
    return Running(tuple(arguments), environment, folder)


def _sees_our_files(process: Path) -> bool:
    try:
        return (process / "root").samefile("/")
    except OSError:
        # in a container root may not look either, and there is no other one
        return True


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
        found = _run_arguments(_words(processes / str(number)))
        if found is not None:
            return found
    raise CaddyUnreachable("no dockcaddy runs here")


def _words(process: Path) -> list[str]:
    return _read(process / "cmdline").split("\0")[:-1]


def _run_arguments(words: Sequence[str]) -> list[str] | None:
    """What stands behind `dockcaddy run`, None in the command line of another program."""
    for place, (program, command) in enumerate(itertools.pairwise(words)):
        if command == "run" and _is_ours(program):
            return list(words[place + 2 :])
    return None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError:
        # the process has ended
        return ""


def _is_ours(program: str) -> bool:
    """`/usr/local/bin/dockcaddy`, or the `dockcaddy` of `python -m dockcaddy`."""
    return Path(program).name == "dockcaddy" or program.endswith("dockcaddy/__main__.py")
