"""What changes from one configuration to another, by site and by resource. Pure."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from attrs import evolve, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration

Kind = Literal["added", "removed", "changed"]

GLOBAL_OPTIONS = "global options"
# younger than all that runs, and still in their order
_YOUNGER = 1 << 40


@frozen
class SiteChange:
    """What changes in one site, snippet or the global options. `lines` begin with `+`, `-` or a blank."""

    site: str
    kind: Kind
    lines: tuple[str, ...]
    resources: tuple[str, ...]


@frozen
class _Site:
    lines: tuple[str, ...]
    owners: tuple[tuple[str, ...], ...]


def changes(
    before: Configuration, after: Configuration, plain: Callable[[str], str] = lambda text: text
) -> list[SiteChange]:
    """The sites that differ, in the order of the later configuration; those that are gone come last.

    `plain` makes lines comparable.
    """
    old, new = (dict(_sites(each, plain)) for each in (before, after))
    found: list[SiteChange] = []
    for name in [*new, *(each for each in old if each not in new)]:
        left, right = old.get(name, _Site((), ())), new.get(name, _Site((), ()))
        if left.lines != right.lines:
            kind: Kind = "changed" if name in old and name in new else "added" if name in new else "removed"
            found.append(SiteChange(name, kind, tuple(_lines(left, right)), tuple(sorted(_owners(left, right)))))
    return found


def in_order_of(
    fragments: Iterable[Fragment], running: Iterable[Fragment], plain: Callable[[str], str] = lambda text: text
) -> tuple[Fragment, ...]:
    """What runs, as an earlier run saved it, in the order of these fragments; what is gone comes last.

    Where both say the same it is the fragment, which knows the order of its lines among those of others.
    """
    by_key = {each.key: each for each in running}
    by_owner = {each.owner: each for each in by_key.values()}
    found: dict[str, Fragment] = {}
    for each in fragments:
        before = by_key.get(each.key) or by_owner.get(each.owner)
        if before is not None and before.key not in found:
            found[before.key] = each if plain(before.content) == plain(each.content) else before
    return (*found.values(), *(each for key, each in by_key.items() if key not in found))


def _sites(configuration: Configuration, plain: Callable[[str], str]) -> Iterator[tuple[str, _Site]]:
    place = 0
    for section in configuration.assembly.sections:
        # only a line feed ends a line of a Caddyfile
        lines = section.text.rstrip("\n").split("\n")
        origins = configuration.lines[place : place + len(lines)]
        place += section.text.count("\n")
        name = " ".join(section.block.keys) or GLOBAL_OPTIONS
        owners = tuple(tuple(origin.resource for origin in each) for each in origins)
        yield name, _Site(tuple(plain(line).expandtabs(4) for line in lines), owners)


def _lines(old: _Site, new: _Site) -> Iterator[str]:
    compared = difflib.ndiff(old.lines, new.lines, linejunk=None, charjunk=None)
    return (f"{line[0]} {line[2:]}" for line in compared if not line.startswith("?"))


def _owners(old: _Site, new: _Site) -> set[str]:
    """The resources that made the lines that differ."""
    found: set[str] = set()
    for tag, start, end, first, last in difflib.SequenceMatcher(
        None, old.lines, new.lines, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            found.update(owner for owners in (*old.owners[start:end], *new.owners[first:last]) for owner in owners)
    return found


def names_for_addresses(fragments: Iterable[Fragment]) -> Callable[[str], str]:
    """What writes the names of resources in place of their addresses: of a project that is not up, nobody knows these."""
    names: dict[str, str] = {}
    for each in fragments:
        names |= {address: each.owner.partition(" ")[2] for address in each.addresses}
    if not names:
        return lambda text: text
    every = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    found = re.compile(rf"(?<![\w.:-])\[?({every})\]?(?![\w.-])")
    return lambda text: found.sub(lambda match: names[match[1]], text)


def with_others(running: Mapping[str, Fragment], project: str) -> Callable[[Sequence[Fragment]], Sequence[Fragment]]:
    """What adds to the fragments of a project those of everything else that runs, and keeps the ages of those that run."""
    by_owner = {each.owner: each for each in running.values()}

    def add(fragments: Sequence[Fragment]) -> Sequence[Fragment]:
        ours = {each.owner for each in fragments}
        mine = re.compile(rf"container {re.escape(project)}-|service {re.escape(project)}_")
        others = [each for each in running.values() if each.owner not in ours and not mine.match(each.owner)]
        aged = [evolve(each, seniority=_age(each, by_owner.get(each.owner))) for each in fragments]
        return (
            *(each for each in others if each.is_operators),
            *aged,
            *(each for each in others if not each.is_operators),
        )

    return add


def _age(fragment: Fragment, running: Fragment | None) -> int:
    if fragment.is_operators:
        return fragment.seniority
    return running.seniority if running is not None else _YOUNGER + fragment.seniority
