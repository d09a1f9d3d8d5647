"""The page: HTML of the current status, for browsers with and without JavaScript."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from attrs import define, field, frozen
from dockcaddy import Status, StatusFeed
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from dockcaddy_status.entrance import shows_secrets
from dockcaddy_status.listing import block_of, lines_of
from dockcaddy_status.times import days, duration, moment
from dockcaddy_status.troubles import troubles

# rows of one page, lines of the Caddyfile, and pages that are kept until something changes
ROWS, LINES, KEPT = 50, 200, 64
# a page says how long ago something was, so it is made again after this many seconds
FRESH = 60
# the longest word that is searched for
SEARCHED = 200

Values = dict[str, Any]


@frozen
class Part:
    """Some rows of many: `number` of `count` parts, from 1 on, and how many rows there are in all."""

    rows: tuple[Any, ...]
    number: int
    count: int
    total: int

    @classmethod
    def of(cls, rows: Any, wanted: str, size: int = ROWS) -> "Part":
        """The part with the number that a request names."""
        every = tuple(rows)
        count = max(-(-len(every) // size), 1)
        number = min(max(int(wanted) if wanted.isascii() and wanted.isdecimal() else 1, 1), count)
        return cls(every[(number - 1) * size : number * size], number, count, len(every))


@frozen
class Asked:
    """What a request asks for: `text` to search for, a part, a name. `has_secrets` if it may see the Caddyfile."""

    text: str
    part: str
    name: str
    only: str
    has_secrets: bool

    @classmethod
    def by(cls, request: Request) -> "Asked":
        """What this request asks for."""
        query = request.query_params
        return cls(
            query.get("q", "").strip()[:SEARCHED],
            query.get("part", "")[:9],
            query.get("name", ""),
            query.get("only", ""),
            shows_secrets(request.scope),
        )

    def finds(self, *texts: str) -> bool:
        """Whether one of the texts has what is searched for."""
        wanted = self.text.lower()
        return not wanted or any(wanted in text.lower() for text in texts)


@define
class Pages:
    """Makes the pages. `clock` gives seconds since the epoch."""

    feed: StatusFeed
    clock: Callable[[], float]
    _made: dict[tuple[str, Asked], tuple[str, bytes]] = field(factory=dict)
    _environment: Environment = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("dockcaddy_status"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"duration": duration, "moment": moment, "days": days}
        self._environment.globals["url"] = lambda path, **query: f"{path}?{urlencode(query)}" if query else path

    @property
    def routes(self) -> list[BaseRoute]:
        """The paths of the pages and of what they load."""
        return [
            Route("/", self._page("sites", _sites)),
            Route("/site", self._page("site", _site)),
            Route("/containers", self._page("containers", _containers)),
            Route("/certificates", self._page("certificates", _certificates)),
            Route("/history", self._page("history", _history)),
            Route("/caddyfile", self._page("caddyfile", _caddyfile)),
            Route("/favicon.ico", _icon),
            Mount("/static", StaticFiles(packages=[("dockcaddy_status", "static")])),
        ]

    def _page(self, name: str, read: Callable[[Status, Asked], Values | None]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            status, asked, now = self.feed.current, Asked.by(request), self.clock()
            tag = f'"{status.revision}-{int(now // FRESH)}"'
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers=headers)
            made = self._made.get((name, asked))
            if made is None or made[0] != tag:
                values = read(status, asked)
                if values is None:
                    return PlainTextResponse("there is no such site\n", 404)
                made = tag, self._rendered(name, {**_of_every_page(status), **values}, asked, now)
                self._keep((name, asked), made)
            return Response(made[1], media_type="text/html", headers=headers)

        return answer

    def _rendered(self, name: str, values: Values, asked: Asked, now: float) -> bytes:
        return self._environment.get_template(f"{name}.html").render(values, page=name, asked=asked, now=now).encode()

    def _keep(self, key: tuple[str, Asked], made: tuple[str, bytes]) -> None:
        self._made.pop(key, None)
        self._made[key] = made
        if len(self._made) > KEPT:
            del self._made[next(iter(self._made))]


async def _icon(request: Request) -> Response:
    return RedirectResponse("static/icon.svg")


def _of_every_page(status: Status) -> Values:
    ready = sum(each.conditions.ready.is_true for each in status.sites.values())
    return {"status": status, "ready": ready}


def _sites(status: Status, asked: Asked) -> Values:
    wrong = troubles(status)
    sites = (
        each
        for name, each in sorted(status.sites.items())
        if asked.finds(name, *each.addresses, *each.resources, each.conditions.worst.reason)
        and (asked.only != "wrong" or not each.conditions.worst.is_true)
    )
    return {"troubles": Part.of(wrong, "1"), "sites": Part.of(sites, asked.part)}


def _site(status: Status, asked: Asked) -> Values | None:
    site = status.sites.get(asked.name)
    if site is None:
        return None
    block = block_of(status.listing, site.addresses) if asked.has_secrets else ()
    events = [each for each in _latest(status) if site.name in each.sites][:20]
    wanting = (each for each in status.resources.values() if each.is_meant and site.name in each.sites)
    left_out = [each for each in wanting if each.conditions.programmed.state == "False"]
    return {"site": site, "block": block, "events": events, "left_out": left_out if site.is_served else []}


def _containers(status: Status, asked: Asked) -> Values:
    found = (
        each
        for each in sorted(status.resources.values(), key=lambda each: (each.conditions.worst.is_true, each.name))
        if asked.finds(each.name, each.image, each.conditions.worst.reason, *each.sites)
    )
    return {"resources": Part.of(found, asked.part)}


def _certificates(status: Status, asked: Asked) -> Values:
    found = (each for each in status.certificates if asked.finds(each.issuer, *each.names))
    return {"certificates": Part.of(sorted(found, key=lambda each: each.not_after), asked.part)}


def _history(status: Status, asked: Asked) -> Values:
    found = (each for each in _latest(status) if asked.finds(each.subject, each.kind, each.message, *each.sites))
    return {"events": Part.of(found, asked.part)}


def _caddyfile(status: Status, asked: Asked) -> Values:
    found = (
        line
        for line in lines_of(status.listing)
        if asked.finds(line.text, *(f"{each.resource} {each.label}" for each in line.origins))
    )
    return {"lines": Part.of(found, asked.part, LINES)}


def _latest(status: Status) -> list[Any]:
    return list(reversed(status.history))
