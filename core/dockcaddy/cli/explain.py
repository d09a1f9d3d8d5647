"""`dockcaddy explain`."""

from typing import Any

import click

from dockcaddy.cli.inventory import pipeline_and_base, read_inventory, tell
from dockcaddy.cli.options import settings_options, start
from dockcaddy.errors import SettingsError
from dockcaddy.pipeline import Configuration
from dockcaddy.settings import nearest


@click.command()
@click.argument("subject")
@click.option(
    "--inventory", "path", default="", metavar="FILE", help="a snapshot instead of the engine, - for standard input"
)
@settings_options
def command(subject: str, path: str, **options: Any) -> int:
    """Which resource and label made which line of SUBJECT, a site's address or a resource's name."""
    environment = start(options)
    pipeline, base = pipeline_and_base(environment)
    configuration = pipeline.build(read_inventory(environment, path), base)
    chosen = _chosen(configuration, subject)
    if not chosen:
        raise SettingsError(f'no site and no resource "{subject}"{nearest(subject, _known(configuration))}')
    lines = configuration.text.split("\n")
    width = max(len(lines[number].expandtabs(4)) for number in chosen)
    for number in chosen:
        told = ", ".join(f"{origin.resource} {origin.label}".strip() for origin in configuration.lines[number])
        click.echo(f"{lines[number].expandtabs(4):<{width}}  # {told}")
    tell(tuple(problem for problem in configuration.problems if problem.resource.endswith(f" {subject}")))
    return 0


def _chosen(configuration: Configuration, subject: str) -> list[int]:
    """The numbers of the lines of the site, or of those that the resource made."""
    found: list[int] = []
    inside = False
    for number, (line, origins) in enumerate(zip(configuration.text.split("\n"), configuration.lines, strict=False)):
        if not line.startswith(("\t", "}")):
            inside = subject in line.replace(",", " ").split()
        if inside or any(subject in (origin.resource, origin.resource.partition(" ")[2]) for origin in origins):
            found.append(number)
    return found


def _known(configuration: Configuration) -> list[str]:
    names = {origin.resource.partition(" ")[2] for origins in configuration.lines for origin in origins}
    return [
        *names,
        *(word for line in configuration.text.split("\n") if line[:1] not in "\t}" for word in line.split()),
    ]
