"""The command line. Nothing imports it; each command is a module that is imported only when it is called."""

import importlib
import logging
import os
import sys
import traceback
from typing import Any

import click

from dockcaddy import __version__
from dockcaddy.errors import CaddyUnreachable, DockcaddyError, EngineUnreachable

COMMANDS = {
    "run": "watch Docker and keep Caddy configured",
    "render": "print the configuration once",
    "check": "lint labels; exit 1 and a list when something is wrong",
    "explain": "which resource and label made which line",
    "functions": "the template functions, their plugin and help",
    "plugins": "what is loaded, from where, what it contributes",
    "snapshot": "the inventory as JSON, for bug reports and offline render",
    "demo": "a tour without any container of your own",
}


class _LazyGroup(click.Group):
    """Imports a command's module only when the command is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"dockcaddy.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="dockcaddy %(version)s")
def group() -> None:
    """Labels on Docker containers become a live Caddy configuration."""


def main() -> Any:
    """The script's entry point. Exit status: 0 fine, 1 labels, 2 usage or settings, 3 engine or Caddy unreachable."""
    try:
        sys.exit(group(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Abort:
        sys.exit(130)
    except (EngineUnreachable, CaddyUnreachable) as error:
        _tell(str(error), 3)
    except DockcaddyError as error:
        _tell(str(error), 2)
    except BrokenPipeError:
        # whoever reads has gone; nothing more may be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if logging.getLogger("dockcaddy").isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        _tell(f"this is a fault of dockcaddy: {type(error).__name__}: {error} (--log-level debug shows more)", 70)


def _tell(message: str, status: int) -> None:
    for line in message.splitlines() or [""]:
        click.echo(f"error: {line}", err=True)
    sys.exit(status)
