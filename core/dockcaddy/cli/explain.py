"""`dockcaddy explain`."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from dockcaddy.caddyfile import SiteAddress, has_tls
from dockcaddy.cli import result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import Given, Read, inventory_option, read_source, report_excluded, report_unchecked
from dockcaddy.cli.options import settings_options
from dockcaddy.errors import SettingsError
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Unserved
from dockcaddy.settings import limits
from dockcaddy.settings.table import nearest
from dockcaddy.status.resources import unserved_conditions

logger = logging.getLogger("dockcaddy")


@click.command(cls=AsItRuns)
@click.argument("subject")
@inventory_option
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(subject: str, given: Given, **options: Any) -> int:
    """Show which resource and label made each line of SUBJECT, a site's address, URL or host, or a resource's name."""
    source = read_source(options, given)
    if excluded := [name for name in source.excluded if _is(name, subject)]:
        report_excluded(excluded, source.settings.constraint)
        return 0
    # includes fragments that are left out, so that these can be explained too
    merged = source.merged()
    unserved = [each for engine in source.inventory.engines for each in engine.unserved]
    without_site = [each for each in unserved if _is(f"{each.kind} {each.name}", subject) or _has_site(each, subject)]
    if without_site and not set(_lines_of_site(merged, subject)):
        for each in without_site:
            accepted, _, _ = unserved_conditions(each, source.settings.label_prefix)
            logger.warning("%s %s: %s", each.kind, each.name, accepted.message)
        return 0
    concerned = _concerned(merged, source.inventory, subject)
    found = source.served()
    configuration = found.configuration
    chosen = sorted({*_lines_of_site(configuration, subject), *_lines_of_resource(configuration, subject)})
    if chosen:
        result.write_table(("line", "made by"), _explained(configuration, chosen, source.read), gap="  # ")
    else:
        named = sorted(name for name in concerned if _is(name, subject))
        reason = _reason(source.inventory, named)
        logger.warning("%s: not in the configuration%s", ", ".join(named) or subject, reason)
    source.report(problem for problem in configuration.problems if problem.resource in concerned)
    report_unchecked(found)
    return 0


def _concerned(merged: Configuration, inventory: Inventory, subject: str) -> set[str]:
    """The names of the resources that the subject is about. Raises SettingsError if there is no such site or resource."""
    resources = _resources(merged, inventory)
    lines = {*_lines_of_site(merged, subject), *_lines_of_resource(merged, subject)}
    concerned = {origin.resource for number in lines for origin in merged.lines[number]}
    concerned |= {name for name in resources if _is(name, subject)}
    if not concerned:
        known = [*(address for address, _, _ in _sites(merged)), *_short(resources)]
        raise SettingsError(f'no site and no resource "{subject}"{_meant(subject, known)}')
    return concerned


def _meant(subject: str, known: Sequence[str]) -> str:
    """The names that have the subject as a part, as those of Compose's containers and sites do, else similar ones."""
    part = re.compile(rf"(?:^|[-_./]){re.escape(subject)}(?:[-_.:/]|$)", re.IGNORECASE)
    if found := [f'"{name}"' for name in dict.fromkeys(known) if part.search(name)]:
        more = len(found) - limits.MAX_EXAMPLES
        return f", did you mean {' or '.join(found[: limits.MAX_EXAMPLES])}" + (f" or {more} more" if more > 0 else "")
    return nearest(subject, known)


def _reason(inventory: Inventory, named: Iterable[str]) -> str:
    """Why these resources made no line although nothing is wrong with them, `""` if that is not known."""
    pages = {str(each) for engine in inventory.engines for each in engine.resources if each.shows_page}
    if pages.isdisjoint(named):
        return ""
    return ": it has stopped, and its page is only for addresses that nothing that runs serves (caddy_when_stopped)"


def _is(resource: str, subject: str) -> bool:
    """Whether the subject, `container web-1` or `web-1`, is the resource `container web-1`."""
    return subject in (resource, *_short([resource]))


def _has_site(unserved: Unserved, subject: str) -> bool:
    return any(_is_site(each, each, subject) for each in unserved.sites)


def _is_site(address: str, url: str, subject: str) -> bool:
    """Whether the subject is the site at an address: the address itself, its URL, or its host."""
    wanted = {subject.lower(), subject.lower().removesuffix("/")}
    return not wanted.isdisjoint((address.lower(), url.lower(), SiteAddress.parse(address.lower()).host))


def _short(resources: Iterable[str]) -> Iterator[str]:
    return (resource.partition(" ")[2] for resource in resources)


def _resources(configuration: Configuration, inventory: Inventory) -> list[str]:
    """The names of all resources and other sources."""
    named = {str(resource): None for engine in inventory.engines for resource in engine.resources}
    named |= {origin.resource: None for origins in configuration.lines for origin in origins}
    named |= {problem.resource: None for problem in configuration.problems}
    return list(named)


def _sites(configuration: Configuration) -> Iterator[tuple[str, str, range]]:
    """Each address, snippet or named route with its URL and its lines."""
    start, ports = 0, configuration.assembly.listen_ports
    for section in configuration.assembly.sections:
        lines = range(start, start + section.text.count("\n"))
        start = lines.stop
        for key in section.block.keys:
            address = key.rstrip(",")
            yield address, ports.url(address, has_tls=has_tls(section.block)), lines


def _lines_of_site(configuration: Configuration, subject: str) -> Iterator[int]:
    last = len(configuration.lines)
    for address, url, lines in _sites(configuration):
        if _is_site(address, url, subject):
            yield from range(lines.start, min(lines.stop, last))


def _lines_of_resource(configuration: Configuration, subject: str) -> Iterator[int]:
    for number, origins in enumerate(configuration.lines):
        if any(_is(origin.resource, subject) for origin in origins):
            yield number


def _explained(configuration: Configuration, chosen: Iterable[int], read: Read) -> list[tuple[str, str]]:
    """Each line with the resources and labels that made it, and the places of these in Compose files."""
    # only a line feed ends a line of a Caddyfile
    text = configuration.text.split("\n")
    return [(text[number].expandtabs(4), ", ".join(map(read.named, configuration.lines[number]))) for number in chosen]
