"""The real Caddy reads back what is written, and splits text as the lexer does."""

import itertools
import json
import random
import subprocess
from collections.abc import Callable

import pytest
from dockcaddy.caddyfile import Block, CaddyfileError, lex, parse, quote, sort, write

Adapt = Callable[[str], dict[str, object] | str]

PIECES = [
    "a",
    "b",
    '"',
    "`",
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "#",
    "<",
    "<<",
    "<<END",
    "END",
    "{",
    "}",
    "{}",
    "$",
    "'",
    ",",
]
PIECES += ["\0", "\ufeff", "\xa0", "\u2028", "é", "@", "/", "*", "import", "\\<", "\x0b", "\x85", "\U0001f600"]


@pytest.fixture(scope="module")
def adapt(caddy: str) -> Adapt:
    """Caddy's JSON of a text, or its words where it refuses."""

    def run(text: str) -> dict[str, object] | str:
        command = [caddy, "adapt", "--adapter", "caddyfile", "--config", "/dev/stdin"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode(errors="replace")

    return run


def found(tree: object, key: str) -> list[object]:
    """All values of a key in Caddy's JSON, in its order."""
    if isinstance(tree, list):
        return [value for item in tree for value in found(item, key)]
    if not isinstance(tree, dict):
        return []
    return [v for name, inner in tree.items() for v in ([inner] if name == key else found(inner, key))]


def samples(seed: int, count: int, longest: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choice(PIECES) for _ in range(chance.randint(0, longest))) for _ in range(count)]


# Caddy fills these in before it reads anything
TOKENS = [token for token in samples(1, 1500, 5) if "{$" not in token]


def test_caddy_reads_back_every_token_as_an_argument(adapt: Adapt) -> None:
    lines: list[Block] = []
    for number, token in enumerate(TOKENS):
        lines.append(Block((f"@m{number}", "host", token, "last")))
        lines.append(Block((f"@n{number}", "host", "first", token)))
        lines += [Block(("respond", f"@m{number}", "ok")), Block(("respond", f"@n{number}", "ok"))]
    adapted = adapt(write([Block((":80",), (Block(("route",), tuple(lines)),))]))
    assert found(adapted, "host") == [pair for token in TOKENS for pair in ([token, "last"], ["first", token])]


def test_caddy_reads_back_every_token_in_front_of_a_block_and_at_a_lines_start(adapt: Adapt) -> None:
    tokens = [token for token in dict.fromkeys(TOKENS) if token not in ("", "import", "handler")]
    variables = Block(("vars",), tuple(Block((token, f"value {number}")) for number, token in enumerate(tokens)))
    answers = [Block(("respond", "/x", token), (Block(("close",)),)) for token in tokens]
    adapted = adapt(write([Block((":80",), (Block(("route",), (variables, *answers)),))]))
    (route,) = found(adapted, "routes")
    (wrapped,) = found(route, "routes")
    handlers = [handler for handle in found(wrapped, "handle") for handler in handle]
    assert handlers[0] == {"handler": "vars"} | {token: f"value {number}" for number, token in enumerate(tokens)}
    assert [handler.get("body") for handler in handlers[1:]] == tokens


def test_caddy_splits_text_as_the_lexer_does(adapt: Adapt) -> None:
    """Only lines that stay lines are compared; braces have tests of their own."""
    lines: list[str] = []
    expected: list[list[str]] = []
    for number, text in enumerate(samples(2, 600, 10)):
        # the number keeps Caddy from joining neighbours that are equal
        sample = text.replace("{", "(").replace("}", ")") + f" {number}"
        try:
            *tokens, after = lex(f"host {sample}\nafter")
        except CaddyfileError:
            continue
        one_line = all(later.line <= token.last_line for token, later in itertools.pairwise(tokens))
        if one_line and after.text == "after" and after.line > tokens[-1].last_line and len(tokens) > 1:
            lines.append(f"@m{len(lines)} host {sample}\nrespond @m{len(lines)} ok\n")
            expected.append([token.text for token in tokens[1:]])
    assert len(lines) > 200
    adapted = adapt(":80 {\nroute {\n" + "".join(lines) + "}\n}\n")
    assert found(adapted, "host") == expected


def test_a_text_that_no_form_holds_is_truly_refused(adapt: Adapt) -> None:
    token = '\r\\"`'
    with pytest.raises(CaddyfileError):
        quote(token)
    for text in (token, f"`{token}`", f'"{token}"', f"<<END\n{token}\nEND"):
        assert found(adapt(f":80 {{\n\t@m host {text} last\n\trespond @m ok\n}}\n"), "host") != [[token, "last"]]


