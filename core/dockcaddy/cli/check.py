"""`dockcaddy check`."""

import difflib
from collections.abc import Iterator
from typing import Any

import click

from dockcaddy.cli import result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import (
    Given,
    Source,
    inventory_option,
    read_comparison,
    read_source,
    report,
    report_excluded,
)
from dockcaddy.cli.options import settings_options
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.unanswered import unanswered
from dockcaddy.model import Inventory, Problem
from dockcaddy.run.comparison import Comparison


@click.command(cls=AsItRuns)
@inventory_option
@click.option(
    "--compare-cdp",
    "compares",
    is_flag=True,
    help="show what differs from caddy-docker-proxy and why; exit 1 if anything does",
)
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(given: Given, compares: bool, **options: Any) -> int:
    """List the problems of labels. Exit 1 if one of them is an error."""
    if compares:
        return _compare(read_comparison(options, given))
    source = read_source(options, given, thorough=True)
    found = source.served()
    problems = dict.fromkeys((*found.configuration.problems, *unanswered(found.configuration)))
    problems = problems or dict.fromkeys(_nothing_labelled(source, found.configuration))
    wrong = report(problems, source.read)
    if found.unchecked and not wrong:
        raise CaddyUnreachable(found.unchecked)
    found.warn()
    report_excluded(source.excluded, source.settings.constraint)
    if not wrong:
        result.write(f"{_counted(source.inventory, found.configuration, len(problems))}, ok\n")
    return 1 if wrong else 0


def _compare(comparison: Comparison) -> int:
    """Print what differs from caddy-docker-proxy, each with both texts and the reasons."""
    differences = comparison.differences()
    for each in differences:
        lines = list(difflib.unified_diff(each.peer.splitlines(), each.ours.splitlines(), lineterm="", n=1))
        # the first three lines are a header, `@@` begins each further part
        changed = [f"    {'...' if line.startswith('@@') else line}\n" for line in lines[3:]]
        result.write("".join([f"{each.subject}\n", *changed, *(f"  {reason}\n" for reason in each.reasons)]))
    count = len(differences)
    plural = "" if count == 1 else "s"
    legend = f"{count} difference{plural}: - is caddy-docker-proxy, + is dockcaddy"
    result.write(f"{legend if count else 'no difference'}\n")
    return 1 if differences else 0


def _nothing_labelled(source: Source, configuration: Configuration) -> Iterator[Problem]:
    if not any(engine.resources or engine.configs for engine in source.inventory.engines):
        if source.excluded:
            message = f"the constraint excludes every labelled container and service: {source.settings.constraint}"
            yield Problem("engine", "", message, "warning")
            return
        prefix = source.settings.label_prefix
        consequence = "" if configuration.sites else ", so there is nothing to serve"
        message = f'no container has a label "{prefix}" or "{prefix}.x"{consequence}'
        yield Problem("engine", "", message, "warning")


def _counted(inventory: Inventory, configuration: Configuration, warnings: int) -> str:
    """`3 containers, 1 service, 2 sites, 1 warning`."""
    kinds = [resource.kind for engine in inventory.engines for resource in engine.resources]
    counts = {
        "container": kinds.count("container"),
        "service": kinds.count("service"),
        "site": configuration.sites,
        "warning": warnings,
    }
    shown = [(name, count) for name, count in counts.items() if count or name in ("container", "site")]
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in shown)
