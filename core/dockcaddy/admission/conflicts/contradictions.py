"""Contradictions: settings that a site, a snippet or the global options can have once, and two resources set differently."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from attrs import evolve, frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Member, label_of
from dockcaddy.caddyfile import PROXIES, SUBROUTES, Block, is_site, matcher, merge, merge_key, sort, write

_HEADER_OPTIONS = frozenset(("header_up", "header_down"))
# directives that a site has once for the same requests
_SITE_SETTINGS = frozenset(("root", "fs", "tls"))
_NESTING = SUBROUTES | {"handle_errors"}
# options that may be repeated
_REPEATED = frozenset(("to", "handle_response", "replace_status", "import", "order", "env", "trusted_proxies", "log"))
# global blocks with a default name; of two spellings Caddy takes the last
_DEFAULT_NAMES = {"ca": "local", "log": "default"}


@frozen
class _Setting:
    """One thing that can be set once: the path of the blocks that it stands in, its name and value, and its line."""

    place: Hashable
    name: str
    value: str
    line: Block


# by place and name: each value with the first member that set it
_Known = dict[tuple[Hashable, str], dict[str, tuple[Member, _Setting]]]


def contradictions(members: Sequence[Member]) -> Iterator[Conflict]:
    """A conflict for each newer member of a group that contradicts an older one. `members` begin with the oldest."""
    if sum(len(each.blocks) for each in members) < 2:
        # as nearly all sites are
        return
    known: _Known = {}
    of_all_servers: Member | None = None
    for member in members:
        settings = [setting for block in member.blocks for setting in _settings(block)]
        if conflict := (
            _written_otherwise(member, members[0])
            or _of_options(member, members[0], of_all_servers)
            or _differing(member, settings, known)
        ):
            yield conflict
            continue
        for setting in settings:
            known.setdefault((setting.place, setting.name), {}).setdefault(setting.value, (member, setting))
        if of_all_servers is None and any(len(line.keys) == 1 for line in _options(member, "servers")):
            of_all_servers = member


def _differing(member: Member, settings: Iterable[_Setting], known: _Known) -> Conflict | None:
    """A conflict for the first setting that an older member has set to another value."""
    for each in settings:
        if other := _other_value(each, known) or _outer_matcher(each, known):
            older, theirs = other
            what = f"{each.name} differs from that of"
            return member.conflict(what, older, label_of(each.line), their_label=label_of(theirs.line))
    return None


def _written_otherwise(member: Member, oldest: Member) -> Conflict | None:
    """A conflict where blocks are not merged, because an operator wrote the same address in another way."""
    blocks = (*oldest.blocks[:1], *member.blocks)
    if not is_site(blocks[0]) or len(merge(blocks)) == 1:
        return None
    return member.conflict("its address is already served by", oldest)


def _of_options(member: Member, oldest: Member, of_all_servers: Member | None) -> Conflict | None:
    """A conflict where a newer member's global options would change those of others in a way that settings do not show."""
    imported = next(_options(member, "import"), None)
    if imported is not None and member is not oldest:
        return member.conflict("import may change the global options of", oldest, label_of(imported))
    # with options for one server, Caddy ignores an older one's for all servers there
    own = next((line for line in _options(member, "servers") if len(line.keys) > 1), None)
    if own is None or of_all_servers is None:
        return None
    what = f"{' '.join(own.keys)} would override the options for all servers of"
    return member.conflict(what, of_all_servers, label_of(own))


def _options(member: Member, name: str) -> Iterator[Block]:
    options = (line for block in member.blocks if not block.keys for line in block.children)
    return (line for line in options if line.keys[:1] == (name,))


def _other_value(setting: _Setting, known: _Known) -> tuple[Member, _Setting] | None:
    """The first member that set another value; None where one has set this value before."""
    before = known.get((setting.place, setting.name), {})
    return next(iter(before.values()), None) if setting.value not in before else None


def _outer_matcher(setting: _Setting, known: _Known) -> tuple[Member, _Setting] | None:
    """The member with another matcher of that name in an outer block, if it also has the block that this one is in."""
    place = setting.place
    if not setting.name.startswith("@") or not isinstance(place, tuple) or (place, setting.name) in known:
        return None
    for length in range(len(place)):
        found = _other_value(evolve(setting, place=place[:length]), known)
        if found is not None and any(_has_block(block, place) for block in found[0].blocks):
            return found
    return None


def _has_block(block: Block, path: tuple[Hashable, ...]) -> bool:
    inside = [child for child in block.children if path and child.keys and merge_key(child.keys) == path[0]]
    return not path or any(_has_block(child, path[1:]) for child in inside)


def _settings(block: Block) -> Iterator[_Setting]:
    if block.is_definition:
        yield _setting((), block.keys[0], block)
        return
    if block.keys:
        yield from _directive_settings(block.children, ())
    yield from _option_settings(block, (), once=not block.keys)


def _directive_settings(children: Iterable[Block], path: tuple[Hashable, ...]) -> Iterator[_Setting]:
    for child in children:
        if not child.keys:
            continue
        if child.keys[0] in _SITE_SETTINGS and len(child.keys) > 1:
            yield _Setting((path, matcher(child) or "*"), child.keys[0], " ".join(child.keys), child)
        elif child.keys[0] in _NESTING:
            yield from _directive_settings(child.children, (*path, child.keys))


def _option_settings(block: Block, path: tuple[Hashable, ...], *, once: bool) -> Iterator[_Setting]:
    """The settings of a block's children; with `once` each of its options may be set once."""
    for child in block.children:
        if not child.keys:
            continue
        name = child.keys[0]
        if name.startswith("@"):
            yield _setting(path, name, child)
            continue
        if once and name in _DEFAULT_NAMES and child.children:
            named = child.keys[1] if len(child.keys) > 1 else _DEFAULT_NAMES[name]
            yield _Setting(path, f"{name} {named}", " ".join(child.keys), child)
        if once and (_is_trusted_source(child, path) or (name not in _REPEATED and not child.children)):
            yield _option(path, child)
        here = (*path, merge_key(child.keys))
        yield from _option_settings(child, here, once=once or name in PROXIES)


def _is_trusted_source(child: Block, path: tuple[Hashable, ...]) -> bool:
    """Whether it is the `trusted_proxies` of a server, which has one source of ranges. Those of a proxy add up."""
    above = path[-1] if path else ()
    return child.keys[0] == "trusted_proxies" and isinstance(above, tuple) and above[:1] == ("servers",)


def _option(path: tuple[Hashable, ...], child: Block) -> _Setting:
    name = child.keys[0]
    if name in _HEADER_OPTIONS and len(child.keys) > 1:
        # fields that are added or removed do not contradict each other
        return _setting(path, " ".join(child.keys[: 3 if child.keys[1].startswith(("+", "-")) else 2]), child)
    return _setting(path, name, child)


def _setting(place: Hashable, name: str, block: Block) -> _Setting:
    # the order of lines does not matter
    return _Setting(place, name, write(sort((Block((), (block,)),))), block)
