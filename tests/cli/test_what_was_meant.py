"""What is suggested in place of a name that is not there, and why something is not in the configuration."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from snapshots import snapshot_of

SITE = {"caddy": "vault.example.com", "caddy.respond": "a"}


@pytest.mark.parametrize(
    ("subject", "meant"),
    [
        ("multi", 'did you mean "shop-multi-1"'),
        ("vault", 'did you mean "vault.example.com"'),
        ("shop", 'did you mean "shop-multi-1"'),
        ("shop-mutli-1", 'did you mean "shop-multi-1"'),
        ("ulti", "there are vault.example.com, shop-multi-1"),
    ],
)
def test_explain_knows_names_by_their_parts(
    dockcaddy: Callable, snapshot: Callable, caddy: str, subject: str, meant: str
) -> None:
    result = dockcaddy("explain", subject, "--inventory", snapshot(shop_multi_1=SITE), "--caddy", caddy)
    assert result.status == 2 and result.err.strip().endswith(meant)


def test_no_more_than_ten_names_are_listed(dockcaddy: Callable, snapshot: Callable, caddy: str) -> None:
    many = {f"app_{number}": {"caddy": f"{number}.test", "caddy.respond": "a"} for number in range(30)}
    result = dockcaddy("explain", "zzz", "--inventory", snapshot(**many), "--caddy", caddy)
    assert " and 50 more" in result.err
    options = dockcaddy("run", "--foo").err
    assert 'no option "--foo"' in options and len(re.findall(r"--[a-z]", options)) < 15


def test_the_command_of_the_image_is_run(dockcaddy: Callable) -> None:
    assert 'no command "docker-proxy", write "dockcaddy run"' in dockcaddy("docker-proxy").err


def test_explain_says_why_a_stopped_container_made_nothing(dockcaddy: Callable, sandbox: Path, caddy: str) -> None:
    document = snapshot_of({"old": {**SITE, "caddy_when_stopped": "page"}, "new": SITE})
    document["engines"][0]["containers"][0]["State"] = "exited"
    (sandbox / "snapshot.json").write_text(json.dumps(document))
    result = dockcaddy("explain", "old", "--inventory", "snapshot.json", "--caddy", caddy)
    assert "container old: not in the configuration: it has stopped, and its page is only for" in result.err


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CADDY_DOCKER_POLLING", "CADDY_DOCKER_POLLING_INTERVAL"),
        ("CADDY_DOCKER_SOCKET", "CADDY_DOCKER_SOCKETS"),
        ("CADDY_DOCKER_INGRESS_NETWORKS", "CADDY_INGRESS_NETWORKS"),
        # caddy-docker-proxy's own, Docker's and Kubernetes'
        ("CADDY_DOCKER_NO_SCOPE", ""),
        ("CADDY_DOCKER_PORT", ""),
        ("CADDY_DOCKER_SERVICE_HOST", ""),
        ("CADDY_DOCKER_MODE", ""),
    ],
)
def test_a_misspelt_variable_of_caddy_docker_proxy_is_a_warning(
    dockcaddy: Callable, snapshot: Callable, monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "standalone")
    result = dockcaddy("render", "--raw", "--inventory", snapshot(app=SITE))
    assert result.status == 0 or not meant
    said = f'warning: environment variable {name} is not known, did you mean "{meant}"'
    assert (said in result.err) is bool(meant), result.err
    assert meant or "is not known" not in result.err


WORDS = {
    "upstreams 80": "{{upstreams 80}}",
    "upstreams": "",
    "upstreams https 8443": "{{upstreams https 8443}}",
    "/api/* upstreams 80": "/api/* {{upstreams 80}}",
    "upstreams:80": "",
    "backend 80": "",
    "list": "",
    "upstreams other:80": "",
    "{{upstreams 80}}": "",
}


@pytest.mark.parametrize("value", WORDS)
@pytest.mark.parametrize("key", ["caddy.reverse_proxy", "caddy.handle.0_reverse_proxy.to"])
def test_upstreams_without_braces_is_a_warning(dockcaddy: Callable, snapshot: Callable, value: str, key: str) -> None:
    labels = {"caddy": "a.test", key: value}
    result = dockcaddy("render", "--raw", "--inventory", snapshot(app=labels))
    said = f"container app: label {key}: it is taken for names of hosts: write {WORDS[value]}"
    assert (said in result.err) is bool(WORDS[value]), result.err
