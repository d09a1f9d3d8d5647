"""Label sets that nobody wrote: whatever pieces they are made of, every good site answers as before."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import GOOD_VISITS, SECRET, Visit, World, containers_of, read_corpus

CORPUS = read_corpus(Path(__file__).parent / "corpus")
# Without an order of more, that many are tried, and always the same ones.
EXAMPLES = 80
SECONDS = 5.0
EVIL = Visit("evil.test")

SITES = st.sampled_from(
    [
        "http://evil.test:%PORT%",
        "evil.test:%HTTPS_PORT%",
        "http://*.test:%PORT%",
        ":%PORT%",
        "http://evil.test:%PORT%/*",
    ]
    + ["(mine)", "&(mine)", "http://EVIL.test:%PORT%, http://e2.test:%PORT%", "http://evil.test:%FREE_PORT%", ""]
    + ["http://plain.test:%PORT%", "http://shared.test:%PORT%/a*", "secure.test:%HTTPS_PORT%", "(greeting)"]
)
_DIRECTIVES = """
    abort acme_server basic_auth bind copy_response encode error file_server forward_auth fs handle handle_errors
    handle_path header import intercept invoke log log_append log_skip map method metrics php_fastcgi push redir
    request_body request_header respond reverse_proxy rewrite root route templates tls tracing try_files uri vars
    @mine @mine.path @mine.expression @mine.not reverse_proxy.transport reverse_proxy.health_interval
    reverse_proxy.header_up reverse_proxy.lb_policy reverse_proxy.dynamic tls.client_auth tls.dns tls.issuer log.output
    log.format map.default file_server.browse handle.respond route.respond handle.reverse_proxy import.respond
"""
_OPTIONS = """
    acme_ca admin auto_https cert_issuer debug default_bind default_sni email events grace_period http_port import
    key_type local_certs log log.output metrics on_demand_tls.ask order persist_config pki.ca renew_interval servers
    servers.listener_wrappers servers.name servers.protocols servers.strict_sni_host servers.trusted_proxies
    shutdown_delay storage bogus
