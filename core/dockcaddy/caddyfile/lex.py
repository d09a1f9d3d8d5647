"""Text to tokens, by the rules of Caddy's own lexer (https://caddyserver.com/docs/caddyfile/concepts, Caddy 2.11).

White space separates; `"..."` knows the escape `\\"` only; a backtick quotes raw; `#` at a token's start comments to the
end of the line; a backslash before a line break joins two lines; `<<MARKER` opens a heredoc. Label values are read by
the rules caddy-docker-proxy reads them by: the same without heredocs, quotes may stay open, lines mean nothing.
"""

import re

from attrs import define, frozen

from dockcaddy.caddyfile.block import CaddyfileError

_BYTE_ORDER_MARK = "\ufeff"
_MARKER = re.compile(r"[A-Za-z0-9_-]+")
_HEREDOC_OPENING = re.compile(r"[^ \n]*")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Go's unicode.IsSpace; Python's str.isspace counts U+001C to U+001F too.
SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
_PLAIN = re.compile(r"[\t\n !$-\[\]-_a-~]*")


@frozen
class Token:
    """One token. A `quoted` token is data, whatever its text.

    `line` is where it begins. `last_line` is where Caddy takes it to end, which decides what stands on one line with it.
    """

    text: str
    line: int
    last_line: int
    quoted: bool = False


def lex(text: str) -> list[Token]:
    """The tokens of a Caddyfile. Raises CaddyfileError for a heredoc that is wrong or a quote left open."""
    return list(_Lexer(text.removeprefix(_BYTE_ORDER_MARK), heredocs=True))


def lex_value(text: str) -> list[str]:
    """The tokens of a label's value. A quote left open runs to the end; a byte that is not UTF-8 becomes U+FFFD."""
    if _PLAIN.fullmatch(text):
        return text.split()
    plain = _SURROGATES.sub("\ufffd", text.removeprefix(_BYTE_ORDER_MARK))
    return [token.text for token in _Lexer(plain, heredocs=False)]


@define
class _Lexer:
    text: str
    heredocs: bool
    position: int = 0
    line: int = 1
    joined: int = 0

    def __iter__(self) -> "_Lexer":
        return self

    def __next__(self) -> Token:
        escaped = self._skip_to_token()
        if self.position >= len(self.text):
            raise StopIteration
        if self.text[self.position] in '"`':
            return self._quoted(escaped)
        return self._bare(escaped)

    def _skip_to_token(self) -> bool:
        """Skip white space and comments; returns whether a backslash in front belongs to the token."""
        escaped = False
        while self.position < len(self.text):
            character = self.text[self.position]
            if character == "\\" and not escaped:
                escaped = True
            elif character == "\n":
                self._line_break(escaped)
                escaped = False
            elif character == "#":
                end = self.text.find("\n", self.position)
                end = len(self.text) if end < 0 else end
                # Caddy knows a backslash in a comment too: such a comment does not end its line
                escaped = escaped or "\\" in self.text[self.position : end]
                self.position = end
                continue
            elif character not in SPACES:
                break
            self.position += 1
        return escaped

    def _line_break(self, escaped: bool) -> None:
        # an escaped break keeps the line count back, so that the tokens around it stand on one line
        if escaped:
            self.joined += 1
        else:
            self.line += 1 + self.joined
            self.joined = 0

    def _quoted(self, escaped: bool) -> Token:
        start, quote = self.line, self.text[self.position]
        escaped = escaped and quote == '"'
        content: list[str] = []
        self.position += 1
        while self.position < len(self.text):
            character = self.text[self.position]
            self.position += 1
            if character == "\\" and not escaped and quote == '"':
                escaped = True
            elif character == quote and not escaped:
                return self._counted("".join(content), start)
            else:
                content += ("\\", character) if escaped and character != '"' else character
                escaped = False
        if self.heredocs:
            raise CaddyfileError(f"a quote ({quote}) is never closed", start)
        if not content:
            raise StopIteration
        return self._counted("".join(content), start)

    def _counted(self, text: str, start: int) -> Token:
        breaks = text.count("\n")
        if breaks:
            self.line += breaks + self.joined
            self.joined = 0
        return Token(text, start, start + breaks, quoted=True)

    def _bare(self, escaped: bool) -> Token:
        start, plain_angles = self.line, self.heredocs
        content: list[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in SPACES and character != "\r":
                if character == "\n" and escaped:
                    self.position += 1
                    self._line_break(True)
                break
            self.position += 1
            if character == "\r":
                continue
            if character == "\\" and not escaped:
                escaped = True
                continue
            if escaped and character == "<" and self.heredocs:
                plain_angles = False
            elif escaped:
                content.append("\\")
            escaped = False
            content.append(character)
            if plain_angles and content == ["<", "<"]:
                return self._heredoc(start)
        return Token("".join(content), start, start)

    def _heredoc(self, start: int) -> Token:
        """The rest of a token that began with `<<`."""
        match = _HEREDOC_OPENING.match(self.text, self.position)
        assert match is not None
        marker = match[0].replace("\r", "")
        self.position = match.end()
        if not self.text.startswith("\n", self.position):
            return Token("<<" + marker, start, start)
        if not _MARKER.fullmatch(marker):
            raise CaddyfileError(
                f'"{marker}" is not a heredoc marker, use letters, digits, dashes and underscores', start
            )
        close = self.text.find(marker, self.position + 1)
        if close < 0:
            raise CaddyfileError(f"the heredoc <<{marker} is never closed", start)
        body = self.text[self.position + 1 : close]
        self.position = close + len(marker)
        self.line += 1 + body.count("\n") + self.joined
        self.joined = 0
        text = _stripped(body, start)
        return Token(text, start, start + text.count("\n") + 2, quoted=True)


def _stripped(body: str, start: int) -> str:
    """A heredoc's text without the white space that stands before its closing marker."""
    *lines, padding = body.split("\n")
    stripped = []
    for line in lines:
        if line in ("", "\r"):
            stripped.append("")
        elif line.startswith(padding):
            stripped.append(line[len(padding) :].replace("\r", ""))
        else:
            raise CaddyfileError("the heredoc's lines are indented less than its closing marker", start)
    return "\n".join(stripped)
