"""docker's client, with connections that stay open between calls.

docker's client opens a connection for every URL at a unix socket, and its HTTP library takes longer than the engine does.
Nearly all of our calls read something small, so they go directly to the connection pool below that library. The endpoint,
the certificates and the API version are still those of docker's client.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import docker
import requests
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from dockcaddy.settings import limits

# the options of a call that reads a complete response
_PLAIN = frozenset(("params", "headers", "timeout"))
# what a kept connection says that the engine closed just before a call; the pool notices earlier closes itself
_CLOSED = (ConnectionResetError, BrokenPipeError)


class Client(docker.APIClient):
    """docker's client. Call `keep_connections` once it is set up."""

    def keep_connections(self) -> None:
        """Make the pool of connections. They close with the client."""
        # it has the headers of every call
        request = self.prepare_request(requests.Request("GET", self.base_url))
        parts = urlsplit(self.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._headers = dict(request.headers)
        self._pool = self._new_pool(request)

    def get(self, url: str | bytes, **options: Any) -> requests.Response:
        """The response to a GET request. Raises errors of urllib3; streams and redirects also those of requests."""
        url = url.decode() if isinstance(url, bytes) else url
        if not _PLAIN.issuperset(options):
            return super().get(url, **options)
        params = {key: value for key, value in (options.get("params") or {}).items() if value is not None}
        asked = f"{url}?{urlencode(params, doseq=True)}" if params else url
        headers = {**self._headers, **(options.get("headers") or {})}
        answer = self._ask(asked.removeprefix(self._origin), headers, options.get("timeout"))
        body = b"".join(answer.stream())
        if answer.get_redirect_location():
            return super().get(url, **options)
        response = _Response(asked, answer, body)
        for hook in self.hooks["response"]:
            hook(response)
        return response

    def close(self) -> None:
        """Close all connections that no call uses."""
        super().close()
        self._pool.close()

    def _ask(self, path: str, headers: Mapping[str, str], timeout: float | None) -> BaseHTTPResponse:
        """The response, whose body is still to be read. A call that the engine closed the connection on is repeated once."""
        # the time to connect, and between two parts of the response
        options: dict[str, Any] = {
            "headers": headers,
            "timeout": Timeout(connect=timeout, read=timeout),
            "preload_content": False,
        }
        try:
            return self._pool.urlopen("GET", path, retries=False, **options)
        except ProtocolError as error:
            if not isinstance(error.args[-1], _CLOSED):
                raise
            return self._pool.urlopen("GET", path, retries=False, **options)

    def _new_pool(self, request: requests.PreparedRequest) -> HTTPConnectionPool:
        adapter: Any = self.get_adapter(self.base_url)
        if isinstance(adapter, UnixHTTPAdapter):
            # the adapter's own pools are for one URL each
            return UnixHTTPConnectionPool(
                self.base_url, adapter.socket_path, self.timeout, limits.MAX_ENGINE_CONNECTIONS
            )
        pool: HTTPConnectionPool = adapter.get_connection_with_tls_context(request, self.verify, {}, self.cert)
        adapter.cert_verify(pool, self.base_url, self.verify, self.cert)
        return pool


class _Response(requests.Response):
    """A response that is read completely. The engine's JSON is in UTF-8, whatever its headers say."""

    def __init__(self, url: str, answer: BaseHTTPResponse, body: bytes) -> None:
        super().__init__()
        self.url, self.encoding = url, "utf-8"
        self.status_code, self.reason = answer.status, answer.reason or ""
        self.headers.update(answer.headers.items())
        self.request = requests.PreparedRequest()
        self.request.method, self.request.url = "GET", url
        # where requests keeps a body that is read
        self._content: Any = body
