"""`dockcaddy status`."""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.options import read_settings, settings_options
from dockcaddy.cli.output import results
from dockcaddy.cli.result import HEIGHT, width, write
from dockcaddy.errors import SettingsError
from dockcaddy.settings.environment_file import load_environment_file
from dockcaddy.settings.table import Settings, nearest
from dockcaddy.status.client import NotRunning, StatusClient
from dockcaddy.status.view import Documents, Style, chosen, drawn, overview

logger = logging.getLogger("dockcaddy")

_COLOURS: Mapping[Style, str] = {
    "good": "\033[32m",
    "bad": "\033[1;31m",
    "unsure": "\033[33m",
    "dim": "\033[2m",
    "bold": "\033[1m",
    "": "\033[0m",
}
_CLEAR = "\033[H\033[2J"
# seconds between two looks with --watch
INTERVAL = 1.0


@click.command(cls=AsItRuns)
@click.argument("subject", default="")
@click.option("--json", "as_json", is_flag=True, help="print JSON, as the API gives it")
@click.option("--watch", is_flag=True, help="print it again whenever it changes, until ctrl-c")
@settings_options("run", "log")
def command(subject: str, as_json: bool, watch: bool, **options: Any) -> int:
    """Show the status of all sites and containers, or of SUBJECT: a site's address, URL or host, or a container's name.

    It comes from the dockcaddy that runs here. Without one it is computed once, without asking a running Caddy.
    """
    ask = _source(options)
    shown = ""
    while True:
        try:
            text = _text(ask(), subject, as_json=as_json)
        except NotRunning as error:
            if not watch:
                raise
            text = f"{error}\n"
        if text != shown:
            write(_CLEAR + fitting(text, _height()) if watch and results().isatty() else text)
            shown = text
        if not watch:
            return 0
        time.sleep(INTERVAL)


def fitting(text: str, height: int) -> str:
    """As many lines as a window has, the first ones: what is wrong stands there."""
    lines = text.splitlines(keepends=True)
    # below the last one is the cursor
    room = max(height - 1, 1)
    return text if len(lines) <= room else f"{''.join(lines[: room - 1])}and {len(lines) - room + 1} more lines\n"


def _text(documents: Documents, subject: str, *, as_json: bool) -> str:
    sites, resources = documents.sites, documents.resources
    if subject:
        sites, named = documents.named(subject)
        resources = [*named, *(each for each in documents.left_out(sites) if each not in named)]
    if subject and not sites and not resources:
        raise SettingsError(f'no site and no resource "{subject}"{nearest(subject, documents.names())}')
    if as_json:
        problems = (
            {} if subject else {"problems": documents.problems, "caddy": documents.caddy, "engines": documents.engines}
        )
        return json.dumps({"sites": sites, "resources": resources, **problems}, indent=2, ensure_ascii=False) + "\n"
    is_terminal = results().isatty()
    colours = _COLOURS if is_terminal and not os.environ.get("NO_COLOR") else None
    now = time.time()
    rows = chosen(documents, [*sites, *resources], now) if subject else overview(documents, now)
    return drawn(rows, width() if is_terminal else 0, colours)


def _height() -> int:
    return os.get_terminal_size(results().fileno()).lines or HEIGHT


def _source(options: Mapping[str, Any]) -> Callable[[], Documents]:
    """What gives the documents: the running dockcaddy, else what is computed once."""
    client = StatusClient(settings_for(options).status_path())
    try:
        client.document("sites")
        return lambda: Documents.of(client.document)
    except NotRunning as error:
        logger.info("%s: the status is computed once", error)
    return lambda: _computed(options)


def settings_for(options: Mapping[str, Any]) -> Settings:
    """The settings of the dockcaddy that runs with these options."""
    settings = read_settings(options)
    # it may say where the folders are
    load_environment_file(settings.envfile)
    return settings


def _computed(options: Mapping[str, Any]) -> Documents:
    # slow to import, and not needed where a daemon answers
    from dockcaddy.cli.inventory import Given, read_source, report_unchecked  # noqa: PLC0415
    from dockcaddy.run.status_once import NOT_RUNNING, documents_of, status_once  # noqa: PLC0415

    source = read_source(options, Given())
    served = source.served()
    report_unchecked(served)
    return documents_of(status_once(source.settings, source.inventory, served, NOT_RUNNING))
