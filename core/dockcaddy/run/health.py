"""Whether the `dockcaddy run` of this container is healthy: it runs, and so does its Caddy."""

import itertools
from pathlib import Path

from dockcaddy.caddy import AdminClient
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.run.own_admin import own_address
from dockcaddy.settings.table import Settings

PROCESSES = Path("/proc")
# a Caddy that loads a large configuration answers late; in seconds
PATIENCE = 8.0
# the output to our own Caddy, which has no target
_OWN = "admin"


def running_arguments(processes: Path = PROCESSES) -> list[str]:
    """The arguments of the oldest `dockcaddy run` among the processes. Raises CaddyUnreachable where there is none."""
    numbers = sorted(int(path.name) for path in processes.iterdir() if path.name.isdigit())
    for number in numbers:
        words = _command_line(processes / str(number))
        for place, (program, command) in enumerate(itertools.pairwise(words)):
            if command == "run" and _is_ours(program):
                return words[place + 2 :]
    raise CaddyUnreachable("no dockcaddy runs here")


def check_caddy(settings: Settings) -> str:
    """What runs, in words. Raises CaddyUnreachable where our Caddy does not answer."""
    address = _own_caddy(settings)
    if not address:
        return "dockcaddy runs"
    client = AdminClient(address, timeout=PATIENCE, connect_timeout=PATIENCE)
    client.admin_settings()
    client.close()
    return f"dockcaddy runs, and caddy answers at {address}"


def _own_caddy(settings: Settings) -> str:
    """The admin address of the Caddy that dockcaddy starts, `""` where others start it."""
    is_server = settings.mode == "server"
    if not is_server and (settings.has_servers or settings.running_caddy or _OWN not in settings.output):
        return ""
    return own_address(settings, settings.state_path())


def _command_line(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        # it has ended
        return []


def _is_ours(program: str) -> bool:
    """`/usr/local/bin/dockcaddy`, or the `dockcaddy` of `python -m dockcaddy`."""
    return Path(program).name == "dockcaddy" or program.endswith("dockcaddy/__main__.py")
