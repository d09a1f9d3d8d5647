"""Blocks to text: caddy-docker-proxy's bytes where they are right, and never another structure than the blocks'."""

import pytest
from dockcaddy.caddyfile import (
    Block,
    CaddyfileError,
    Origin,
    QuotedText,
    lex,
    lex_value,
    parse,
    quote,
    write,
    write_block,
    write_with_origins,
)
from hypothesis import given
from hypothesis import strategies as st

FORMS = {
    "a word": ("a", "a"),
    "a word with an apostrophe": ("it's", "it's"),
    "a space": ("a b", '"a b"'),
    "a quote": ('say "hi"', '`say "hi"`'),
    "a line break": ("a\nb", "`a\nb`"),
    "a backtick inside": ("a`b", "a`b"),
    "a backtick and a space": ("a `b`", '"a `b`"'),
    "a backslash": (r"C:\dir", r"C:\dir"),
    "doubled backslashes at the end": ("a\\\\", "a\\\\"),
    "a placeholder": ("{err.status_code}", "{err.status_code}"),
    "an environment variable": ("{$NAME}", "{$NAME}"),
    "a letter beyond ASCII": ("é", "é"),
    "nothing": ("", '""'),
    "an opening brace": ("{", '"{"'),
    "a closing brace": ("}", '"}"'),
    "both braces": ("{}", '"{}"'),
    "a brace at the end": ("a{", "a{"),
    "a hash in front": ("#a", '"#a"'),
    "a hash behind a backslash": (r"\#a", r'"\#a"'),
    "a tab": ("a\tb", '"a\tb"'),
    "a carriage return": ("a\rb", '"a\rb"'),
    "a no-break space": ("a\xa0b", '"a\xa0b"'),
    "a backtick in front": ("`a", '"`a"'),
    "a heredoc's start": ("<<END", '"<<END"'),
    "both kinds of quotes": ('a"b`c', '"a\\"b`c"'),
    "a backslash at the end": ("a\\", "`a\\`"),
    "a backslash before an angle": (r"a\<b", r'"a\<b"'),
    "a backslash before a quote": (r"a\"b", r"`a\"b`"),
    "backslash, quote and backtick": ('\\"`', '<<END\n\\"`\nEND'),
    "a heredoc that holds its marker": ('END \\"`', '<<END_\nEND \\"`\nEND_'),
    "a byte order mark": ("\ufeffa", '"\ufeffa"'),
    "an environment variable that was quoted": (QuotedText("{$NAME}"), '"{$NAME}"'),
}


@pytest.mark.parametrize(("token", "text"), FORMS.values(), ids=FORMS)
def test_a_token_takes_the_form_that_caddy_reads_back(token: str, text: str) -> None:
    assert quote(token) == text
    assert [read.text for read in lex(f"a {text} b")] == ["a", token, "b"]


@pytest.mark.parametrize("token", ["\ud800", '\r\\"`'])
def test_a_token_that_no_caddyfile_holds_is_an_error_that_shows_it(token: str) -> None:
    with pytest.raises(CaddyfileError) as caught:
        quote(token)
    assert repr(token) in str(caught.value)


TOKENS = st.text(alphabet="\"`\\\n\t #<{}aE'\xa0", max_size=6)


@given(st.lists(TOKENS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(tokens: list[str]) -> None:
    block = Block(("site",), (Block(("respond", *tokens)),))
    (site,) = parse(write([block]), "test")
    assert [child.keys for child in site.children] == [("respond", *tokens)]


@given(st.text(alphabet="\"`\\\n\r\t #<{}aE'\xa0\0\udcff"))
def test_every_token_of_a_label_value_can_be_written(value: str) -> None:
    for token in lex_value(value):
        assert [read.text for read in lex(f"a {quote(token)} b")] == ["a", token, "b"]


TREES = st.recursive(
    st.builds(Block, st.lists(TOKENS, min_size=1, max_size=3).map(tuple)),
    lambda inner: st.builds(
        Block, st.lists(TOKENS, min_size=1, max_size=2).map(tuple), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=10,
)


def shape(block: Block) -> tuple[object, ...]:
    return (block.keys, tuple(shape(child) for child in block.children))


@given(st.lists(TREES, max_size=3))
def test_no_token_changes_the_structure(lines: list[Block]) -> None:
    sites = [Block(("a.test",), tuple(lines)), Block(("b.test",), (Block(("respond", "b")),))]
    assert [shape(block) for block in parse(write(sites), "test")] == [shape(block) for block in sites]


def test_a_tree_is_indented_with_tabs() -> None:
    tree = [
        Block((), (Block(("email", "a@b.test")),)),
        Block(("a.test", "b.test"), (Block(("route",), (Block(("respond", "a b")),)), Block(("encode",)))),
    ]
    assert write(tree) == '{\n\temail a@b.test\n}\na.test b.test {\n\troute {\n\t\trespond "a b"\n\t}\n\tencode\n}\n'


def test_a_site_without_directives_does_not_swallow_the_next_one() -> None:
    bare, full = Block(("a.test",)), Block(("b.test",), (Block(("respond", "b")),))
    assert write([bare, full]) == "a.test {\n}\nb.test {\n\trespond b\n}\n"


def test_the_last_site_without_directives_goes_without_braces_as_in_caddy_docker_proxy() -> None:
    assert (
        write([Block(("a.test",), (Block(("respond", "a")),)), Block(("b.test",))])
        == "a.test {\n\trespond a\n}\nb.test\n"
    )


@pytest.mark.parametrize("key", ["(snippet)", "&(route)"])
def test_a_definition_always_has_braces(key: str) -> None:
    assert write_block(Block((key,)), last=True) == f"{key} {{\n}}\n"


def test_global_options_without_an_option_are_no_line() -> None:
    assert write([Block(()), Block(("a.test",))]) == "a.test\n"


def test_an_import_never_has_braces_of_its_own() -> None:
    assert write([Block(("import", "/etc/caddy/*")), Block(("b.test",))]) == "import /etc/caddy/*\nb.test\n"


def test_every_line_has_its_origins() -> None:
    one, two = Origin("container one", "caddy"), Origin("container two", "caddy.respond")
    text, origins = write_with_origins(
        [
            Block(("a.test",), (Block(("respond", "1\n2"), origins=(two,)), Block(("encode",))), origins=(one, two)),
            Block(("b.test",), origins=(one,)),
            Block(("c.test",), origins=(two,)),
        ]
    )
    told = list(zip(text.split("\n"), origins, strict=False))
    assert told == [
        ("a.test {", (one, two)),
        ("\trespond `1", (two,)),
        ("2`", (two,)),
        ("\tencode", ()),
        ("}", (one, two)),
        ("b.test {", (one,)),
        ("}", (one,)),
        ("c.test", (two,)),
    ]