"""
_WORDS = """
    x /x /x* * @mine @api mine greeting 0 -1 1 99999999999999999999 1s -1s 1ns 99999h 1MB off on internal first last
    http fastcgi gzip random a srv 127.0.0.1:1 127.0.0.1:%UPSTREAM% 127.0.0.1:%PORT% localhost unix//tmp/x.sock 200 999
    10.0.0.0/8 ((( .* a{1000} {args[0]} {args[:]} {block} {$HOME} {$X {http.request.uri} {y} {labels.1} /no/such/file
    {env.DOCKCADDY_TEST_TOKEN} {file.%DATA%/secret.txt} } { {} `}` "{" `a"b` "a`b" <<X # ' , . - _ + ! ~ = % %s {{ }}
    {{.}} {{upstreams}} {{env`A`}} {{printf`%9999d`1}} {{if0}}x{{end}} {{template`a`}} évil
"""
DIRECTIVES, OPTIONS, WORDS = _DIRECTIVES.split(), _OPTIONS.split(), _WORDS.split()
WORDS += ["\\", '\\"', "\u202e", "\ufeff", "\u2028", "\udcff", "\0", "\x1b[2J"]
WORDS += ['{{env "V"}}', "{{range $i := 50}}x{{$i}} {{end}}", '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}']

words = st.sampled_from(WORDS)
values = st.one_of(
    st.lists(words, max_size=4).map(" ".join),
    st.tuples(words, st.sampled_from(["\n", "\r", "\t", "\n}\n", " {\n", "\u2028", "\0", ""]), words).map("".join),
    st.text(max_size=12),
    st.tuples(words, st.integers(1, 3_000)).map(lambda piece: piece[0] * piece[1]),
)
segments = st.one_of(
    st.sampled_from(DIRECTIVES),
    st.sampled_from(DIRECTIVES),
    st.tuples(st.integers(0, 10**9), st.sampled_from(DIRECTIVES)).map(lambda piece: f"{piece[0]}_{piece[1]}"),
    words,
    st.text(max_size=6),
)
keys = st.lists(segments, min_size=1, max_size=3).map(".".join)


@st.composite
def composed(draw: st.DrawFn) -> dict[str, str]:
    """A container's labels out of a grammar: up to three sites or global options, each with some directives."""
    labels = {}
    for number in range(draw(st.integers(1, 3))):
        prefix = f"caddy_{number}" if draw(st.booleans()) else "caddy"
        site = draw(SITES)
        if site:
            labels[prefix] = site
        inside = keys if site else st.sampled_from(OPTIONS)
        for key in draw(st.lists(inside, min_size=1, max_size=5)):
            labels[f"{prefix}.{key}"] = draw(values)
    return labels


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A file of the corpus in which some labels have become others."""
    document = CORPUS[draw(st.sampled_from(sorted(CORPUS)))]
    containers = []
    for item in document["containers"]:
        labels = {key: value for key, value in item.get("labels", {}).items() if isinstance(value, str)}
        for key in draw(st.lists(st.sampled_from(sorted(labels)), max_size=2)) if labels else ():
            change = draw(st.sampled_from(["value", "more", "key", "cut", "swap"]))
            value = labels.pop(key, "")
            if change == "value":
                labels[key] = draw(values)
            elif change == "more":
                labels[key] = value + draw(st.sampled_from([" ", "", "\n"])) + draw(words)
            elif change == "key":
                labels[key + draw(st.sampled_from([".", "_1", ".x", ".respond", "_", "\\."]))] = value
            elif change == "cut":
                labels[key] = value[: draw(st.integers(0, len(value)))]
            else:
                labels |= dict.fromkeys(labels, value)
        containers.append(
            {**item, "labels": {**item.get("labels", {}), **labels}, "copies": min(item.get("copies", 1), 3)}
        )
    return {"containers": containers}


documents = st.one_of(
    st.lists(composed(), min_size=1, max_size=3).map(
        lambda found: {
            "containers": [{"labels": labels, "environment": {"V": 'x }\n{ `" {$HOME}'}} for labels in found]
        }
    ),
    mutated(),
)


def always(world: World, document: dict[str, Any], touched: Callable[[list[str]], set[str]]) -> None:
    """What must hold beside any containers."""
    world.upstream.received.clear()
    starts = world.caddy.starts
    containers = containers_of(world, document)
    said = [text for each in containers for label in each.labels.items() for text in label]
    world.put(containers, SECONDS)
    shown: list[object] = [*world.upstream.received, *world.problems()]
    with contextlib.suppress(OSError):
        shown.append(world.visit(EVIL))
    assert world.faults(touched(said)) == [], world.problems()
    assert world.caddy.starts == starts, "caddy died of it"
    assert SECRET not in str(shown) or SECRET in str(said)
    assert world.touched_memory < 300
    assert world.caddys_memory < 400
    told = [problem.label + problem.message for problem in world.reconciler.problems]
    assert [text for text in told if len(text) > 1_500 or not text.isprintable()] == []


def mentioned(said: list[str]) -> set[str]:
    """The good hosts that the labels name, to whose sites they may add something."""
    text = " ".join(said).lower()
    return {visit.host for visit in GOOD_VISITS if visit.host in text}


def run(request: pytest.FixtureRequest, attack: Callable[..., None], strategy: st.SearchStrategy[Any]) -> None:
    """As many attacks as were ordered, new ones; else a few, the same each time."""
    ordered = request.config.getoption("--hostile-examples")
    chosen = settings(
        max_examples=ordered or EXAMPLES,
        derandomize=not ordered,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(strategy)(attack))()


def test_random_labels_harm_no_good_site(world: World, request: pytest.FixtureRequest) -> None:
    run(request, lambda document: always(world, document, mentioned), documents)


ANSWERS = st.sampled_from(
    [("respond", "evil"), ("abort", ""), ("error", "500"), ("redir", "https://evil.test"), ("file_server", "")]
    + [("rewrite", "/evil"), ("invoke", "evil"), ("import", "evil"), ("try_files", "/evil")]
)
MATCHERS = st.sampled_from(["", "*", "/*", "/a*", "/b*", "/A*", "/api/*", "@all", "@mine", "@api", "/nobody*"])


@st.composite
def answering(draw: st.DrawFn) -> dict[str, str]:
    """Labels that want to answer what a good site answers, in some block or other."""
    host = draw(st.sampled_from(["plain", "Plain", "shared", "proxied", "guarded", "matched", "base", "greeted"]))
    labels = {
        "caddy": f"http://{host}.test:%PORT%" + draw(st.sampled_from(["", "", "/*", "/", "/a*"])),
        "caddy.@all.path": "*",
        "caddy.@mine.path": draw(st.sampled_from(["/*", "/a* /b*", "/nobody", "/api/*"])),
        "caddy_1": "(evil)",
        "caddy_1.respond": "evil",
        "caddy_2": "&(evil)",
        "caddy_2.respond": "evil",
    }
    for number in range(draw(st.integers(1, 2))):
        name, value = draw(ANSWERS)
        around = draw(st.lists(st.sampled_from(["handle", "handle_path", "route"]), max_size=2))
        path = "caddy" + "".join(f".{number}_{each}" for each in around)
        if around:
            labels[path] = draw(MATCHERS)
        matcher = draw(MATCHERS) if name not in ("import", "try_files") else ""
        said = f"{matcher} {value}".strip()
        labels[f"{path}.{number}_{name}"] = "{{if true}}" + said + "{{end}}" if draw(st.booleans()) else said
    return labels


def test_labels_on_a_good_sites_address_answer_none_of_its_requests(
    world: World, request: pytest.FixtureRequest
) -> None:
    def attack(labels: dict[str, str]) -> None:
        always(world, {"containers": [{"labels": labels}]}, lambda said: set())

    run(request, attack, answering())
