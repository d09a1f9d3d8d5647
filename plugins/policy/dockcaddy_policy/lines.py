"""A resource's blocks as single lines, each with the path to it."""

from collections.abc import Collection, Iterable, Iterator, Set
from functools import cached_property

from attrs import frozen
from dockcaddy import DIRECTIVE_BLOCKS, Block, LabelError, is_matcher_block

GLOBAL, SITE, SNIPPET = "global", "site", "snippet"

# these contain directives
ROUTES = DIRECTIVE_BLOCKS | {SITE, SNIPPET}
# a snippet is not among these: imported into a directive, its lines are options
_DIRECTIVES = ROUTES - {SNIPPET} | {GLOBAL}
# in these the first word of each line is data: a header field, a user, a value to map
_NAMING = """
    header request_header health_headers copy_headers headers basic_auth basicauth map vars uri push
    append fields span_attributes
"""
DATA = frozenset(_NAMING.split())
# options without arguments that contain options
_WITH_OPTIONS = frozenset(("timeouts", "listener_wrappers"))
# enough words for any option that does not read the rest of the line
_FEW = 8
# a limit for the work: each option in a line is checked together with the words after it
_MOST_OPTIONS = 256


@frozen(slots=False)
class Line:
    """One line of a Caddyfile: its tokens, and the names of the blocks around it.

    `path` begins with `global`, `site` or `snippet`; it is empty for a top-level line itself. `addresses` are those of
    the line's site, `above` are the tokens of the line that opens its block. `continues` marks an option that begins in
    the middle of a line, because Caddy accepts several options on one line.
    """

    path: tuple[str, ...]
    tokens: tuple[str, ...]
    block: Block
    addresses: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    continues: bool = False

    @property
    def name(self) -> str:
        """The directive or option; `""` for the addresses of a site."""
        return self.tokens[0] if self.path or self.tokens[0] == "import" else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The tokens after the name."""
        return self.tokens[1:] if self.name else self.tokens

    @cached_property
    def place(self) -> str:
        """The path of names within the site, the snippet or the global options: `tls/dns/api_token`."""
        return "/".join((*self.path[1:], self.name))

    @property
    def label(self) -> str:
        """The label of the line; `""` if it has no label of its own."""
        return self.block.origins[0].label if self.block.origins else ""

    @property
    def is_data(self) -> bool:
        """Whether its name is data and not a directive. False in the block of an `import`, where it could become anything."""
        return not DATA.isdisjoint(self.path[-1:]) and self.name != "import" and "import" not in self.path


def lines_of(blocks: Iterable[Block], names: Set[str], *, every: bool) -> Iterator[Line]:
    """The lines of a resource's blocks that rules about these `names`, or about `every` line, could refuse, from the top.

    The names are also looked for in the middle of lines. Raises LabelError if a line contains too many of them.
    """
    for block in blocks:
        if _is_of_interest((block,), names, every):
            kind = GLOBAL if not block.keys else SNIPPET if block.is_definition else SITE
            addresses = block.keys if kind is SITE else ()
            if block.keys:
                yield Line((), block.keys, block, addresses)
            # many addresses have a scheme, and nothing else of interest is in their sites
            if _is_of_interest(block.children, names, every):
                yield from _lines_in(block, (kind,), addresses, names)


def _is_of_interest(blocks: Iterable[Block], names: Set[str], every: bool) -> bool:
    """Whether there is anything in blocks for a rule. In most there is nothing."""
    waiting = [*blocks]
    while waiting:
        line = waiting.pop()
        if not names.isdisjoint(line.keys) or (every and is_suspicious(" ".join(line.keys))):
            return True
        waiting += line.children
    return False


def is_suspicious(text: str) -> bool:
    """Whether the rules for every line could refuse a line with this text. Most have none of these characters."""
    return "{" in text or "(" in text or "://" in text


def _lines_in(
    block: Block, path: tuple[str, ...], addresses: tuple[str, ...], names: Collection[str]
) -> Iterator[Line]:
    for child in block.children:
        if child.keys:
            line = Line(path, child.keys, child, addresses, block.keys)
            yield line
            yield from _further_options(line, names)
        if child.children:
            yield from _lines_in(child, (*path, *_segment(child)), addresses, names)


def _segment(block: Block) -> tuple[str, ...]:
    """The path segment for the lines in the block: the option at the end of its line, if that has options, or the name."""
    return block.keys[-1:] if block.keys and block.keys[-1] in _WITH_OPTIONS else block.keys[:1]


def _further_options(line: Line, names: Collection[str]) -> Iterator[Line]:
    """The options that may begin in the middle of an option's line, each with the words after it.

    A repeated option gets only the next few words: otherwise a long line would be copied once for each of its words.
    """
    is_condition = "import" not in line.path and (is_matcher_block(line.path[-1]) or line.name.startswith("@"))
    if len(line.tokens) == 1 or line.path[-1] in _DIRECTIVES or is_condition or line.is_data or line.name == "import":
        return
    beginnings = [at for at, token in enumerate(line.tokens) if at and token in names and token.isidentifier()]
    if len(beginnings) > _MOST_OPTIONS:
        raise LabelError(line.label, f"policy: more than {_MOST_OPTIONS} options in one line")
    known: set[str] = set()
    for at in beginnings:
        token = line.tokens[at]
        tokens = line.tokens[at : at + _FEW] if token in known else line.tokens[at:]
        known.add(token)
        yield Line(line.path, tokens, line.block, line.addresses, line.above, continues=True)
