"""What the demo prints, for a terminal of eighty columns, and in colour where there is any."""

import difflib
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from dockcaddy.logs import escaped
from dockcaddy.model import Problem

WIDTH = 80
MARGIN = "    "
_PLAIN = "\033[0m"
_BOLD, _DIM, _RED, _GREEN, _CYAN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[36m"


@frozen
class Screen:
    """Prints with `echo`."""

    echo: Callable[[str], None]
    coloured: bool = False

    def say(self, text: str = "") -> None:
        """A paragraph."""
        self.echo(textwrap.fill(text, WIDTH) if text else "")

    def heading(self, number: int, count: int, text: str) -> None:
        """What happens now."""
        self.echo(self._painted(_BOLD, f"[{number}/{count}] {text}"))

    def note(self, text: str) -> None:
        """Something about it."""
        self.echo(f"{MARGIN}{text}")

    def commands(self, lines: Iterable[str]) -> None:
        """What is to be copied."""
        for line in lines:
            self.echo(f"{MARGIN}{self._painted(_CYAN, line)}")

    def labels(self, labels: Mapping[str, str]) -> None:
        """As in a Compose file."""
        for key, value in labels.items():
            self.echo(f"{MARGIN}  {self._painted(_CYAN, key)}: {value if '{' not in value else repr(value)}")

    def difference(self, before: Sequence[str], after: Sequence[str]) -> None:
        """Whole sites, with what they have gained and lost."""
        for line in _marked(before, after):
            colour = {"+": _GREEN, "-": _RED}.get(line[0], _DIM)
            self.echo(f"{MARGIN}{self._painted(colour, line)}")

    def problem(self, problem: Problem) -> None:
        """What is wrong, once."""
        colour = _RED if problem.severity == "error" else _BOLD
        first, *rest = textwrap.wrap(f"{problem.severity}: {escaped(str(problem))}", WIDTH - len(MARGIN))
        word, _, message = first.partition(" ")
        self.echo(f"{MARGIN}{self._painted(colour, word)} {message}")
        for line in rest:
            self.echo(f"{MARGIN}{line}")

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.coloured else text


def _marked(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The sites that are different, each whole, line by line: `+` is new, `-` is gone."""
    old, new = ({site[0]: site for site in _sites(text)} for text in (before, after))
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            for line in difflib.ndiff(old.get(key, []), new.get(key, [])):
                if not line.startswith("?"):
                    yield line.expandtabs(4).rstrip()


def _sites(text: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each block at the top level."""
    site: list[str] = []
    for line in text:
        site.append(line.replace("\t", "    "))
        if line == "}":
            yield site
            site = []
