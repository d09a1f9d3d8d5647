"""`render`, `check` and `explain` tell what `run` would serve: Caddy is asked, and nothing is touched by asking."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ports import free_port

SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}
CADDYFILE = "a.example.org {\n\treverse_proxy 172.20.0.5:80\n}\n"
UNKNOWN = {"caddy": "b.example.org", "caddy.revers_proxy": "{{upstreams 80}}"}
TWIN = {"caddy": "a.example.org", "caddy.respond": "stolen"}
MERGED_TWINS = "a.example.org {\n\trespond stolen\n\treverse_proxy 172.20.0.5:80\n}\n"
WITHHELD = {"caddy": "w.example.org", "caddy.reverse_proxy": "127.0.0.1:2019"}

# what Caddy adapts and does not load: labels of the site b.example.org, and the label at fault
REFUSED_AT_LOAD = {
    "log level": ({"caddy.log.level": "warning", "caddy.log.format": "json"}, "caddy.log.level"),
    "regexp of a matcher": ({"caddy.@x.path_regexp": "([", "caddy.respond": "@x hi"}, "caddy.@x.path_regexp"),
    "regexp of a header": ({"caddy.header": '>X-Y "([" z', "caddy.respond": "hi"}, "caddy.header"),
    "expression": ({"caddy.@x.expression": "`foo(`", "caddy.respond": "@x hi"}, "caddy.@x.expression"),
    "network": ({"caddy.@x.remote_ip": "10.0.0.0/99", "caddy.respond": "@x hi"}, "caddy.@x.remote_ip"),
    "gzip level": ({"caddy.encode.gzip": "99", "caddy.respond": "hi"}, "caddy.encode.gzip"),
    "client certificates": ({"caddy.tls.client_auth.mode": "nonsense"}, "caddy.tls.client_auth.mode"),
    "protocols": ({"caddy.tls.protocols": "tls1.3 tls1.2", "caddy.respond": "hi"}, "caddy.tls.protocols"),
}


@pytest.fixture
def offline(snapshot: Callable, dockcaddy: Callable, caddy: str) -> Callable:
    """Calls a command on a snapshot of the given containers with the real Caddy."""

    def call(command: str, containers: dict[str, Any], *arguments: str) -> Any:
        given = ("--inventory", snapshot(**containers), "--ingress-networks=web", "--caddy", caddy)
        return dockcaddy(command, *given, *arguments)

    return call


def test_render_leaves_out_what_caddy_does_not_know_and_says_so(offline: Callable) -> None:
    result = offline("render", {"web": SITE, "bad": UNKNOWN})
    assert (result.status, result.out) == (0, CADDYFILE)
    assert result.err.startswith("error: container bad: label caddy.revers_proxy: ")
    assert result.err.count("\n") == 1


def test_render_leaves_out_the_newer_of_two_that_contradict_each_other(offline: Callable) -> None:
    result = offline("render", {"web": SITE, "twin": TWIN})
    assert (result.status, result.out) == (0, CADDYFILE)
    assert result.err.startswith("error: container twin: ")


def test_render_leaves_out_what_our_own_rules_keep_from_caddy(offline: Callable) -> None:
    result = offline("render", {"web": SITE, "bad": WITHHELD})
    assert "127.0.0.1:2019" not in result.out
    assert "error: container bad: " in result.err


@pytest.mark.parametrize("containers", [{"bad": UNKNOWN}, {"web": SITE, "twin": TWIN}, {"bad": WITHHELD}])
def test_strict_makes_what_is_left_out_the_exit_status(offline: Callable, containers: dict[str, Any]) -> None:
    assert offline("render", containers, "--strict").status == 1
    assert offline("render", {"web": SITE}, "--strict").status == 0


@pytest.mark.parametrize("style", ["caddyfile", "json"])
def test_raw_is_the_merged_text_before_anybody_is_asked(offline: Callable, style: str) -> None:
    result = offline("render", {"web": SITE, "twin": TWIN, "bad": UNKNOWN}, "--raw", "--caddy=/nowhere/caddy")
    assert result.out == MERGED_TWINS + "b.example.org {\n\trevers_proxy 172.20.0.7:80\n}\n"
    assert (result.status, result.err) == (0, "")


def test_raw_and_json_exclude_each_other(offline: Callable) -> None:
    result = offline("render", {"web": SITE}, "--raw", "--format=json")
    assert (result.status, result.out) == (2, "")
    assert "--raw" in result.err


def test_a_base_caddyfile_that_does_not_parse_is_told_by_its_name(offline: Callable, sandbox: Path) -> None:
    (sandbox / "base").write_text("b.example.org {\n\trespond\n")
    result = offline("render", {"web": SITE}, "--caddyfile-path", "base", "--strict")
    assert (result.status, result.out) == (1, CADDYFILE)
    assert result.err.startswith("error: caddyfile base: ")


def test_a_base_caddyfile_that_caddy_refuses_is_told_by_its_name(offline: Callable, sandbox: Path) -> None:
    (sandbox / "base").write_text("b.example.org {\n\tno_such_directive\n}\n")
    result = offline("render", {"web": SITE}, "--caddyfile-path", "base", "--strict")
    assert (result.status, result.out) == (1, CADDYFILE)
    assert result.err.startswith("error: caddyfile base: ")
    assert "no_such_directive" in result.err


def test_a_base_caddyfile_that_does_not_load_is_told_by_its_name(offline: Callable, sandbox: Path) -> None:
    (sandbox / "base").write_text("b.example.org {\n\tlog {\n\t\tlevel warning\n\t}\n}\n")
    for command in ("render", "check"):
        result = offline(command, {"web": SITE}, "--caddyfile-path", "base", *(["--strict"] * (command == "render")))
        assert result.status == 1
        assert "error: caddyfile base: caddy refuses it: " in result.err
        assert "warning" in result.err


def test_without_any_caddy_it_is_told_that_nothing_was_checked(offline: Callable) -> None:
    result = offline("render", {"web": SITE, "bad": UNKNOWN, "twin": TWIN}, "--caddy=/nowhere/caddy")
    assert result.status == 0
    # who takes requests from whom is not known either
    assert "revers_proxy" in result.out and "stolen" in result.out
    assert "warning: caddy was not asked: " in result.err and "; nothing was checked" in result.err
    assert offline("render", {"web": SITE}, "--caddy=/nowhere/caddy", "--strict").status == 3


def test_explain_presents_nothing_as_live_that_caddy_refuses(offline: Callable) -> None:
    for subject in ("bad", "b.example.org"):
        result = offline("explain", {"web": SITE, "bad": UNKNOWN}, subject)
        assert (result.status, result.out) == (0, "")
        lines = result.err.splitlines()
        assert lines[0] == f"warning: {'container bad' if subject == 'bad' else subject}: not in the configuration"
        assert lines[1].startswith("error: container bad: label caddy.revers_proxy: ")


def test_explain_presents_only_the_older_of_two_that_contradict_each_other(offline: Callable) -> None:
    result = offline("explain", {"web": SITE, "twin": TWIN}, "a.example.org")
    assert "stolen" not in result.out and "reverse_proxy 172.20.0.5:80" in result.out
    assert result.err.startswith("error: container twin: ")


@pytest.mark.parametrize("fault", REFUSED_AT_LOAD)
def test_check_names_the_label_that_caddy_refuses_when_loading(offline: Callable, fault: str) -> None:
    labels, label = REFUSED_AT_LOAD[fault]
    result = offline("check", {"web": SITE, "bad": {"caddy": "b.example.org", **labels}, "other": {**UNKNOWN}})
    assert (result.status, result.out) == (1, "")
    assert f"error: container bad: label {label}: caddy refuses it: " in result.err
    assert "container web" not in result.err


def test_one_of_many_that_do_not_load_costs_no_other(offline: Callable) -> None:
    good = {f"good{n}": {"caddy": f"g{n}.example.org", "caddy.respond": "hi"} for n in range(12)}
    bad = {f"bad{n}": {"caddy": f"b{n}.example.org", "caddy.log.level": "warning"} for n in range(5)}
    result = offline("render", {**good, **bad})
    assert [f"g{n}.example.org" in result.out for n in range(12)] == [True] * 12
    assert ".example.org {" in result.out and "b0.example.org" not in result.out
    assert sorted(line.split(": ")[1] for line in result.err.splitlines()) == [f"container bad{n}" for n in range(5)]


def test_a_certificate_that_is_missing_here_is_no_fault_of_a_snapshot(offline: Callable) -> None:
    labels = {"caddy": "b.example.org", "caddy.tls": "/nowhere/a.pem /nowhere/b.pem", "caddy.respond": "hi"}
    result = offline("check", {"web": labels}, "--set", "policy.trust=all")
    assert result.status == 0, result.err


@pytest.fixture
def visited() -> Iterator[Callable[[], int]]:
    """A port that is listened at, and how often somebody came."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)

        def count() -> int:
            came = 0
            while True:
                try:
                    listening.accept()[0].close()
                except BlockingIOError:
                    return came
                came += 1

        count.port = listening.getsockname()[1]  # type: ignore[attr-defined]
        yield count


