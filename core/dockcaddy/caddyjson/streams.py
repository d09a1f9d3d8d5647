"""WebSockets and other long streams stay open when Caddy reloads. Pure."""

from attrs import define, field

from dockcaddy.caddyjson.document import NANOSECONDS, Document, Json, Route
from dockcaddy.incremental import Each

_OPTION = "stream_close_delay"


@define(eq=False)
class LongStreams:
    """Has every proxy close its streams `delay` seconds after a reload, unless it has its own delay.

    See https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming. 0 keeps Caddy's default: at once.
    It remembers what it made: a route that stays costs nothing in the next document.
    """

    delay: float = 0.0
    _routes: Each[Route, Route] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._routes = Each(self._changed)

    def applied(self, document: Document) -> Document:
        """The document with these streams; the same document where it has no such proxy."""
        return document.with_routes(self._routes.of(document.every_route)) if self.delay else document

    def _changed(self, route: Route) -> Route:
        return route.with_proxies(self._with_delay)

    def _with_delay(self, proxy: Json) -> Json:
        return proxy if _OPTION in proxy else {**proxy, _OPTION: int(self.delay * NANOSECONDS)}
