"""`dockcaddy try`."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click
from attrs import asdict, evolve, frozen

from dockcaddy.caddy.command import find_caddy
from dockcaddy.caddyfile import Block, Origin, SiteAddress, all_blocks, with_variables
from dockcaddy.caddyjson.handlers import ANSWERING, DIRECTIVES
from dockcaddy.caddyjson.tracing import Mark
from dockcaddy.cli import result
from dockcaddy.cli.as_it_runs import AsItRuns
from dockcaddy.cli.inventory import Given, Read, Source, inventory_option, read_source
from dockcaddy.cli.options import settings_options
from dockcaddy.cli.progress import waiting_for
from dockcaddy.cli.running_options import with_those_running
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.merge.configuration import Configuration
from dockcaddy.run.preview import Preview
from dockcaddy.run.status_once import documents_of, status_once
from dockcaddy.run.trying import Request, Way, way_of
from dockcaddy.status.client import NotRunning, StatusClient
from dockcaddy.status.view import Documents

# matchers with a value for each name that people choose
_NAMING = frozenset(("header", "header_regexp", "query", "vars", "vars_regexp"))
# what everybody passes and is of no interest
_PLAIN = ("headers", "vars", "map", "log_append", "encode", "tracing", "rewrite", "subroute", "invoke", *ANSWERING)
_UNSURE = {
    "client_authentication": "whether the client has the certificate that is asked for: it is taken for granted",
    "file": "which files there are: matchers like try_files looked for them on this machine",
    "client_ip": "the client's address: to matchers it was 127.0.0.1",
    "remote_ip": "the client's address: to matchers it was 127.0.0.1",
}


@frozen
class Found:
    """What answers a request, as texts. `problems` say what is wrong with the site, or why there is none."""

    site: str
    matched: tuple[str, ...]
    answer: str
    passed: tuple[str, ...]
    made_by: tuple[str, ...]
    unknown: tuple[str, ...]
    problems: tuple[str, ...] = ()


@click.command(cls=AsItRuns)
@click.argument("url")
@click.option("--method", default="GET", show_default=True, help="the request's method")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="a header of the request; repeatable")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@inventory_option
@settings_options("docker", "labels", "caddy", "plugins", "log")
def command(url: str, method: str, headers: tuple[str, ...], as_json: bool, given: Given, **options: Any) -> int:
    """Show what would answer a request to URL: site, matchers, upstream, and the labels that say so.

    A Caddy that is started for it decides; no upstream is contacted. The dockcaddy that runs here, if one does, says what is wrong
    with the site, and its options count where none are given. Exit 1 if no site answers.
    """
    request = Request.of(url, method, headers)
    if not given.is_given:
        # without one that runs, the options are complete
        with suppress(CaddyUnreachable):
            options = with_those_running(options)
    source = read_source(options, given)
    served = source.served()
    if served.unchecked:
        raise CaddyUnreachable(served.unchecked)
    with waiting_for("caddy decides"):
        way = way_of(served.configuration.json, request, find_caddy(source.settings.caddy))
    found = _found(way, request, served.configuration, source.read)
    host = request.url.hostname or ""
    troubles = _status(source, served).troubles(found.site.split(", "), host)
    elsewhere = [] if found.site else _elsewhere(served.configuration, request, host)
    found = evolve(found, problems=(*elsewhere, *troubles))
    if as_json:
        rows = {"url": request.url.geturl(), "method": request.method, "status": way.status if _is_final(way) else None}
        result.write(json.dumps(rows | asdict(found), indent=2) + "\n")
    else:
        result.write_table(("", f"{request.method} {request.url.geturl()}"), list(_rows(found)))
    return 0 if found.site else 1


def _status(source: Source, served: Preview) -> Documents:
    """What is known of the sites: by the dockcaddy that runs here, or else what labels, rules and Caddy decide."""
    if source.read.document is None:
        try:
            return Documents.of(StatusClient(source.settings.status_path()).document)
        except NotRunning:
            pass
    return documents_of(status_once(source.settings, source.inventory, served))


def _rows(found: Found) -> Iterator[tuple[str, str]]:
    yield "site", found.site or "none"
    for name in ("matched", "passed"):
        if values := getattr(found, name):
            yield name, ", ".join(values)
    yield "answer", found.answer
    for name, values in (("made by", found.made_by), ("not known", found.unknown), ("problem", found.problems)):
        for value in values:
            yield name, value


def _found(way: Way, request: Request, configuration: Configuration, read: Read) -> Found:
    last = next((each for each in reversed(way.handlers) if each.handler in ANSWERING and not each.is_asked), None)
    asked = [each for each in way.handlers if each.is_asked]
    hosts = next((each.hosts for each in reversed(way.marks) if each.hosts), ())
    if not way.marks and way.location:
        # Caddy's own redirect leads to the site of this name, if there is one
        hosts = (request.url.hostname or "",)
    sites = _sites(configuration, hosts, request) if way.marks or hosts else []
    origins = _origins(sites, last, asked) or [each for site in sites for each in site.origins]
    return Found(
        site=", ".join(dict.fromkeys(key.rstrip(",") for site in sites for key in site.keys)),
        matched=tuple(dict.fromkeys(_shown(match) for each in way.routes for match in each.match)),
        answer=_answer(way, request, last),
        passed=tuple(dict.fromkeys(_passed(way.handlers))),
        made_by=tuple(dict.fromkeys(map(read.named, origins))),
        unknown=tuple(_unknown(way)),
    )


def _is_final(way: Way) -> bool:
    """Whether the status is the one that a client would get, and not that of a placeholder."""
    answers = [each.handler for each in way.handlers if each.handler in ANSWERING and not each.is_asked]
    return bool(way.status) and (not answers or answers[-1] in ("static_response", "error"))


def _answer(way: Way, request: Request, last: Mark | None) -> str:
    if not way.status:
        return f"nothing: no site serves {request.url.scheme} on port {way.port}, and the connection fails"
    if not way.marks and not way.location and request.url.scheme == "https":
        return "nothing: no site has this name, and without a certificate for it the connection fails"
    if last is None:
        if way.location:
            return f"{way.status} redirect to {way.location}, Caddy's own for sites with a certificate"
        return f"{way.status} without a body: {'no directive of the site' if way.marks else 'no site'} answers"
    if last.handler == "reverse_proxy":
        upstreams = ", ".join(way.upstreams) or "upstreams that are looked up at each request"
        return f"reverse_proxy to {upstreams}, which gets {way.received}"
    if last.handler == "file_server":
        return f"file_server, of files in {way.root or 'the working directory'}, for {way.received}"
    if last.handler in ("static_response", "error"):
        target = f" redirect to {way.location}" if way.location else f" {json.dumps(way.body)}" if way.body else ""
        return f"{way.status}{target}"
    return last.handler


def _passed(handlers: Iterable[Mark]) -> Iterator[str]:
    for each in handlers:
        if each.is_asked:
            yield f"forward_auth by {', '.join(each.upstreams)}"
        elif each.handler == "authentication":
            yield "a login"
        elif each.handler not in _PLAIN:
            yield each.handler


def _unknown(way: Way) -> Iterator[str]:
    if any(each.is_asked or each.handler == "authentication" for each in way.handlers):
        yield "whether the client may pass: it is taken for granted"
    yield from dict.fromkeys(_UNSURE[kind] for kind in sorted(way.unsure))
    others = {each.handler for each in way.handlers} - {*_PLAIN, "authentication", "templates", "request_body"}
    if others:
        yield f"what these do, which were left out: {', '.join(sorted(others))}"
    if way.others:
        yield f"which address of this machine is asked: {len(way.others)} more servers listen at this port (bind)"


def _shown(match: Mapping[str, Any]) -> str:
    """`path /api/* and not header X-A b` of a set of matchers, as a Caddyfile has them."""
    return " and ".join(
        " and ".join(f"not {_shown(each)}" for each in value) if kind == "not" else f"{kind} {_words(kind, value)}"
        for kind, value in match.items()
    )


def _words(kind: str, value: Any) -> str:
    """What a matcher compares with."""
    if isinstance(value, list):
        return " ".join(_words(kind, each) for each in value)
    if not isinstance(value, dict):
        return value if isinstance(value, str) else json.dumps(value)
    if kind not in _NAMING:
        for key in ("pattern", "expr", "ranges"):
            if key in value:
                return _words("", value[key])
    sign = "=" if kind == "query" else " "
    return " ".join(f"{key}{sign}{_words('', each)}" for key, each in value.items())


def _sites(configuration: Configuration, hosts: Sequence[str], request: Request) -> list[Block]:
    """The sites with one of these hosts; without hosts those that have none."""
    blocks = [
        each.block for each in configuration.assembly.sections if not each.block.is_definition and each.block.keys
    ]

    def address_of(key: str) -> SiteAddress:
        # of the same environment as the Caddy's that was asked
        return SiteAddress.parse(with_variables(key, os.environ).rstrip(",").lower())

    wanted = set(map(str.lower, hosts)) or {""}
    fitting = [
        block
        for block in blocks
        if any(address_of(key).host in wanted and address_of(key).port in ("", str(request.port)) for key in block.keys)
    ]
    return fitting or [block for block in blocks if any(address_of(key).host in wanted for key in block.keys)]


def _elsewhere(configuration: Configuration, request: Request, host: str) -> list[str]:
    """Where the host is served, if not at this scheme and port."""
    keys = [key.rstrip(",") for site in _sites(configuration, (host,), request) for key in site.keys]
    own = [each for each in keys if SiteAddress.parse(each.lower()).host == host.lower()]
    return [f"this host is served at {', '.join(dict.fromkeys(own))}: try that"] if own else []


def _origins(sites: Iterable[Block], last: Mark | None, asked: Iterable[Mark]) -> list[Origin]:
    blocks = [each for site in sites for each in all_blocks(site.children)]
    found: list[Origin] = []
    for mark in (*asked, *((last,) if last else ())):
        names = DIRECTIVES.get(mark.handler, (mark.handler,))
        made = [each for each in blocks if each.keys and each.keys[0] in names]
        certain = [each for each in made if _fits(each, mark)]
        found += [origin for each in certain or made for origin in each.origins]
    return found


def _fits(block: Block, mark: Mark) -> bool:
    """Whether the directive says what the handler has: an upstream, a body, the target of a redirect or a status."""
    words = " ".join([*block.keys, *(word for child in block.children for word in child.keys)])
    said = (mark.value.get("headers") or {}).get("Location") or ()
    signs = [*mark.upstreams, str(mark.value.get("body") or ""), *map(str, said)]
    if mark.handler == "static_response" and not any(signs):
        signs.append(str(mark.value.get("status_code") or ""))
    return any(sign and sign in words for sign in signs)
