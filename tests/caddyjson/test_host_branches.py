"""Routes in branches answer what they answered without, in a real Caddy."""

import contextlib
import json
import socket
import ssl
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from dockcaddy.caddyjson.document import Document, Route, Server, encoded
from dockcaddy.caddyjson.host_branches import Branch, with_branches
from servers import StockCaddy, waited_for
from visiting import body

LOCAL = ("whoami", "UPPER.example.com", "xn--bcher-kva.example", "bücher.example", "10.0.0.1", "a.b.c.d.e.example.com")


def route(*hosts: str, path: str = "", **more: Any) -> Route:
    match = {**({"host": list(hosts)} if hosts else {}), **({"path": [path]} if path else {})}
    return Route({**({"match": [match]} if match else {}), "handle": [{"handler": "vars"}], "terminal": True, **more})


def branched(*routes: Route, smallest: int = 0, size: int = 2) -> tuple[Route, ...]:
    document = with_branches(Document({}, {"srv0": Server({}, routes)}), smallest, size)
    return document.servers["srv0"].routes


def test_routes_with_hosts_stand_in_branches_in_their_order() -> None:
    a, b, c, d, e = (route(f"{name}.test") for name in "abcde")
    first, second = branched(a, b, c, d, e)
    assert isinstance(first, Branch) and first.members == (a, b)
    # the last branch has what is left over
    assert isinstance(second, Branch) and second.members == (c, d, e)
    assert second.value["match"] == [{"host": ["c.test", "d.test", "e.test"]}]
    assert "terminal" not in second.value
    assert json.loads(second.encoded) == second.value


@pytest.mark.parametrize(
    "other",
    [route(), route("*.test"), route("{env.HOST}"), route(path="/x"), route("bücher.test")],
    ids=["every host", "wildcard", "placeholder", "path only", "not ASCII"],
)
def test_other_routes_stay_where_they_are(other: Route) -> None:
    a, b, c, d = (route(f"{name}.test") for name in "abcd")
    first, second, third = branched(a, b, other, c, d)
    assert (first.hosts, second, third.hosts) == (("a.test", "b.test"), other, ("c.test", "d.test"))


@pytest.mark.parametrize(
    "more",
    [{}, {"group": "g"}, {"match": [{"host": ["a.test"], "vars": {"handle": ['"handle":NaN']}}]}],
    ids=["site", "group", "matcher"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["handlers first", "handlers last"])
def test_a_site_is_kept_without_its_subroute(more: dict[str, Any], *, is_first: bool) -> None:
    handlers = [{"handler": "vars", "n": 1.5, "handle": "}]}]"}]
    nested = {"handle": [{"handler": "subroute", "routes": [{"handle": handlers}]}]}
    value = {**(nested if is_first else {}), "match": [{"host": ["a.test"]}], "terminal": True, **more, **nested}
    site = Route(value).kept_as_json()
    assert site._value is None and json.loads(site.flat) == {**value, "handle": handlers}
    assert site.encoded == encoded(value) and site.value == value and site.hosts == ("a.test",)


def test_a_host_with_several_routes_comes_once() -> None:
    (branch,) = branched(route("a.test", path="/x"), route("a.test", "b.test"))
    assert branch.hosts == ("a.test", "b.test")


def test_few_routes_need_none() -> None:
    document = Document({}, {"srv0": Server({}, (route("a.test"), route("b.test")))})
    assert with_branches(document, 3, 2) is document


@pytest.fixture(scope="module")
def stock(caddy: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Any:
    made = StockCaddy(caddy, tmp_path_factory.mktemp("stock"), f"127.0.0.1:{free_port()}")
    try:
        made.start()
        yield made
    finally:
        made.kill()


def answers(stock: StockCaddy, document: Document, port: int, requests: list[tuple[str, str]]) -> list[str]:
    """What a Caddy with this document answers."""
    client = waited_for(stock.url)
    try:
        client.load(document.encode())
        return [body(port, host, path) for host, path in requests]
    finally:
        client.close()


@pytest.mark.parametrize("seed", range(6))
def test_every_request_finds_the_route_that_it_found_before(
    stock: StockCaddy, adapt: Callable[[str], bytes], free_port: Callable[[], int], seed: int
) -> None:
    random, port = Random(seed), free_port()
    hosts = [f"{number}.example.com" for number in range(60)] + list(LOCAL[:-1])
    sites = [f"http://{host}:{port} {{\nhandle /h* {{\nrespond handle-{host}\n}}\nrespond {host}\n}}" for host in hosts]
    sites += [f"http://{host}:{port}/p* {{\nrespond path-{host}\n}}" for host in random.sample(hosts, 10)]
    sites += [
        f"http://only.example.com:{port}/p* {{\nrespond only\n}}",
        f"http://*.example.com:{port} {{\nrespond wild\n}}",
    ]
    sites += [f"http://x.test:{port}, http://y.test:{port} {{\nrewrite * /r\nrespond {{path}}\n}}"]
    sites += [f"http://broken.test:{port} {{\nerror 418\nhandle_errors {{\nrespond teapot 200\n}}\n}}"]
    if random.random() < 0.5:
        sites.append(f"http://:{port} {{\nrespond every\n}}")
    random.shuffle(sites)
    config = json.loads(adapt("\n".join(sites)))
    config["admin"] = {"listen": stock.address}
    document = Document.decode(json.dumps(config).encode())
    known = [
        *hosts,
        "only.example.com",
        "other.example.com",
        "x.test",
        "y.test",
        "broken.test",
        "none.test",
        "0.EXAMPLE.com",
    ]
    requests = [
        (host.encode("idna").decode() if not host.isascii() else host, path)
        for host in known
        for path in ("/", "/p/1", "/h")
    ]
    plain = answers(stock, document, port, requests)
    assert len(set(plain)) > 100
    for size in (2, 7, 33):
        assert answers(stock, with_branches(document, 0, size), port, requests) == plain


def test_hosts_in_branches_have_certificates_and_redirects(
    stock: StockCaddy, adapt: Callable[[str], bytes], free_port: Callable[[], int], eventually: Callable[..., None]
) -> None:
    plain, secure = free_port(), free_port()
    hosts = [f"{name}.localhost" for name in "abcde"]
    options = f"{{\nhttp_port {plain}\nhttps_port {secure}\nskip_install_trust\n}}\n"
    config = json.loads(adapt(options + "".join(f"{host} {{\nrespond {host}\n}}\n" for host in hosts)))
    config["admin"] = {"listen": stock.address}
    document = with_branches(Document.decode(json.dumps(config).encode()), 0, 2)
    assert any(isinstance(each, Branch) for each in document.routes)
    assert answers(stock, document, plain, [(host, "/") for host in hosts]) == ["status 308"] * 5
    # certificates take a moment
    eventually(lambda: [_secure_body(secure, host) for host in hosts] == hosts)


def _secure_body(port: int, host: str) -> str:
    """What a visitor of a site with TLS gets; nothing where there is no certificate yet."""
    with contextlib.suppress(ssl.SSLError), socket.create_connection(("127.0.0.1", port), 10) as connection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(connection, server_hostname=host) as tls:
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: tls.recv(4096), b""))
        return answer.partition(b"\r\n\r\n")[2].decode()
    return ""


