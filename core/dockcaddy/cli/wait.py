"""`dockcaddy wait`."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from dockcaddy.caddy.upstreams import REFUSED, REFUSES, connection_trouble, dial_of
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.options import settings_options
from dockcaddy.cli.progress import waiting_for
from dockcaddy.cli.result import write
from dockcaddy.cli.status import settings_for
from dockcaddy.errors import SettingsError
from dockcaddy.settings.table import guess
from dockcaddy.settings.values import parse_seconds
from dockcaddy.status.client import NotRunning, StatusClient
from dockcaddy.status.view import Document, Documents, is_met, is_unknown, owner, placed, spelled, why

logger = logging.getLogger("dockcaddy")

NOT_READY = 1
# seconds between two looks
INTERVAL = 0.25


@click.command(cls=AsItRuns)
@click.argument("subject")
@click.option("--timeout", default="60s", metavar="DURATION", help="how long to wait  [default: 60s]")
@settings_options("run", "log")
def command(subject: str, timeout: str, **options: Any) -> int:
    """Wait until SUBJECT is ready: a site's address, URL or host, or a container's name.

    Exit 0 once Caddy has it and an upstream is healthy, or takes connections where nothing checks its health; 1 with the reason if
    that takes too long. A container that is left out of a site that is ready is only reported: name it, to wait for it. For deploy scripts and
    CI.
    """
    try:
        patience = parse_seconds(timeout)
    except ValueError as error:
        raise SettingsError(f"--timeout {timeout}: {error}") from None
    settings = settings_for(options)
    client = StatusClient(settings.status_path())
    # one that hangs is not waited for longer either
    client.patience = max(min(client.patience, patience), INTERVAL)
    # another caddy may reach what cannot be reached from here
    is_own = not settings.running_caddy and not settings.has_servers
    with waiting_for(f"waiting until {subject} is ready"):
        reason = waited(lambda: look(client, subject, connects=is_own), patience, time.monotonic, time.sleep)
    if reason:
        logger.error("%s: not ready after %s: %s", subject, f"{patience:g} s", reason)
        return NOT_READY
    for each in reservations(client, subject):
        logger.warning("%s", each)
    write(f"{subject} is ready\n")
    return 0


def waited(look: Callable[[], str], patience: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> str:
    """Look again and again until there is no reason against it any more. Returns the last reason, `""` for none."""
    deadline = clock() + patience
    while True:
        reason = look()
        if not reason or clock() >= deadline:
            return reason
        sleep(INTERVAL)


def look(client: StatusClient, subject: str, *, connects: bool = False) -> str:
    """Why the subject is not ready, `""` if it is. With `connects`, it also tries to connect to the upstreams."""
    try:
        documents = Documents.of(client.document)
    except NotRunning as error:
        return str(error)
    sites, resources = documents.named(subject)
    if not sites and not resources:
        missing = f"there is no such site and no such container{guess(subject, documents.names())}"
        return "; ".join([missing, *documents.silent()])
    first = next((each for each in [*sites, *resources] if not is_met(each)), None)
    if first is None:
        return refusal(documents, sites, resources) if connects else ""
    reason = why(first)
    # what is not known is so because of these
    silent = documents.silent() if is_unknown(first) else []
    return "; ".join([reason, *(each for each in silent if each not in reason)])


def refusal(documents: Documents, sites: Sequence[Document], resources: Sequence[Document]) -> str:
    """Why nothing answers at any upstream of a site, or at any of a container; `""` where something does."""
    for upstreams in documents.upstreams(sites, resources):
        if upstreams and all(connection_trouble(dial_of(each["address"])) == REFUSED for each in upstreams):
            return f"{REFUSED}: {placed(upstreams[0])} {REFUSES}"
    return ""


def reservations(client: StatusClient, subject: str) -> list[str]:
    """What is wrong although the subject is ready: resources whose labels a site is served without, and warnings."""
    try:
        documents = Documents.of(client.document)
    except NotRunning:
        return []
    sites, resources = documents.named(subject)
    left_out = [f"{subject}: without {owner(each)}: {why(each)}" for each in documents.left_out(sites)]
    return [*left_out, *map(spelled, documents.further_problems([*sites, *resources]))]
