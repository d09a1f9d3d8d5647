"""What is known of the Caddyfile's syntax: matcher tokens, directives, addresses of sites."""

import pytest
from dockcaddy.caddyfile import (
    DIRECTIVES,
    GLOBAL_OPTIONS,
    SITE_DIRECTIVES,
    Block,
    SiteAddress,
    is_matcher,
    is_matcher_block,
    matcher,
    merge_key,
    split_host_port,
    split_matcher,
)


@pytest.mark.parametrize("token", ["*", "/", "/api/*", "@api"])
def test_a_star_a_path_and_a_name_are_matchers(token: str) -> None:
    assert is_matcher(token)
    assert split_matcher((token, "a:80")) == (token, ("a:80",))


@pytest.mark.parametrize("token", ["", "*.example.org:80", "a:80", "{path}"])
def test_other_tokens_are_none(token: str) -> None:
    assert not is_matcher(token)
    assert split_matcher((token,)) == ("", (token,))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("respond /a b", "/a"),
        ("root /srv", ""),
        ("root /a /srv", "/a"),
        ("rewrite /index.html", ""),
        ("try_files /a /b", ""),
        ("tls /cert.pem /key.pem", ""),
        ("bind @x", ""),
        ("rate_limit /a x", "/a"),
        ("respond", ""),
    ],
)
def test_a_matcher_depends_on_the_directive(line: str, wanted: str) -> None:
    assert matcher(Block(tuple(line.split()))) == wanted


def test_proxies_with_one_matcher_become_one() -> None:
    assert merge_key(("reverse_proxy", "a")) == merge_key(("reverse_proxy", "*", "b"))
    assert merge_key(("reverse_proxy", "/x", "a")) != merge_key(("reverse_proxy", "a"))
    assert merge_key(("reverse_proxy", "*.a.test:80")) == merge_key(("reverse_proxy", "b"))
    assert merge_key(("respond", "a")) != merge_key(("respond", "b"))


def test_conditions_stand_under_a_matcher_and_what_holds_matchers() -> None:
    assert [name for name in ("@a", "not", "lb_retry_match", "header", "") if is_matcher_block(name)] == [
        "@a",
        "not",
        "lb_retry_match",
    ]


def test_what_is_a_directive_and_a_global_option_is_no_sign_of_a_site() -> None:
    assert {"metrics", "log"} == DIRECTIVES.keys() & GLOBAL_OPTIONS
    assert {"handle_errors", "tls", "bind", "respond"} < SITE_DIRECTIVES
    assert SITE_DIRECTIVES.isdisjoint({"metrics", "log", "import"})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x.test", ("", "x.test", "", "")),
        ("HTTPS://x.test:8443/a/*,", ("https", "x.test", "8443", "/a/*")),
        (":80", ("", "", "80", "")),
        ("[::1]:80", ("", "[::1]", "80", "")),
        ("[::1]", ("", "[::1]", "", "")),
        ("::1", ("", "::1", "", "")),
        ("{$HOST}:{$PORT:8080}", ("", "{$HOST}", "{$PORT:8080}", "")),
        ("{$HOST:x.test}", ("", "{$HOST:x.test}", "", "")),
    ],
)
def test_an_address_has_four_parts(text: str, parts: tuple[str, ...]) -> None:
    address = SiteAddress.parse(text)
    assert (address.scheme, address.host, address.port, address.path) == parts


@pytest.mark.parametrize("text", ["{$HOST}", "x:{$PORT}", "ftp://x", "a:b:c", "::1", "x:http"])
def test_what_caddy_fills_in_or_refuses_is_not_literal(text: str) -> None:
    assert not SiteAddress.parse(text).is_literal


def test_host_and_port_of_an_upstream() -> None:
    assert split_host_port("10.0.0.1:80") == ("10.0.0.1", "80")
    assert split_host_port("[fd00::1]:80") == ("[fd00::1]", "80")
    assert split_host_port("web") == ("web", "")
