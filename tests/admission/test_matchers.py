"""Whether a newer container's matcher is like everybody who visits an older one: in whatever words, as Caddy reads it."""

from collections.abc import Callable, Mapping

import pytest
from conflicting import Told
from dockcaddy.admission.conflicts.expressions import value_of
from dockcaddy.admission.conflicts.regexps import is_found
from world_fixtures import Newcomers, newcomers, site, world

__all__ = ["newcomers", "world"]

OLDER = {"caddy": "x.test", "caddy.respond": "older"}
APP = {"caddy": "x.test", "caddy.handle": "/app/*", "caddy.handle.respond": "older"}

# by the kind of matcher; `HOST` is the site's own
LIKE_EVERYBODY: Mapping[str, tuple[str, ...]] = {
    "expression": (
        "true", "{path}.startsWith('/')", "path('/nope', '/*')", "{method} == 'GET'", "!path('/zz')", "(path('/*'))",
        "{http.request.uri.path} != ''", "{host} != ''", "path('/*') && method('GET')", "path('/a') || true",
        "size({path}) > 0", "path_regexp('x', '.*')", "{path}.matches('.*')", "{method} in ['GET', 'HEAD']",
        "!header({'X-No': '1'})", "path('/zz') ? false : true", "!!path('/*')", "{method} != 'POST'", "{nope} != 'x'",
        "{port} != '1'", "vars({'{method}': 'GET'})", "host('HOST')", "{labels.0} == 'test'", "{header.X-No} == ''",
        "['a'].exists(x, true)", "{query.a} == ''", "remote_ip('0.0.0.0/0')", "!({path} == '/zz')",
    ),
    "path_regexp": (
        "^/", ".*", "[\\s\\S]*", "[^x]*", "(a|.*)", "\\S*", "(?i)^/.*", "^/(abc)?", "x ^/.*$", "^[/a-z]*", "(?P<x>.*)",
        "a{0}", "a*", "nope|/", "nope|", "\\A", "\\x2f", "[/]", "\\Q/\\E", "\\P{Greek}", "[[:^alpha:]]", "/\\b?",
    ),
    "not": ("path /nope", "not path /*", "protocol https", "expression false", "vars {method} POST", "host zz.test",
            "path_regexp ^/zzz", "header X-No 1", "remote_ip 192.0.2.1", "method POST", "query a=*"),
    "header": ("Host *", "Host {host}*", "Host *x*", "accept-encoding *i*", "!X-No", "User-Agent *Mozilla*"),
    "header_regexp": ("Host test", "x Host [a-z]", "Host [.]test", "Accept-Encoding .+"),
    "method": ("GET", "get", "POST GET"),
    "remote_ip": ("0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/2", "0.0.0.0/1"),
    "vars": ("{host} HOST", "{method} GET", "nope anything", "{path} /"),
    "vars_regexp": ("{path} .*", "x {http.request.uri} ^/", "{host} test"),
    "host": ("HOST", "*.test", "{host}"),
    "file": ("/always/there",),
}  # fmt: skip
LIKE_SOME: Mapping[str, tuple[str, ...]] = {
    "expression": (
        "{method} == 'POST'", "path('/hook/*') || path('/webhook')", "{http.request.cookie.beta} == '1'",
        "header({'Content-Type': 'application/json'})", "{query.debug} == '1'", "path('/zz') ? true : false",
        "{path}.startsWith('/api') && {nope} == 'x'", "host('other.test')", "{path} in ['/a', '/b']", "!method('GET')",
    ),
    "path_regexp": ("\\.(png|jpe?g)$", "^/v[0-9]+/", "^/[a-z]{2}/", "(?i)^/API", "^/[^/]+/edit$", "[[:digit:]]"),
    "not": ("method GET", "header Host *", "path *", "expression true"),
    "header": ("Connection *Upgrade*", "Cookie *beta=1*", "User-Agent *GPTBot*", "Accept application/json", "!Host"),
    "header_regexp": ("User-Agent (?i)(bot|crawl|spider)", "Cookie beta=(1|yes)", "Accept-Language ^de"),
    "method": ("POST PUT",),
    "remote_ip": ("10.0.0.0/8 192.0.2.1",),
    "query": ("debug=1",),
    "protocol": ("grpc",),
    "file": ("{path}",),
    "vars": ("{method} POST",),
    "vars_regexp": ("{path} ^/api",),
}  # fmt: skip


Joined = Callable[..., str]


@pytest.fixture(name="told")
def joined(told: Told) -> Joined:
    """All conflicts in one text."""
    return lambda *labels: "\n".join(told(*labels))


def matching(kind: str, value: str, host: str = "x.test") -> dict[str, str]:
    """A newer one that redirects those who are like a matcher."""
    return {
        "caddy": "x.test",
        f"caddy.@all.{kind}": value.replace("HOST", host),
        "caddy.redir": "@all https://stolen.test",
    }


def cases(of: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, value) for kind, values in of.items() for value in values]


@pytest.mark.parametrize(("kind", "value"), cases(LIKE_EVERYBODY))
def test_a_matcher_that_is_like_everybody_takes_an_older_site(told: Joined, kind: str, value: str) -> None:
    assert "redir would take requests from container a" in told(OLDER, matching(kind, value))


