"""Commands that see a container as the `dockcaddy run` in it does, as `docker exec CONTAINER dockcaddy check` is meant."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from dockcaddy.cli.options import Command, explicit
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.run.running import PROCESSES, SIGNS, main_arguments

logger = logging.getLogger("dockcaddy")

# with these the command is about something else
_APART = frozenset(("--inventory", "--compose", "--config", "--help", "-h"))


class AsItRuns(Command):
    """A command that takes over the options of the `dockcaddy run` of its container, except those that it is given."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        taken = taken_over(args)
        if taken:
            logger.info("with the options of the dockcaddy that runs here: %s", " ".join(_names(taken)))
        return super().parse_args(context, [*taken, *args])


def taken_over(arguments: Sequence[str], processes: Path = PROCESSES, signs: Sequence[Path] = SIGNS) -> list[str]:
    """The options of the one that runs in this container, without those among the `arguments`.

    On a host, another dockcaddy is none of this command's business.
    """
    given = set(_names(arguments))
    if given & _APART or not any(each.exists() for each in signs):
        return []
    try:
        running = explicit(main_arguments(processes))
    except (CaddyUnreachable, OSError):
        return []
    return [word for words in _options(running) if words[0].partition("=")[0] not in given for word in words]


def _options(words: Iterator[str]) -> Iterator[tuple[str, ...]]:
    """Each option with its value."""
    for word in words:
        yield (word,) if "=" in word else (word, next(words, ""))


def _names(arguments: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each.partition("=")[0] for each in arguments if each.startswith("-")))
