"""`dockcaddy try`: a real Caddy decides, and the labels are named."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.settings import limits

SHOP = {
    "caddy": "shop.test",
    "caddy.basic_auth": "/admin/*",
    "caddy.basic_auth.bob": "$2a$14$2Gbkj6eiTkWJgWWEKHkLmOtgTVwLPTxOlGvJDWGkYnMFhoXqKXQAm",
    "caddy.handle_path": "/api/*",
    "caddy.handle_path.reverse_proxy": "{{upstreams 8080}}",
    "caddy.redir": "/old /new 301",
    "caddy.@post.method": "POST",
    "caddy.respond_1": "@post posted 202",
    "caddy.file_server": "",
    "caddy.root": "* /srv/shop",
}
BLOG = {
    "caddy": "http://blog.test, https://blog.test:8443",
    "caddy.forward_auth": "auth:9091",
    "caddy.forward_auth.uri": "/verify",
    "caddy.handle_errors.respond": "sorry",
    "caddy.rewrite": "* /index.php{uri}",
    "caddy.@inside.client_ip": "10.0.0.0/8",
    "caddy.error": "@inside 403",
    "caddy.reverse_proxy": "{{upstreams 80}}",
}


@pytest.fixture
def tried(dockcaddy: Callable, snapshot: Callable, caddy: str) -> Callable[..., Any]:
    """What `try` says of a URL, as JSON, with its exit status under `exit`."""
    path = snapshot(shop=SHOP, blog=BLOG)

    def ask(*arguments: str) -> Any:
        result = dockcaddy(
            "try", "--json", "--inventory", path, "--ingress-networks", "web", "--caddy", caddy, *arguments
        )
        assert result.err == ""
        return {**json.loads(result.out), "exit": result.status}

    return ask


@pytest.mark.parametrize(
    ("arguments", "site", "answer", "label"),
    [
        (["https://shop.test/api/x?y=1"], "shop.test", "reverse_proxy to 172.20.0.5:8080, which gets GET /x?y=1", "handle_path.reverse_proxy"),
        (["shop.test/old"], "shop.test", "301 redirect to /new", "redir"),
        (["https://shop.test/x", "--method", "post"], "shop.test", '202 "posted"', "respond_1"),
        (["https://shop.test/x"], "shop.test", "file_server, of files in /srv/shop, for GET /x", "file_server"),
        (["http://blog.test/a"], "blog.test", "reverse_proxy to 172.20.0.6:80, which gets GET /index.php/a", "reverse_proxy"),
        (["https://blog.test:8443"], "blog.test", "reverse_proxy to 172.20.0.6:80, which gets GET /index.php/", "reverse_proxy"),
    ],
)  # fmt: skip
def test_the_upstream_and_the_label(tried: Callable, arguments: list[str], site: str, answer: str, label: str) -> None:
    found = tried(*arguments)
    assert found["exit"] == 0 and site in found["site"]
    assert found["answer"] == answer
    assert found["made_by"][-1].endswith(f" caddy.{label}")


def test_matchers_and_what_is_passed_and_what_is_not_known(tried: Callable) -> None:
    found = tried("https://shop.test/admin/x")
    assert (
        found["passed"] == ["a login"] and "host shop.test" in found["matched"] and "path /admin/*" in found["matched"]
    )
    assert "taken for granted" in found["unknown"][0]
    found = tried("http://blog.test/")
    assert found["passed"] == ["forward_auth by auth:9091"]
    assert "container blog caddy.forward_auth" in found["made_by"]
    assert any("client's address" in each for each in found["unknown"])
    # nobody looks at it for this site
    assert not any("client's address" in each for each in tried("https://shop.test/x")["unknown"])


def test_a_site_whose_address_has_a_variable_of_caddys(
    tried: Callable, snapshot: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"caddy": "{$SHOP:usual.test}, {$OTHER:b}.test", "caddy.respond": "x"}
    snapshot(shop=labels, blog=BLOG)
    monkeypatch.setenv("OTHER", "other")
    for host in ("usual.test", "other.test"):
        found = tried(f"https://{host}/")
        assert (found["exit"], found["site"]) == (0, "{$SHOP:usual.test}, {$OTHER:b}.test")
        assert found["made_by"] == ["container shop caddy.respond"]


@pytest.mark.parametrize(
    ("lines", "arguments", "shown"),
    [
        (["not path /secret"], [""], "not path /secret"),
        (["not path /a /b", "method GET HEAD"], [""], "method GET HEAD and not path /a /b"),
        (["query a=b"], ["?a=b"], "query a=b"),
        (["query pattern=b"], ["?pattern=b"], "query pattern=b"),
        (["header_regexp X-Team ^blue"], ["", "--header", "X-Team: blue"], "header_regexp X-Team ^blue"),
        (["header X-Team blue"], ["", "--header", "X-Team: blue"], "header X-Team blue"),
        (["path_regexp ^/a[0-9]+"], ["a1"], "path_regexp ^/a[0-9]+"),
        (["remote_ip 127.0.0.0/8"], [""], "remote_ip 127.0.0.0/8"),
        (["expression {path} == '/'"], [""], "expression {http.request.uri.path} == '/'"),
    ],
)
def test_matchers_are_shown_as_a_caddyfile_has_them(
    dockcaddy: Callable, snapshot: Callable, caddy: str, lines: list[str], arguments: list[str], shown: str
) -> None:
    labels = {"caddy": "http://m.test", "caddy.handle": "@m", "caddy.handle.respond": "hello"}
    labels |= {f"caddy.@m.{kind}": rest for kind, _, rest in (line.partition(" ") for line in lines)}
    url, *more = arguments
    options = ("--json", "--inventory", snapshot(m=labels), "--ingress-networks", "web", "--caddy", caddy)
    found = json.loads(dockcaddy("try", f"http://m.test/{url}", *more, *options).out)
    assert found["matched"] == ["host m.test", shown]


def problems(dockcaddy: Callable, path: str, caddy: str, url: str) -> list[str]:
    result = dockcaddy("try", url, "--json", "--inventory", path, "--ingress-networks", "web", "--caddy", caddy)
    found: list[str] = json.loads(result.out)["problems"]
    return found


def test_what_is_well_has_no_problem(tried: Callable) -> None:
    assert tried("https://shop.test/x")["problems"] == []


def test_why_no_site_answers_or_who_is_left_out(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    proxy = {"caddy.reverse_proxy": "{{upstreams 80}}"}
    bad = {"caddy": "bad.test", "caddy.nonsense": "x"}
    newer = {"caddy": "a.test", "caddy.respond": "mine"}
    path = snapshot(older={"caddy": "a.test", **proxy}, newer=newer, bad=bad, wild={"caddy": "*.test", **proxy})
    (refused,) = problems(dockcaddy, path, caddy, "https://bad.test/")
    assert refused.startswith("container bad: RefusedByCaddy: label caddy.nonsense: caddy refuses it: ")
    (conflict,) = problems(dockcaddy, path, caddy, "https://a.test/")
    assert conflict.startswith("container newer: ConflictsWith: label caddy.respond: ")
    assert problems(dockcaddy, path, caddy, "https://other.test/") == []


def test_a_header_is_sent(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    labels = {
        "caddy": "a.test",
        "caddy.@beta.header": "X-Beta yes",
        "caddy.respond_1": "@beta beta",
        "caddy.respond_2": "all",
    }
    path = snapshot(web=labels)
    result = dockcaddy("try", "--inventory", path, "--caddy", caddy, "a.test", "--header", "X-Beta: yes")
    assert '200 "beta"' in result.out and result.out.endswith("container web caddy.respond_1\n")
    assert '200 "all"' in dockcaddy("try", "--inventory", path, "--caddy", caddy, "a.test").out


def test_caddys_own_redirect_has_the_ports_of_the_configuration(tried: Callable) -> None:
    found = tried("http://shop.test/x")
    assert (found["exit"], found["status"], found["made_by"]) == (0, 308, ["container shop caddy"])
    assert found["answer"].startswith("308 redirect to https://shop.test/x, ")


@pytest.mark.parametrize(
    "url", ["https://nobody.test/", "https://shop.test:9/", "http://nobody.test/", "https://blog.test/"]
)
def test_what_nobody_answers(tried: Callable, url: str) -> None:
    found = tried(url)
    assert (found["exit"], found["site"], found["made_by"]) == (1, "", [])


def test_where_a_host_is_served_elsewhere_it_says_where(tried: Callable) -> None:
    assert tried("blog.test")["problems"] == [
        "this host is served at http://blog.test, https://blog.test:8443: try that"
    ]
    assert tried("https://SHOP.test:9/")["problems"] == ["this host is served at shop.test: try that"]
    assert tried("https://nobody.test/")["problems"] == []


def test_where_nothing_listens_it_does_not_wait_for_it(
    dockcaddy: Callable, snapshot: Callable, caddy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Caddy would be given up only after far more than the test may take
    monkeypatch.setattr(limits, "CADDY_COMMAND_TIMEOUT", 10_000.0)
    path = snapshot(web={"caddy": "http://web.test:8080", "caddy.respond": "x"})
    result = dockcaddy("try", "http://web.test", "--inventory", path, "--caddy", caddy)
    assert result.status == 1 and "no site serves http on port 80" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://a.test"], "expected a URL like"),
        (["https://a.test:x/"], "not a URL"),
        (["https://"], "expected a URL like"),
        (["a.test", "--header", "nothing"], 'expected "Name: value"'),
        (["a.test/b c"], "expected a URL like"),
    ],
)
def test_what_is_no_request_is_refused(dockcaddy: Callable, arguments: list[str], said: str) -> None:
    result = dockcaddy("try", *arguments)
    assert result.status == 2 and said in result.err


def test_of_two_labels_that_fit_both_are_named(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    labels = {"caddy": "a.test", "caddy.respond_1": "/a same", "caddy.respond_2": "/b same"}
    out = dockcaddy("try", "--inventory", snapshot(web=labels), "--caddy", caddy, "https://a.test/b").out
    assert "respond_1" in out and "respond_2" in out


def test_a_client_certificate_is_taken_for_granted(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    labels = {"caddy": "a.test", "caddy.tls.client_auth.mode": "require", "caddy.respond": "in"}
    out = dockcaddy("try", "--inventory", snapshot(web=labels), "--caddy", caddy, "https://a.test/").out
    assert '200 "in"' in out and "certificate that is asked for" in out


def test_a_url_without_a_port_is_one_of_the_port_that_the_machine_maps_to_it(tried: Callable) -> None:
    ports = ("--http-port", "8080", "--https-port", "8444")
    assert tried("https://shop.test/old", *ports)["site"] == "shop.test"
    assert "no site serves https on port 443" in tried("https://shop.test:443/old", *ports)["answer"]


@pytest.fixture
def files() -> Iterator[Path]:
    """A folder for temporary files, whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_when_it_is_ended_its_caddy_and_its_files_go(
    snapshot: Callable, caddy: str, tmp_path: Path, files: Path
) -> None:
    # the Caddy that would answer never does
    program, number = tmp_path / "caddy", tmp_path / "number"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *caddy.json) echo $$ > {number}; exec sleep 600;; esac\nexec {caddy} "$@"\n'
    )
    program.chmod(0o755)
    command = [sys.executable, "-m", "dockcaddy", "try", "http://blog.test", "--inventory", snapshot(blog=BLOG)]
    process = subprocess.Popen([*command, "--caddy", str(program)], env={**os.environ, "TMPDIR": str(files)})
    for _ in range(6_000):
        if process.poll() is not None or (number.exists() and number.read_text()):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)
    assert list(files.glob("dockcaddy-try-*")) == []
