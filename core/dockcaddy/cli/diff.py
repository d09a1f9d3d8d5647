"""`dockcaddy diff`."""

import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import attrs
import click

from dockcaddy.cli import result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import Given, Source, inventory_option, read_source, report_unchecked
from dockcaddy.cli.options import settings_options
from dockcaddy.cli.output import results
from dockcaddy.cli.running_options import with_those_running
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.reconcile.last_good import LastGood, Remembered
from dockcaddy.run.difference import SiteChange, changes, in_order_of, names_for_addresses, with_others
from dockcaddy.status.client import NotRunning, StatusClient

logger = logging.getLogger("dockcaddy")

SAME, DIFFERS = 0, 2
_COLOURS = {"+": "green", "-": "red"}


@click.command(cls=AsItRuns)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@inventory_option
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(as_json: bool, given: Given, **options: Any) -> int:
    """Show what would change in the running configuration, by site and container.

    It is compared with what Caddy accepted last, which is in the state directory of the running dockcaddy. The options that
    are not given are those of that dockcaddy. Exit 0 if nothing would change, 2 if something would, 1 if that cannot be found
    out. Errors of labels are only reported.
    """
    try:
        options = with_those_running(options)
    except CaddyUnreachable as error:
        logger.info("%s: compared with what caddy accepted last", error)
    source = read_source(options, given)
    running = _running(source)
    _warn_of_silence(source)
    others = with_others(running.fragments, source.read.compose.project.name) if source.read.compose else None
    served = source.served(others or tuple)
    fragments, remembered = served.fragments, running.fragments.values()
    # only what is not up has names for addresses
    plain = names_for_addresses((*remembered, *fragments)) if source.read.compose else str
    before = source.pipeline.configuration(in_order_of(fragments, remembered, plain))
    found = changes(before, served.configuration, plain)
    if as_json:
        result.write(
            json.dumps({"same": not found, "changes": [attrs.asdict(each) for each in found]}, indent=2) + "\n"
        )
    else:
        _print(found)
    source.report(served.configuration.problems)
    report_unchecked(served)
    return DIFFERS if found else SAME


def _warn_of_silence(source: Source) -> None:
    """Log a warning if the running dockcaddy reaches no Caddy."""
    with suppress(NotRunning):
        caddy = StatusClient(source.settings.status_path()).document("problems")["caddy"]
        if not caddy["up"]:
            logger.warning("%s: compared with what it accepted last", caddy["message"])


def _running(source: Source) -> Remembered:
    """What Caddy accepted last. Raises SettingsError where nothing was kept."""
    path = source.settings.state_path() / "last-good.db"
    if not path.is_file():
        raise SettingsError(
            f"{path}: not there, so nothing is known of a running dockcaddy: name its --state-directory"
        )
    if not os.access(path, os.R_OK):
        raise SettingsError(f"{path}: cannot be read: run this as the user of the running dockcaddy")
    return LastGood(path).read_only()


def _print(found: Sequence[SiteChange]) -> None:
    coloured = results().isatty() and not os.environ.get("NO_COLOR")
    for each in found:
        owners = f"  # {', '.join(each.resources)}" if each.resources else ""
        heading = f"{each.kind} {each.site}{owners}"
        result.write((click.style(heading, bold=True) if coloured else heading) + "\n")
        for line in each.lines:
            colour = _COLOURS.get(line[0]) if coloured else None
            result.write(f"  {click.style(line, fg=colour) if colour else line}\n")
    kinds = [each.kind for each in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    result.write(f"{counts}\n" if found else "no difference\n")
