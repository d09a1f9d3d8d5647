"""The connection to one engine's API."""

import errno
import os
import socket
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.engine.api import podman
from dockcaddy.engine.api.container_lists import ContainerLists
from dockcaddy.engine.api.endpoint import DEFAULT_SOCKET, Certificates, Endpoint, endpoint_of
from dockcaddy.engine.api.failures import failure_of, is_forbidden, remedy_of_silence
from dockcaddy.errors import EngineUnreachable
from dockcaddy.settings import limits

# a version that every engine accepts for `_ping`, which returns its own
ANY_VERSION = "1.24"
# a dead connection ends within ten seconds, so that a stream of events does not wait for ever: idle, interval, probes
# not every system has them all
_KEEPALIVE = (("TCP_KEEPIDLE", 4), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3))


@define(eq=False)
class Connection:
    """One endpoint. `url` is a DOCKER_HOST value or `context://NAME`, `""` for the environment's.

    `certs_path` is a folder, `""` for none. `is_podman` once a response says so.
    """

    url: str = ""
    certs_path: str = ""
    api_version: str = ""
    is_podman: bool = False
    # an engine has the same ones however often it is connected
    _lists: ContainerLists = field(factory=ContainerLists)
    _client: Any = None

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine is. Raises EngineUnreachable for a context that does not exist."""
        try:
            return endpoint_of(self.url, self.certs_path, self.api_version)
        except ValueError as error:
            raise EngineUnreachable(str(error)) from None

    @property
    def place(self) -> str:
        """The endpoint's name in errors."""
        return self.endpoint.place

    def client(self) -> Any:
        """docker's low-level client, connected at the first call. Raises EngineUnreachable."""
        # another thread may call `forget` in the meantime
        client = self._client
        if client is None:
            client = self._client = self._new_client()
        return client

    @property
    def known(self) -> Any:
        """The client if it is connected, else None."""
        return self._client

    def renewed(self) -> Any:
        """A new client, because the connection may be dead. Raises EngineUnreachable."""
        client = self._client = self._new_client()
        return client

    def forget(self) -> None:
        """Use a new connection for the next call, because this one may be dead."""
        self._client = None

    def unreachable(self, error: BaseException) -> EngineUnreachable:
        """The error for a call that failed."""
        if isinstance(error, EngineUnreachable):
            return error
        endpoint = self.endpoint
        by_socket = "unix:" in endpoint.url
        failure = failure_of(_no_socket(endpoint.url) or error, by_socket=by_socket)
        silence = remedy_of_silence(error, by_socket=by_socket)
        if failure.is_forbidden:
            return EngineUnreachable(f"{endpoint.place} forbids a required call: {failure.cause}")
        what = "refuses" if failure.is_refused else "does not answer"
        remedy = _podmans_instead() if endpoint.url == DEFAULT_SOCKET else ""
        return EngineUnreachable(f"{endpoint.place} {what}: {failure.cause}", remedy or failure.remedy or silence)

    def _new_client(self) -> Any:
        try:
            return self._negotiated(self.endpoint)
        except Exception as error:
            raise self.unreachable(error) from error

    def _recognize(self, response: Any, **_: Any) -> None:
        self.is_podman = self.is_podman or podman.is_podman(response.headers)

    def _negotiated(self, endpoint: Endpoint) -> Any:
        """A client with the engine's API version. A socket proxy may forbid `/version` and still allow `/_ping`."""
        client = _client_of(endpoint, endpoint.api_version or ANY_VERSION, self._lists)
        client.hooks["response"].append(self._recognize)
        if endpoint.api_version:
            return client
        try:
            client._version = client._retrieve_server_version()
        except Exception as error:
            if not is_forbidden(error):
                raise
            ping = client.get(f"{client.base_url}/_ping", timeout=limits.ENGINE_CALL_TIMEOUT)
            if not ping.ok or "Api-Version" not in ping.headers:
                raise
            client._version = ping.headers["Api-Version"]
        return client


def _client_of(endpoint: Endpoint, version: str, lists: ContainerLists) -> Any:
    # it needs docker, a slow import that offline commands do not need
    from dockcaddy.engine.api.kept_connections import Client  # noqa: PLC0415

    is_ssh = endpoint.url.startswith("ssh://")
    client = Client(
        base_url="http://ssh.invalid:80" if is_ssh else endpoint.url,
        version=version,
        timeout=limits.ENGINE_CALL_TIMEOUT,
        tls=_tls(endpoint.tls) if endpoint.tls and not is_ssh and "unix:" not in endpoint.url else False,
    )
    # proxies, certificates and passwords in the environment are for other servers
    client.trust_env = False
    if is_ssh:
        from dockcaddy.engine.api.ssh import URL, SshAdapter  # noqa: PLC0415  it needs requests, which docker brings

        client.mount(URL, SshAdapter(endpoint.url))
    elif client.base_url.startswith(("http://", "https://")):
        for adapter in client.adapters.values():
            _keep_alive(adapter)
    client.keep_connections(lists)
    return client


def _keep_alive(adapter: Any) -> None:
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    known = [(getattr(socket, name, None), value) for name, value in _KEEPALIVE]
    options += [(socket.IPPROTO_TCP, number, value) for number, value in known if number is not None]
    adapter.init_poolmanager(limits.MAX_ENGINE_CONNECTIONS, limits.MAX_ENGINE_CONNECTIONS, socket_options=options)


def _tls(files: Certificates) -> Any:
    """docker's settings of these certificates."""
    import docker  # noqa: PLC0415  a slow import that offline commands do not need
    import urllib3  # noqa: PLC0415  docker brings it

    if not files.verify:
        # it would be said with each call
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    pair = (files.cert, files.key) if files.cert and files.key else None
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify)


def _podmans_instead() -> str:
    """What to do where there is no Docker but Podman, `""` if there is none."""
    docker = Path(DEFAULT_SOCKET.removeprefix("unix://"))
    if _is_socket(docker):
        return ""
    found = next((path for path in podman.sockets(os.environ) if _is_socket(Path(path))), "")
    return f"Podman listens at {found}: --docker-sockets unix://{found}" if found else ""


def _is_socket(path: Path) -> bool:
    try:
        return path.is_socket()
    except OSError:
        # a folder on the way is closed to us
        return False


def _no_socket(url: str) -> OSError | None:
    """The error for a file or folder in place of a socket, for which the kernel says only `Connection refused`."""
    path = Path(url.partition("://")[2])
    try:
        if "unix://" not in url or not path.exists() or path.is_socket():
            return None
    except OSError as error:
        # a folder on the way is closed to us
        return error
    return OSError(errno.ENOTSOCK, f"this is a {'folder' if path.is_dir() else 'file'}, not a socket")
