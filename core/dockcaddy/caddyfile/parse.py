"""A Caddyfile's text to blocks (https://caddyserver.com/docs/caddyfile/concepts#structure)."""

from attrs import define

from dockcaddy.caddyfile.block import MAX_DEPTH, Block, CaddyfileError, Origin, QuotedText
from dockcaddy.caddyfile.lex import Token, lex


def parse(text: str, source: str) -> tuple[Block, ...]:
    """The top-level blocks of a whole Caddyfile; siblings keep their order by their order numbers.

    `source` is the origin's name (`caddyfile /etc/caddy/Caddyfile`). Raises CaddyfileError with the line at fault.
    """
    reader = _Reader(_lines(lex(text)), Origin(source))
    found: list[Block] = []
    while reader.lines:
        found.append(reader.site(len(found)))
    return tuple(found)


def _lines(tokens: list[Token]) -> list[list[Token]]:
    """Tokens by line, the last line first; a token stands on the line on which the one before it ends."""
    lines: list[list[Token]] = []
    for token in tokens:
        if lines and token.line <= lines[-1][-1].last_line:
            lines[-1].append(token)
        else:
            lines.append([token])
    return lines[::-1]


@define
class _Reader:
    """Takes lines off the end of `lines`, which are in reverse order."""

    lines: list[list[Token]]
    origin: Origin
    depth: int = 0

    def site(self, order: int) -> Block:
        """One top-level block: global options, a snippet, a site with or without braces."""
        line = self._address_line()
        opening = next((index for index, token in enumerate(line) if _is(token, "{")), None)
        if opening is None:
            return self._without_braces(line, order)
        if line[opening + 1 :]:
            self.lines.append(line[opening + 1 :])
        # Caddy passes over an empty address
        keys = tuple(key for key in _keys(line[:opening]) if key)
        return Block(keys, self._inside(line[opening]), order, (self.origin,))

    def _address_line(self) -> list[Token]:
        """The line of a site's addresses. It continues after a comma, and its brace may be on the next line."""
        line = self.lines.pop()
        if _is(line[0], "}"):
            raise CaddyfileError('"}" closes nothing', line[0].line)
        while self.lines and line[-1].text.endswith(","):
            line = line + self.lines.pop()
        if self.lines and _is(self.lines[-1][0], "{") and not any(_is(token, "{") for token in line):
            line = line + self.lines.pop()
        return line

    def _without_braces(self, line: list[Token], order: int) -> Block:
        """The only site of a file may have no braces: then everything behind its addresses belongs to it."""
        keys = _keys(line)
        children: list[Block] = []
        if keys[0] != "import":
            while self.lines:
                children.append(self._directive(len(children)))
        return Block(keys, tuple(children), order, (self.origin,))

    def _inside(self, opening: Token) -> tuple[Block, ...]:
        """The blocks up to the closing brace; the rest of that line stays unread."""
        if self.depth >= MAX_DEPTH:
            raise CaddyfileError(f"blocks are nested deeper than {MAX_DEPTH}", opening.line)
        self.depth += 1
        found: list[Block] = []
        while self.lines and not _is(self.lines[-1][0], "}"):
            found.append(self._directive(len(found)))
        if not self.lines:
            raise CaddyfileError('a block is never closed, "}" is missing', opening.line)
        closing = self.lines.pop()
        if closing[1:]:
            self.lines.append(closing[1:])
        self.depth -= 1
        return tuple(found)

    def _directive(self, order: int) -> Block:
        line = self.lines.pop()
        _check_braces(line)
        if not _is(line[-1], "{"):
            return Block(_keys(line), (), order, (self.origin,))
        return Block(_keys(line[:-1]), self._inside(line[-1]), order, (self.origin,))


def _check_braces(line: list[Token]) -> None:
    for token in line[:-1]:
        if _is(token, "{"):
            raise CaddyfileError('a line must end after "{"', token.line)
    for token in line:
        if _is(token, "}"):
            raise CaddyfileError('"}" must stand on a line of its own', token.line)
    if _is(line[-1], "{}"):
        raise CaddyfileError('write an empty block as "{", a line break and "}"', line[-1].line)


def _is(token: Token, brace: str) -> bool:
    return token.text == brace and not token.quoted


def _keys(tokens: list[Token]) -> tuple[str, ...]:
    return tuple(QuotedText(token.text) if token.quoted and "{$" in token.text else token.text for token in tokens)
