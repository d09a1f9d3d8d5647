"""The application: each path and what it answers. Everything comes from one snapshot, so that it fits together."""

import json
import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from dockcaddy import STATUS_DOCUMENTS, Status, StatusFeed
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dockcaddy_status.figures import CONTENT_TYPE, Figures
from dockcaddy_status.page import Pages
from dockcaddy_status.stream import Full, Streams

API = "/api/v1"


@define
class Application:
    """Answers from the current status. A document is encoded once for each change, however many ask for it."""

    feed: StatusFeed
    figures: Figures
    streams: Streams
    _encoded: dict[str, tuple[int, bytes]] = field(factory=dict)

    def made(self) -> Starlette:
        """The application."""
        routes: list[BaseRoute] = [Route(f"{API}/{name}", self._document(name)) for name in STATUS_DOCUMENTS]
        routes += [
            Route(f"{API}/events", self._events),
            Route("/healthz", self._health),
            Route("/readyz", self._readiness),
            Route("/metrics", self._metrics),
        ]
        routes += Pages(self.feed, time.time).routes
        return Starlette(routes=routes, exception_handlers={404: _missing})

    def _document(self, name: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            status = self.feed.current
            tag = f'"{status.revision}"'
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers={"ETag": tag})
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            return Response(self._bytes(name, status), media_type="application/json", headers=headers)

        return answer

    def _bytes(self, name: str, status: Status) -> bytes:
        kept = self._encoded.get(name)
        if kept is None or kept[0] != status.revision:
            kept = status.revision, json.dumps(STATUS_DOCUMENTS[name](status), ensure_ascii=False).encode()
            self._encoded[name] = kept
        return kept[1]

    async def _events(self, request: Request) -> Response:
        try:
            stream = self.streams.opened()
        except Full:
            return JSONResponse({"error": "too many listen already"}, 503, {"Retry-After": "10"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self.streams.read(stream), media_type="text/event-stream", headers=headers)

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readiness(self, request: Request) -> Response:
        status = self.feed.current
        if not status.is_complete:
            return PlainTextResponse("no engine has answered and been configured yet\n", 503)
        if not status.caddy.is_up:
            return PlainTextResponse(f"{status.caddy.message}\n", 503)
        return PlainTextResponse("ok\n")

    async def _metrics(self, request: Request) -> Response:
        return Response(self.figures.exposition(), media_type=CONTENT_TYPE)


async def _missing(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"there is no {request.url.path}"}, 404)
