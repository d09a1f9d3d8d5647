"""What would be accepted in silence is a warning with the way out; what is meant is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FILES = {"try_files": "{path} /index.html", "file_server": "", "root": "* /srv"}
SITE = {"caddy": "a.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def checked(dockcaddy: Callable, snapshot: Callable, caddy: str) -> Callable:
    """`dockcaddy check` of containers."""

    def check(*arguments: str, **containers: dict[str, str]) -> Any:
        given = ("--inventory", snapshot(**containers), "--ingress-networks=web", "--caddy", caddy)
        return dockcaddy("check", *given, *arguments)

    return check


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("caddy_reverse_proxy", "write caddy.reverse_proxy"),
        ("Caddy", "write caddy"),
        ("Caddy.reverse_proxy", "write caddy.reverse_proxy"),
        ("CADDY_1.respond", "write caddy_1.respond"),
        ("caddy-reverse_proxy", "write caddy.reverse_proxy"),
        ("caddy:respond", "write caddy.respond"),
        ("cady.reverse_proxy", "write caddy.reverse_proxy"),
        ("caddyy", "write caddy"),
    ],
)
@pytest.mark.parametrize("beside", [{}, SITE])
def test_what_begins_like_the_prefix_and_is_none_is_told(
    checked: Callable, key: str, instead: str, beside: dict[str, str]
) -> None:
    result = checked(web={**beside, key: "x"})
    assert result.status == 0
    assert f"warning: container web: label {key}: the label is ignored" in result.err and instead in result.err, (
        result.err
    )
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("labels", "unreached"),
    [
        ({**FILES, "reverse_proxy": "/api/* {{upstreams 80}}"}, "reverse_proxy"),
        (
            {**FILES, "try_files": "{path} /index.php?{query}", "handle_1": "/api/*", "handle_1.respond": "x"},
            "handle_1",
        ),
        # without files there is nothing to be found, and the path stays
        ({"try_files": "{path} /index.html", "reverse_proxy": "/api/* {{upstreams 80}}"}, ""),
        ({**FILES, "try_files": "{path} {path}.html", "reverse_proxy": "/api/* {{upstreams 80}}"}, ""),
        ({**FILES, "try_files": "{path} /api/index", "reverse_proxy": "/api/* {{upstreams 80}}"}, ""),
        ({**FILES, "reverse_proxy": "{{upstreams 80}}"}, ""),
        ({"handle.try_files": "{path} /index.html", "handle_0": "/api/*", "handle_0.respond": "x"}, ""),
    ],
)
def test_what_try_files_leaves_no_request_for_is_told(
    checked: Callable, labels: dict[str, str], unreached: str
) -> None:
    result = checked(web={"caddy": "a.example.org", **{f"caddy.{key}": value for key, value in labels.items()}})
    assert result.status == 0 and ("no request comes to it" in result.err) == bool(unreached), result.err
    if unreached:
        assert f"label caddy.{unreached}: no request comes to it, because try_files makes /index." in result.err
        remedy = "put this into caddy.handle_0: /api/*, and try_files and file_server into caddy.handle_1\n"
        assert result.err.endswith(remedy)


@pytest.mark.parametrize(
    "key",
    [
        "caddy_ingress_network",
        "caddy_health_gate",
        "caddy_of_some_plugin",
        "caddyshack.x",
        "com.docker.compose.project",
        "candles",
        "org.caddy.x",
        "caddy_0.header.Caddy_X",
    ],
)
def test_what_only_looks_a_little_alike_is_not(checked: Callable, key: str) -> None:
    result = checked(web={**SITE, "caddy_0": "b.example.org", "caddy_0.respond": "x", key: "web"})
    assert (result.status, result.err) == (0, ""), result.err


def test_another_prefix_has_its_own_look_alikes(checked: Callable) -> None:
    result = checked("--label-prefix", "web", web={"web": "a.example.org", "web.respond": "x", "Web.tls": "internal"})
    assert "label Web.tls: the label is ignored" in result.err and "write web.tls" in result.err


@pytest.mark.parametrize(
    ("labels", "label", "head"),
    [
        ({"caddy.reverse_proxy": "{{upstreams 80}}"}, "caddy.reverse_proxy", "caddy"),
        ({"caddy.0_root": "* /srv", "caddy.1_file_server": ""}, "caddy.0_root", "caddy"),
        ({"caddy_3.handle_1.respond": "x"}, "caddy_3.handle_1.respond", "caddy_3"),
        ({**SITE, "caddy_1.respond": "x"}, "caddy_1.respond", "caddy_1"),
        ({"caddy.handle_errors.respond": "x"}, "caddy.handle_errors.respond", "caddy"),
    ],
)
def test_a_forgotten_site_label_is_told(
    checked: Callable, dockcaddy: Callable, snapshot: Callable, labels: dict[str, str], label: str, head: str
) -> None:
    result = checked(web=labels)
    assert result.status == 1
    assert result.err.count("\n") == 1, result.err
    assert f'label "{head}", name the site: {head}: ' in result.err or f'without a label "{head}"' in result.err
    raw = dockcaddy("render", "--raw", "--inventory", snapshot(web=labels), "--ingress-networks=web")
    assert f'warning: container web: label {label}: without a label "{head}"' in raw.err
    assert f"{head}: app.example.org" in raw.err


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy.email": "me@example.org"},
        {"caddy.servers.metrics": ""},
        {"caddy.log.level": "DEBUG"},
        {"caddy.debug": ""},
    ],
)
def test_global_options_need_no_site(checked: Callable, labels: dict[str, str]) -> None:
    assert "without a label" not in checked("--set", "policy.trust=all", web=labels, other=SITE).err


def test_a_site_without_directives_is_told(checked: Callable) -> None:
    result = checked(web={"caddy": "b.example.org"}, other=SITE)
    assert (result.status, result.err.count("\n")) == (0, 1)
    assert result.err.startswith("warning: container web: label caddy: the site has no directives")
    assert "caddy.reverse_proxy" in result.err
    assert result.out == "2 containers, 2 sites, 1 warning, ok\n"


def test_a_site_whose_directives_another_container_has_is_none(checked: Callable) -> None:
    assert checked(web={"caddy": "a.example.org"}, other=SITE).err == ""


def test_a_site_that_does_nothing_for_the_moment_is_none(checked: Callable) -> None:
    labels = {"caddy": "b.example.org", "caddy.reverse_proxy": "{{if false}}{{upstreams 80}}{{end}}"}
    assert checked(web=labels).err == ""


@pytest.mark.parametrize(
    ("labels", "proxy"),
    [
        ({"traefik.enable": "true", "traefik.http.routers.web.rule": "Host(`a.example.org`)"}, "Traefik"),
        ({"VIRTUAL_HOST": "a.example.org"}, "nginx-proxy"),
        ({"proxy.aliases": "a, b.example.org"}, "GoDoxy"),
        ({"proxy.#1.port": "8000"}, "GoDoxy"),
        ({"proxy.*.scheme": "https"}, "GoDoxy"),
    ],
)
def test_labels_for_another_proxy_only_are_told(checked: Callable, labels: dict[str, str], proxy: str) -> None:
    result = checked(web=labels, other=SITE)
    assert result.status == 0
    assert result.err.startswith(f"warning: container web: configured for {proxy} and not for dockcaddy")
    assert "caddy.reverse_proxy" in result.err


def test_several_for_another_proxy_are_one_line(checked: Callable) -> None:
    result = checked(**{f"web{n}": {"traefik.enable": "true"} for n in range(5)}, other=SITE)
    assert result.err.count("\n") == 1
    assert "containers web0, web1, web2 and 2 more: configured for Traefik" in result.err


@pytest.mark.parametrize(
    "labels",
    [
        {**SITE, "traefik.enable": "true"},
        {"traefik.enable": "false"},
        {"proxy.exclude": "true", "proxy.aliases": "a"},
        {"other": "x"},
    ],
)
def test_what_is_for_us_too_or_for_nobody_is_not(checked: Callable, labels: dict[str, str]) -> None:
    assert checked(web=labels, other={"caddy": "b.example.org", "caddy.respond": "x"}).err == ""


def test_without_any_label_it_is_told_what_is_looked_for(checked: Callable) -> None:
    result = checked(web={"other": "x"})
    assert (result.status, result.out) == (0, "0 containers, 0 sites, 1 warning, ok\n")
    assert result.err.endswith('no container has a label "caddy" or "caddy.x", so there is nothing to serve\n')


def test_without_any_label_the_sites_of_the_base_caddyfile_are_something_to_serve(
    dockcaddy: Callable, snapshot: Callable, sandbox: Path, caddy: str
) -> None:
    (sandbox / "Caddyfile").write_text("http://own.test {\n\trespond x\n}\n")
    path = snapshot(web={"other": "x"})
    result = dockcaddy("check", "--inventory", path, "--caddyfile-path", "Caddyfile", "--caddy", caddy)
    assert (result.status, result.out) == (0, "0 containers, 1 site, 1 warning, ok\n")
    assert result.err.endswith('no container has a label "caddy" or "caddy.x"\n')