def test_a_lone_brace_stays_inside_its_site(adapt: Adapt) -> None:
    for brace in "{", "}", "{}":
        sites = [
            Block((":81",), (Block(("respond", brace)),)),
            Block((":82",), (Block(("header", "X-A", brace)), Block(("respond", "two", "200")))),
        ]
        assert found(adapt(write(sites)), "body") == [brace, "two"]


def test_sites_behind_one_without_directives_are_kept(adapt: Adapt) -> None:
    adapted = adapt(write([Block((":81",)), Block((":82",), (Block(("respond", "two")),)), Block((":83",))]))
    assert found(adapted, "listen") == [[":81"], [":82"], [":83"]]
    assert found(adapted, "body") == ["two"]


READINGS = {
    "a heredoc": ':80 {\n\trespond <<JSON\n\t\t{ "a":  1 } # one\n\n\t\t}\n\t\tJSON 200\n}\n',
    "quoted braces": ':80 {\n\trespond "{" 200\n\theader X-A `}`\n}\n',
    "no braces": ':80\nhandle /x/* {\n\trespond x\n}\nheader X-A "b c"\n',
    "a brace on the next line": ":80,\n:81\n{\n\trespond x\n}\n",
    "shared lines": ":80 { respond a\n} :81 {\n\trespond b\n}\n",
    "a comment that joins": ':80 {\n\theader X-A # "\\\n\tb\n}\n',
    "joined lines": ':80 {\n\theader \\\n\t\tX-A \\\n\t\t"b\nc"\n\trespond x\n}\n',
    "Windows lines": ":80 {\r\n\trespond <<END\r\n\t\ta\r\n\t\tb\r\n\t\tEND 200\r\n}\r\n",
    "a byte order mark": "\ufeff:80 {\n\trespond x\n}\n",
    "an empty argument": ':80 {\n\theader X-A ""\n\trespond x\n}\n',
    "a snippet with arguments": '(s) {\n\trespond {args[0]} 200\n}\n:80 {\n\timport s "a b"\n}\n',
    "a named route": "&(r) {\n\trespond x\n}\n:80 {\n\tinvoke r\n}\n",
    "an environment variable": ':80 {\n\trespond "{$DOCKCADDY_NOT_SET:a b}" 200\n}\n',
    "escapes": r":80 {" "\n\t" r'respond "\a \" \\" 200' "\n\t" r"header X-A a\b" "\n}\n",
}


@pytest.mark.parametrize("text", READINGS.values(), ids=READINGS)
def test_a_caddyfile_means_the_same_after_it_was_read_and_written(text: str, adapt: Adapt) -> None:
    adapted = adapt(text)
    assert not isinstance(adapted, str), adapted
    assert adapt(write(sort(parse(text, "test")))) == adapted


def test_what_caddy_answers_inside_route_is_the_order_it_would_sort_itself(adapt: Adapt) -> None:
    """The same directives in `handle`, which Caddy sorts, and in `route`, which we do."""
    texts = "root * /srv|file_server|forward_auth a:80 {\n\turi /x\n}|reverse_proxy b:80|encode gzip|rewrite /x /y|uri strip_prefix /z|"
    texts += "header X-A b|redir /old /new|redir /old/older /new|redir /old/* /new|vars /v/* a b|vars c d|vars /v/w e f|respond /r x|"
    texts += "request_header X-A b|basic_auth {\n\tbob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}|"
    texts += "handle /h/* {\n\trespond h\n}|handle {\n\trespond i\n}|route /j {\n\trespond j\n}|error /e 404|abort /q|templates|method GET|"
    texts += "root /b/* /srv/b|root /b/c/* /srv/c|try_files /k|request_body {\n\tmax_size 1MB\n}|tracing|log_skip /s|log_name n|push|metrics /m"
    lines = "\n".join(text for text in texts.split("|") if text)

    def routes(directive: str) -> object:
        (site,) = sort(parse(f":80 {{\n{directive} {{\n{lines}\n}}\n}}\n", "test"))
        (scope,) = site.children
        unnumbered = Block(scope.keys, tuple(Block(child.keys, child.children) for child in scope.children))
        adapted = adapt(write(sort([Block((":80",), (unnumbered,))])))
        assert not isinstance(adapted, str), adapted
        return json.loads(json.dumps(found(adapted, "routes")[-1]))

    def without_groups(tree: object) -> object:
        if isinstance(tree, dict):
            return {name: without_groups(inner) for name, inner in tree.items() if name != "group"}
        return [without_groups(item) for item in tree] if isinstance(tree, list) else tree

    assert without_groups(routes("route")) == without_groups(routes("handle"))
