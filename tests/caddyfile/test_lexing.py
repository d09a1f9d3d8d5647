"""Text to tokens: label values as caddy-docker-proxy reads them, Caddyfiles as Caddy does."""

import pytest
from dockcaddy.caddyfile import CaddyfileError, lex, lex_value
from hypothesis import given
from hypothesis import strategies as st

VALUES = {
    "words": ("a  b\tc\nd", ["a", "b", "c", "d"]),
    "nothing": ("", []),
    "white space alone": (" \n\t ", []),
    "a quote keeps a space": ('"a b" c', ["a b", "c"]),
    "a quote is escaped in quotes": (r'"say \"hi\""', ['say "hi"']),
    "no other escape in quotes": (r'"a\n\\b"', [r"a\n\\b"]),
    "raw text": (r'`a "b" \" c`', [r'a "b" \" c']),
    "a comment to the end of the line": ("a # b\nc", ["a", "c"]),
    "a hash inside a token": ("a#b", ["a#b"]),
    "a joined line": ("a \\\n b", ["a", "b"]),
    "an empty argument stays": ('X-Foo ""', ["X-Foo", ""]),
    "an empty raw argument stays": ("X-Foo ``", ["X-Foo", ""]),
    "an open quote runs to the end": ('a "b c', ["a", "b c"]),
    "an open raw quote runs to the end": ("a `b c", ["a", "b c"]),
    "an open quote of nothing is nothing": ('a "', ["a"]),
    "quotes begin at a token's start only": ('a"b c"d', ['a"b', 'c"d']),
    "two quoted texts side by side": ('"a""b"', ["a", "b"]),
    "a heredoc is none": ("<<END\nx\nEND", ["<<END", "x", "END"]),
    "braces are words": ("{ } {}", ["{", "}", "{}"]),
    "a carriage return is dropped outside quotes": ("a\r\nb", ["a", "b"]),
    "a carriage return stays in quotes": ('"a\r\nb"', ["a\r\nb"]),
    "a backslash is itself": (r"C:\dir a\.b", [r"C:\dir", r"a\.b"]),
    "a no-break space separates": ("a\xa0b", ["a", "b"]),
    "a byte that is not UTF-8": ("a\udcffb", ["a\ufffdb"]),
    "a lone backslash at the end": ("a \\", ["a"]),
}


@pytest.mark.parametrize(("text", "tokens"), VALUES.values(), ids=VALUES)
def test_a_label_value_is_split(text: str, tokens: list[str]) -> None:
    assert lex_value(text) == tokens


@given(st.text(alphabet=" \n\tab!$/{}[]-_~.,:;'()*+=?@^|<>&%09AZ"))
def test_plain_text_takes_a_short_way_to_the_same_tokens(text: str) -> None:
    quoted_end = text + ' "end"'
    assert lex_value(text) == lex_value(quoted_end)[:-1]


@given(st.text())
def test_any_value_can_be_split(text: str) -> None:
    for token in lex_value(text):
        assert not set(token) & set("\ud800\udcff")


LINES = {
    "a heredoc": ("respond <<END\n  a # b\n    {c}  d\n  END 200", ["respond", "a # b\n  {c}  d", "200"]),
    "a heredoc without text": ("respond <<END\n\nEND", ["respond", ""]),
    "a heredoc of Windows lines": ("respond <<END\r\n a\r\n END", ["respond", "a"]),
    "two angles and a space": ("a << b", ["a", "<<", "b"]),
    "escaped angles": (r"a \<<END b", ["a", "<<END", "b"]),
    "a backslash in front of a quote": (r'\"a b"', [r"\a b"]),
    "a byte order mark": ("\ufeffa", ["a"]),
}


@pytest.mark.parametrize(("text", "tokens"), LINES.values(), ids=LINES)
def test_a_caddyfile_is_split(text: str, tokens: list[str]) -> None:
    assert [token.text for token in lex(text)] == tokens


def test_lines_are_counted_through_quotes_heredocs_and_joined_lines() -> None:
    text = 'a "1\n2" b\nc <<E\nx\nE d\ne \\\n f\ng'
    assert [(token.text, token.line) for token in lex(text)] == [
        ("a", 1),
        ("1\n2", 1),
        ("b", 2),
        ("c", 3),
        ("x", 3),
        ("d", 5),
        ("e", 6),
        ("f", 6),
        ("g", 8),
    ]


WRONG = {
    "an open quote": ('a\n"b\nc', 2, "never closed"),
    "an open heredoc": ("a\n<<END\nb", 2, "never closed"),
    "a heredoc without a marker": ("<<\nb", 1, "not a heredoc marker"),
    "a heredoc with a wrong marker": ("<<<END\nb\nEND", 1, "not a heredoc marker"),
    "a heredoc indented too little": ("<<END\nb\n  END", 1, "indented less"),
}


@pytest.mark.parametrize(("text", "line", "words"), WRONG.values(), ids=WRONG)
def test_what_caddy_cannot_read_is_an_error_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(CaddyfileError, match=words) as caught:
        lex(text)
    assert caught.value.line == line
