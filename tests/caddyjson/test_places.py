"""A real Caddy refuses a part of a configuration when it loads it: which part is known from the way that it names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.quick_validation import QuickValidator
from dockcaddy.caddy.validation import CommandValidator
from dockcaddy.caddyjson import Document, with_branches
from dockcaddy.caddyjson.places import Place
from dockcaddy.errors import CaddyRefusal

pytestmark = pytest.mark.process

GOOD = "".join(f"good{n}.test {{\n\tlog\n\ttls internal\n\trespond {n}\n}}\n" for n in range(4))
BAD = {frozenset(("bad.test",))}

# lines of the site bad.test -> what the part that Caddy refuses says
OF_THE_SITE = {
    "@m path_regexp ((\nrespond @m x": {"pattern": "(("},
    "handle /a/* {\n\thandle /a/b {\n\t\t@m header_regexp X-A ((\n\t\trespond @m x\n\t}\n}": {
        "X-A": {"name": "m", "pattern": "(("}
    },
    "@m remote_ip 300.1.1.1\nrespond @m x": {"ranges": ["300.1.1.1"]},
    "@m not path_regexp ((\nrespond @m x": [{"path_regexp": {"pattern": "(("}}],
    "route {\n\trespond /a x\n\turi path_regexp (( y\n}": {"handler": "rewrite"},
    "header X-A (( y": {"handler": "headers"},
    "basic_auth {\n\tbob no-hash\n}": {"handler": "authentication"},
    "map {path} {x} {\n\t~(( y\n}": {"handler": "map"},
    "tracing\nheader X-A (( y": {"handler": "headers"},
    "reverse_proxy 127.0.0.1:1 {\n\thealth_uri /\n\thealth_body ((\n}": {"handler": "reverse_proxy"},
    "reverse_proxy 127.0.0.1:1 {\n\thandle_response {\n\t\theader X-A (( y\n\t}\n}": {"handler": "reverse_proxy"},
    "handle_errors {\n\theader X-A (( y\n}": {"handler": "headers"},
    "log {\n\tlevel warning\n}": {"level": "warning"},
    "log {\n\tformat filter {\n\t\tfields {\n\t\t\turi regexp (( x\n\t\t}\n\t}\n}": {},
    "tls {\n\tprotocols tls1.3 tls1.2\n}": {"protocol_min": "tls1.3"},
    "tls {\n\tkey_type nope\n}": {"key_type": "nope"},
    "tls {\n\tca_root /no/such.pem\n}": {"subjects": ["bad.test"]},
}
# a whole text -> the path to that part
OF_ALL = {
    "{\n\tlog {\n\t\tlevel warning\n\t}\n}\n": ("logging", "logs", "default"),
    "{\n\tlog other {\n\t\tlevel warning\n\t}\n}\n": ("logging", "logs", "other"),
    "bad.test {\n\ttls /no/such.pem /no/such.key\n}\n": ("apps", "tls", "certificates"),
    "{\n\tservers {\n\t\ttrusted_proxies static 300.1.1.1\n\t}\n}\n": ("apps", "http"),
}


@pytest.fixture(scope="module")
def adapter(caddy: str) -> Iterator[LimitedAdapter]:
    made = LimitedAdapter(Path(caddy))
    yield made
    made.close()


def messages(adapter: LimitedAdapter, config: bytes) -> tuple[str, ...]:
    """All that Caddy says of a configuration."""
    try:
        QuickValidator(CommandValidator(adapter.path), adapter).validate(config, "")
    except CaddyRefusal as refusal:
        return str(refusal), *refusal.further
    return ()


def says(part: Any, what: Any) -> bool:
    return what.items() <= part.items() if isinstance(what, dict) else bool(part == what)


@pytest.mark.parametrize("lines", OF_THE_SITE)
@pytest.mark.parametrize("beside", ["of_one_server", "of_two"])
def test_a_part_of_a_site_is_found_with_its_hosts(adapter: LimitedAdapter, lines: str, beside: str) -> None:
    last = "worse.test" if beside == "of_one_server" else "http://worse.test"
    config = adapter.adapt(f"{GOOD}bad.test {{\n{lines}\n}}\n{last} {{\n\trespond worse\n}}\n")
    (words,) = messages(adapter, config)
    place = Place.of(words, json.loads(config))
    assert says(place.part, OF_THE_SITE[lines]), place
    assert set(place.hosts) == BAD


@pytest.mark.parametrize("text", OF_ALL)
def test_a_part_for_all_sites_is_found(adapter: LimitedAdapter, text: str) -> None:
    config = adapter.adapt(text + GOOD)
    words = messages(adapter, config)[0]
    assert Place.of(words, json.loads(config)).path == OF_ALL[text]


# what a label may say so that Caddy's message seems to name the first site
FORGED = (
    "loading http app module: provision http: server srv0: setting up route handlers: route 0: x",
    "setting up custom log 'log0': x",
    "loading http app module: provision http: getting tls app: loading tls app module: provision tls: "
    "provisioning automation policy 0: x",
    "server srv0: setting up route handlers: route 0: x",
)
# lines of a site or global options with such a text
SAYING = (
    'bad.test {{\n\t@m path_regexp "(( {}"\n\trespond @m x\n}}\n',
    'bad.test {{\n\tlog {{\n\t\tlevel "{}"\n\t}}\n}}\n',
    'bad.test {{\n\ttls {{\n\t\tkey_type "{}"\n\t}}\n}}\n',
    'bad.test {{\n\ttls {{\n\t\tca_root "/no {}"\n\t}}\n}}\n',
    'bad.test {{\n\ttls "/no {}" /no.key\n}}\n',
    '{{\n\tservers {{\n\t\ttrusted_proxies static "{}"\n\t}}\n}}\n',
)


@pytest.mark.parametrize("saying", SAYING)
@pytest.mark.parametrize("forged", FORGED)
def test_what_labels_say_is_no_way_to_another_site(adapter: LimitedAdapter, saying: str, forged: str) -> None:
    text = saying.format(forged)
    # the first of all routes, policies and logs is that of another site
    others = "".join(f"good-long-name-{n}.test {{\n\tlog\n\ttls internal\n\trespond {n}\n}}\n" for n in range(4))
    config = adapter.adapt(text + others if text.startswith("{") else others + text)
    words = messages(adapter, config)[0]
    assert forged.partition(":")[0] in words
    assert set(Place.of(words, json.loads(config)).hosts) <= BAD


def test_a_part_of_a_named_route_is_found_with_its_name(adapter: LimitedAdapter) -> None:
    config = adapter.adapt("&(shared) {\n\theader X-A (( y\n}\nbad.test {\n\tinvoke shared\n}\n")
    (words,) = messages(adapter, config)
    assert "shared" in Place.of(words, json.loads(config)).names


@pytest.mark.parametrize("name", ["a b", "srv0: setting up route handlers: route 0"])
def test_a_named_route_is_found_whatever_its_name_says(adapter: LimitedAdapter, name: str) -> None:
    text = f'"&({name})" {{\n\theader X-A (( y\n}}\nbad.test {{\n\tinvoke "{name}"\n}}\n'
    config = adapter.adapt(f"{GOOD}{text}")
    (words,) = messages(adapter, config)
    place = Place.of(words, json.loads(config))
    assert place.names == {name} and not place.hosts


def test_a_part_within_a_branch_is_found(adapter: LimitedAdapter) -> None:
    text = "".join(
        f"http://s{n}.test {{\n\t@m path_regexp {'((' if n == 37 else 'a'}\n\trespond @m x\n}}\n" for n in range(40)
    )
    config = with_branches(Document.decode(adapter.adapt(text)), smallest=1, size=20).encode()
    (words,) = messages(adapter, config)
    place = Place.of(words, json.loads(config))
    assert place.part["pattern"] == "((" and place.hosts[-1] == {"s37.test"}
    assert len(place.hosts[0]) > 1


@pytest.mark.parametrize("branches", [False, True])
def test_caddy_says_all_that_it_refuses(adapter: LimitedAdapter, branches: bool) -> None:
    """Beyond the first: in several servers, in one route after the other, and of several kinds."""
    sites = [f"http://r{n}.test {{\n\t@m path_regexp ({n}\n\trespond @m x\n}}\n" for n in range(70)]
    sites += [f"s{n}.test:8443 {{\n\theader X-{n} (({n} y\n\tlog {{\n\t\tlevel level{n}\n\t}}\n}}\n" for n in range(5)]
    sites += [
        f"p{n}.test {{\n\ttls {{\n\t\tprotocols tls1.3 tls1.2\n\t\tkey_type type{n}\n\t}}\n}}\n" for n in range(5)
    ]
    document = Document.decode(adapter.adapt(GOOD + "".join(sites)))
    config = (with_branches(document, smallest=1, size=20) if branches else document).encode()
    decoded = json.loads(config)
    found = [(words, Place.of(words, decoded)) for words in messages(adapter, config)]
    hosts = {host for _, place in found for host in place.hosts[-1]}
    assert hosts == {
        *(f"r{n}.test" for n in range(70)),
        *(f"s{n}.test" for n in range(5)),
        *(f"p{n}.test" for n in range(5)),
    }
    assert len(found) == 70 + 2 * 5 + 5 + 1
