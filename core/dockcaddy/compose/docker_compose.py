"""Docker Compose itself, which resolves a project: profiles, `.env`, `extends`, `include`, interpolation."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from dockcaddy.errors import ComposeFileError, one_line
from dockcaddy.settings import limits

PROGRAMS = (("docker", "compose"), ("docker-compose",))
_WARNING = re.compile(r'level=warning msg="((?:[^"\\]|\\.)*)"')
_SILENT = f"docker compose did not answer within {limits.COMPOSE_TIMEOUT:g} s, or ended without a word"
# the others are about what Compose would do with the project
UNSET = re.compile(r'The "(\w+)" variable is not set')
_TWICE = re.compile(r'failed to parse (\S+): .*line (\d+): mapping key "(.+)" already defined at line (\d+)')


@frozen
class Resolved:
    """A project as Compose resolves it, the variables that are not set, and what could not be resolved."""

    model: dict[str, Any]
    unset: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()


def compose_program() -> tuple[str, ...]:
    """The command of Docker Compose 2 or newer, empty if there is none."""
    for program in PROGRAMS:
        said = _called((*program, "version", "--short"))
        if said is not None and said.returncode == 0 and not said.stdout.lstrip("v").startswith("1."):
            return program
    return ()


def resolve(program: Sequence[str], files: Sequence[str], profiles: Sequence[str]) -> Resolved:
    """Have Compose resolve the project of these files. Raises SettingsError where it refuses them."""
    chosen = [word for file in files for word in ("--file", file)]
    chosen += [word for profile in profiles for word in ("--profile", profile)]
    said = _called((*program, *chosen, "config", "--format", "json"))
    if said is None or said.returncode != 0:
        reason = _complaint("" if said is None else said.stderr) or _SILENT
        raise _twice(reason, files) or ComposeFileError(files[0], one_line(_in_our_words(reason)))
    try:
        model = json.loads(said.stdout)
    except ValueError as error:
        raise ComposeFileError(files[0], f"Docker Compose did not print JSON: {error}") from error
    warnings = (json.loads(f'"{text}"') for text in _WARNING.findall(said.stderr))
    unset = dict.fromkeys(found[1] for found in map(UNSET.search, warnings) if found)
    return Resolved(_without_escapes(model), tuple(unset))


def _complaint(output: str) -> str:
    """What Compose printed besides lines of its log; it may need several lines."""
    return " ".join(line.strip() for line in output.splitlines() if not line.startswith("time=")).strip()


def _in_our_words(reason: str) -> str:
    """What Compose says, without the file that it names and words of its libraries."""
    said = re.sub(r"^validating .*?: (?=[a-z_]+[. ])", "", reason)
    return re.sub(r"^(\S+) false schema$", r"\1 is no key of Compose files", said)


def _twice(reason: str, files: Sequence[str]) -> ComposeFileError | None:
    """The error for a key that is in a mapping twice, None where it is another one."""
    found = _TWICE.search(reason)
    if found is None:
        return None
    file = next((each for each in files if str(Path(each).absolute()) == found[1]), files[0])
    return ComposeFileError(file, f"the key {found[3]} is there twice, first in line {found[4]}", int(found[2]))


def _called(command: Sequence[str]) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=limits.COMPOSE_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _without_escapes(value: Any) -> Any:
    """Compose prints a dollar sign twice, so that its output can be read again."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [_without_escapes(each) for each in value]
    if isinstance(value, dict):
        return {key.replace("$$", "$"): _without_escapes(each) for key, each in value.items()}
    return value
