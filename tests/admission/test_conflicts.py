"""Of two resources that contradict each other, the older stays. `tests/golden/conflicts` holds what is told, case by case."""

from collections.abc import Callable

import pytest
from conflicting import Adapt, Told, inventory_of, left_out
from dockcaddy import plugins, testing
from dockcaddy.admission import conflicts
from dockcaddy.admission.conflicts import Member, neighbours
from dockcaddy.admission.conflicts.paths import covers
from dockcaddy.admission.conflicts.size import Definers, is_usual, size_of
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.settings import limits
from work import grows_evenly


def proxy(**options: str) -> dict[str, str]:
    """A replica's labels."""
    return {
        "caddy": "x.org",
        "caddy.reverse_proxy": "{{upstreams 80}}",
        **{f"caddy.reverse_proxy.{key.replace('__', '.')}": value for key, value in options.items()},
    }


def test_proxies_of_different_paths_do_not_clash(told: Told) -> None:
    one = proxy(lb_policy="first")
    assert (
        told(one, one | {"caddy.reverse_proxy": "/api/* {{upstreams 80}}", "caddy.reverse_proxy.lb_policy": "x"}) == []
    )


def test_headers_clash_by_field(told: Told) -> None:
    assert told(proxy(header_up="X-A a"), proxy(header_up="X-B b")) == []
    assert (
        "header_up X-A differs from that of container a" in told(proxy(header_up="X-A a"), proxy(header_up="X-A b"))[0]
    )
    assert told(proxy(header_up="+X-A a"), proxy(header_up="+X-A b")) == []


def test_one_matcher_name_with_two_meanings_clashes(told: Told) -> None:
    a = {"caddy": "x.org", "caddy.@api.path": "/a/*", "caddy.respond": "@api a"}
    b = {"caddy": "x.org", "caddy.@api.host": "b.x.org", "caddy.handle": "@api", "caddy.handle.respond": "b"}
    assert "container b: label caddy.@api: @api differs from that of container a" in told(a, b)[0].replace(".host", "")


def test_a_matcher_is_not_hidden_by_one_of_its_name_further_inside(told: Told) -> None:
    site = {"caddy": "x.org", "caddy.@m.path": "/m*"}
    used = site | {"caddy.handle": "/a/*", "caddy.handle.respond": "@m older"}
    assert "@m differs from that of container a" in told(used, used | {"caddy.handle.@m.path": "/nothing"})[0]
    own = site | {"caddy.handle": "/b/*", "caddy.handle.@m.path": "/n*", "caddy.handle.respond": "@m newer"}
    assert told(used, own) == [] == told(own, own)


def test_one_matcher_name_on_two_sites_is_two_matchers(told: Told) -> None:
    assert told({"caddy": "x.org", "caddy.@a.path": "/a"}, {"caddy": "y.org", "caddy.@a.path": "/b"}) == []


def test_snippets_of_one_name_clash_unless_they_are_equal(told: Told) -> None:
    one = {"caddy": "(common)", "caddy.encode": "gzip", "caddy.header": "X y"}
    assert told(one, dict(reversed(one.items()))) == []
    assert "(common) differs from that of container a" in told(one, one | {"caddy.encode": "zstd"})[0]


def test_global_options_clash_by_name(told: Told) -> None:
    assert told({"caddy.email": "a@x.org"}, {"caddy.email": "a@x.org"}, {"caddy.debug": ""}) == []
    assert "email differs from that of container a" in told({"caddy.email": "a@x.org"}, {"caddy.email": "b@x.org"})[0]


BASE = "{\n\tservers {\n\t\tmax_header_size 8KB\n\t}\n\tpki {\n\t\tca {\n\t\t\tname Ours\n\t\t}\n\t}\n}\n"


def test_options_of_one_listener_do_not_hide_what_an_older_one_says_of_all(told: Told) -> None:
    one, all = {"caddy.servers": ":443", "caddy.servers.protocols": "h1 h2"}, {"caddy.servers.timeouts.idle": "1m"}
    assert "servers :443 would override the options for all servers of container a" in told(all, one)[0]
    assert "of caddyfile Caddyfile" in told(one, base=BASE)[0]
    assert told(one, all) == [] == told(one, one)


