"""What labels and Caddyfiles say is what Caddy does, and nobody's labels reach further than their own sites."""

import gzip
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from dockcaddy import gotemplate, plugins
from town import Town
from world import SECRET, SECRET_VARIABLE
from world_fixtures import Newcomers, site

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]
Start = Callable[..., Any]


# --- B14: the proxy's own environment

READINGS = {
    "env": f'got:{{{{env "{SECRET_VARIABLE}"}}}}',
    "Caddy's, at reading": f"got:{{${SECRET_VARIABLE}}}",
    "Caddy's, with a default": f"got:{{${SECRET_VARIABLE}:x}}",
    "Caddy's, at running": f"got:{{env.{SECRET_VARIABLE}}}",
    "Caddy's, out of a file": "got:{file.%DATA%/secret.txt}",
}


@pytest.mark.parametrize("value", READINGS.values(), ids=READINGS)
def test_b14_no_label_reads_the_proxys_environment(
    newcomers: Newcomers, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    sent = {"reverse_proxy": "127.0.0.1:%UPSTREAM%", "reverse_proxy.header_up": f"X-Got {value}"}
    newcomers.put(site("x", {"respond": value}), site("y", sent))
    assert not newcomers.visit("x").holds(SECRET) and not newcomers.visit("y").holds(SECRET)
    assert SECRET not in f"{newcomers.world.upstream.received} {newcomers.world.problems()} {caplog.text}"
    assert newcomers.told("container first", "label caddy.respond")
    assert newcomers.told("container second", "label caddy.reverse_proxy.header_up")
    assert newcomers.world.faults() == []


def test_b14_env_reads_the_containers_own_environment(newcomers: Newcomers) -> None:
    newcomers.put(site("x", {"respond": '{{env "OWN"}}'}), environment={"OWN": "of the container"})
    assert newcomers.body("x") == "of the container"


def test_b14_expandenv_reads_the_containers_own_environment(newcomers: Newcomers) -> None:
    text = f'{{{{expandenv "$OWN and ${SECRET_VARIABLE}."}}}}'
    newcomers.put(site("x", {"respond": text}), environment={"OWN": "of the container"})
    assert newcomers.body("x") == "of the container and ."
    assert SECRET not in f"{newcomers.world.problems()}"


@pytest.mark.parametrize("function", ['lookup "localhost"', 'readFile "/etc/passwd"'])
def test_b14_no_function_reads_files_or_clusters(newcomers: Newcomers, function: str) -> None:
    newcomers.put(site("x", {"respond": f"got:{{{{{function}}}}}"}))
    assert newcomers.told("container first", "label caddy.respond", "is not defined")
    assert "got:" not in newcomers.body("x")
    assert newcomers.world.faults() == []


# --- B15: functions that never give the same twice

CHANGING = """
import itertools

import dockcaddy

numbers = itertools.count()


@dockcaddy.hook
def dockcaddy_functions():
    return {"another": lambda context: next(numbers)}
"""


def test_b15_a_function_that_never_gives_the_same_twice_causes_no_reload(
    engine, start_proxy: Start, tmp_path: Path, eventually: Eventually
) -> None:
    plugin = tmp_path / "changing.py"
    plugin.write_text(CHANGING)
    town = Town(engine, start_proxy("--plugin", str(plugin), "--polling-interval", "50ms"))
    engine.add("numbered", {"caddy": f"http://numbered.test:{town.proxy.port}", "caddy.respond": "number{{another}}"})
    eventually(lambda: town.proxy.body("numbered.test").startswith("number"))
    eventually(town.polled(2))
    given, loads = town.proxy.body("numbered.test"), town.proxy.loads
    eventually(town.polled(10))
    assert town.proxy.loads == loads
    town.add("a")
    eventually(lambda: town.right("a"))
    assert town.proxy.body("numbered.test") == given


# --- B16: what belongs to everybody


@pytest.mark.parametrize("key", ["caddy.admin", "caddy_9.admin"])
def test_b16_no_label_opens_the_admin_endpoint(newcomers: Newcomers, key: str) -> None:
    newcomers.put({key: "0.0.0.0:%FREE_PORT%"})
    assert newcomers.told("container first", f"label {key}", "belongs to the operator")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", newcomers.world.ports["FREE_PORT"]), timeout=1)
    assert newcomers.world.faults() == []


def test_b16_no_label_has_a_file_read(newcomers: Newcomers, caplog: pytest.LogCaptureFixture) -> None:
    newcomers.put({"caddy.import": "%DATA%/secret.txt"}, site("x", {"import": "%DATA%/secret.txt"}))
    for name in ("first", "second"):
        assert newcomers.told(f"container {name}", "label caddy.import", "is not in the base Caddyfile's folder")
    assert SECRET not in f"{newcomers.world.problems()} {caplog.text} {newcomers.visit('x')}"
    assert newcomers.world.faults() == []


def test_b16_a_snippet_is_what_its_oldest_container_says(newcomers: Newcomers) -> None:
    newcomers.put({"caddy": "(greeting)", "caddy.header": "X-Greeting goodbye", "caddy.abort": ""})
    assert newcomers.told("container first", "(greeting) differs from that of container snippet")
    assert newcomers.world.faults() == []


# --- B32: order inside `route`


@pytest.fixture
def guard(free_port: Callable[[], int]) -> dict[str, str]:
    """A server that lets in whoever has a cookie."""
    return {
        "caddy": f"http://:{free_port()}",
        "caddy.@in.header": "Cookie in=1",
        "caddy.0_respond": "@in in 200",
        "caddy.1_respond": "out 401",
    }


SPELLINGS = ("/secret.txt", "//secret.txt", "/./secret.txt", "/x/../secret.txt", "/%73ecret.txt", "/secret%2Etxt")
SPELLINGS += ("/SECRET.TXT", "/secret.txt/", "/secret.txt?in=1", "/secret.txt%00", "/", "/x/..%2Fsecret.txt")
FILES = {"root": "* %FOLDER%/public", "file_server": "browse"}


@pytest.mark.parametrize("number", ["", "0_", "7_"])
def test_b32_the_login_is_asked_before_files_are_served(
    newcomers: Newcomers, guard: Mapping[str, str], number: str
) -> None:
    port = guard["caddy"].rpartition(":")[2]
    directives = {**FILES, "forward_auth": f"127.0.0.1:{port}", "forward_auth.uri": "/check"}
    public = newcomers.world.folder / "public"
    public.mkdir(exist_ok=True)
    (public / "secret.txt").write_text("for few")
    newcomers.put(guard, site("x", {f"route.{number}{key}": value for key, value in directives.items()}))
    for path in SPELLINGS:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            answer = newcomers.visit("x", path, method=method)
            assert (answer.status, answer.body) in ((401, b"out"), (401, b""), (400, b""))
    assert newcomers.visit("x", "/secret.txt", {"Cookie": "in=1"}).body == b"for few"


def test_b32_a_path_is_rewritten_before_it_is_sent_on(newcomers: Newcomers) -> None:
    proxied = {"route.reverse_proxy": "{{upstreams %UPSTREAM%}}", "route.uri": "strip_prefix /outer"}
    answered = {"route.respond": "{uri}", "route.rewrite": "* /inner"}
    newcomers.put(site("x", proxied), site("y", answered))
    assert newcomers.body("x", "/outer/inner") == "from upstream"
    assert newcomers.world.upstream.received[-1].startswith("GET /inner HTTP/1.1\n")
    assert newcomers.body("y", "/outer") == "/inner"


def test_b32_equal_directives_follow_their_numbers(newcomers: Newcomers) -> None:
    newcomers.put(site("x", {"route.redir_2": "/a /two", "route.redir_10": "/a /ten", "route.redir_1": "/b /one"}))
    assert dict(newcomers.visit("x", "/a").headers)["Location"] == "/two"


# --- B33: names that end in a number


def test_b33_names_that_end_in_a_number_keep_it(newcomers: Newcomers) -> None:
    matchers = {"@api_1.path": "/1", "@api_2.path": "/2", "respond_1": "@api_1 one", "respond_2": "@api_2 two"}
    newcomers.put(site("x", {**matchers, "header.X-Api_1": "kept"}))
    assert [newcomers.body("x", path) for path in ("/1", "/2", "/3")] == ["one", "two", ""]
    headers = dict(newcomers.visit("x", "/1").headers)
    assert headers["X-Api_1"] == "kept" and "X-Api" not in headers
    assert newcomers.world.problems() == []


# --- B34: one matcher name, two containers


def test_b34_a_matcher_of_a_shared_site_stays_its_oldest_containers(newcomers: Newcomers) -> None:
    older = site("x", {"@api.path": "/one", "handle": "@api", "handle.respond": "one"})
    newer = site("x", {"@api.path": "/two", "handle_2": "@api", "handle_2.respond": "two"})
    newcomers.put(older)
    newcomers.put(older, newer)
    assert [newcomers.body("x", path) for path in ("/one", "/two")] == ["one", ""]
    assert newcomers.told("container second", "@api differs from that of container first", "the older resource wins")
    newcomers.put({}, newer)
    assert [newcomers.body("x", path) for path in ("/one", "/two")] == ["", "two"]


# --- B35: what a value holds

TEXTS = {
    "a tab": ('"a\tb"', "a\tb"),
    "a hash": ('"#hash"', "#hash"),
    "a hash in backticks": ("`#hash tag`", "#hash tag"),
    "both quotes": ('"a \\"b\\" `c`"', 'a "b" `c`'),
    "a line break": ('"one\ntwo"', "one\ntwo"),
    "a backslash": ("`a\\b \\`", "a\\b \\"),
    "a heredoc's beginning": ('"<<END"', "<<END"),
    "a comment behind": ("hello # world", "hello"),
}


@pytest.mark.parametrize(("value", "read"), TEXTS.values(), ids=TEXTS)
def test_b35_a_visitor_reads_what_the_label_says(newcomers: Newcomers, value: str, read: str) -> None:
    newcomers.put(site("x", {"respond": value}))
    assert newcomers.body("x") == read


def test_b35_an_empty_argument_is_one(newcomers: Newcomers) -> None:
    newcomers.put(site("x", {"0_uri": 'replace /api ""', "respond": "{uri}", "header": 'X-Empty ""'}))
    answer = newcomers.visit("x", "/api/users")
    assert answer.body == b"/users"
    assert ("X-Empty", "") in answer.headers


# --- B21, B36: the operator's Caddyfile

HEREDOC = (
    "http://heredoc.test:%PORT% {\n\trespond <<JSON\n\t\t{\n\t\t  # not a comment\n"
    '\t\t  "two":  "two  spaces",\n\t\t  "site {": "}"\n\t\t}\n\t\tJSON 200\n}\n'
)
READ = '{\n  # not a comment\n  "two":  "two  spaces",\n  "site {": "}"\n}'


def test_b21_a_heredoc_in_the_base_caddyfile_is_read_as_caddy_reads_it(
    newcomers: Newcomers, add_to_base: Callable[[str], None]
) -> None:
    add_to_base(HEREDOC)
    newcomers.put(site("heredoc", {"header": "X-Beside label"}))
    answer = newcomers.visit("heredoc")
    assert (answer.status, answer.body.decode()) == (200, READ)
    assert ("X-Beside", "label") in answer.headers


@pytest.mark.parametrize("brace", ["{", "}"])
def test_b36_a_quoted_brace_in_the_base_caddyfile_stays_a_text(
    newcomers: Newcomers, add_to_base: Callable[[str], None], brace: str
) -> None:
    add_to_base(f'http://brace.test:%PORT% {{\n\trespond "{brace}" 200\n}}\n')
    newcomers.put(site("after", {"respond": "after"}))
    assert (newcomers.body("brace"), newcomers.body("after")) == (brace, "after")
    assert newcomers.world.faults() == []


# --- B37: templates that fail


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"respond": "{{nonsense}}"}, 'label caddy.respond: function "nonsense" is not defined'),
        ({"header.X": "{{env"}, "label caddy.header.X: unclosed action"),
        ({"respond": "{{index .Names 7}}"}, "label caddy.respond: at <index .Names 7>"),
    ],
    ids=["function", "action", "execution"],
)
def test_b37_a_wrong_template_is_named_with_its_container_and_label_and_costs_others_nothing(
    newcomers: Newcomers, labels: Mapping[str, str], told: str
) -> None:
    good = site("x", {"handle": "/good", "handle.respond": "good"})
    newcomers.put(good)
    loads = newcomers.world.counts.loads
    newcomers.put(good, site("x", labels))
    assert newcomers.told("container second: ", told)
    assert newcomers.body("x", "/good") == "good"
    assert newcomers.world.counts.loads == loads
    assert newcomers.world.faults() == []


