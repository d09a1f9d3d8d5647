"""A Caddyfile's text to blocks (https://caddyserver.com/docs/caddyfile/concepts#structure)."""

from attrs import define

from dockcaddy.caddyfile.block import Block, CaddyfileError, Origin
from dockcaddy.caddyfile.lex import Token, lex

DEEPEST = 100


def parse(text: str, source: str) -> tuple[Block, ...]:
    """The top-level blocks of a whole Caddyfile; siblings keep their order by their order numbers.

    `source` is the origin's name (`caddyfile /etc/caddy/Caddyfile`). Raises CaddyfileError with the line at fault.
    """
    reader = _Reader(_lines(lex(text)), Origin(source))
    blocks = reader.blocks(top=True)
    return _single_site(blocks)


def _lines(tokens: list[Token]) -> list[list[Token]]:
    """Tokens by line; one that begins where the one before ends stands on the same line."""
    lines: list[list[Token]] = []
    for token in tokens:
        if lines and token.line == lines[-1][-1].last_line:
            lines[-1].append(token)
        else:
            lines.append([token])
    return lines


@define
class _Reader:
    lines: list[list[Token]]
    origin: Origin
    position: int = 0
    depth: int = 0

    def blocks(self, *, top: bool = False) -> tuple[Block, ...]:
        """The blocks up to the closing brace, or up to the end of the file at the top."""
        found: list[Block] = []
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if _is(line[0], "}"):
                if top:
                    raise CaddyfileError('"}" closes nothing', line[0].line)
                self.lines[self.position] = line[1:]
                if not line[1:]:
                    self.position += 1
                return tuple(found)
            found.append(self._block(len(found), top))
        if not top:
            raise CaddyfileError(
                'a block is never closed, "}" is missing', self.lines[-1][-1].line if self.lines else 0
            )
        return tuple(found)

    def _block(self, order: int, top: bool) -> Block:
        line = self._line(top)
        opens = _is(line[-1], "{")
        empty = _is(line[-1], "{}")
        keys = tuple(token.text for token in (line[:-1] if opens or empty else line))
        children: tuple[Block, ...] = ()
        if opens:
            if self.depth >= DEEPEST:
                raise CaddyfileError(f"blocks are nested deeper than {DEEPEST}", line[-1].line)
            self.depth += 1
            children = self.blocks()
            self.depth -= 1
        return Block(keys, children, order, (self.origin,))

    def _line(self, top: bool) -> list[Token]:
        """One line; at the top a list of addresses goes on behind a comma."""
        line = list(self.lines[self.position])
        self.position += 1
        while top and line[-1].text.endswith(",") and not line[-1].quoted and self.position < len(self.lines):
            line += self.lines[self.position]
            self.position += 1
        for index, token in enumerate(line[:-1]):
            if _is(token, "{"):
                raise CaddyfileError('a line must end after "{"', token.line)
            if _is(token, "}") and index:
                raise CaddyfileError('"}" must stand on a line of its own', token.line)
        if len(line) > 1 and _is(line[-1], "}"):
            raise CaddyfileError('"}" must stand on a line of its own', line[-1].line)
        return line


def _is(token: Token, brace: str) -> bool:
    return token.text == brace and not token.quoted


def _single_site(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """A file with one site may go without braces: then all that follows its addresses is inside it."""
    for index, block in enumerate(blocks):
        if not block.keys or block.keys[0].startswith("(") or block.keys[0] == "import":
            continue
        rest = blocks[index + 1 :]
        if block.children or not rest:
            return blocks
        inside = tuple(Block(each.keys, each.children, order, each.origins) for order, each in enumerate(rest))
        return (*blocks[:index], Block(block.keys, inside, block.order, block.origins))
    return blocks