def test_ranges_of_proxies_are_those_of_the_older_one(told: Told) -> None:
    a, b = ({"caddy.servers.trusted_proxies": f"static {each}.0.0.0/8"} for each in (10, 11))
    assert "trusted_proxies differs from that of container a" in told(a, b)[0]
    assert told(a, a) == []


def test_a_block_without_a_name_is_the_same_as_with_its_usual_one(told: Told) -> None:
    named = {"caddy.pki.ca": "local", "caddy.pki.ca.root_cn": "Mine"}
    assert "ca local differs from that of caddyfile Caddyfile" in told(named, base=BASE)[0]
    assert told(named | {"caddy.pki.ca": "mine"}, {"caddy.pki.ca.root_cn": "Mine"}, base=BASE) == []
    log, default = {"caddy.log.level": "INFO"}, {"caddy.log": "default", "caddy.log.format": "json"}
    assert "log default differs from that of container a" in told(log, default)[0]
    assert told(log, {"caddy.log.format": "json"}, {"caddy.log": "other", "caddy.log.level": "INFO"}) == []


def test_a_site_that_several_serve_may_have_several_answers(told: Told) -> None:
    assert told({"caddy": "x.org", "caddy.respond": "/a a"}, {"caddy": "x.org", "caddy.respond": "/b b"}) == []


SITE = {"caddy": "x.org"}
RESPONDING = SITE | {"caddy.respond": "older"}


def rejecting(matcher: dict[str, str]) -> dict[str, str]:
    """A newer one that sends those away who are like the matcher."""
    return SITE | {f"caddy.@all{key}": value for key, value in matcher.items()} | {"caddy.abort": "@all"}


LIKE_EVERYBODY = (
    {".method": "GET HEAD"},
    {".not.path": "/nothing"},
    {".not.not.path": "*"},
    {".not.header": "X-None *"},
    {".header": "Host *"},
    {".header": "!X-None"},
    {".header_regexp": "Host .*"},
    {".path_regexp": "^/.*$"},
    {".remote_ip": "0.0.0.0/0 ::/0"},
    {".protocol": "http"},
    {".host": "*.org"},
    {".query": '""'},
    {".vars": "{host} x.org"},
    {".expression": "1 == 1"},
    {".expression": "path('/*')"},
    {"": "`true || false`"},
    {"": "not path /nothing"},
    {".path": "/"},
)
LIKE_SOME = (
    {".method": "POST"},
    {".header": "Connection *Upgrade*"},
    {".header_regexp": "User-Agent .*bot.*"},
    {".path_regexp": "^/[0-9]+$"},
    {".not.header": "Host *"},
    {".not.method": "GET"},
    {".remote_ip": "private_ranges"},
    {".protocol": "grpc"},
    {".query": "debug=1"},
    {".expression": "{method} == 'POST' && {path}.startsWith('/a')"},
    {".expression": "header({'X-A': 'b'})"},
)


@pytest.mark.parametrize("matcher", LIKE_EVERYBODY, ids=str)
def test_a_newer_one_does_not_send_everybody_away(told: Told, matcher: dict[str, str]) -> None:
    assert "abort would take requests from container a" in str(told(RESPONDING, rejecting(matcher)))


@pytest.mark.parametrize("matcher", LIKE_SOME, ids=str)
def test_a_newer_one_may_answer_some_visitors(told: Told, matcher: dict[str, str]) -> None:
    assert told(RESPONDING, rejecting(matcher)) == []


@pytest.mark.parametrize("address", ["http://x.org", "http://X.org:8080", "http://x.org:08080"])
def test_a_site_without_a_port_is_at_the_operators_port(told: Told, address: str) -> None:
    base = "{\n\thttp_port 8080\n}\n"
    sites = {"caddy": "http://x.org:8080", "caddy.respond": "a"}, {"caddy": "http://x.org", "caddy.respond": "b"}
    assert len(told(*sites, base=base)) == len(told(*reversed(sites), base=base)) == 1
    assert told(*sites) == []
    beside = {"caddy": address, "caddy.respond": "b"}, base + "http://x.org {\n\trespond c\n}\n"
    # where the operator's lines stay in front, nothing is taken
    assert len(told(beside[0], base=beside[1])) + len(told.warnings(beside[0], base=beside[1])) == 1


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/a*", "/a/b", True),
        ("/a*", "/b", False),
        ("/a", "/a*", False),
        ("/*/c", "/a/c", True),
        ("/*/c", "/a/b/c", False),
        ("/[^a]", "/b", True),
        ("/[^a]", "/a", False),
        ("/?b", "/ab*", True),
        (r"/\*", "/a", False),
        ("*.css", "/a.css", True),
        ("*a*", "/bab*", True),
        ("/*a*b*c", "/" + "ab" * 20_000, False),
    ],
)
def test_patterns_are_read_as_caddy_reads_them(pattern: str, path: str, covered: bool) -> None:
    assert covers(pattern, path) is covered


