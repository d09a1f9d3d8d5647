"""Which routes are plain proxies, and what may differ for sites that need no load."""

import json

import pytest
from attrs import evolve
from dockcaddy.caddyjson.document import Document, Route
from dockcaddy.caddyjson.express import Loaded, with_express
from dockcaddy.caddyjson.plain_proxies import plain_proxy
from dockcaddy.settings import limits

PROXY = {"handler": "reverse_proxy", "upstreams": [{"dial": "10.0.0.1:80"}]}


def route(*hosts: str, handlers: tuple = (PROXY,), **more) -> dict:
    inner = {"handler": "subroute", "routes": [{"handle": list(handlers)}]}
    return {"match": [{"host": list(hosts)}], "handle": [inner], "terminal": True, **more}


def proxy(*dials: str, **more) -> dict:
    return {"handler": "reverse_proxy", "upstreams": [{"dial": each} for each in dials], **more}


def document(*routes: dict, rest: dict | None = None, **settings) -> Document:
    server = {"listen": [":80"], "routes": list(routes), **settings}
    return Document.decode(json.dumps({**(rest or {}), "apps": {"http": {"servers": {"srv0": server}}}}).encode())


@pytest.mark.parametrize(
    "value",
    [
        route("a.test"),
        route("a.test", "www.a.test"),
        route("a.test", handlers=(proxy("web:8080"),)),
        route("a.test", handlers=(proxy("[fd00::1]:80", "10.0.0.1:80"),)),
        route("a.test", handlers=({"handler": "encode"}, PROXY)),
        route("a.test", handlers=(proxy("a:1", "b:1", load_balancing={"selection_policy": {"policy": "first"}}),)),
    ],
)
def test_a_plain_proxy(value: dict) -> None:
    found = plain_proxy(Route(value))
    assert found is not None and found.hosts == tuple(value["match"][0]["host"])
    assert len(found.addresses({})) in (1, 2)
    assert not any(each.encode() in found.shape.handlers for each in found.addresses({}))


@pytest.mark.parametrize(
    "value",
    [
        route("*.test"),
        route("A.test"),
        route("a.test."),
        route("..", "a.test"),
        route("10.0.0.1"),
        route("a*.test"),
        route("{env.HOST}"),
        route(""),
        route("a/..".ljust(3)),
        route("a.test", handlers=({"handler": "static_response"},)),
        route("a.test", handlers=(PROXY, PROXY)),
        route("a.test", handlers=(proxy("unix//run/app.sock"),)),
        route("a.test", handlers=(proxy("{env.UPSTREAM}:80"),)),
        route("a.test", handlers=(proxy("10.0.0.1:80", "10.0.0.1:80"),)),
        route("a.test", handlers=(proxy("10.0.0.1:80,x"),)),
        route("a.test", handlers=(proxy("../x:80"),)),
        route("a.test", handlers=(proxy("a:1", health_checks={"active": {"uri": "/"}}),)),
        route("a.test", handlers=(proxy("a:1", "b:1", load_balancing={"selection_policy": {"policy": "ip_hash"}}),)),
        route("a.test", handlers=({"handler": "headers", "x": "{http.matchers.file.relative}"}, PROXY)),
        route("a.test", group="group1"),
        {**route("a.test"), "match": [{"host": ["a.test"], "path": ["/x"]}]},
        {**route("a.test"), "match": [{"host": ["a.test"]}, {"host": ["b.test"]}]},
        {"handle": [PROXY], "terminal": True},
    ],
)
def test_another_route(value: dict) -> None:
    found = plain_proxy(Route(value))
    assert found is None or found.addresses({}) is None


@pytest.mark.parametrize(("count", "is_fine"), [(1, True), (4, True), (5, False), (6, True), (7, False), (0, True)])
def test_as_many_addresses_as_can_have_equal_shares(count: int, is_fine: bool) -> None:
    found = plain_proxy(Route(route("a.test", handlers=(proxy(*(f"10.0.0.{each}:80" for each in range(count))),))))
    assert found is not None and (found.addresses({}) is not None) is is_fine


def test_addresses_in_files_make_no_other_shape() -> None:
    sources = [{"source": "a", "name": f"{{file./x/{place}}}", "port": "80"} for place in range(2)]
    dynamic = {"handler": "reverse_proxy", "dynamic_upstreams": {"source": "multi", "sources": sources}}
    found, static = plain_proxy(Route(route("a.test", handlers=(dynamic,)))), plain_proxy(Route(route("b.test")))
    assert found is not None and static is not None and found.shape == static.shape
    assert found.addresses({"{file./x/0}": "10.0.0.1", "{file./x/1}": "10.0.0.1"}) == ("10.0.0.1:80",)
    assert found.addresses({"{file./x/0}": "fd00::1", "{file./x/1}": ""}) == ("[fd00::1]:80",)
    assert found.addresses({}) == ()


