"""The constraint: an expression that says which containers and services count. Pure.

    expression = all { "||" all }
    all        = one { "&&" one }
    one        = "!" one | "(" expression ")" | function "(" text { "," text } ")"
    text       = "`" characters "`" | '"' characters '"'

In double quotes, `\\"` and `\\\\` stand for a quote and a backslash.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from attrs import define, field, frozen

from dockcaddy.settings import limits

_PROJECTS = ("com.docker.compose.project", "com.docker.stack.namespace")
_TOKEN = re.compile(r"""\s*(?:(?P<sign>&&|\|\||[!(),])|(?P<word>\w+)|`(?P<raw>[^`]*)`|"(?P<quoted>(?:[^"\\]|\\.)*)")""")
_REGEX = "Regex"


@frozen
class Subject:
    """What a constraint asks of a container or service. `networks` are names."""

    name: str
    labels: Mapping[str, str]
    networks: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """The project of Compose, or the stack of a Swarm."""
        return next((self.labels[key] for key in _PROJECTS if key in self.labels), "")


Test = Callable[[Subject], bool]


@frozen
class Constraint:
    """A parsed constraint; the empty one admits everything. Compared by its text."""

    text: str = ""
    _test: Test = field(default=lambda subject: True, eq=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """The constraint of a text. Raises ValueError, which names the column."""
        return cls(text, _Parser(text).parsed()) if text.strip() else cls()

    def admits(self, subject: Subject) -> bool:
        """Whether the container or service counts."""
        return self._test(subject)


@frozen
class _Token:
    """A sign, the name of a function, or a text. `column` counts from 1."""

    kind: str
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else f'"{self.text}"' if self.kind != "text" else f"`{self.text}`"


@define
class _Parser:
    source: str
    _tokens: Iterator[_Token] = field(init=False)
    _next: _Token = field(init=False)
    _depth: int = 0

    def __attrs_post_init__(self) -> None:
        self._tokens = _tokens(self.source)
        self._next = next(self._tokens)

    def parsed(self) -> Test:
        test = self._any()
        if self._next.kind != "end":
            raise _unexpected(self._next, "&& or ||")
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._takes("||"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda subject: any(test(subject) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)

    def _one(self) -> Test:
        token = self._next
        self._depth += 1
        if self._depth > limits.MAX_CONSTRAINT_DEPTH:
            raise ValueError(f"column {token.column}: more than {limits.MAX_CONSTRAINT_DEPTH} levels of ! and (")
        if self._takes("!"):
            negated = self._one()
            test: Test = lambda subject: not negated(subject)  # noqa: E731  a closure like the others
        elif self._takes("("):
            test = self._any()
            self._expect(")")
        else:
            test = self._function()
        self._depth -= 1
        return test

    def _function(self) -> Test:
        name = self._next
        if name.kind != "word":
            raise _unexpected(name, f"one of {', '.join(_FUNCTIONS)}")
        self._advance()
        if name.text not in _FUNCTIONS:
            near = get_close_matches(name.text, _FUNCTIONS, n=1, cutoff=limits.MIN_SIMILARITY)
            meant = f"did you mean {near[0]}" if near else f"there are {', '.join(_FUNCTIONS)}"
            raise ValueError(f'column {name.column}: no function is named "{name.text}", {meant}')
        self._expect("(")
        texts = [self._text()]
        while self._takes(","):
            texts.append(self._text())
        self._expect(")")
        least, most = _FUNCTIONS[name.text]
        if not least <= len(texts) <= most:
            counted = f"{least} text" if least == most == 1 else f"{least} texts" if least == most else "1 or 2 texts"
            raise ValueError(f"column {name.column}: {name.text} takes {counted}, not {len(texts)}")
        return _test_of(name.text, [each.text for each in texts], texts[-1].column)

    def _text(self) -> _Token:
        token = self._next
        if token.kind != "text":
            raise _unexpected(token, "a text in backticks or double quotes")
        self._advance()
        return token

    def _takes(self, sign: str) -> bool:
        is_next = self._next.kind == "sign" and self._next.text == sign
        if is_next:
            self._advance()
        return is_next

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise _unexpected(self._next, sign)

    def _advance(self) -> None:
        self._next = next(self._tokens)


# name -> the least and greatest number of texts
_FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "Label": (1, 2),
    "LabelRegex": (2, 2),
    "Name": (1, 1),
    "NameRegex": (1, 1),
    "Network": (1, 1),
    "NetworkRegex": (1, 1),
    "Project": (1, 1),
    "ProjectRegex": (1, 1),
}


def _test_of(function: str, texts: list[str], column: int) -> Test:
    matches = _matcher(function, texts[-1], column)
    match function.removesuffix(_REGEX):
        case "Label" if len(texts) == 1:
            return lambda subject: texts[0] in subject.labels
        case "Label":
            return lambda subject: texts[0] in subject.labels and matches(subject.labels[texts[0]])
        case "Name":
            return lambda subject: matches(subject.name)
        case "Network":
            return lambda subject: any(map(matches, subject.networks))
        case _:
            return lambda subject: matches(subject.project)


def _matcher(function: str, wanted: str, column: int) -> Callable[[str], bool]:
    if not function.endswith(_REGEX):
        return lambda text: text == wanted
    try:
        pattern = re.compile(wanted)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"column {column}: `{wanted}` is no regular expression: {error}") from None
    return lambda text: pattern.search(text) is not None


def _tokens(source: str) -> Iterator[_Token]:
    place = 0
    while place < len(source.rstrip()):
        found = _TOKEN.match(source, place)
        if found is None or found.lastgroup is None:
            raise _unreadable(source, place)
        kind = found.lastgroup
        text, column = found[kind], found.start(kind) + 1
        if kind == "quoted":
            text = _unquoted(text, column)
        yield _Token(kind if kind in ("sign", "word") else "text", text, column - (kind in ("raw", "quoted")))
        place = found.end()
    while True:
        yield _Token("end", "", len(source.rstrip()) + 1)


def _unquoted(text: str, column: int) -> str:
    for found in re.finditer(r"\\(.)", text, re.DOTALL):
        if found[1] not in '"\\':
            raise ValueError(
                f'column {column + found.start()}: unknown escape "{found[0]}", write the text in backticks'
            )
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _unreadable(source: str, place: int) -> ValueError:
    place += len(source[place:]) - len(source[place:].lstrip())
    if source[place] in '`"':
        return ValueError(f"column {place + 1}: the text that begins here has no end")
    more = {"'": ", a text is written in backticks or double quotes", "&": ", write &&", "|": ", write ||"}
    return ValueError(f'column {place + 1}: unexpected "{source[place]}"{more.get(source[place], "")}')


def _unexpected(token: _Token, wanted: str) -> ValueError:
    return ValueError(f"column {token.column}: expected {wanted}, not {token}")