SECURE = {"caddy": "x.org", "caddy.respond": "a"}


@pytest.mark.parametrize("address", ["http://x.org", "x.org:80", "HTTP://X.ORG/*"])
def test_who_is_sent_to_https_is_answered_by_nobody_else(told: Told, address: str) -> None:
    (found,) = told(SECURE, {"caddy": address, "caddy.respond": "b"})
    assert (
        "container b: label caddy: its HTTP requests are redirected to HTTPS by container a; the older resource wins"
        in found
    )


@pytest.mark.parametrize("address", ["http://x.org/.well-known/*", "http://x.org:8080", "http://y.org", "http://*.org"])
def test_other_visitors_are_answered(told: Told, address: str) -> None:
    assert told(SECURE, {"caddy": address, "caddy.respond": "b"}) == []


@pytest.mark.parametrize("option", ["off", "disable_redirects"])
def test_nobody_is_sent_to_https_where_the_operator_says_so(told: Told, option: str) -> None:
    plain = {"caddy": "http://x.org", "caddy.respond": "b"}
    assert told(SECURE, plain, base=f"{{\nauto_https {option}\n}}\n") == []
    assert told(SECURE, plain, base="{\nauto_https disable_certs\n}\n") != []


def test_a_site_comes_with_https_beside_an_older_one_without(told: Told) -> None:
    assert told({"caddy": "http://x.org", "caddy.respond": "a"}, SECURE) == []
    assert (
        told({"caddy_0": "x.org", "caddy_0.tls": "internal", "caddy_1": "http://x.org", "caddy_1.respond": "a"}) == []
    )


def test_a_site_at_another_port_leaves_http_to_others(told: Told) -> None:
    assert told({"caddy": "x.org:8443", "caddy.respond": "a"}, {"caddy": "http://x.org", "caddy.respond": "b"}) == []


def test_a_resource_may_have_a_site_and_a_path_of_it(told: Told) -> None:
    assert told({"caddy_0": "x.org", "caddy_0.respond": "a", "caddy_1": "x.org/*", "caddy_1.respond": "b"}) == []


def test_imports_that_grow_beyond_measure_are_refused_before_caddy_reads_them(told: Told) -> None:
    snippets = {f"caddy_{n}": f"(s{n})" for n in range(1, 31)} | {
        f"caddy_{n}.{k}_import": f"s{n - 1}" for n in range(1, 31) for k in (0, 1)
    }
    (conflict,) = told(
        {"caddy_0": "(s0)", "caddy_0.header": "X-A b"} | snippets, {"caddy": "y.org", "caddy.import": "s30"}
    )
    assert conflict.startswith("container b: label caddy.import: with all imports")


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy": ", ".join(f"http://x.org:{port}" for port in range(20_000, 20_200)), "caddy.respond": "a" * 30_000},
        {"caddy": "x.org", "caddy.@x.path": "/a " * 20_000} | {f"caddy.{n}_respond": f"@x {n}" for n in range(200)},
        {"caddy": "x.org", "caddy.@x.path_regexp": "(?:(?:ab){100}c){100}" * 50, "caddy.respond": "@x y"},
        {"caddy_0": "&(r)", "caddy_0.respond": "a" * 90_000}
        | {f"caddy_{n}": f"x{n}.org" for n in range(1, 60)}
        | {f"caddy_{n}.invoke": "r" for n in range(1, 60)},
        {"caddy_0": "(s)", "caddy_0.respond": "a" * 90_000}
        | {f"caddy_{n}": f"x{n}.org" for n in range(1, 60)}
        | {f"caddy_{n}.import": "s" for n in range(1, 60)},
    ],
    ids=["ports", "matchers", "repetitions", "routes", "snippets"],
)
def test_what_multiplies_beyond_measure_is_refused(told: Told, labels: dict[str, str]) -> None:
    (conflict,) = told(labels)
    assert "too large for caddy" in conflict


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        ([f"x{n}.org" for n in range(1_001)], "more than 1000 site addresses"),
        ([f"x.org:{n}" for n in range(20_000, 20_257)], "more than 256 ports"),
    ],
)
def test_more_addresses_than_anybody_has_are_refused(told: Told, addresses: list[str], reason: str) -> None:
    assert reason in told({"caddy": ", ".join(addresses), "caddy.respond": "x"})[0]
    assert told({"caddy": ", ".join(addresses[:-1]), "caddy.respond": "x"}) == []


