"""Snippets and named routes, which sites refer to (https://caddyserver.com/docs/caddyfile/directives/import)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from dockcaddy.admission.conflicts.conflict import Member
from dockcaddy.caddyfile import Block
from dockcaddy.settings import limits

_ONE = re.compile(r"\{args(?:\[(\d{1,4})\]|\.(\d{1,4}))\}")
_SEVERAL = re.compile(r"\{args\[(\d{0,4}):(\d{0,4})\]\}")


@frozen
class Definitions:
    """The lines of each snippet and named route of a configuration by its name, and the members that define it."""

    snippets: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    routes: Mapping[str, tuple[Block, ...]] = field(factory=dict)
    definers: Mapping[str, Sequence[Member]] = field(factory=dict)

    def with_imported(self, lines: Iterable[Block], names: frozenset[str]) -> Iterator[Block]:
        """The lines, and those with these names that they import. An imported line has the origins of the import."""
        seen = set[tuple[str, ...]]()
        waiting = list(lines)[::-1]
        while waiting and len(seen) < limits.MAX_EXPANDED_IMPORTS:
            line = waiting.pop()
            inside = self.imported(line)
            if inside is None:
                yield line
            elif line.keys not in seen:
                seen.add(line.keys)
                wanted = [
                    each
                    for each in (*inside, *line.children)
                    if each.keys[:1] == ("import",) or (each.keys[:1] and each.keys[0] in names)
                ]
                waiting += [_filled_in(each, line) for each in reversed(wanted)]

    def imported(self, block: Block) -> tuple[Block, ...] | None:
        """The lines that a block imports, None where it does not import a snippet."""
        return self.snippets.get(block.keys[1]) if block.keys[:1] == ("import",) and len(block.keys) > 1 else None

    def invoked(self, block: Block) -> tuple[Block, ...] | None:
        """The lines of the named route that a block invokes, None where it invokes none."""
        return self.routes.get(block.keys[-1]) if block.keys[:1] == ("invoke",) else None


def _filled_in(line: Block, statement: Block) -> Block:
    arguments = statement.keys[2:]
    keys = tuple(word for key in line.keys for word in _words(key, arguments))
    is_own = {each.resource for each in line.origins} <= {each.resource for each in statement.origins}
    # nobody listens at addresses that are longer
    is_short = sum(map(len, keys)) + len(keys) <= limits.MAX_LABEL_KEY
    return evolve(line, keys=keys if is_short else line.keys, origins=line.origins if is_own else statement.origins)


def _words(token: str, arguments: Sequence[str]) -> Sequence[str]:
    if several := _SEVERAL.fullmatch(token):
        return arguments[int(several[1] or 0) : int(several[2] or len(arguments))]
    return (_ONE.sub(lambda found: "".join(arguments[int(found[1] or found[2]) :][:1]), token),)