def test_a_proxy_may_have_no_upstream_for_a_while() -> None:
    found, other = plain_proxy(Route(route("a.test", handlers=(proxy(),)))), plain_proxy(Route(route("a.test")))
    assert found is not None and other is not None and found.shape == other.shape and found.addresses({}) == ()


def new(loaded: Document, wanted: Document) -> set[str] | None:
    found = Loaded(loaded).changes(wanted, {})
    return None if found is None else {place.host for place in found.answers}


OLD = (route("aaa.test"), route("bb.test", handlers=({"handler": "encode"}, PROXY)))


def test_sites_of_the_shapes_that_are_there_are_found() -> None:
    wanted = document(
        route("mmmm.test"), OLD[0], OLD[1], route("c.test", "d.test", handlers=({"handler": "encode"}, PROXY))
    )
    assert new(document(*OLD), wanted) == {"mmmm.test", "c.test", "d.test"}
    assert new(document(*OLD), document(*OLD)) == set()


@pytest.mark.parametrize(
    "wanted",
    [
        document(OLD[1], OLD[0], route("c.test")),
        document(OLD[0], route("bb.test", handlers=({"handler": "vars"}, PROXY))),
        document(*OLD, route("c.test", handlers=({"handler": "vars"}, PROXY))),
        document(*OLD, route("*.test")),
        document(*OLD, {"handle": [PROXY], "terminal": True}),
        document(*OLD, route("c.test"), rest={"logging": {}}),
        document(*OLD, route("c.test"), logs={"skip_hosts": ["c.test"]}),
        document(*OLD, route("c.test"), listen=[":81"]),
        document(*OLD, route("c.test"), errors={"routes": [route("c.test")]}),
        document(*OLD, route("c.test"), named_routes={"x": route("c.test")}),
        document(*OLD, route("aaa.test")),
    ],
)
def test_anything_else_is_a_load(wanted: Document) -> None:
    assert new(document(*OLD), wanted) is None


def test_sites_that_change_and_sites_that_end() -> None:
    found = Loaded(document(*OLD)).changes(document(route("aaa.test", handlers=(proxy("10.0.0.2:80"),))), {})
    assert found is not None and {each.host for each in found.ended} == {"bb.test"}
    by_host = {place.host: answer.addresses for place, answer in found.answers.items()}
    assert by_host == {"aaa.test": ("10.0.0.2:80",), "bb.test": ()}
    # its labels are those of the other one now
    assert new(document(*OLD), document(OLD[0], route("bb.test"), route("c.test"))) == {"bb.test", "c.test"}
    assert new(document(*OLD), document(OLD[0], route("bb.test", "www.bb.test"))) == {"bb.test", "www.bb.test"}


def test_a_host_of_several_sites_is_a_load() -> None:
    below = {**route("aaa.test"), "match": [{"host": ["aaa.test"], "path": ["/x"]}]}
    assert new(document(below, *OLD), document(below, route("aaa.test", handlers=(proxy("b:1"),)), OLD[1])) is None
    assert new(document(below, *OLD), document(below, OLD[1])) is None
    assert new(document(below, OLD[1]), document(below, *OLD)) is None


def test_what_stands_behind_all_hosts_stays_there() -> None:
    fallback = {"handle": [{"handler": "static_response"}]}
    loaded, wanted = document(*OLD, fallback), document(*OLD, route("c.test"), fallback)
    assert new(loaded, wanted) == {"c.test"}
    assert new(loaded, document(*OLD, fallback, route("c.test"))) is None
    routes = with_express(loaded, "/x").servers["srv0"].routes
    assert routes[-1].value == fallback and "vars_regexp" in routes[0].value["match"][0]


def test_beside_a_pattern_each_site_is_a_load() -> None:
    loaded = document(*OLD, route("*.test"))
    assert new(loaded, document(*OLD, route("c.test"), route("*.test"))) is None
    assert with_express(loaded, "/x") is loaded


def test_a_host_without_automatic_https_is_no_other_setting() -> None:
    def with_skip(*hosts: str) -> dict:
        return {"listen": [":8080"], "automatic_https": {"skip": list(hosts)}}

    loaded = document(*OLD, **with_skip("aaa.test", "bb.test"))
    assert new(loaded, document(*OLD, route("c.test"), **with_skip("aaa.test", "bb.test", "c.test"))) == {"c.test"}
    assert (
        new(document(*OLD, **with_skip("aaa.test")), document(*OLD, route("c.test"), **with_skip("aaa.test"))) is None
    )


