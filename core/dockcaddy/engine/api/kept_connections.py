"""docker's client, with connections that stay open between calls.

docker's client opens a connection for every URL at a unix socket, and its HTTP library takes longer than the engine does.
Nearly all of our calls read something small, so they go below that library. The endpoint, the certificates and the API
version are still those of docker's client.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import docker
import requests
from attrs import define
from docker.transport import UnixHTTPAdapter
from requests.models import REDIRECT_STATI
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.util import Timeout

from dockcaddy.engine.api.container_lists import ContainerLists
from dockcaddy.engine.api.unix_calls import UnixCalls
from dockcaddy.engine.api.unix_connections import CLOSED, Answer, UnixConnections
from dockcaddy.engine.records.resources import shared

# the options of a call that reads a complete response
_PLAIN = frozenset(("params", "headers", "timeout"))
# what docker's client asks for
_ALL = {"limit": -1, "all": 1, "size": 0, "trunc_cmd": 0}


class _Connections(Protocol):
    def get(self, path: str, headers: Mapping[str, str], timeout: float | None) -> Answer:
        """The response to a GET request. `timeout` is in seconds, to connect and between two parts of the response.

        A call whose kept connection the engine has closed is repeated.
        """

    def close(self) -> None:
        """Close all connections that no call uses."""


@define(eq=False)
class _Pool:
    """Those of a pool of urllib3, which notices by itself what the engine closed earlier."""

    pool: HTTPConnectionPool

    def get(self, path: str, headers: Mapping[str, str], timeout: float | None) -> Answer:
        """See _Connections."""
        try:
            return self._asked(path, headers, timeout)
        except ProtocolError as error:
            if not isinstance(error.args[-1], CLOSED):
                raise
            return self._asked(path, headers, timeout)

    def close(self) -> None:
        """See _Connections."""
        self.pool.close()

    def _asked(self, path: str, headers: Mapping[str, str], timeout: float | None) -> Answer:
        waiting = Timeout(connect=timeout, read=timeout)
        made = self.pool.urlopen("GET", path, retries=False, headers=headers, timeout=waiting, preload_content=False)
        return Answer(made.status, made.reason or "", made.headers, b"".join(made.stream()))


class Client(docker.APIClient):
    """docker's client. Call `keep_connections` once it is set up."""

    def keep_connections(self, lists: ContainerLists) -> None:
        """Make the pool of connections. They close with the client. `lists` are those of the engine."""
        self._lists = lists
        # it has the headers of every call
        # its types do not name what it has for its own calls
        own: Any = self
        configured = own._general_configs.get("HttpHeaders", {})
        general = {name: str(value) for name, value in configured.items()}
        request = self.prepare_request(requests.Request("GET", self.base_url, headers=general))
        parts = urlsplit(self.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._headers = dict(request.headers)
        self._connections = self._kept(request)
        self._calls = UnixCalls(self._connections) if isinstance(self._connections, UnixConnections) else None

    def get(self, url: str | bytes, **options: Any) -> requests.Response:
        """The response to a GET request. Raises OSError and errors of http.client and urllib3, for streams those of requests."""
        url = url.decode() if isinstance(url, bytes) else url
        if not _PLAIN.issuperset(options):
            return super().get(url, **options)
        params = {key: value for key, value in (options.get("params") or {}).items() if value is not None}
        asked = f"{url}?{urlencode(params, doseq=True)}" if params else url
        headers = {**self._headers, **(options.get("headers") or {})}
        answer = self._connections.get(asked.removeprefix(self._origin), headers, options.get("timeout"))
        if answer.status in REDIRECT_STATI:
            return super().get(url, **options)
        return self._response(asked, answer)

    def containers(self, *given: Any, **options: Any) -> Any:
        """See docker's client. Of a list of all, only what has changed since the last one is decoded."""
        if given or options != {"all": True}:
            return [shared(item) for item in super().containers(*given, **options)]
        own: Any = self
        response = own._get(own._url("/containers/json"), params=_ALL)
        own._raise_for_status(response)
        try:
            return self._lists.items(response.content.strip())
        except ValueError:
            return shared(response.json())

    def inspect_container(self, container: Any) -> Any:
        """See docker's client. It is called for each container at a start: a usual response becomes no object of requests."""
        url = self._inspect_url(container)
        return self._inspected(url, self._connections.get(url.removeprefix(self._origin), self._headers, self.timeout))

    def begin_inspect(self, container: str, done: Callable[[Any], None]) -> bool:
        """Begin `inspect_container`; `done` gets what it returns or raises. Returns False where a thread has to wait for it."""
        if self._calls is None:
            return False
        url = self._inspect_url(container)

        def take(answer: Answer | Exception) -> None:
            try:
                if isinstance(answer, Exception):
                    raise answer
                found = self._inspected(url, answer)
            except Exception as error:
                found = error
            done(found)

        self._calls.begin(url.removeprefix(self._origin), self._headers, self.timeout, take)
        return True

    def _inspect_url(self, container: str) -> str:
        own: Any = self
        url: str = own._url("/containers/{0}/json", container)
        return url

    def _inspected(self, url: str, answer: Answer) -> Any:
        if answer.status == HTTPStatus.OK:
            return json.loads(answer.body.decode(errors="replace"))
        own: Any = self
        redirects = answer.status in REDIRECT_STATI
        return own._result(
            super().get(url, timeout=self.timeout) if redirects else self._response(url, answer), json=True
        )

    def _response(self, url: str, answer: Answer) -> requests.Response:
        response = _Response(url, answer)
        for hook in self.hooks["response"]:
            hook(response)
        return response

    def close(self) -> None:
        """Close all connections that no call uses."""
        super().close()
        self._connections.close()

    def _kept(self, request: requests.PreparedRequest) -> _Connections:
        adapter: Any = self.get_adapter(self.base_url)
        if isinstance(adapter, UnixHTTPAdapter):
            # the adapter's own pools are for one URL each
            return UnixConnections(adapter.socket_path)
        pool: HTTPConnectionPool = adapter.get_connection_with_tls_context(request, self.verify, {}, self.cert)
        adapter.cert_verify(pool, self.base_url, self.verify, self.cert)
        return _Pool(pool)


class _Response(requests.Response):
    """A response that is read completely. The engine's JSON is in UTF-8, whatever its headers say."""

    def __init__(self, url: str, answer: Answer) -> None:
        super().__init__()
        self.url, self.encoding = url, "utf-8"
        self.status_code, self.reason = answer.status, answer.reason
        self.headers.update(answer.headers.items())
        self.request = requests.PreparedRequest()
        self.request.method, self.request.url = "GET", url
        # where requests keeps a body that is read
        self._content: Any = answer.body