def test_a_long_branch_has_leaves() -> None:
    routes = tuple(route(f"{number}.test") for number in range(40))
    (branch,) = branched(*routes, size=40)
    assert isinstance(branch, Branch)
    leaves = [each for each in branch.members if isinstance(each, Branch)]
    assert [len(each.members) for each in leaves] == [16, 16, 8]
    assert tuple(each for leaf in leaves for each in leaf.members) == routes
    assert json.loads(branch.encoded) == branch.value
    assert branch.hosts == tuple(f"{number}.test" for number in range(40))


def test_many_branches_stand_side_by_side() -> None:
    routes = tuple(route(f"{number}.test") for number in range(201))
    found = branched(*routes)
    # the last one has what is left over
    assert [len(each.hosts) for each in found] == [2] * 99 + [3]
    assert tuple(within for each in found if isinstance(each, Branch) for within in each.members) == routes
    assert all(json.loads(each.encoded) == each.value for each in found)


def leaf_of(given: Route) -> Any:
    """What becomes of a route in a leaf."""
    (branch,) = branched(given, *(route(f"{number}.test") for number in range(39)), size=40)
    leaf = branch.value["handle"][0]["routes"][0]
    return leaf["handle"][0]["routes"][0]


def site(*within: dict[str, Any], **more: Any) -> Route:
    return Route({"match": [{"host": ["a.test"]}], "handle": [{"handler": "subroute", "routes": list(within), **more}]})


def test_in_a_leaf_the_handlers_of_a_site_stand_in_its_route() -> None:
    answer = {"handler": "static_response"}
    assert leaf_of(site({"handle": [answer]})) == {"match": [{"host": ["a.test"]}], "handle": [answer]}


@pytest.mark.parametrize(
    "given",
    [
        site({"handle": []}, {"handle": []}),
        site({"handle": [], "group": "g"}),
        site({"handle": [], "match": [{"path": ["/x"]}]}),
        site({"handle": [], "terminal": True}),
        site({"handle": []}, errors={"routes": []}),
        Route({"match": [{"host": ["a.test"]}], "handle": [{"handler": "other", "routes": [{"handle": []}]}]}),
        Route({"match": [{"host": ["a.test"]}], "handle": [{"handler": "vars"}, {"handler": "subroute"}]}),
    ],
    ids=["several routes", "group", "matcher", "terminal", "errors", "another handler", "several handlers"],
)
def test_a_subroute_that_says_more_than_its_handlers_stays(given: Route) -> None:
    assert leaf_of(given) == given.value
