"""What two resources cannot both have: the older keeps it, the newer is told whom it clashes with. Pure."""

from collections.abc import Hashable, Iterable, Iterator

from attrs import frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block
from dockcaddy.model import Problem
from dockcaddy.rendering import Fragment

_PROXYING = frozenset(("reverse_proxy", "php_fastcgi"))
_FIELDS = frozenset(("header_up", "header_down"))
# sub-options and global options of which there may be several
_REPEATED = frozenset(("to", "handle_response", "replace_status", "import", "order", "env", "trusted_proxies", "log"))


@frozen
class Clash:
    """`fragment` (a key) says something that an older one says otherwise."""

    fragment: str
    problem: Problem


@frozen
class _Claim:
    """One thing that can be said once: where and what, and how it is said."""

    place: Hashable
    what: str
    said: str
    label: str


def clashes(members: Iterable[tuple[Fragment, tuple[Block, ...]]]) -> tuple[Clash, ...]:
    """The clashes among the fragments of one group, each with its blocks there."""
    held: dict[tuple[Hashable, str], tuple[str, Fragment, _Claim]] = {}
    found = []
    for fragment, blocks in sorted(members, key=lambda member: member[0].seniority):
        claims = [claim for block in blocks for claim in _claims(block)]
        wrong = next((each for each in claims if _contradicts(each, held.get((each.place, each.what)))), None)
        if wrong is not None:
            older, theirs = held[wrong.place, wrong.what][1:]
            found.append(Clash(fragment.key, _problem(fragment, wrong, older, theirs)))
            continue
        for claim in claims:
            held.setdefault((claim.place, claim.what), (claim.said, fragment, claim))
    return tuple(found)


def _contradicts(claim: _Claim, held: tuple[str, Fragment, _Claim] | None) -> bool:
    return held is not None and held[0] != claim.said


def _problem(fragment: Fragment, claim: _Claim, older: Fragment, theirs: _Claim) -> Problem:
    where = f" (label {theirs.label})" if theirs.label else ""
    return Problem(
        fragment.owner,
        claim.label,
        f"{claim.what} is something else in {older.owner}{where}, which is older and keeps it",
    )


def _claims(block: Block) -> Iterator[_Claim]:
    if block.keys and block.keys[0].startswith(("(", "&(")):
        yield _claim((), block.keys[0], block)
        return
    yield from _claims_within(block, (), once=not block.keys)


def _claims_within(block: Block, path: tuple[Hashable, ...], *, once: bool) -> Iterator[_Claim]:
    """The claims of a block's children; `once` tells that each of its options may be there once."""
    for child in block.children:
        if not child.keys:
            continue
        name = child.keys[0]
        if name.startswith("@"):
            yield _claim(path, name, child)
            continue
        if once and name not in _REPEATED and not child.children:
            yield _option(path, child)
        here = (*path, _joined_by(child))
        yield from _claims_within(child, here, once=once or name in _PROXYING)


def _joined_by(child: Block) -> Hashable:
    name = child.keys[0]
    if name not in _PROXYING:
        return child.keys
    matcher = child.keys[1] if len(child.keys) > 1 and child.keys[1].startswith(("*", "/", "@")) else "*"
    return name, matcher


def _option(path: tuple[Hashable, ...], child: Block) -> _Claim:
    name = child.keys[0]
    if name in _FIELDS and len(child.keys) > 1:
        # fields that are added or removed do not contradict each other
        return _claim(path, " ".join(child.keys[: 3 if child.keys[1].startswith(("+", "-")) else 2]), child)
    return _claim(path, name, child)


def _claim(place: Hashable, what: str, block: Block) -> _Claim:
    said = caddyfile.write(caddyfile.sort((Block((), (block,)),)))
    return _Claim(place, what, said, block.origins[0].label if block.origins else "")
