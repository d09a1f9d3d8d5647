"""The command line. Nothing imports it. Each command is a module that is imported when the command is called."""

import atexit
import gc
import importlib
import logging
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from dockcaddy import __version__, logs
from dockcaddy.cli.documentation import EVERYTHING, PAGES, links
from dockcaddy.cli.output import standard_output_restored
from dockcaddy.cli.result import ReaderGone, abandon
from dockcaddy.errors import CaddyUnreachable, DockcaddyError, EngineUnreachable
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

COMMANDS = {
    "run": "watch Docker and keep Caddy configured",
    "render": "print the configuration once",
    "check": "list problems of labels; exit 1 if there is an error",
    "explain": "show which resource and label made which line",
    "diff": "show what would change in the running configuration",
    "try": "show what would answer a request, and which labels say so",
    "status": "show the status of sites and containers, what is wrong first",
    "wait": "wait until a site is ready; exit 1 with the reason if that takes too long",
    "functions": "list the template functions, or the help of one",
    "schema": "print a JSON Schema of Compose files, for completion in editors",
    "plugins": "list the plugins, their source and contributions",
    "snapshot": "print the inventory as JSON, for bug reports and offline use",
    "healthcheck": "exit 0 if dockcaddy and its Caddy run here, for HEALTHCHECK and probes",
    "init": "write settings and a Compose file to start with",
    "demo": "a live tour that needs no container of yours",
    "help": "show this help, or the help of one command",
    "version": "print the version",
}

# a module cannot have the name of a keyword
_MODULES = {"try": "try_url"}

# click's messages, in the style of ours
_IN_OUR_WORDS = (
    (re.compile(r"^option '(.+)' requires an argument$"), r"\1 needs a value"),
    (re.compile(r"^option '(.+)' does not take a value$"), r"\1 takes no value"),
    (re.compile(r"^got unexpected extra arguments? \((.+)\)$"), r'unexpected argument "\1"'),
    (re.compile(r" is not a valid integer(?: range)?$"), " is not a whole number"),
    (re.compile(r" is not a valid float(?: range)?$"), " is not a number"),
)

FINE, ERROR, USAGE, UNREACHABLE, FAULT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 70, 130, 143


class _LazyGroup(click.Group):
    """Imports a command's module only when the command is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            # what the image and caddy-docker-proxy call it
            meant = ', write "dockcaddy run"' if name == "docker-proxy" else _nearest(name, COMMANDS)
            raise click.UsageError(f'no command "{name}"{meant}', context)
        command: click.Command = importlib.import_module(f"dockcaddy.cli.{_MODULES.get(name, name)}").command
        command.epilog = links(PAGES.get(name, EVERYTHING))
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Completion (bash; zsh and fish likewise)"):
            formatter.write_text('eval "$(_DOCKCADDY_COMPLETE=bash_source dockcaddy)"')


@click.group(
    cls=_LazyGroup,
    epilog=links(EVERYTHING),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="dockcaddy %(version)s")
def group() -> None:
    """Labels on Docker containers become a live Caddy configuration."""


def main() -> None:
    """The script's entry point. Exit status: 0 fine, 1 labels, 2 usage or settings, 3 engine or Caddy unreachable."""
    logs.configure("info", "console", timed=False)
    gc.set_threshold(limits.OBJECTS_BETWEEN_COLLECTIONS, limits.COLLECTIONS_OF_NEW_OBJECTS)
    with standard_output_restored(), logs.python_messages_logged(), _recognised_interrupts():
        status = _status()
    # a second ctrl-c at the very end shows no traceback
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def _recognised_interrupts() -> Iterator[None]:
    """Handle ctrl-c with a handler of our own, so that a plugin that raises KeyboardInterrupt is not mistaken for it.

    SIGTERM is handled likewise: what a command started or wrote for itself goes with it.
    """

    def interrupt(number: int, _: object) -> None:
        raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt

    usual = (signal.default_int_handler, signal.SIG_DFL)
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: before for number, before in found.items() if before in usual}
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, before in ours.items():
            signal.signal(number, before)


def _status() -> int:
    try:
        return group.main(prog_name="dockcaddy", standalone_mode=False) or FINE
    except ReaderGone:
        return abandon(FINE)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        return TERMINATED if _Terminated in (type(error), type(error.__cause__)) else INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _failed(_usage(error), USAGE)
    except EngineUnreachable as error:
        return _failed(error.advice, UNREACHABLE)
    except CaddyUnreachable as error:
        return _failed(str(error), UNREACHABLE)
    except DockcaddyError as error:
        return _failed(str(error), USAGE)
    except Exception as error:
        message = f"this is a bug in dockcaddy: {type(error).__name__}: {error}"
        if logger.isEnabledFor(logging.DEBUG):
            logger.error(message, exc_info=True)
            return FAULT
        return _failed(f"{message} (--log-level debug shows where)", FAULT)


def _failed(message: str, status: int) -> int:
    for line in message.splitlines() or [""]:
        logger.error("%s", line, extra={"timed": False})
    # as with the program diff, 2 is a difference
    return ERROR if sys.argv[1:2] == ["diff"] and status in (USAGE, UNREACHABLE) else status


def _usage(error: click.ClickException) -> str:
    """Click's message in the style of ours, with the command that shows the help."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context is not None:
        message = f'no option "{error.option_name}"{_nearest_option(error.option_name, context.command)}'
    elif isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter) and error.param:
        message = f"{error.param.opts[0]}: {error.message.rstrip('.')}".replace("'", '"')
    else:
        message = error.format_message().rstrip(".")
        message = message[:1].lower() + message[1:]
    for clicks, ours in _IN_OUR_WORDS:
        message = clicks.sub(ours, message)
    return f"{message}; see {context.command_path} --help" if context is not None else message


def _nearest_option(name: str, command: click.Command) -> str:
    """A guess among all options, else the list of those that the help shows."""
    from dockcaddy.settings.table import guess  # noqa: PLC0415

    shown = [
        spelled
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
        for spelled in parameter.opts
        if spelled.startswith("-")
    ]
    everything = [spelled for parameter in command.params for spelled in parameter.opts]
    return guess(name, everything) or _nearest(name, shown)


def _nearest(word: str, known: Iterable[str]) -> str:
    from dockcaddy.settings.table import nearest  # noqa: PLC0415

    return nearest(word, known)
