"""A whole Caddyfile to blocks, with the rules of Caddy's own parser."""

from pathlib import Path

import pytest
from dockcaddy.caddyfile import Block, CaddyfileError, Origin, parse, write
from golden import Golden

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.input"))


@pytest.mark.parametrize("name", CASES)
def test_a_caddyfile_keeps_its_meaning(name: str, golden: Golden) -> None:
    text = (GOLDEN / f"{name}.input").read_text()
    golden(GOLDEN / f"{name}.caddyfile", write(parse(text, "caddyfile test")))


def shape(blocks: tuple[Block, ...]) -> list[object]:
    return [(block.keys, shape(block.children)) for block in blocks]


def test_siblings_are_numbered_in_their_order() -> None:
    text = "{\n\temail a@b.test\n}\n(s) {\n\tencode\n}\na.test {\n\tredir /x\n\trespond a\n}\n"
    options, snippet, site = parse(text, "caddyfile test")
    assert [options.order, snippet.order, site.order] == [0, 1, 2]
    assert [child.order for child in site.children] == [0, 1]


def test_every_block_names_its_source() -> None:
    (site,) = parse("a.test {\n\trespond a\n}\n", "caddyfile /etc/caddy/Caddyfile")
    assert site.origins == site.children[0].origins == (Origin("caddyfile /etc/caddy/Caddyfile"),)


def test_a_quoted_brace_is_data() -> None:
    (site,) = parse('a.test {\n\trespond "{" 200\n\trespond `}` 200\n}\n', "test")
    assert shape(site.children) == [(("respond", "{", "200"), []), (("respond", "}", "200"), [])]


def test_a_heredoc_keeps_every_byte() -> None:
    (site,) = parse('a.test {\n\trespond <<JSON\n\t\t{\n\t\t  "a":  1 # one\n\t\t}\n\t\tJSON 200\n}\n', "test")
    assert site.children[0].keys == ("respond", '{\n  "a":  1 # one\n}', "200")


def test_a_quoted_environment_variable_stays_one_token() -> None:
    text = 'a.test {\n\trespond "{$GREETING}" 200\n\treverse_proxy {$UPSTREAMS}\n}\n'
    assert write(parse(text, "test")) == text


def test_nothing_gives_nothing() -> None:
    assert parse("", "test") == parse(" # a comment\n\n", "test") == ()


WRONG = {
    "a block without an end": ("a.test {\n\troute {\n\t}\n", 1, "never closed"),
    "an end without a block": ("a.test {\n}\n}\n", 3, "closes nothing"),
    "words behind a brace": ("a.test {\n\troute { respond\n\t}\n}\n", 2, "must end after"),
    "a brace behind words": ("a.test {\n\trespond a }\n", 2, "line of its own"),
    "an empty pair of braces": ("a.test {\n\theader {}\n}\n", 2, "empty block"),
    "an open quote": ('a.test {\n\trespond "a\n}\n', 2, "never closed"),
    "too many levels": ("a {\n" + "b {\n" * 200 + "}\n" * 201, 51, "deeper than"),
}


@pytest.mark.parametrize(("text", "line", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_caddyfile_is_an_error_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(CaddyfileError, match=words) as caught:
        parse(text, "test")
    assert caught.value.line == line
