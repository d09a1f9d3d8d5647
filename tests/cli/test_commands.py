"""The other commands, and how usage errors are told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.cli import COMMANDS

SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}
SECOND = {"caddy": "a.example.org", "caddy.respond": "/second hi"}
BROKEN = {"caddy": "b.example.org", "caddy.respond": "{{upstraems 80}}"}
REFUSED = {"caddy": "c.example.org", "caddy.no_such_directive": "x"}
EMPTY = {"caddy": "{{if false}}x{{end}}"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(dockcaddy: Callable, name: str) -> None:
    result = dockcaddy(name, "--help")
    assert (result.status, result.err) == (0, "")
    assert f"Usage: dockcaddy {name}" in result.out


def test_help_shows_what_matters_and_the_rest_still_works(dockcaddy: Callable) -> None:
    assert "--polling-interval" in dockcaddy("run", "--help").out
    assert "--polling-interval" not in dockcaddy("functions", "--help").out
    assert dockcaddy("functions", "--polling-interval", "1s").status == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rendr",), 'no command "rendr", did you mean "render"; see dockcaddy --help'),
        (
            ("render", "--ingres-networks", "x"),
            'no option "--ingres-networks", did you mean "--ingress-networks"; see dockcaddy render --help',
        ),
        (("explain",), "missing argument 'SUBJECT'; see dockcaddy explain --help"),
        (("run", "--mode", "servr"), 'did you mean "server"'),
        (("run", "--polling-interval", "30x"), '--polling-interval 30x: expected a duration like "30s"'),
        (("plugins", "--set", "health.gat=true"), 'unknown key "health.gat", did you mean "gate"'),
        (("plugins", "--replace", "upstraems"), 'no template function "upstraems", did you mean "upstreams"'),
        (("run", "--output", "nowhere"), 'no output "nowhere"'),
    ],
)
def test_wrong_usage_is_one_line_and_status_two(dockcaddy: Callable, arguments: tuple[str, ...], told: str) -> None:
    result = dockcaddy(*arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert told in result.err


def test_without_a_command_the_help_is_shown(dockcaddy: Callable) -> None:
    result = dockcaddy()
    assert result.status == 2
    assert all(name in result.err for name in COMMANDS)


def test_check_counts_good_labels(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    result = dockcaddy("check", "--inventory", snapshot(web=SITE), "--ingress-networks=web", "--caddy", caddy)
    assert (result.status, result.out, result.err) == (0, "1 container, 1 site, ok\n", "")


def test_check_lists_what_templates_and_caddy_refuse(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    path = snapshot(web=SITE, bad=BROKEN, refused=REFUSED)
    result = dockcaddy("check", "--inventory", path, "--ingress-networks=web", "--caddy", caddy)
    assert (result.status, result.out) == (1, "")
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: container bad: label caddy.respond: ")
    assert lines[1].startswith("error: container refused: ")
    assert "no_such_directive" in lines[1]


def test_check_without_a_caddy_says_so_and_never_passes(dockcaddy: Callable, snapshot: Callable) -> None:
    missing = ("--caddy", "/nowhere/caddy")
    assert dockcaddy("check", "--inventory", snapshot(web=SITE), *missing).status == 3
    result = dockcaddy("check", "--inventory", snapshot(bad=BROKEN), *missing)
    assert result.status == 1
    assert "warning: caddy was not asked: " in result.err


def test_explain_names_the_resource_and_label_of_each_line_of_a_site(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web=SITE, second=SECOND, other={"caddy": "z.example.org", "caddy.respond": "x"})
    result = dockcaddy("explain", "a.example.org", "--inventory", path, "--ingress-networks=web")
    told = [(line.partition("#")[0].strip(), line.partition("#")[2].strip()) for line in result.out.splitlines()]
    assert told == [
        ("a.example.org {", "container web caddy, container second caddy"),
        ("respond /second hi", "container second caddy.respond"),
        ("reverse_proxy 172.20.0.5:80", "container web caddy.reverse_proxy"),
        ("}", "container web caddy, container second caddy"),
    ]
    assert "z.example.org" not in result.out


@pytest.mark.parametrize("subject", ["second", "container second"])
def test_explain_shows_a_resources_lines_only(dockcaddy: Callable, snapshot: Callable, subject: str) -> None:
    path = snapshot(web=SITE, second=SECOND)
    result = dockcaddy("explain", subject, "--inventory", path, "--ingress-networks=web")
    assert "respond /second hi" in result.out
    assert "reverse_proxy" not in result.out


@pytest.mark.parametrize("subject", ["https://web.test", "https://web.test/", "http://plain.test"])
def test_explain_finds_a_site_by_the_url_that_the_status_shows(
    dockcaddy: Callable, snapshot: Callable, subject: str
) -> None:
    snapshot(
        web={"caddy": "web.test", "caddy.respond": "x"}, plain={"caddy": "http://plain.test", "caddy.respond": "x"}
    )
    assert "respond x" in dockcaddy("explain", subject, "--inventory", "snapshot.json").out


def test_explain_says_what_a_container_without_a_site_lacks(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("explain", "db", "--inventory", snapshot(web=SITE, db={}))
    assert (result.status, result.out) == (0, "")
    assert result.err.startswith("warning: container db: no labels of ours: add caddy: app.example.org")


@pytest.mark.parametrize("subject", ["A.example.org", "a.example.org", "https://a.example.org:8443"])
def test_explain_finds_a_site_by_its_host(dockcaddy: Callable, snapshot: Callable, subject: str) -> None:
    path = snapshot(web={"caddy": "https://a.example.org:8443", "caddy.respond": "x"})
    assert "respond x" in dockcaddy("explain", subject, "--inventory", path).out


def test_explain_keeps_the_lines_of_a_value_together(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": '"one\ntwo"', "caddy.tls": "internal"})
    result = dockcaddy("explain", "a.example.org", "--inventory", path)
    assert [line.partition("  #")[0].strip() for line in result.out.splitlines()][-2:] == ["tls internal", "}"]


def test_explain_tells_why_a_resource_has_no_lines(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web=SITE, bad=BROKEN, empty=EMPTY)
    result = dockcaddy("explain", "bad", "--inventory", path)
    assert (result.status, result.out) == (0, "")
    assert result.err.splitlines()[0] == "warning: container bad: not in the configuration"
    assert "label caddy.respond" in result.err
    assert "not in the configuration" in dockcaddy("explain", "empty", "--inventory", path).err


def test_explain_offers_the_nearest(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("explain", "a.exmple.org", "--inventory", snapshot(web=SITE), "--ingress-networks=web")
    assert result.status == 2
    assert result.err == 'error: no site and no resource "a.exmple.org", did you mean "a.example.org"\n'


def test_functions_are_a_table_with_their_plugins(dockcaddy: Callable) -> None:
    lines = dockcaddy("functions").out.splitlines()
    upstreams = next(line for line in lines if line.startswith("upstreams "))
    assert upstreams.split("  ")[1:] and " upstreams " in upstreams
    grouped = [[line.split()[0] for line in lines if f"  {plugin}  " in line] for plugin in ("upstreams", "sprig")]
    assert all(names and names == sorted(names) for names in grouped)
    assert "  sprig  " in lines[-1], "the plugin with the most functions does not bury the others"
    assert all(line == line.rstrip() for line in lines)


def test_the_help_of_one_function_names_its_owner(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "site.py").write_text(
        "import dockcaddy\n@dockcaddy.hook\ndef dockcaddy_functions():\n    return {'greet': greet}\n"
        "def greet(context: dockcaddy.Context, whom: str) -> str:\n"
        "    '''A greeting.\n\n    For WHOM.\n    '''\n    return whom\n"
    )
    result = dockcaddy("functions", "greet", "--plugin", "./site.py")
    assert result.out == "greet WHOM\n\nA greeting.\n\nFor WHOM.\n\nplugin site (file ./site.py)\n"


def test_an_unknown_function_is_told_with_the_nearest(dockcaddy: Callable) -> None:
    result = dockcaddy("functions", "upstream")
    assert (result.status, result.err) == (2, 'error: no template function "upstream", did you mean "upstreams"\n')


def test_plugins_tell_what_they_contribute_and_where_they_are_from(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "site.py").write_text(
        "import dockcaddy\n@dockcaddy.hook\ndef dockcaddy_functions():\n    return {'greet': lambda context: 'x'}\n"
    )
    (sandbox / "dockcaddy.toml").write_text('plugins = ["./site.py"]')
    rows = [line.split(maxsplit=2) for line in dockcaddy("plugins").out.splitlines()]
    assert ["env", "bundled", "functions env, hasEnv"] in [[*row[:2], row[2].strip()] for row in rows]
    assert rows[-1] == ["site", "file", "./site.py  functions greet"]


def test_every_plugin_that_fails_is_told(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "a.py").write_text("1 / 0")
    (sandbox / "b.py").write_text("import nowhere")
    failing = ("plugins", "--plugin", "a.py", "--plugin", "b.py")
    result = dockcaddy(*failing)
    assert (result.status, result.out) == (2, "")
    assert [line[:14] for line in result.err.splitlines()] == ["error: plugin ", "error: plugin "]
    skipping = dockcaddy(*failing, "--skip-failed-plugins")
    assert (skipping.status, skipping.err) == (0, result.err)
    assert "upstreams" in skipping.out


def test_without_plugins_the_tables_are_empty(dockcaddy: Callable) -> None:
    everything = ",".join(line.split()[0] for line in dockcaddy("plugins").out.splitlines())
    assert dockcaddy("plugins", "--disable-plugin", everything).out == ""
    assert dockcaddy("functions", "--disable-plugin", everything).out == ""


def test_a_fault_of_our_own_is_one_line_and_a_traceback_only_for_debugging(
    dockcaddy: Callable, snapshot: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockcaddy.reconcile.pipeline import Pipeline

    monkeypatch.setattr(Pipeline, "fragments", lambda *arguments: 1 / 0)
    path = snapshot(web=SITE)
    result = dockcaddy("render", "--inventory", path)
    assert result.status == 70
    told = "error: this is a bug in dockcaddy: ZeroDivisionError: division by zero (--log-level debug shows where)\n"
    assert result.err == told
    debugging = dockcaddy("render", "--inventory", path, "--log-level", "debug")
    assert debugging.status == 70
    assert "Traceback" in debugging.err
