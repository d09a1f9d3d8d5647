"""Replicas with the same labels are served as one site, whatever the labels say; who says something else is not."""

from collections.abc import Callable, Mapping

import pytest
from conflicting import Adapt, conflicts_in
from dockcaddy import plugins
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Health, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from town import Town
from world_fixtures import Newcomers, site

PROXY = "{{upstreams 80}}"
REGISTRY = plugins.load()

REPLICAS: Mapping[str, Mapping[str, str]] = {
    "php": {"root": "* /srv", "php_fastcgi": "{{upstreams 9000}}", "file_server": ""},
    "a handled path and try_files": {"handle": "/*", "handle.reverse_proxy": PROXY, "try_files": "{path} /index.html"},
    "a handled path and a rewrite": {"handle": "/*", "handle.reverse_proxy": PROXY, "rewrite": "/index.html"},
    "a handled path and an answer": {"handle": "/*", "handle.reverse_proxy": PROXY, "respond": "/ping pong"},
    "a handled path and files": {"handle": "/*", "handle.reverse_proxy": PROXY, "file_server": ""},
    "a host and an answer": {"@m.host": "x.test", "handle": "@m", "handle.reverse_proxy": PROXY, "respond": "nope 404"},
    "a host and a rejection": {"@m.host": "x.test", "handle": "@m", "handle.reverse_proxy": PROXY, "abort": ""},
    "an application of one page": {
        "handle_0": "/api/*",
        "handle_0.reverse_proxy": PROXY,
        "handle_1.root": "* /srv",
        "handle_1.try_files": "{path} /index.html",
        "handle_1.file_server": "",
    },
    "the same with numbers": {
        "0_handle": "/api/*",
        "0_handle.reverse_proxy": PROXY,
        "1_handle": "",
        "1_handle.root": "* /srv",
        "1_handle.file_server": "",
    },
    "two routes": {"route_0.header": "X-A a", "route_1.reverse_proxy": PROXY},
    "redirections": {"redir_0": "/a /b", "redir_1": "/c /d", "reverse_proxy": PROXY},
    "errors": {"reverse_proxy": PROXY, "handle_errors_0": "404", "handle_errors_0.respond": "a", "handle_errors_1": ""},
    "errors of upstreams": {
        "reverse_proxy": PROXY,
        "reverse_proxy.@e.status": "500",
        "reverse_proxy.handle_response": "@e",
        "reverse_proxy.handle_response.respond": "sorry",
    },
    "two roots in a route": {"route.0_root": "* /a", "route.1_root": "* /b", "route.file_server": ""},
    "a header in two pieces": {
        "reverse_proxy": PROXY,
        "reverse_proxy.header_up_0": "X-A a b",
        "reverse_proxy.header_up_1": "X-A c d",
    },
    "other answers of a response": {"intercept.handle_response.respond": "x", "reverse_proxy": PROXY},
    "an expression": {
        "@e.expression": "!path('/private*')",
        "handle": "@e",
        "handle.reverse_proxy": PROXY,
        "abort": "",
    },
    "what is no file": {
        "@n.not.file.try_files": "{path}",
        "handle": "@n",
        "handle.reverse_proxy": PROXY,
        "file_server": "",
    },
    "a value": {"vars": "tier gold", "@g.vars": "tier gold", "handle": "@g", "handle.reverse_proxy": PROXY},
    "a server that gives permission": {"forward_auth": "auth:80", "forward_auth.uri": "/x", "reverse_proxy": PROXY},
    "one host of two": {"@w.host": "www.x.test", "redir": "@w https://x.test{uri}", "reverse_proxy": PROXY},
    "a block of an import": {"import": "wrapped", "import.respond": "x", "file_server": ""},
}


def built(*replicas: Mapping[str, str], health: tuple[Health, ...] = ()) -> Configuration:
    """The configuration of containers with such directives on one site, the first being the oldest."""
    snippet = {"caddy_9": "(wrapped)", "caddy_9.handle.{block}": ""}
    found = [
        Resource(
            "container",
            str(n),
            f"app-{n}",
            labels={"caddy": "x.test", **{f"caddy.{key}": value for key, value in given.items()}, **snippet},
            running=True,
            health=health[n - 1] if health else "none",
            targets=(f"10.0.0.{n}",),
            created=n,
        )
        for n, given in enumerate(replicas, 1)
    ]
    return Pipeline(REGISTRY).build(Inventory((EngineInventory("local", tuple(found)),)))


