"""`dockcaddy check`."""

import difflib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import click
from attrs import evolve, frozen

from dockcaddy.cli import USAGE, result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import (
    Given,
    Source,
    inventory_option,
    log_problems,
    read_comparison,
    report_excluded,
    report_unchecked,
    source_of,
    started,
)
from dockcaddy.cli.options import settings_options
from dockcaddy.cli.problem_formats import STYLES, Located, write_problems
from dockcaddy.errors import CaddyUnreachable, ComposeFileError, SettingsError
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.unanswered import unanswered
from dockcaddy.model import Problem
from dockcaddy.run.comparison import Comparison
from dockcaddy.run.preview import Preview

logger = logging.getLogger("dockcaddy")


@click.command(cls=AsItRuns)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@inventory_option
@click.option(
    "--format",
    "style",
    type=click.Choice(STYLES),
    default="text",
    show_default=True,
    help="how problems are printed: github makes annotations, sarif is for code scanning",
)
@click.option(
    "--compare-cdp",
    "compares",
    is_flag=True,
    help="show what differs from caddy-docker-proxy and why; exit 1 if anything does",
)
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(files: tuple[str, ...], given: Given, style: str, compares: bool, **options: Any) -> int:
    """List the problems of labels. Exit 1 if one of them is an error.

    Each FILE is a Compose file, checked as a project of its own.
    """
    if compares:
        if files or style != "text":
            raise SettingsError("--compare-cdp takes neither files nor --format: name a project with --compose")
        return _compare(read_comparison(options, given))
    if files and given.is_given:
        raise SettingsError("files are projects of their own: omit them, --inventory or --compose")
    environment = started(options)
    every = [given] if not files else [evolve(given, compose=(file,)) for file in files]
    sources: list[Source] = []
    unread: list[ComposeFileError] = []
    for each in every:
        try:
            sources.append(source_of(environment, each, thorough=True))
        except ComposeFileError as error:
            unread.append(error)
    status = _check(sources, unread, style)
    return USAGE if unread else status


def _problem(error: ComposeFileError) -> Located:
    # imported with what has raised the error
    from dockcaddy.compose import Position  # noqa: PLC0415

    return Located(Problem(f"compose {error.file}", "", error.reason), Position(error.file, error.line or 1))


def _check(sources: Sequence[Source], unread: Sequence[ComposeFileError], style: str) -> int:
    checked = [_checked(each) for each in sources]
    found = [problem for each in checked for problem in each.found]
    wrong = bool(unread) or any(each.problem.severity == "error" for each in found)
    if style == "text":
        for error in unread:
            logger.error("%s", error)
        log_problems(found)
    unchecked = next((each.served.unchecked for each in checked if each.served.unchecked), "")
    if unchecked and not wrong:
        raise CaddyUnreachable(unchecked)
    for each in checked:
        report_unchecked(each.served)
        report_excluded(each.source.excluded, each.source.settings.constraint)
    if style == "text":
        result.write("" if wrong else "".join(f"{each.summary}, ok\n" for each in checked))
    else:
        summaries = (*(f"{each.file}: not read" for each in unread), *(each.summary for each in checked))
        write_problems(style, [*map(_problem, unread), *found], "; ".join(summaries))
    return 1 if wrong else 0


@frozen(eq=False)
class _Checked:
    """What became of one project, or of what the engines have."""

    source: Source
    served: Preview
    found: Sequence[Located]

    @property
    def summary(self) -> str:
        """`3 containers, 1 service, 2 sites, 1 warning`."""
        configuration = self.served.configuration
        kinds = [resource.kind for engine in self.source.inventory.engines for resource in engine.resources]
        severities = [each.problem.severity for each in self.found]
        counts = {
            "container": kinds.count("container"),
            "service": kinds.count("service"),
            "site": configuration.sites,
            "error": severities.count("error"),
            "warning": severities.count("warning"),
        }
        shown = [(name, count) for name, count in counts.items() if count or name in ("container", "site")]
        named = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in shown)
        project = self.source.read.compose
        return f"{project.project.files[0]}: {named}" if project is not None else named


def _checked(source: Source) -> _Checked:
    served = source.served()
    configuration = served.configuration
    problems = dict.fromkeys((*configuration.problems, *unanswered(configuration)))
    problems = problems or dict.fromkeys(_nothing_labelled(source, configuration))
    return _Checked(source, served, source.located(problems))


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
        compose = source.read.compose
        where = f"compose {compose.project.files[0]}" if compose is not None else "engine"
        if source.excluded:
            message = f"the constraint excludes every labelled container and service: {source.settings.constraint}"
            yield Problem(where, "", message, "warning")
            return
        prefix = source.settings.label_prefix
        consequence = "" if configuration.sites else ", so there is nothing to serve"
        message = f'no container has a label "{prefix}" or "{prefix}.x"{consequence}'
        yield Problem(where, "", message, "warning")
