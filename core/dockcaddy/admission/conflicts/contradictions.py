"""What can be said once of a site, of a snippet or globally: of two that say it differently the older is heard."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from attrs import evolve, frozen

from dockcaddy.admission.conflicts.access import doors
from dockcaddy.admission.conflicts.conflict import Conflict, Member, conflict_between, label_of, text_of
from dockcaddy.caddyfile import PROXIES, SUBROUTES, Block, matcher, merge_key

_FIELDS = frozenset(("header_up", "header_down"))
# of a site: from where it is served, and with which certificate
_OF_SITES = frozenset(("root", "fs", "tls"))
_HOLDING = SUBROUTES | {"handle_errors"}
# sub-options and global options of which there may be several
_REPEATED = frozenset(("to", "handle_response", "replace_status", "import", "order", "env", "trusted_proxies", "log"))
# global blocks that have a name also where none is written, so that of two spellings Caddy hears the last
_UNNAMED = {"ca": "local", "log": "default"}


@frozen
class _Claim:
    """One thing that can be said once: where and what, and how it is said."""

    place: Hashable
    what: str
    said: str
    label: str


# what is held of each thing: how it is said, and who was the first to say it so
_Held = dict[tuple[Hashable, str], dict[str, tuple[Member, _Claim]]]


def contradictions(members: Sequence[Member]) -> Iterator[Conflict]:
    """Where newer members of a group, from the oldest on, say otherwise what can be said once."""
    held: _Held = {}
    of_all_servers: Member | None = None
    for member in members:
        if harm := _shutting_out(member, members[0]) or _hiding(member, of_all_servers):
            yield harm
            continue
        claims = [claim for block in member.blocks for claim in _claims(block)]
        found = ((each, _contradicted(each, held) or _hidden(each, held)) for each in claims)
        wrong, contradicted = next(((each, theirs) for each, theirs in found if theirs), (None, None))
        if wrong is not None and contradicted is not None:
            older, theirs = contradicted
            what = f"{wrong.what} is something else in"
            yield conflict_between(member.fragment, what, older.fragment, label=wrong.label, their_label=theirs.label)
            continue
        for claim in claims:
            held.setdefault((claim.place, claim.what), {}).setdefault(claim.said, (member, claim))
        if of_all_servers is None and any(len(line.keys) == 1 for line in _servers(member)):
            of_all_servers = member


def _shutting_out(member: Member, oldest: Member) -> Conflict | None:
    """A newer one by which visitors would not reach the site any more: other listeners, conditions of connections."""
    theirs = {text_of(line) for line in doors(oldest)}
    added = next((line for line in doors(member) if text_of(line) not in theirs), None)
    if added is None:
        return None
    what = f"{added.keys[0]} would shut out the visitors of"
    return conflict_between(member.fragment, what, oldest.fragment, label=label_of(added))


def _hiding(member: Member, older: Member | None) -> Conflict | None:
    """A newer one's options of one listener: Caddy would take them in place of an older one's of all servers."""
    own = next((line for line in _servers(member) if len(line.keys) > 1), None)
    if own is None or older is None:
        return None
    what = f"{' '.join(own.keys)} would hide what holds for all servers in"
    return conflict_between(member.fragment, what, older.fragment, label=label_of(own))


def _servers(member: Member) -> Iterator[Block]:
    options = (line for block in member.blocks if not block.keys for line in block.children)
    return (line for line in options if line.keys[:1] == ("servers",))


def _contradicted(claim: _Claim, held: _Held) -> tuple[Member, _Claim] | None:
    """The first who says otherwise what nobody says so."""
    before = held.get((claim.place, claim.what), {})
    return next(iter(before.values()), None) if claim.said not in before else None


def _hidden(claim: _Claim, held: _Held) -> tuple[Member, _Claim] | None:
    """Who has a matcher of that name further outside, and the block that it would mean something else in from now on."""
    place = claim.place
    if not claim.what.startswith("@") or not isinstance(place, tuple) or (place, claim.what) in held:
        return None
    for length in range(len(place)):
        found = _contradicted(evolve(claim, place=place[:length]), held)
        if found is not None and any(_has_block(block, place) for block in found[0].blocks):
            return found
    return None


def _has_block(block: Block, path: tuple[Hashable, ...]) -> bool:
    inside = [child for child in block.children if path and child.keys and merge_key(child.keys) == path[0]]
    return not path or any(_has_block(child, path[1:]) for child in inside)


def _claims(block: Block) -> Iterator[_Claim]:
    if block.keys and block.keys[0].startswith(("(", "&(")):
        yield _claim((), block.keys[0], block)
        return
    if block.keys:
        yield from _claims_of_directives(block.children, ())
    yield from _claims_within(block, (), once=not block.keys)


def _claims_of_directives(children: Iterable[Block], path: tuple[Hashable, ...]) -> Iterator[_Claim]:
    for child in children:
        if not child.keys:
            continue
        if child.keys[0] in _OF_SITES and len(child.keys) > 1:
            yield _Claim((path, matcher(child) or "*"), child.keys[0], " ".join(child.keys), label_of(child))
        elif child.keys[0] in _HOLDING:
            yield from _claims_of_directives(child.children, (*path, child.keys))


def _claims_within(block: Block, path: tuple[Hashable, ...], *, once: bool) -> Iterator[_Claim]:
    """The claims of a block's children; `once` tells that each of its options may be there once."""
    for child in block.children:
        if not child.keys:
            continue
        name = child.keys[0]
        if name.startswith("@"):
            yield _claim(path, name, child)
            continue
        if once and name in _UNNAMED and child.children:
            named = child.keys[1] if len(child.keys) > 1 else _UNNAMED[name]
            yield _Claim(path, f"{name} {named}", " ".join(child.keys), label_of(child))
        if once and (_are_trusted(child, path) or (name not in _REPEATED and not child.children)):
            yield _option(path, child)
        here = (*path, merge_key(child.keys))
        yield from _claims_within(child, here, once=once or name in PROXIES)


def _are_trusted(child: Block, path: tuple[Hashable, ...]) -> bool:
    """Whether it is the source of ranges that servers have one of; a proxy's own add up."""
    above = path[-1] if path else ()
    return child.keys[0] == "trusted_proxies" and isinstance(above, tuple) and above[:1] == ("servers",)


def _option(path: tuple[Hashable, ...], child: Block) -> _Claim:
    name = child.keys[0]
    if name in _FIELDS and len(child.keys) > 1:
        # fields that are added or removed do not contradict each other
        return _claim(path, " ".join(child.keys[: 3 if child.keys[1].startswith(("+", "-")) else 2]), child)
    return _claim(path, name, child)


def _claim(place: Hashable, what: str, block: Block) -> _Claim:
    return _Claim(place, what, text_of(block), label_of(block))