@pytest.mark.parametrize(("kind", "value"), cases(LIKE_SOME))
def test_a_matcher_that_is_like_some_takes_nothing(told: Joined, kind: str, value: str) -> None:
    assert told(OLDER, matching(kind, value)) == ""


OF_THE_APP = (
    ("path_regexp", "^/app"),
    ("path_regexp", "app"),
    ("path_regexp", "(?i)^/APP/"),
    ("path_regexp", "^/(app|b)/"),
    ("expression", "path('/app/*') && method('GET')"),
    ("expression", "{path}.contains('pp')"),
    ("expression", "{path.0} == 'app'"),
    ("expression", "{http.request.uri.path.dir} == '/app/'"),
    ("vars_regexp", "{path} ^/app"),
    ("not", "not path /app/*"),
    ("path", "/x /app/*"),
    ("path", "/app/"),
)


@pytest.mark.parametrize(("kind", "value"), OF_THE_APP)
def test_a_matcher_of_an_older_ones_path_takes_it(told: Joined, kind: str, value: str) -> None:
    assert "would take requests from container a" in told(APP, matching(kind, value))


@pytest.mark.parametrize("value", ["^/b/", "^/app/deeper", "\\.css$"])
def test_a_matcher_of_another_path_takes_nothing(told: Joined, value: str) -> None:
    assert told(APP, matching("path_regexp", value)) == ""


def holding(**matcher: str) -> dict[str, str]:
    """An older one that handles who is like a matcher."""
    asked = {f"caddy.@a.{kind}": value for kind, value in matcher.items()}
    return {"caddy": "x.test", **asked, "caddy.handle": "@a", "caddy.handle.respond": "older"}


TAKEN_BY_A_PATH = (
    (holding(path_regexp="^/app/"), "/app/*"),
    (holding(path_regexp="^/app/[0-9]+$"), "/app/*"),
    (holding(expression="{path}.startsWith('/app/')"), "/app*"),
    (holding(path="/app/* /api/*"), "/api/*"),
    (holding(method="GET"), "/*"),
)


@pytest.mark.parametrize(("older", "path"), TAKEN_BY_A_PATH)
def test_what_an_older_one_asks_in_other_words_is_not_taken_by_its_path(
    told: Joined, older: dict[str, str], path: str
) -> None:
    newer = {"caddy": "x.test", "caddy.0_handle": path, "caddy.0_handle.respond": "newer"}
    assert "handle would take requests from container a" in told(older, newer)


@pytest.mark.parametrize(("kind", "value"), [("host", "www.x.test"), ("expression", "host('www.x.test')")])
def test_one_of_several_hosts_of_an_older_site_is_not_taken(told: Joined, kind: str, value: str) -> None:
    both = {"caddy": "x.test, www.x.test"}
    assert "redir would take requests from" in told(OLDER | both, matching(kind, value) | both)


@pytest.mark.parametrize("of", ["host('NAME.w.test')", "{labels.2} == 'NAME'", "{host} == 'NAME.w.test'"])
def test_sites_of_a_wildcard_may_tell_their_hosts_in_any_words(told: Joined, of: str) -> None:
    def tenant(name: str) -> dict[str, str]:
        asked = {"caddy": "*.w.test", "caddy.@m.expression": of.replace("NAME", name)}
        return asked | {"caddy.handle": "@m", "caddy.handle.respond": name}

    one, other = tenant("a"), {key.replace("@m", "@n"): v.replace("@m", "@n") for key, v in tenant("b").items()}
    assert told(one, other) == ""
    assert "would take requests from" in told(
        one, {"caddy": "*.w.test", "caddy.@q.header": "Host a*", "caddy.redir": "@q https://stolen.test"}
    )


def at_host(name: str, host: str) -> dict[str, str]:
    return {
        "caddy": "*.x.test",
        f"caddy.@{name}.host": host,
        f"caddy.handle_{len(name)}": f"@{name}",
        f"caddy.handle_{len(name)}.respond": name,
    }


@pytest.mark.parametrize(
    ("older", "newer", "takes"),
    [
        ("a.{$DOMAIN}", "b.{$DOMAIN}", False),
        ("a.{$DOMAIN}", "a-b.{$DOMAIN}", False),
        ("a.{$DOMAIN}", "b.{$OTHER}", True),
        ("a.x.test", "b.{$DOMAIN}", True),
        ("a.x.test", "{$HOST}", True),
        ("{$A}.x.test", "{$B}.x.test", True),
    ],
)
def test_hosts_with_a_variable_differ_where_only_what_stands_before_it_does(
    told: Joined, older: str, newer: str, takes: bool
) -> None:
    assert ("would take requests" in told(at_host("older", older), at_host("new", newer))) is takes


