"""`dockcaddy render`: the configuration, and only that, on standard output."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}
CADDYFILE = "a.example.org {\n\treverse_proxy 172.20.0.5:80\n}\n"
BROKEN = {"caddy": "b.example.org", "caddy.respond": "{{upstraems 80}}"}


def test_the_caddyfile_is_printed_byte_for_byte(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("render", "--inventory", snapshot(web=SITE), "--ingress-networks", "web")
    assert (result.status, result.out, result.err) == (0, CADDYFILE, "")


def test_nothing_to_serve_is_a_comment(dockcaddy: Callable, snapshot: Callable) -> None:
    assert dockcaddy("render", "--inventory", snapshot()).out == "# Empty caddyfile"


def test_the_snapshot_may_come_from_standard_input(dockcaddy: Callable, snapshot: Callable) -> None:
    text = Path(snapshot(web=SITE)).read_text()
    assert dockcaddy("render", "--inventory", "-", "--ingress-networks=web", given=text).out == CADDYFILE
    assert dockcaddy("render", "--inventory", "-", "--ingress-networks=web", given="\ufeff" + text).out == CADDYFILE


def test_a_broken_label_is_told_on_standard_error_and_costs_nobody_else(
    dockcaddy: Callable, snapshot: Callable
) -> None:
    result = dockcaddy("render", "--inventory", snapshot(web=SITE, bad=BROKEN), "--ingress-networks", "web")
    assert (result.status, result.out) == (0, CADDYFILE)
    assert result.err.startswith("error: container bad: label caddy.respond: ")
    assert result.err.count("\n") == 1
    assert "upstraems" in result.err


def test_strict_makes_a_broken_label_the_exit_status(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web=SITE, bad=BROKEN)
    assert dockcaddy("render", "--strict", "--inventory", path, "--ingress-networks", "web").status == 1
    assert dockcaddy("render", "--strict", "--inventory", snapshot(web=SITE), "--ingress-networks", "web").status == 0


def test_problems_are_json_where_the_log_is(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("render", "--inventory", snapshot(bad=BROKEN), "--log-format", "json")
    told = json.loads(result.err)
    assert (told["level"], told["resource"], told["label"]) == ("error", "container bad", "caddy.respond")


def test_options_reach_the_engine_and_the_labels(dockcaddy: Callable, snapshot: Callable, sandbox: Path) -> None:
    path = snapshot(web={"web": "a.example.org", "web.respond": "hi"})
    (sandbox / "base").write_text("b.example.org {\n\trespond no\n}\n")
    result = dockcaddy("render", "--inventory", path, "--label-prefix", "web", "--caddyfile-path", "base")
    assert result.out == "b.example.org {\n\trespond no\n}\na.example.org {\n\trespond hi\n}\n"


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        (("--scan-stopped-containers",), True),
        (("--scan-stopped-containers", "true"), True),
        (("--scan-stopped-containers=1",), True),
        (("--scan-stopped-containers", "--strict"), True),
        (("--scan-stopped-containers", "false"), False),
        (("--scan-stopped-containers=F",), False),
        ((), False),
    ],
)
def test_truth_flags_are_gos(dockcaddy: Callable, snapshot: Callable, arguments: tuple[str, ...], counts: bool) -> None:
    path = Path(snapshot(web={"caddy": "a.example.org", "caddy.respond": "hi"}))
    path.write_text(path.read_text().replace('"running"', '"exited"'))
    result = dockcaddy("render", *arguments, "--inventory", str(path))
    assert ("a.example.org" in result.out) is counts


def test_json_is_caddys(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    path = snapshot(web=SITE)
    result = dockcaddy("render", "--format", "json", "--inventory", path, "--ingress-networks=web", "--caddy", caddy)
    assert result.status == 0
    assert json.loads(result.out)["apps"]["http"]["servers"]["srv0"]["listen"] == [":443"]


def test_the_environment_file_is_there_when_caddy_reads_the_text(
    dockcaddy: Callable, snapshot: Callable, caddy: str, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREETING", "")
    monkeypatch.delenv("GREETING")
    (sandbox / "environment").write_text("GREETING=hello-from-the-file\n")
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": "{$GREETING}"})
    arguments = ["render", "--format=json", "--inventory", path, "--caddy", caddy, "--envfile", "environment"]
    arguments += ["--set", "policy.allow=environment"]
    assert "hello-from-the-file" in dockcaddy(*arguments).out


def test_without_a_caddy_json_is_not_to_be_had(dockcaddy: Callable, snapshot: Callable) -> None:
    result = dockcaddy("render", "--format=json", "--inventory", snapshot(web=SITE), "--caddy", "/nowhere/caddy")
    assert (result.status, result.out) == (3, "")
    assert result.err == "error: caddy: /nowhere/caddy is not an executable program, correct --caddy\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "--inventory snapshot.json: not JSON: "),
        ("[" * 100_000, "--inventory snapshot.json: not JSON: "),
        ("[]", "a snapshot is a JSON object, not a list"),
        ('{"version": 9}', "version: expected 1, not 9"),
    ],
)
def test_what_is_no_snapshot_is_told(dockcaddy: Callable, sandbox: Path, text: str, told: str) -> None:
    (sandbox / "snapshot.json").write_text(text)
    result = dockcaddy("render", "--inventory", "snapshot.json")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"error: {told}")
    assert result.err.count("\n") == 1


def test_half_a_character_becomes_gos_replacement(dockcaddy: Callable, snapshot: Callable) -> None:
    path = snapshot(web={"caddy": "a.example.org", "caddy.respond": "a\ud800b"})
    assert "respond a\ufffdb" in dockcaddy("render", "--inventory", path).out


@pytest.mark.parametrize("option", ["--inventory", "--caddyfile-path", "--envfile", "--config"])
def test_a_missing_file_is_named_with_what_asked_for_it(
    dockcaddy: Callable, snapshot: Callable, caddy: str, option: str
) -> None:
    arguments = ["render", "--format=json", "--caddy", caddy, "--inventory", snapshot(web=SITE), option, "nowhere"]
    result = dockcaddy(*arguments)
    assert (result.status, result.out) == (2, "")
    assert "nowhere: cannot be read: " in result.err


def test_an_engine_that_does_not_answer_is_status_three(dockcaddy: Callable) -> None:
    result = dockcaddy("render", "--docker-sockets", "unix:///nowhere/docker.sock")
    assert (result.status, result.out) == (3, "")
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("raw", [("--raw",), ()])
def test_port_options_are_global_options_of_caddys(
    dockcaddy: Callable, snapshot: Callable, caddy: str, raw: tuple[str, ...]
) -> None:
    arguments = ["render", *raw, "--caddy", caddy, "--inventory", snapshot(web=SITE)]
    plain = dockcaddy(*arguments).out
    assert dockcaddy(*arguments, "--http-port", "80", "--https-port", "443").out == plain
    given = dockcaddy(*arguments, "--http-port", "8080", "--https-port", "8443").out
    assert given == f"{{\n\thttp_port 8080\n\thttps_port 8443\n}}\n{plain}"


def test_port_options_of_the_base_caddyfile_win(dockcaddy: Callable, snapshot: Callable, sandbox: Path) -> None:
    (sandbox / "Caddyfile").write_text("{\n\thttp_port 81\n\temail me@example.org\n}\n")
    given = ("--caddyfile-path", "Caddyfile", "--http-port", "8080", "--https-port", "8443")
    out = dockcaddy("render", "--raw", "--inventory", snapshot(web=SITE), *given).out
    assert out.count("http_port ") == 1
    assert "\thttp_port 81\n" in out and "\thttps_port 8443\n" in out and "\temail me@example.org\n" in out


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "8080/tcp", "²"])
def test_what_is_no_port_is_an_error_of_the_option(dockcaddy: Callable, snapshot: Callable, port: str) -> None:
    result = dockcaddy("render", "--inventory", snapshot(web=SITE), f"--http-port={port}")
    assert (result.status, result.out) == (2, "")
    assert result.err == f"error: --http-port {port}: expected a port from 1 to 65535\n"