Told = Callable[..., list[str]]


@pytest.fixture
def told(adapt: Adapt) -> Told:
    """The conflicts among containers with such directives."""
    return lambda *replicas: [str(each.problem) for each in conflicts_in(built(*replicas).assembly, adapt)]


@pytest.mark.parametrize("case", REPLICAS)
def test_replicas_with_the_same_labels_do_not_refuse_each_other(told: Told, case: str) -> None:
    assert told(*[REPLICAS[case]] * 3) == []


@pytest.mark.parametrize("case", REPLICAS)
def test_their_site_is_that_of_one_of_them_with_all_upstreams(case: str) -> None:
    one, three = built(REPLICAS[case]), built(*[REPLICAS[case]] * 3)
    port = 9000 if case == "php" else 80
    upstreams = " ".join(f"10.0.0.{n}:{port}" for n in (1, 2, 3))
    assert three.text == one.text.replace(f"10.0.0.1:{port}", upstreams)


@pytest.mark.parametrize("health", [("unhealthy", "healthy"), ("healthy", "unhealthy")])
@pytest.mark.parametrize("around", [{}, {"handle": "/*"}], ids=["a site", "a handle"])
def test_a_replica_that_is_out_of_order_leaves_the_site_to_the_others(
    adapt: Adapt, health: tuple[Health, ...], around: Mapping[str, str]
) -> None:
    above = "handle." if around else ""
    labels = {**around, f"{above}php_fastcgi": "{{if isHealthy}}{{upstreams 9000}}{{end}}", "file_server": ""}
    found = built(labels, labels, health=health)
    assert not conflicts_in(found.assembly, adapt)
    assert f"php_fastcgi 10.0.0.{health.index('healthy') + 1}:9000" in found.text


ONE_PAGE = REPLICAS["an application of one page"]
FILES = {"file_server": ""}
# what an older one says, and a newer one that says the same but for a line
ATTACKS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str], str]] = {
    "an answer of its own": (
        REPLICAS["php"],
        REPLICAS["php"] | {"respond": "stolen"},
        "respond would take requests from",
    ),
    "another answer": ({"respond": "welcome"}, {"respond": "stolen"}, "respond would take requests from"),
    "another root": (REPLICAS["php"], REPLICAS["php"] | {"root": "* /evil"}, "root differs from"),
    "another root in a block": (ONE_PAGE, ONE_PAGE | {"handle_1.root": "* /evil"}, "root differs from"),
    "a root of more letters": (ONE_PAGE, ONE_PAGE | {"handle_1.root_2": "/* /evil"}, "root would change the file root"),
    "a root where there was none": (FILES, FILES | {"root": "* /evil"}, "root would change the file root of container"),
    "other files": (FILES, FILES | {"fs": "evil"}, "fs would change the file root of container"),
    "a root of the proxy's": (
        REPLICAS["php"],
        REPLICAS["php"] | {"php_fastcgi.root": "/evil"},
        "php_fastcgi would take requests from",
    ),
    "an answer of the proxy's": (
        {"reverse_proxy": PROXY},
        {"reverse_proxy": PROXY, "reverse_proxy.handle_response.respond": "stolen"},
        "reverse_proxy would take requests from",
    ),
    "another path for all": (
        {"reverse_proxy": PROXY},
        {"reverse_proxy": PROXY, "reverse_proxy.rewrite": "/stolen"},
        "reverse_proxy would take requests from",
    ),
    "a proxy that comes first": (
        {"reverse_proxy": PROXY},
        {"reverse_proxy": f"/* {PROXY}"},
        "reverse_proxy would take requests from",
    ),
    "a line inside": (ONE_PAGE, ONE_PAGE | {"handle_1.respond": "stolen"}, "respond would take requests from"),
    "an earlier line in a route": (
        {"route.1_respond": "/a* a"},
        {"route.1_respond": "/a* a", "route.0_respond": "stolen"},
        "respond would take requests from",
    ),
    "an import in a route": (
        {"route.respond": "/a* a"},
        {"route.respond": "/a* a", "route.import": "wrapped", "route.import.respond": "stolen"},
        "would take requests from",
    ),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_a_newer_one_that_says_the_same_and_more_takes_nothing(told: Told, case: str) -> None:
    older, newer, words = ATTACKS[case]
    (conflict,) = told(older, newer)
    assert conflict.startswith("container app-2: label caddy") and words in conflict


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"handle_0": "/a/*", "handle_0.respond": "a", "handle_1.respond": "b"},) * 2,
        ({"0_respond": "/a a", "1_respond": "b"}, {"1_respond": "/a a", "0_respond": "b"}),
        ({"route.0_respond": "/a* a", "route.1_respond": "b"}, {"route.1_respond": "/a* a", "route.0_respond": "b"}),
    ],
)
def test_a_twin_in_another_order_changes_nothing(told: Told, one: Mapping[str, str], other: Mapping[str, str]) -> None:
    assert told(one, other) == []
    assert built(one, other).text == built(one).text


