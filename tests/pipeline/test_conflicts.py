"""Of two resources that contradict each other, the older stays."""

from dockcaddy import plugins, testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.pipeline import BaseCaddyfile, Pipeline


def told(*labels: dict[str, str], base: str = "") -> list[str]:
    """The clashes among containers with these labels, the first being the oldest."""
    containers = [
        testing.container(name, labels=given, created=at)
        for at, (name, given) in enumerate(zip("abcdef", labels, strict=False))
    ]
    inventory = Inventory((EngineInventory("local", tuple(containers)),))
    configuration = Pipeline(plugins.load()).build(inventory, BaseCaddyfile("Caddyfile", base) if base else None)
    return [str(clash.problem) for clash in configuration.assembly.clashes]


def proxy(**options: str) -> dict[str, str]:
    """A replica's labels."""
    return {
        "caddy": "x.org",
        "caddy.reverse_proxy": "{{upstreams 80}}",
        **{f"caddy.reverse_proxy.{key.replace('__', '.')}": value for key, value in options.items()},
    }


def test_replicas_that_say_the_same_do_not_clash() -> None:
    same = proxy(lb_policy="first", header_up="X-A a") | {"caddy.@api.path": "/api/*", "caddy.encode": "gzip"}
    assert told(same, same, same) == []


def test_what_only_one_says_holds_for_all() -> None:
    assert told(proxy(lb_policy="first"), proxy(health_uri="/up"), proxy()) == []


def test_a_replica_with_another_sub_option_clashes_and_both_are_named() -> None:
    assert told(proxy(lb_policy="first"), proxy(lb_policy="round_robin")) == [
        "container b: label caddy.reverse_proxy.lb_policy: lb_policy is something else in container a "
        "(label caddy.reverse_proxy.lb_policy), which is older and keeps it"
    ]


def test_every_newer_one_is_held_to_the_oldest() -> None:
    found = told(proxy(lb_policy="first"), proxy(lb_policy="random"), proxy(lb_policy="first"), proxy(lb_policy="x"))
    assert [each.partition(":")[0] for each in found] == ["container b", "container d"]


def test_proxies_of_different_paths_do_not_clash() -> None:
    one = proxy(lb_policy="first")
    assert (
        told(one, one | {"caddy.reverse_proxy": "/api/* {{upstreams 80}}", "caddy.reverse_proxy.lb_policy": "x"}) == []
    )


def test_headers_clash_by_field() -> None:
    assert told(proxy(header_up="X-A a"), proxy(header_up="X-B b")) == []
    assert (
        "header_up X-A is something else in container a" in told(proxy(header_up="X-A a"), proxy(header_up="X-A b"))[0]
    )
    assert told(proxy(header_up="+X-A a"), proxy(header_up="+X-A b")) == []


def test_one_matcher_name_with_two_meanings_clashes() -> None:
    a = {"caddy": "x.org", "caddy.@api.path": "/a/*", "caddy.respond": "@api a"}
    b = {"caddy": "x.org", "caddy.@api.host": "b.x.org", "caddy.handle": "@api", "caddy.handle.respond": "b"}
    assert "container b: label caddy.@api: @api is something else in container a" in told(a, b)[0].replace(".host", "")


def test_one_matcher_name_on_two_sites_is_two_matchers() -> None:
    assert told({"caddy": "x.org", "caddy.@a.path": "/a"}, {"caddy": "y.org", "caddy.@a.path": "/b"}) == []


def test_snippets_of_one_name_clash_unless_they_are_equal() -> None:
    one = {"caddy": "(common)", "caddy.encode": "gzip", "caddy.header": "X y"}
    assert told(one, dict(reversed(one.items()))) == []
    assert "(common) is something else in container a" in told(one, one | {"caddy.encode": "zstd"})[0]


def test_the_operators_snippet_is_older_than_every_container() -> None:
    found = told({"caddy": "(common)", "caddy.abort": ""}, base="(common) {\n\tencode gzip\n}\n")
    assert "(common) is something else in caddyfile Caddyfile, which is older and keeps it" in found[0]


def test_global_options_clash_by_name() -> None:
    assert told({"caddy.email": "a@x.org"}, {"caddy.email": "a@x.org"}, {"caddy.debug": ""}) == []
    assert "email is something else in container a" in told({"caddy.email": "a@x.org"}, {"caddy.email": "b@x.org"})[0]


def test_a_site_that_several_serve_may_have_several_answers() -> None:
    assert told({"caddy": "x.org", "caddy.respond": "/a a"}, {"caddy": "x.org", "caddy.respond": "/b b"}) == []