@pytest.mark.parametrize(
    "large",
    [
        {"caddy.respond": "a" * 1_000_000},
        {"caddy": ", ".join(f"x%n%y{n}.org" for n in range(900))},
        {f"caddy.handle_{n}.respond": "y" for n in range(1_900)} | {f"caddy.handle_{n}": f"/{n}" for n in range(1_900)},
    ],
    ids=["characters", "addresses", "lines"],
)
def test_of_many_large_ones_the_newer_are_left_out_and_no_small_one(told: Told, large: dict[str, str]) -> None:
    def numbered(n: int) -> dict[str, str]:
        return {key: value.replace("%n%", str(n)) for key, value in ({"caddy": f"x{n}.org"} | large).items()}

    small = {"caddy": "small.org", "caddy.respond": "x"}
    found = told(*map(numbered, range(20)), small)
    assert all("together with other large resources" in each for each in found)
    left_out = [each.partition(":")[0] for each in found]
    assert 8 <= len(left_out) <= 18
    assert not {"container a", "container b", "container 16"} & set(left_out)


@pytest.mark.parametrize("characters", [10, 100, 1_000, 10_000])
@pytest.mark.parametrize("times", [1, 3, 10, 30, 100])
@pytest.mark.parametrize("what", ["ports", "hosts", "matchers", "lines"])
def test_nothing_large_is_taken_for_usual_at_first_sight(what: str, times: int, characters: int) -> None:
    labels = {"caddy": "http://x.org", "caddy.@x.path": "/" + "a" * characters, "caddy.respond": "@x x"}
    if what == "lines":
        labels |= {f"caddy.{n}_respond": f"/{n} " + "a" * (characters // 100) for n in range(times)}
    elif what == "matchers":
        labels |= {f"caddy.{n}_respond": f"@x {n}" for n in range(times)}
    else:
        address = "http://x.org:8{:03}" if what == "ports" else "http://x{}.org"
        labels["caddy"] = ", ".join(map(address.format, range(times)))
    (fragment,) = Pipeline(plugins.load()).fragments(inventory_of(labels))
    member, definers = Member(fragment, fragment.blocks, (0, 0)), Definers({})
    size = size_of(member, definers, lambda _: definers.matchers(fragment.blocks))
    assert size is None or not is_usual(fragment, is_alone=True)
    assert is_usual(fragment, is_alone=True) or times * characters > 100


def test_thousands_of_usual_ones_are_not_too_many(told: Told) -> None:
    assert told(*({"caddy": f"x{n}.org", "caddy.respond": "a" * 2_000} for n in range(1_500))) == []


def test_what_people_write_multiplies_a_little(told: Told) -> None:
    site = {
        "caddy": "x.org, y.org:8443",
        "caddy.@x.path_regexp": r"^/\d{4}-[a-f]{2,12}/(?:ab){3}$",
        "caddy.respond": "@x y",
    }
    assert told(site | {"caddy.header.X-A": "b" * 100_000}) == []


def test_a_newer_snippet_that_would_blow_up_an_older_site_is_left_out_itself(told: Told) -> None:
    importing = {"caddy": "y.org"} | {f"caddy.{n}_import": "s" for n in range(60)}
    (conflict,) = told(importing, {"caddy": "(s)", "caddy.respond": "a" * 90_000})
    assert conflict.startswith("container b: its snippet or route makes container a too large: with all imports")


def snippets(last: str, line: str, times: int = 10) -> dict[str, str]:
    """Twelve snippets, each of which imports the one before so often, in such a line."""
    return {"caddy_0": "(s0)", **({"caddy_0.header": last} if last else {})} | {
        key: value
        for n in range(1, 12)
        for key, value in {
            f"caddy_{n}": f"(s{n})",
            **{f"caddy_{n}.{k}_{line}": f"s{n - 1}" for k in range(times)},
        }.items()
    }


ENDLESS = {
    "imports of imports": snippets("X-A b", "import"),
    "imports of nothing": snippets("", "import"),
    "imports in blocks": snippets("X-A b", "handle.import"),
    "a snippet of itself": {"caddy_0": "(s11)", "caddy_0.import": "s11"},
    "a block of itself": {"caddy_0": "(s11)", "caddy_0.handle.import": "s11"},
    "two of each other": {
        "caddy_0": "(s11)",
        "caddy_0.handle.import": "s0",
        "caddy_1": "(s0)",
        "caddy_1.handle.import": "s11",
    },
    "a long chain": {"caddy_0": "(s11)", "caddy_0.import": "c0"}
    | {f"caddy_1{n:03}": f"(c{n})" for n in range(900)}
    | {f"caddy_1{n:03}.handle.import": f"c{n + 1}" for n in range(899)},
}


@pytest.mark.parametrize("case", ENDLESS)
@pytest.mark.parametrize("address", ["http://x.org", "http://x.org/p*"])
def test_nobodys_answers_are_compared_with_what_comes_to_no_end(told: Told, case: str, address: str) -> None:
    (conflict,) = told(
        {"caddy": "http://x.org", "caddy.respond": "/p/a a"},
        {**ENDLESS[case], "caddy_99": address, "caddy_99.import": "s11"},
    )
    assert conflict.startswith("container b: label caddy_99.import: ")


def test_a_site_of_the_host_is_compared_once_the_endless_one_is_left_out(adapt: Adapt) -> None:
    endless = {**snippets("", "import"), "caddy_99": "http://x.org", "caddy_99.import": "s11"}
    answering = ({"caddy": "http://x.org", "caddy.respond": text} for text in "ba")
    pipeline = Pipeline(plugins.load())
    found, _ = left_out(pipeline, pipeline.fragments(inventory_of(endless, *answering)), adapt)
    assert [each.problem.resource for each in found] == ["container a", "container c"]
    assert str(found[1].problem).startswith("container c: label caddy.respond: respond would take requests from")


@pytest.mark.parametrize(
    ("addresses", "others"),
    [
        (["http://x.org"], [f"http://x.org/p{n}" for n in range(999)]),
        ([f"http://x{n}.org" for n in range(999)], [f"http://x{n}.org/p" for n in range(999)]),
    ],
    ids=["paths", "hosts"],
)
def test_more_paths_than_can_be_compared_are_refused(
    told: Told, addresses: list[str], others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0

    def counted(pattern: str, path: str) -> bool:
        nonlocal compared
        compared += 1
        return covers(pattern, path)

    monkeypatch.setattr(neighbours, "covers", counted)
    answers = {f"caddy.{n}_respond": f"/q{n} x" for n in range(3_000)}
    found = told({"caddy": " ".join(addresses)} | answers, {"caddy": " ".join(others), "caddy.respond": "x"})
    assert found and all("container b: label caddy: it has too many paths to compare" in each for each in found)
    assert compared <= limits.MAX_COMPARED_PATHS


@pytest.mark.parametrize(
    ("labels", "looked_at"), [({"caddy.email": "me@x.org"}, 1), ({"caddy": "(s)", "caddy.header": "X-A c"}, 2)]
)
def test_what_changes_for_nobody_else_has_nobody_else_looked_at(
    labels: dict[str, str], looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = testing.container("importing", labels={"caddy": "y.org", "caddy.import": "s"}, created=1)
    older = [importing] + [
        testing.container(f"c{n}", labels={"caddy": f"x{n}.org", "caddy.respond": "x"}, created=n) for n in range(2, 20)
    ]
    pipeline = Pipeline(plugins.load())
    pipeline.build(Inventory((EngineInventory("local", tuple(older)),)))
    measured: list[object] = []
    is_usual = conflicts.is_usual
    monkeypatch.setattr(conflicts, "is_usual", lambda each, **more: measured.append(each) or is_usual(each, **more))
    newer = testing.container("newer", labels=labels, created=100)
    pipeline.build(Inventory((EngineInventory("local", (*older, newer)),)))
    assert len(measured) == looked_at


def test_what_contradicts_an_older_snippet_is_no_reason_against_whoever_imports_it(told: Told) -> None:
    small, large = {"caddy": "(s)", "caddy.encode": "gzip"}, {"caddy": "(s)", "caddy.respond": "a" * 90_000}
    (conflict,) = told(small, {"caddy": "y.org"} | {f"caddy.{n}_import": "s" for n in range(60)}, large)
    assert conflict.startswith("container c: label caddy: (s) differs from that of container a")


def test_arguments_that_grow_beyond_measure_are_refused(told: Told) -> None:
    base = "(a0) {\n\trespond `{args[0]}`\n}\n" + "".join(
        f"(a{n}) {{\n\timport a{n - 1} `{{args[0]}}{{args[0]}}`\n}}\n" for n in range(1, 25)
    )
    assert "too large for caddy" in told({"caddy": "y.org", "caddy.import": "a24 x"}, base=base)[0]
    assert told({"caddy": "y.org", "caddy.import": "a5 x"}, base=base) == []


def test_each_more_that_shares_a_wildcard_is_no_more_work_than_the_one_before(told: Told) -> None:
    def compare(size: int) -> Callable[[], object]:
        many = [
            {
                "caddy": "*.x.org",
                f"caddy.@a{n}.host": f"a{n}.x.org",
                "caddy.handle": f"@a{n}",
                "caddy.handle.respond": f"{n}",
            }
            for n in range(size)
        ]
        return lambda: told(*many)

    assert compare(1_000)() == []
    assert grows_evenly(compare, 50)


def test_certificates_of_one_site_are_no_matchers(told: Told) -> None:
    """`tls` has no matcher: two pairs of files are two settings of one site."""
    site = {"caddy": "x.org", "caddy.respond": "ok"}
    (found,) = told(site | {"caddy.tls": "/a.pem /a.key"}, site | {"caddy.tls": "/b.pem /b.key"})
    assert "container b: label caddy.tls" in found


def test_a_path_alone_is_the_target_of_rewrite_and_no_matcher(told: Told) -> None:
    older = {"caddy": "x.org", "caddy.rewrite": "/index.html", "caddy.file_server": ""}
    (found,) = told(older, {"caddy": "x.org", "caddy.rewrite": "/a"})
    assert "container b: label caddy.rewrite" in found


def test_a_star_in_an_upstream_is_no_matcher(told: Told) -> None:
    """Both are proxies of every request, so that their options are those of one block."""
    one, two = proxy(lb_policy="first"), proxy(lb_policy="random")
    one["caddy.reverse_proxy"] = two["caddy.reverse_proxy"] = "*.x.test:80"
    two["caddy.reverse_proxy"] += " y.test:80"
    assert len(told(one, two)) == 1


def test_a_condition_on_the_host_is_tested_with_the_hosts_of_the_site(told: Told) -> None:
    files = {"caddy": "a.example.com, b.example.com", "caddy.root": "* /srv/old", "caddy.file_server": ""}
    other_root = {
        "caddy": "a.example.com, b.example.com",
        "caddy.@m.expression": '{host} == "a.example.com"',
        "caddy.root": "@m /srv/new",
    }
    assert "root would change the file root of container a" in told(files, other_root)[0]
    elsewhere = {key: value.replace("a.example", "c.example") for key, value in other_root.items() if "@m" in key}
    assert told(files, files | elsewhere) == []
    matched = {
        "caddy": "example.com",
        "caddy.@api.expression": '{host} == "example.com" && {path}.startsWith("/api/")',
        "caddy.reverse_proxy": "@api x:80",
    }
    (problem,) = told(matched, {"caddy": "example.com/api/*", "caddy.respond": "x"})
    assert "/api/* is already handled by container a" in problem


def test_equal_matchers_differ_where_a_member_changes_the_header_field(told: Told) -> None:
    older = {"caddy": "x.test", "caddy.reverse_proxy": "x:80"}
    harmless = {"caddy": "x.test", "caddy.@n.header": "Accept foo", "caddy.redir": "@n /hi"}
    changing = {
        "caddy": "x.test",
        "caddy.@k.header": "Accept foo",
        "caddy.request_header": "Accept foo",
        "caddy.respond": "@k ho",
    }
    (problem,) = told(older, harmless, changing)
    assert "container c" in problem and "container a" in problem
