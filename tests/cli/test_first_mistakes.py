"""What people get wrong in their first minute: what is said of it names the place, the cause and what to do, in plain words.

`tests/golden/messages` holds more of it, case by case.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dockcaddy.engine import Connection

SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def checked(dockcaddy: Callable, snapshot: Callable, caddy: str) -> Callable:
    """`dockcaddy check` of one container with these labels."""

    def check(labels: dict[str, str], *arguments: str) -> Any:
        given = ("--inventory", snapshot(web=labels), "--ingress-networks=web", "--caddy", caddy)
        return dockcaddy("check", *given, *arguments)

    return check


@pytest.mark.parametrize(
    "value", ["{host}", "{uri} {http.request.host}", "{http.request.uri}", "{label}", '"{upstreams 80}"']
)
def test_a_placeholder_is_no_slip(checked: Callable, value: str) -> None:
    assert (checked({**SITE, "caddy.header.X-A": value}).status, checked(SITE).err) == (0, "")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"caddy": '{{env "HOST"}}'}, 'renders to nothing: {{env "HOST"}}, environment variable "HOST" is not set'),
        ({"caddy": 'a.{{env "HOST"}}'}, 'is incomplete: a.{{env "HOST"}}, environment variable "HOST" is not set'),
        ({"caddy": "{{.Labels.host}}"}, "its template reads something that does not exist"),
        ({"caddy": "${DOMAIN}"}, 'write {{env "DOMAIN"}} for a variable of the container, {$DOMAIN} for one of Caddy\'s'),
        ({"caddy": "app.$DOMAIN"}, 'write {{env "DOMAIN"}}'),
        ({"caddy": "app.{$NO_SUCH_DOMAIN}"}, "{$NO_SUCH_DOMAIN} is a variable of Caddy's: is it set, or in the --envfile"),
        ({"caddy": "{env.DOMAIN}"}, "in an address write {$DOMAIN}"),
        ({"caddy": "a.example.org."}, "leave out the dot at its end"),
        ({"caddy.basic_auth.bob": "secret"}, "write the hash of the password, as caddy hash-password prints it"),
        ({"caddy.basic_auth.bob": ""}, "write the hash of the password, as caddy hash-password prints it"),
        ({"caddy.log.level": "warning"}, "there are debug, info, warn, error"),
        ({"caddy.reverse_proxy": "{{upstreams 80}} {\n lb_policy first\n}"}, "a value cannot open a block: give each line"),
        ({"caddy.reverse_proxy": "{{upstreams 80}}}"}, 'invalid start port: invalid syntax'),
        ({"caddy.import": "/nowhere/site.caddy"}, "File to import not found: /nowhere/site.caddy\n"),
        ({"caddy": ""}, 'in the global options as label "caddy" is empty'),
    ],
)  # fmt: skip
def test_what_caddy_refuses_in_first_labels_is_told_with_what_to_write(
    checked: Callable, labels: dict[str, str], told: str
) -> None:
    result = checked(
        {**SITE, **labels}, "--set", "policy.trust=all" if "caddy.import" in labels else "policy.trust=limited"
    )
    assert result.status == 1 and told in result.err, result.err
    assert "strconv" not in result.err


def test_a_site_whose_proxy_names_nobody_is_an_error(checked: Callable) -> None:
    assert checked({**SITE, "caddy.reverse_proxy": ""}).status == 1
    to = {"caddy.reverse_proxy": "", "caddy.reverse_proxy.to": "{{upstreams 80}}"}
    assert (checked({**SITE, **to}).status, checked({**SITE, **to}).err) == (0, "")


def test_a_key_that_holds_its_value_is_told_where_caddy_refuses_it(checked: Callable) -> None:
    result = checked({"caddy.reverse_proxy: {{upstreams 80}}": ""})
    assert "a label is KEY=VALUE on the command line: write caddy.reverse_proxy={{upstreams 80}}" in result.err, (
        result.err
    )


def test_who_imports_what_is_left_out_is_not_told_what_the_owner_is_to_do(
    dockcaddy: Callable, snapshot: Callable, caddy: str
) -> None:
    owner = {"caddy": "(auth)", "caddy.respond": "x", "caddy_1": "o.example.org", "caddy_1.tls.dns": "cloudflare x"}
    given = snapshot(owner=owner, user={**SITE, "caddy.import": "auth"})
    told = dockcaddy("check", "--inventory", given, "--ingress-networks=web", "--caddy", caddy).err.splitlines()
    (of_owner,), (of_user,) = [[line for line in told if f"container {name}: " in line] for name in ("owner", "user")]
    assert "xcaddy build" in of_owner and "xcaddy build" not in of_user
    assert "defined by container owner, which is left out: label caddy_1.tls.dns" in of_user
    assert of_user.count("caddy refuses it") == 1 and "this Caddy has no DNS provider cloudflare" in of_user


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--http-port"), "--http-port needs a value"),
        (("run", "extra"), 'unexpected argument "extra"; see dockcaddy run --help'),
        (("render", "--format", "yaml"), '--format: "yaml" is not one of "caddyfile", "json"; see dockcaddy render --help'),
        (("demo", "--port", "abc"), '--port: "abc" is not a whole number; see dockcaddy demo --help'),
        (("demo", "--pause", "x"), '--pause: "x" is not a number; see dockcaddy demo --help'),
        (("run", "--set", "policy.trust=some"), "--set policy.trust=some: expected one of limited, all"),
        (("run", "--set", "policy.allow=x"), '--set policy.allow=x: section policy: allow: no rule "x", there are environment, '),
        (("run", "--set", "policy.allow=a:b"), "RULE@SCOPE:NAME, scopes are container, project, network, prefix"),
        (("run", "--set", "idioms.off=foo"), '--set idioms.off=foo: section idioms: off: no idiom "foo", expected one of respond-status, '),
        (("run", "--disable-plugin", "polcy"), 'disable_plugins: no plugin "polcy", did you mean "policy"'),
        (("run", "--plugin", "nope.py"), "plugin nope (file nope.py): cannot be imported: no such file"),
        (("run", "--plugin", "/"), "cannot be imported: is a directory"),
        (("run", "--label-prefix", "caddy."), '--label-prefix caddy.: expected a prefix like "caddy", without white space'),
        (("run", "--label-prefix", "a b"), '--label-prefix a b: expected a prefix like "caddy", without white space'),
        (("run", "--caddy-admin", "http://"), '--caddy-admin http://: expected an address like "localhost:2019"'),
        (("run", "--output", "json=/nowhere/x"), "output json=/nowhere/x: folder /nowhere does not exist, create it or name another"),
        (("run", "--output", "caddyfile=/"), "output caddyfile=/: this is a folder, name a file in it"),
        (("run", "--docker-reach", "port"), '--docker-reach port: unknown reach "port", write auto, containers, overlay, ports or ports=HOST'),
        (("run", "--docker-reach", "ports=http://nas"), "is not a host: write its name or address, without a scheme"),
        (("run", "--docker-names", "a,b"), "--docker-names: 2 values for 1 engine: write one for each of --docker-sockets"),
        (("run", "--docker-names", "a b"), '"a b" is not a name: write letters, digits'),
        (("run", "--docker-sockets", "unix:///a,unix:///b", "--docker-names", "x,x"), 'two engines are called "x"'),
        (("run", "--docker-sockets", "context://nope"), '--docker-sockets context://nope: no docker context is called "nope"'),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_in_plain_words_before_anything_starts(
    dockcaddy: Callable, arguments: tuple[str, ...], told: str
) -> None:
    result = dockcaddy(*arguments)
    assert (result.status, result.out) == (2, "") and told in result.err, result.err
    for word in ("Error:", "'", "float", "integer"):
        assert word not in result.err, result.err


def test_an_unknown_option_is_told_with_those_of_its_command(dockcaddy: Callable) -> None:
    told = dockcaddy("snapshot", "--zzz").err
    assert (
        'no option "--zzz", there are --redact, ' in told and "--docker-sockets" in told and "--http-port" not in told
    )


def test_a_plugin_without_its_ending_is_told_with_the_file_beside(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "site.py").touch()
    assert 'cannot be imported: no such file, did you mean "site.py"' in dockcaddy("run", "--plugin", "site").err
    (sandbox / "notes.txt").touch()
    assert "not a Python file, its name does not end in .py" in dockcaddy("run", "--plugin", "notes.txt").err


def test_what_go_templates_have_themselves_is_told(dockcaddy: Callable) -> None:
    for name in ("printf", "eq", "if"):
        result = dockcaddy("functions", name)
        assert (result.status, result.out) == (
            0,
            f"{name} is part of Go's text/template: https://pkg.go.dev/text/template\n",
        )


def test_a_program_that_is_no_caddy_is_told(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("check", "--inventory", snapshot(web=SITE), "--caddy", "/bin/true")
    assert result.status == 3 and "/bin/true is not caddy" in result.err, result.err
    assert (
        "caddy: /nowhere is not an executable program"
        in dockcaddy("check", "--inventory", snapshot(web=SITE), "--caddy", "/nowhere").err
    )


def test_what_is_no_socket_is_told(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "file").touch()
    for name, kind in (("file", "file"), (".", "folder")):
        result = dockcaddy("check", "--docker-sockets", f"unix://{(sandbox / name).resolve()}")
        assert result.status == 3 and f"this is a {kind}, not a socket: set the engine's socket" in result.err, (
            result.err
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("FOO\n", "line 1: expected KEY=VALUE"),
        ("A=1\nFOO BAR=1\n", "line 2: expected KEY=VALUE"),
        ('A="abc\n', "line 1: the quote is never closed"),
    ],
)
def test_a_bad_line_of_an_environment_file_is_told(
    checked: Callable, sandbox: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setenv("A", "kept")
    (sandbox / "env").write_text(text)
    result = checked(SITE, "--envfile", "env")
    assert (result.status, result.err) == (2, f"error: --envfile env: {told}\n")


def test_an_api_version_that_the_engine_does_not_have_is_no_engine_that_is_down() -> None:
    error = Exception()
    error.explanation = "client version 9.99 is too new. Maximum supported API version is 1.41"  # type: ignore[attr-defined]
    error.response = SimpleNamespace(  # type: ignore[attr-defined]
        status_code=400, headers={}, request=SimpleNamespace(method="GET", path_url="/v9.99/info"), reason=""
    )
    told = Connection("unix:///nowhere.sock").unreachable(error).advice
    assert told.startswith("unix:///nowhere.sock refuses: client version 9.99 is too new")
    assert told.endswith("omit --docker-apis-version to negotiate the version")