def test_b37_a_template_that_fails_one_day_leaves_the_sites_as_they_were(newcomers: Newcomers) -> None:
    labels = site("x", {"respond": "{{slice (splitList `` (index .Names 0)) 1 4 | join ``}}"})
    newcomers.put(labels, name="webserver")
    assert newcomers.body("x") == "web"
    newcomers.put(labels, name="w")
    assert newcomers.told("container w: label caddy.respond: at <slice")
    assert newcomers.body("x") == "web"
    newcomers.put(labels, name="database")
    assert newcomers.body("x") == "dat"


# --- B40: labels without a value


def test_b40_labels_without_a_value_are_directives(newcomers: Newcomers) -> None:
    public = newcomers.world.folder / "public"
    public.mkdir(exist_ok=True)
    (public / "long.txt").write_text("long " * 500)
    files = {"root": "* %FOLDER%/public", "file_server": "", "encode": "", "log": "", "header.-Server": ""}
    proxied = {
        "reverse_proxy": "https://127.0.0.1:%HTTPS_PORT%",
        "reverse_proxy.header_up": "Host secure.test",
        "reverse_proxy.transport": "http",
        "reverse_proxy.transport.tls_insecure_skip_verify": "",
        "reverse_proxy.transport.tls_server_name": "secure.test",
    }
    newcomers.put(site("files", files), site("insecure", proxied), site("bare", {}))
    answer = newcomers.visit("files", "/long.txt", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body).decode() == "long " * 500
    assert "Server" not in dict(answer.headers)
    assert newcomers.body("insecure") == "secure"
    assert all("the site has no directives" in problem for problem in newcomers.world.problems())
    assert newcomers.world.faults() == []


