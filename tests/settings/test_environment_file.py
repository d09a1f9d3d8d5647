"""The file at --envfile, as caddy-docker-proxy reads it."""

import pytest
from dockcaddy.settings.environment_file import parse_environment
from hypothesis import given
from hypothesis import strategies as st

ROWS = {
    "": {},
    "# only a comment\n\n": {},
    "A=1": {"A": "1"},
    "A=1\r\nB=2\r\n": {"A": "1", "B": "2"},
    "\ufeffA=1": {"A": "1"},
    "export A=1": {"A": "1"},
    "  A = 1  ": {"A": "1"},
    "A: 1": {"A": "1"},
    "a.b_C9=1": {"a.b_C9": "1"},
    "A=\nB=2": {"A": "", "B": "2"},
    "A=1 # why": {"A": "1"},
    "A=1#no": {"A": "1#no"},
    "A=#x": {"A": ""},
    "A=b=c": {"A": "b=c"},
    "A=two words": {"A": "two words"},
    "A=it's": {"A": "it's"},
    "A='raw $B \\n'": {"A": "raw $B \\n"},
    'A="a b" # why': {"A": "a b"},
    'A="a # b"': {"A": "a # b"},
    'A="a\\"b\\\\"': {"A": 'a"b\\'},
    'A="a\\nb"': {"A": "a\nb"},
    'A="a\nb"\nC=1': {"A": "a\nb", "C": "1"},
    "A='a\nb'\nC=1": {"A": "a\nb", "C": "1"},
    "A=1\nB=$A-${A}": {"A": "1", "B": "1-1"},
    'A=1\nB="$A/${A}"': {"A": "1", "B": "1/1"},
    'A="\\$B"': {"A": "$B"},
    "A=$UNKNOWN.": {"A": "."},
    "A=1\nA=2": {"A": "2"},
    "exported=1": {"exported": "1"},
}


@pytest.mark.parametrize("text", ROWS, ids=[repr(text) for text in ROWS])
def test_a_file_has_these_variables(text: str) -> None:
    assert parse_environment(text) == ROWS[text]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A=1\nFOO", "line 2: expected KEY=VALUE"),
        ("A B=1", "line 1: expected KEY=VALUE"),
        ("=1", "line 1: expected KEY=VALUE"),
        ("\n\nA-B=1", "line 3: expected KEY=VALUE"),
        ('A=1\nB="x\ny', "line 2: the quote is never closed"),
        ("B='x", "line 1: the quote is never closed"),
    ],
)
def test_a_wrong_line_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_environment(text)


@given(st.text(alphabet="AB=:'\"\\$ {}#\n\r\t", max_size=40))
def test_any_text_gives_variables_or_an_error(text: str) -> None:
    try:
        assert all(parse_environment(text))
    except ValueError as error:
        assert str(error).startswith("line ")
