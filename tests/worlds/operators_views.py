"""What an operator reads of a running dockcaddy, by every way that there is."""

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path

from attrs import define, field, frozen
from proxy import Proxy
from real_engine import Containers
from status_server import answer_at, events_at

ROOT = Path(__file__).parents[2]
# the example of the hook `dockcaddy_events` writes a line for each event
LISTENER = ("--plugin", str(ROOT / "examples/hooks/events.py"), "--set", "diary.file=diary")


@frozen
class Said:
    """What one of them says: the exit status of a command or the status of a response, and the text."""

    status: int
    text: str

    def is_like(self, said: "Said", words: Mapping[str, str]) -> bool:
        """Whether `said` is this text with these words in it; `...` stands for anything."""
        parts = map(re.escape, self.text.format_map(words).split("..."))
        return self.status == said.status and re.fullmatch(".*?".join(parts), said.text, re.DOTALL) is not None


@define(eq=False)
class World:
    """A running dockcaddy with its containers; `words` stand for what differs from run to run."""

    folder: Path
    proxy: Proxy
    containers: Containers
    words: dict[str, str] = field(factory=dict)
    stream: list[str] = field(factory=list)
    _said: dict[tuple[str, ...], Said] = field(factory=dict)

    def command(self, *arguments: str) -> Said:
        """`dockcaddy ARGUMENTS`: standard output, then standard error. The same one is run once: nothing changes any more."""
        if arguments not in self._said:
            command = [sys.executable, "-m", "dockcaddy", *arguments, "--state-directory", str(self.folder / "state")]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder, timeout=300)
            self._said[arguments] = Said(done.returncode, done.stdout + done.stderr)
        return self._said[arguments]

    def get(self, path: str) -> Said:
        """What the status answers."""
        answer = answer_at(self.folder / "state" / "status.sock", path)
        return Said(answer.status, answer.body.decode())

    def site(self, name: str, *options: str, host: str = "", **labels: str) -> None:
        """Start a container with a site; `{name}` stands for its full name from now on."""
        address = f"{host or f'{name}.test'}:{self.proxy.port}"
        self.words[name] = self.containers.run(name, *options, caddy=address, **labels)

    def listen(self, eventually: Callable[..., None]) -> None:
        """Follow the event stream from now on, until it ends."""
        eventually(lambda: self.get("/healthz").status == 200)
        threading.Thread(target=self._follow, daemon=True).start()
        eventually(lambda: self.stream)

    def _follow(self) -> None:
        with contextlib.suppress(OSError), events_at(self.folder / "state" / "status.sock") as following:
            while (heard := following())[0]:
                kind, event = heard
                line = f"{event['kind']} {event['subject']} {event['message']}" if kind == "event" else kind
                self.stream.append(f"{line}\n")

    @property
    def diary(self) -> str:
        """What the listener wrote."""
        path = self.folder / "diary"
        return path.read_text() if path.exists() else ""


def readable(page: Said) -> Said:
    """The text of a page."""
    return Said(page.status, " ".join(unescape(re.sub("<[^>]*>", " ", page.text)).split()))