# --- B49: equal labels


def test_b49_equal_labels_in_another_order_are_no_change(newcomers: Newcomers) -> None:
    labels = site("x", {}) | {
        "caddy_0": "http://x.test:%PORT%",
        "caddy_0.9_respond": "/a x",
        "caddy_0.5_encode": "gzip",
    }
    labels |= {"caddy_1": "http://x.test:%PORT%", "caddy_1.1_respond": "/a x", "caddy_1.2_respond": "/a y"}
    newcomers.put(labels)
    # the number of the first, so that y comes before it
    assert newcomers.body("x", "/a") == "y"
    keys, loads = sorted(labels), newcomers.world.counts.loads
    for turn in range(len(keys)):
        newcomers.put({key: labels[key] for key in (*keys[turn:], *keys[:turn])})
    assert newcomers.world.counts.loads == loads


# --- B50: Go's own functions


def test_b50_slice_is_sprigs_and_says_what_it_takes(newcomers: Newcomers) -> None:
    newcomers.put(site("x", {"respond": '{{slice "abcdef" 1 3}}'}), name="w")
    told = "error calling slice: list should be type of slice or array but string"
    assert newcomers.told(f'container w: label caddy.respond: at <slice "abcdef" 1 3>: {told}')


def test_b50_slice_takes_texts_as_in_go_without_sprig() -> None:
    table = gotemplate.FunctionTable(plugins.load(disabled=["sprig"]).callables())
    assert gotemplate.compile('{{slice "abcdef" 1 3}}', table).execute(None) == "bc"
