"""Of hundreds of sites a real Caddy refuses one at load: its place within a branch names it, so few loads are needed."""

from collections.abc import Callable

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.loaders import ExternalCaddy
from dockcaddy.caddyfile import Block, Origin, parse
from dockcaddy.caddyjson import Document, Splicer
from dockcaddy.fragment import Fragment
from dockcaddy.merge.assembly import Assembler
from dockcaddy.merge.configuration import Configuration
from quarantining import quarantine_of
from servers import StockCaddy
from visiting import body

pytestmark = pytest.mark.process

MANY = 300


def fragment(name: str, port: int, lines: str) -> Fragment:
    owner = f"container {name}"
    blocks = parse(f"http://{name}.test:{port} {{\n{lines}\n}}", owner)
    named = tuple(Block(each.keys, each.children, origins=(Origin(owner, "caddy"),)) for each in blocks)
    return Fragment(f"local/{name}", owner, 0, named)


def test_one_of_hundreds_costs_a_load_or_two(
    servers: Callable[..., list[StockCaddy]],
    free_port: Callable[[], int],
    eventually: Callable[..., None],
) -> None:
    (stock,), port = servers(1), free_port()
    client = AdminClient(stock.url, timeout=60, connect_timeout=20)
    caddy, splicer, assembler = ExternalCaddy(client), Splicer(client.adapt), Assembler()
    loads: list[bytes] = []

    def build(fragments: list[Fragment]) -> Configuration:
        assembly = assembler.assemble(fragments)
        return Configuration(assembly.text, (), None, assembly)

    def deliver(configuration: Configuration) -> bool:
        loads.append(configuration.json)
        caddy.load(configuration.json)
        return True

    quarantine = quarantine_of(
        client.adapt, lambda: 0.0, document=lambda each: splicer.document(each.assembly.sections, lambda: each.text)
    )
    good = [fragment(f"site-{number:03}", port, f"respond site-{number:03}") for number in range(MANY)]
    eventually(lambda: "admin endpoint started" in stock.said)
    quarantine.resolve(good, build, deliver)
    (server,) = Document.decode(loads[-1]).servers.values()
    assert len(server.routes) == 2
    # Caddy adapts it, and compiles the expression only when it loads
    bad = fragment("site-150b", port, "@bad path_regexp (((\nrespond @bad bad")
    more = fragment("site-151b", port, "respond more")
    loads.clear()
    quarantine.resolve([*good, bad, more], build, deliver)
    assert [each.resource for each in quarantine.problems] == ["container site-150b"]
    assert "(((" in quarantine.problems[0].message
    assert len(loads) <= 3
    assert [body(port, f"{name}.test") for name in ("site-000", "site-151b", "site-299")] == [
        "site-000",
        "more",
        "site-299",
    ]
    client.close()