SHARED = {
    "an answer": {"respond": "nope 404"},
    "a rejection": {"abort": ""},
    "a last block": {"handle_9.respond": "nope 404"},
    "files": {"file_server": "", "try_files": "{path} /index.html"},
    "a redirection": {"redir": "/ /a/"},
    "a rewritten path": {"rewrite": "/old /new"},
}


@pytest.mark.parametrize("case", SHARED)
def test_two_applications_of_one_site_may_have_the_same_line(told: Told, case: str) -> None:
    one = {"handle": "/a/*", "handle.reverse_proxy": PROXY, **SHARED[case]}
    other = {"handle": "/b/*", "handle.reverse_proxy": PROXY, **SHARED[case]}
    assert told(one, other) == []


def test_replicas_are_served_by_a_real_caddy_and_a_rolling_update_has_no_gap(newcomers: Newcomers) -> None:
    labels = site(
        "rolling",
        {
            "handle_0": "/api/*",
            "handle_0.reverse_proxy": "{{upstreams %UPSTREAM%}}",
            "handle_1.route_0.header": "X-A a",
            "handle_1.route_1.respond": "page",
            "respond": "/ping pong",
        },
    )
    before, after = newcomers.made(labels, labels)
    loads = newcomers.world.counts.loads
    for containers in ((before,), (before, after), (after,)):
        newcomers.world.put(containers)
        assert newcomers.world.problems() == []
        assert newcomers.body("rolling", "/api/1") == "from upstream"
        assert newcomers.body("rolling", "/else") == "page"
    # each change is one load: none of them leaves the site out
    assert newcomers.world.counts.loads - loads <= 3


def test_a_newer_one_with_other_labels_takes_over_at_once_when_the_older_one_leaves(newcomers: Newcomers) -> None:
    before, after = newcomers.made(site("changed", {"respond": "before"}), site("changed", {"respond": "after"}))
    newcomers.world.put((before, after))
    assert newcomers.body("changed") == "before"
    loads = newcomers.world.counts.loads
    newcomers.world.put((after,))
    assert newcomers.body("changed") == "after"
    assert newcomers.world.problems() == []
    # there was no configuration without the site
    assert newcomers.world.counts.loads - loads == 1


def test_what_stands_in_for_a_wrong_one_takes_nothing_from_an_older_one_either(
    told: Told, newcomers: Newcomers
) -> None:
    newcomers.put(site("stood", {"respond": "/a older"}), site("stood", {"respond": "/b newer"}))
    assert newcomers.body("stood", "/b") == "newer"
    newcomers.put(site("stood", {"respond": "/b older"}), site("stood", {"nonsense": "x"}))
    assert newcomers.body("stood", "/b") == "older"
    assert newcomers.told("container second")


def test_each_of_two_replicas_has_its_share_of_the_visitors(town: Town, eventually: Callable[..., None]) -> None:
    labels = {
        "caddy": f"http://app.test:{town.proxy.port}",
        "caddy.route_0.header": "X-A a",
        "caddy.route_1.reverse_proxy": town.upstreams,
        "caddy.file_server": "",
    }
    for name in ("app-1", "app-2"):
        town.engine.create(name, labels)
        town.engine.start(name)
    both = {town.engine.containers[name].address for name in ("app-1", "app-2")}
    eventually(lambda: {town.proxy.body("app.test") for _ in range(20)} == both)