def test_checking_touches_no_file_no_port_and_nobody_on_the_network(
    offline: Callable, visited: Any, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sandbox / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    there = f"127.0.0.1:{visited.port}"
    containers = {
        "asks": {
            "caddy": "http://a.example.org",
            "caddy.reverse_proxy": there,
            "caddy.reverse_proxy.health_uri": "/",
            "caddy.reverse_proxy.health_interval": "1s",
        },
        "writes": {
            "caddy": f"https://b.example.org:{free_port()}",
            "caddy.tls": "internal",
            "caddy.log.output": f"file {sandbox}/logs/access.log",
            "caddy.acme_server": "",
        },
        "dials": {"caddy": "c.example.org", "caddy.log.output": f"net {there}", "caddy.tracing": ""},
    }
    before = sorted(sandbox.rglob("*"))
    result = offline("check", containers, "--set", "policy.trust=all")
    assert (result.status, result.err) == (0, "")
    assert visited() == 0
    assert [path for path in sorted(sandbox.rglob("*")) if path not in before and path.name != "snapshot.json"] == []


def test_what_is_not_run_when_checking_is_checked_all_the_same(offline: Callable) -> None:
    proxy = {"caddy": "a.example.org", "caddy.reverse_proxy": "127.0.0.1:9", "caddy.reverse_proxy.health_uri": "/"}
    for key, value in (("health_body", "(["), ("header_up", 'X-Y "([" z')):
        labels = {f"caddy.reverse_proxy.{key}": value}
        result = offline("check", {"web": {**proxy, **labels}}, "--set", "policy.trust=all")
        assert result.status == 1
        assert f"label caddy.reverse_proxy.{key}: " in result.err, result.err


def test_check_counts_what_it_passed(offline: Callable) -> None:
    containers = {"web": SITE, "web2": SITE, "c": {"caddy": "c.example.org", "caddy.respond": "x"}}
    result = offline("check", containers)
    assert (result.status, result.out, result.err) == (0, "3 containers, 2 sites, ok\n", "")
    one = offline("check", {"web": SITE})
    assert one.out == "1 container, 1 site, ok\n"


def test_check_counts_neither_snippets_nor_global_options(offline: Callable) -> None:
    labels = {"caddy_0": "(common)", "caddy_0.encode": "gzip", "caddy.email": "a@example.org", **{}}
    shared = {"caddy_1": "a.example.org, b.example.org", "caddy_1.import": "common", "caddy_1.respond": "x"}
    assert offline("check", {"web": {**labels, **shared}}, "--set", "policy.trust=all").out.startswith(
        "1 container, 1 site, ok"
    )


def test_json_is_what_would_be_loaded(offline: Callable) -> None:
    result = offline("render", {"web": SITE, "bad": UNKNOWN}, "--format=json")
    assert list(json.loads(result.out)["apps"]) == ["http"]
    assert "b.example.org" not in result.out