def test_the_route_of_the_folder_is_no_site() -> None:
    made = with_express(document(*OLD), "/x")
    assert with_express(evolve(made), "/x").encode() != made.encode()
    assert all(plain_proxy(each) is None for each in made.servers["srv0"].routes if not each.hosts)


def secure(*routes: dict, tls: dict | None = None, others: dict | None = None, **settings) -> Document:
    servers = {"srv0": {"listen": [":443"], "routes": list(routes), **settings}, **(others or {})}
    return Document.decode(json.dumps({"apps": {"http": {"servers": servers}, "tls": tls or {}}}).encode())


WITH_TLS = (route("a.example.com"), route("b.example.com"))


def policies(document: Document) -> list[dict]:
    return document.app("tls")["automation"]["policies"]


def test_what_is_there_keeps_its_certificates_and_new_names_get_theirs_at_the_first_handshake() -> None:
    own = {"subjects": ["b.example.com"], "issuers": [{"module": "zerossl"}]}
    base = {"issuers": [{"module": "acme", "email": "me@example.com"}]}
    loaded = secure(*WITH_TLS, tls={"automation": {"policies": [own, base]}})
    found = policies(with_express(loaded, "/x"))
    assert found[0] == own and found[-1] == base
    assert found[1] == {**base, "subjects": ["a.example.com"]}
    assert found[2] == {**base, "subjects": ["*.*", "*.*.*", "*.*.*.*", "*.*.*.*.*"], "on_demand": True}
    assert new(loaded, secure(*WITH_TLS, route("c.example.com"), tls=dict(loaded.app("tls")))) == {"c.example.com"}


def test_internal_names_have_a_policy_of_their_own_where_there_are_some() -> None:
    found = policies(with_express(secure(route("a.localhost")), "/x"))
    assert [each["issuers"] for each in found] == [[{"module": "internal"}]]
    assert "*.*.localhost" in found[0]["subjects"] and "*.home.arpa" in found[0]["subjects"]
    assert all(each.get("on_demand") for each in found)
    assert new(secure(route("a.localhost")), secure(route("a.localhost"), route("b.localhost"))) == {"b.localhost"}
    # the first one of its kind
    assert new(secure(route("a.localhost")), secure(route("a.localhost"), route("b.example.com"))) is None


@pytest.mark.parametrize("host", ["app", "10.0.0.1", "app.name.ts.net", "a.b.c.d.example.com"])
def test_a_name_that_gets_its_certificate_otherwise_is_a_load(host: str) -> None:
    assert new(secure(*WITH_TLS), secure(*WITH_TLS, route(host))) is None


@pytest.mark.parametrize(
    ("tls", "others", "settings"),
    [
        ({"automation": {"on_demand": {"permission": {"module": "http", "endpoint": "http://x"}}}}, {}, {}),
        ({"automation": {"policies": [{"on_demand": True}]}}, {}, {}),
        ({}, {"srv1": {"listen": ["10.0.0.1:80"]}}, {}),
        ({}, {"srv1": {"listen": [":80"], "routes": [route("127.0.0.1")]}}, {}),
        ({}, {"srv1": {"listen": [":8443"], "routes": [route("*.example.com")]}}, {}),
        ({}, {"srv1": {"listen": [":8443"], "routes": [route("10.0.0.1")]}}, {}),
        ({"certificates": {"automate": ["*.example.com"]}}, {}, {}),
        ({}, {}, {"tls_connection_policies": [{"match": {"sni": ["a.example.com"]}}]}),
        ({}, {}, {"automatic_https": {"disable_redirects": True}}),
        ({}, {}, {"listen": [":443", ":8443"]}),
    ],
)
def test_where_certificates_depend_on_more_each_site_with_one_is_a_load(
    tls: dict, others: dict, settings: dict
) -> None:
    loaded = secure(*WITH_TLS, tls=tls, others=others, **settings)
    assert with_express(loaded, "/x").app("tls") == loaded.app("tls")
    assert new(loaded, secure(*WITH_TLS, route("c.example.com"), tls=tls, others=others, **settings)) is None


def test_beside_very_many_names_with_certificates_each_is_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EXPRESS_CERTIFICATES", 1)
    assert new(secure(*WITH_TLS), secure(*WITH_TLS, route("c.example.com"))) is None


def test_redirects_come_before_what_answers_for_every_host_and_behind_the_sites() -> None:
    fallback = {"handle": [{"handler": "static_response"}]}
    plain = {"srv1": {"listen": [":80"], "routes": [route("plain.test"), fallback]}}
    routes = with_express(secure(*WITH_TLS, others=plain), "/x").servers["srv1"].routes
    assert routes[1].hosts == ("plain.test",) and routes[-1].value == fallback
    made = with_express(secure(*WITH_TLS), "/x").servers["express"]
    assert made.settings["listen"] == [":80"] and len(made.routes) == 2
