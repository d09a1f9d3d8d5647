"""Text to tokens, by the rules of Caddy's own lexer (https://caddyserver.com/docs/caddyfile/concepts, Caddy 2.11).

White space separates; `"..."` knows the escape `\\"` only; a backtick quotes raw; `#` at a token's start comments to the
end of the line; a backslash before a line break joins two lines; `<<MARKER` opens a heredoc. Label values are read by
the same rules as caddy-docker-proxy reads them: without heredocs, quotes may stay open, lines mean nothing.
"""

import re

from attrs import define, frozen

from dockcaddy.caddyfile.block import CaddyfileError

_MARKER = re.compile(r"[A-Za-z0-9_-]+")
# Go's unicode.IsSpace; Python's str.isspace counts U+001C to U+001F too.
SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
_PLAIN = re.compile(r"[\t\n !$-\[\]-_a-~]*")


@frozen
class Token:
    """One token; `quoted` ones are data, whatever they hold. `line` is where it begins, `last_line` where it ends."""

    text: str
    line: int
    last_line: int
    quoted: bool = False


def lex(text: str) -> list[Token]:
    """The tokens of a Caddyfile. Raises CaddyfileError for a heredoc that is wrong or a quote left open."""
    return list(_Lexer(text, heredocs=True))


def lex_value(text: str) -> list[str]:
    """The tokens of a label's value. A quote left open runs to the end."""
    if _PLAIN.fullmatch(text):
        return text.split()
    return [token.text for token in _Lexer(text, heredocs=False)]


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
        escaped = self._skip_space_and_comments()
        if self.position >= len(self.text):
            raise StopIteration
        start = self.line
        character = self.text[self.position]
        if character in "\"`" and not escaped:
            return self._quoted(character, start)
        if self.heredocs and not escaped and self.text.startswith("<<", self.position):
            heredoc = self._heredoc(start)
            if heredoc is not None:
                return heredoc
        return Token(self._bare(escaped), start, self.line)

    def _skip_space_and_comments(self) -> bool:
        """Move to the next token; whether a backslash stands before it."""
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
                self.position = len(self.text) if end < 0 else end
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

    def _quoted(self, quote: str, start: int) -> Token:
        content: list[str] = []
        self.position += 1
        while self.position < len(self.text):
            character = self.text[self.position]
            if quote == '"' and character == "\\" and self.position + 1 < len(self.text):
                following = self.text[self.position + 1]
                content.append(following if following == '"' else character + following)
                self.position += 2
                continue
            self.position += 1
            if character == quote:
                return self._finished(content, start)
            content.append(character)
        if self.heredocs:
            raise CaddyfileError(f"a quote ({quote}) is never closed", start)
        return self._finished(content, start)

    def _finished(self, content: list[str], start: int) -> Token:
        text = "".join(content)
        self.line += text.count("\n")
        return Token(text, start, self.line, quoted=True)

    def _heredoc(self, start: int) -> Token | None:
        end = self.text.find("\n", self.position)
        opening = self.text[self.position + 2 : end if end >= 0 else len(self.text)].replace("\r", "")
        if end < 0 or " " in opening:
            return None
        if not _MARKER.fullmatch(opening):
            raise CaddyfileError(f'"{opening}" is not a heredoc marker, use letters, digits, dashes and underscores', start)
        close = self.text.find(opening, end + 1)
        if close < 0:
            raise CaddyfileError(f"the heredoc <<{opening} is never closed", start)
        body = self.text[end + 1 : close]
        self.position = close + len(opening)
        self.line += 1 + body.count("\n")
        return Token(_stripped(body, start), start, self.line, quoted=True)

    def _bare(self, escaped: bool) -> str:
        content: list[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            if character == "\\" and not escaped:
                escaped = True
                self.position += 1
                continue
            if character == "\r":
                self.position += 1
                continue
            if character in SPACES:
                if character == "\n" and escaped:
                    self.position += 1
                    self._line_break(True)
                break
            if escaped:
                if not (self.heredocs and character == "<"):
                    content.append("\\")
                escaped = False
            content.append(character)
            self.position += 1
        return "".join(content)


def _stripped(body: str, start: int) -> str:
    """A heredoc's text without the white space that stands before its closing marker."""
    *lines, padding = body.split("\n")
    stripped = []
    for line in lines:
        if line in ("", "\r"):
            stripped.append("")
        elif line.startswith(padding):
            stripped.append(line[len(padding) :])
        else:
            raise CaddyfileError("the heredoc's lines are indented less than its closing marker", start)
    return "\n".join(stripped)