@pytest.mark.parametrize(
    ("site", "host", "takes"),
    [
        ("*.{$DOMAIN}", "b.{$DOMAIN}", False),
        ("*.{$DOMAIN}", "{$WILDCARD}", True),
        ("*.{$DOMAIN}", "*.{$DOMAIN}", True),
        ("{$WILDCARD}", "b.{$DOMAIN}", True),
        ("b.x.test", "b.{$DOMAIN}", True),
    ],
)
def test_one_host_of_a_wildcard_may_be_another_ones_than_the_rest(
    told: Joined, site: str, host: str, takes: bool
) -> None:
    rest = {"caddy": site, "caddy.handle.respond": "rest"}
    assert ("would take requests" in told(rest, at_host("new", host) | {"caddy": site})) is takes


def test_a_field_that_the_newer_one_sets_before_is_everybodys(told: Joined) -> None:
    proxied, newer = {"caddy": "x.test", "caddy.reverse_proxy": "x:80"}, matching("header", "X-Mine 1")
    answering = {key.replace("redir", "respond"): value for key, value in newer.items()}
    assert told(proxied, newer) == told(proxied, answering) == ""
    assert "would take requests from" in told(proxied, answering | {"caddy.request_header": "X-Mine 1"})
    # Caddy evaluates redir before request_header
    assert told(proxied, newer | {"caddy.request_header": "X-Mine 1"}) == ""


def test_a_server_that_is_asked_for_permission_does_not_come_in_front_of_an_older_one(told: Joined) -> None:
    asking = {"caddy": "x.test", "caddy.forward_auth": "evil:80", "caddy.forward_auth.uri": "/x"}
    assert "forward_auth would take requests from container a" in told(OLDER, asking)
    assert told(OLDER | asking, asking | {"caddy.handle": "/b/*", "caddy.handle.respond": "b"}) == ""
    assert told(APP | asking, {"caddy": "x.test", "caddy.redir": "/ /app/"}) == ""


def test_a_last_block_for_every_path_takes_nothing_from_those_before_it(told: Joined) -> None:
    assert told(APP, {"caddy": "x.test", "caddy.handle": "/*", "caddy.handle.respond": "newer"}) == ""


HARD = (
    "(" * 2_000,
    "(a*)*" * 60,
    "((((((a*)*)*)*)*)*)*b",
    "(" + "|".join("a" * 40) + ")*b",
    "[" * 400,
    "a{1000}{1000}",
    "\\x{ffffffff}",
)


@pytest.mark.parametrize("pattern", HARD)
@pytest.mark.parametrize("text", ["/" + "a" * 30, "/"])
def test_a_pattern_costs_little_whatever_it_says(pattern: str, text: str) -> None:
    assert is_found(pattern, text) in (True, False, None)


@pytest.mark.parametrize(
    "text", ["(" * 4_000, "!" * 4_000, "a." * 2_000, "[" * 4_000, "{" * 4_000, "'a'+" * 1_000 + "'a'"]
)
def test_an_expression_costs_little_whatever_it_says(text: str) -> None:
    assert value_of(text, lambda _: "", lambda *_: None) in (None, "a" * 1_001)


@pytest.mark.parametrize("condition", ["{'a': 1}", "['a']", "1"])
def test_a_condition_that_is_neither_true_nor_false_decides_nothing(told: Joined, condition: str) -> None:
    assert value_of(f"{condition} ? true : false", lambda _: "", lambda *_: None) is None
    assert "would take requests from container a" in told(OLDER, matching("expression", f"{condition} ? true : false"))


def test_what_nobody_has_time_to_compare_is_refused(told: Joined) -> None:
    one = lambda n: {"caddy": "x.test", f"caddy.@m{n}.path_regexp": f"^/m{n}/" + "x" * 300, "caddy.redir": f"@m{n} /z"}  # noqa: E731
    assert "cannot be compared in time with all older routes and may take requests from" in told(*map(one, range(80)))
    assert told(*map(one, range(20))) == ""


def test_many_that_tell_their_visitors_apart_share_a_site(told: Joined) -> None:
    def tenant(n: int) -> dict[str, str]:
        asked = {"caddy": "x.test", f"caddy.@m{n}.header": f"X-Tenant t{n}"}
        return asked | {"caddy.handle": f"@m{n}", "caddy.handle.respond": f"t{n}"}

    assert told(*map(tenant, range(150))) == ""


def of_the_site(kind: str, value: str, host: str) -> dict[str, str]:
    return {f"@all.{kind}": value.replace("HOST", host), "redir": "@all https://stolen.test"}


KINDS = [(kind, is_all) for is_all, of in ((True, LIKE_EVERYBODY), (False, LIKE_SOME)) for kind in of]


@pytest.mark.parametrize(("kind", "is_all"), KINDS)
def test_no_matcher_takes_a_visitor_of_an_older_one_from_it_with_a_real_caddy(
    told: Joined, newcomers: Newcomers, kind: str, is_all: bool
) -> None:
    for at, value in enumerate((LIKE_EVERYBODY if is_all else LIKE_SOME)[kind]):
        name = f"x{at}{kind.replace('_', '')}{'all' if is_all else 'some'}"
        newcomers.put(site(name, {"respond": "older"}), site(name, of_the_site(kind, value, f"{name}.test")))
        assert newcomers.body(name) == "older", value
        assert not newcomers.told("container first:")
        assert newcomers.told("container second") or not is_all, value
