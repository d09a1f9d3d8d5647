"""What stands before the application: who may ask, and what every response says to browsers."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from attrs import frozen
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response

from dockcaddy_status.sockets import Listener

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# probes have no token
_OPEN = frozenset(("/healthz", "/readyz"))
# it may hold secrets that labels were given: other users of the machine reach a loopback port
_SECRET = frozenset(("/api/v1/caddyfile", "/caddyfile"))
_SHOWS = "dockcaddy.shows_secrets"
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@frozen
class Entrance:
    """Hands on what may pass of the requests to one listener."""

    application: Application
    listener: Listener
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        scope[_SHOWS] = bool(self.listener.path or self.token)
        refusal = self._refusal(scope)
        await (refusal or self.application)(scope, receive, _secured(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            return _answer(405, "this API is read only", {"Allow": "GET, HEAD"})
        if self.listener.path:
            # who may open the socket is the owner, or Caddy behind the login of its site
            return None
        if not self._is_asked_by_name(headers.get("host", "")):
            return _answer(421, "this host name is not served: call it by the address that it listens at")
        if path in _OPEN:
            return None
        if self.token:
            return None if _has_token(headers.get("authorization", ""), self.token) else _unauthorised()
        if path in _SECRET:
            return _answer(403, "the Caddyfile may hold secrets: set status.token_file, or ask at the socket")
        return None

    def _is_asked_by_name(self, host: str) -> bool:
        """Whether a browser was led here by a name of its own: https://en.wikipedia.org/wiki/DNS_rebinding."""
        if not self.listener.is_local:
            # there, the token is what a page of somebody else does not have
            return True
        name = host.rpartition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
        return name.lower() in ("localhost", "127.0.0.1", "::1", self.listener.host)


def shows_secrets(scope: Scope) -> bool:
    """Whether who asks may see the Caddyfile."""
    return bool(scope.get(_SHOWS))


def _has_token(given: str, token: str) -> bool:
    """Whether it is the token: as a bearer, or as the password of a browser's login."""
    scheme, _, value = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(value.strip().encode(), token.encode())


def _unauthorised() -> Response:
    return _answer(401, "a token is needed", {"WWW-Authenticate": 'Basic realm="dockcaddy", charset="UTF-8"'})


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


def _secured(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
