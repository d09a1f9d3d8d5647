"""The connection to one engine's API."""

import errno
import os
from pathlib import Path
from typing import Any

from attrs import define

from dockcaddy.engine.failures import failure_of, is_forbidden
from dockcaddy.errors import EngineUnreachable
from dockcaddy.settings import limits

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
# a version that every engine accepts for `_ping`, which returns its own
ANY_VERSION = "1.24"


@define(eq=False)
class Connection:
    """One endpoint. `url` is a DOCKER_HOST value, `""` for the environment's; `certs_path` a folder, `""` for none."""

    url: str = ""
    certs_path: str = ""
    api_version: str = ""
    _client: Any = None

    @property
    def place(self) -> str:
        """The endpoint's name in errors."""
        if self.url:
            return self.url
        host = os.environ.get("DOCKER_HOST", "")
        return f"DOCKER_HOST={host}" if host else f"the default docker socket {DEFAULT_SOCKET}"

    def client(self) -> Any:
        """docker's low-level client, connected at the first call. Raises EngineUnreachable."""
        # another thread may call `forget` in the meantime
        client = self._client
        if client is None:
            client = self._client = self._new_client()
        return client

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
        url = self.url or os.environ.get("DOCKER_HOST", "") or DEFAULT_SOCKET
        failure = failure_of(_no_socket(url) or error, by_socket="unix:" in url)
        if failure.is_forbidden:
            return EngineUnreachable(f"{self.place} forbids a required call: {failure.cause}")
        what = "refuses" if failure.is_refused else "does not answer"
        return EngineUnreachable(f"{self.place} {what}: {failure.cause}", failure.remedy)

    def _new_client(self) -> Any:
        try:
            return self._negotiated()
        except Exception as error:
            raise self.unreachable(error) from error

    def _negotiated(self) -> Any:
        """A client with the engine's API version. A socket proxy may forbid `/version` and still allow `/_ping`."""
        if self.api_version:
            return self._client_of(self.api_version)
        try:
            return self._client_of("auto")
        except Exception as error:
            if not is_forbidden(error):
                raise
            asking = self._client_of(ANY_VERSION)
            ping = asking.get(f"{asking.base_url}/_ping", timeout=limits.ENGINE_CALL_TIMEOUT)
            if not ping.ok or "Api-Version" not in ping.headers:
                raise
            return self._client_of(ping.headers["Api-Version"])

    def _client_of(self, version: str) -> Any:
        import docker  # noqa: PLC0415  a slow import that offline commands do not need
        from docker.utils import kwargs_from_env  # noqa: PLC0415

        settings: dict[str, Any] = dict(kwargs_from_env()) if not self.url else {"base_url": self.url}
        if self.certs_path:
            folder = Path(self.certs_path)
            settings["tls"] = docker.tls.TLSConfig(
                client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
                ca_cert=str(folder / "ca.pem"),
                verify=True,
            )
        return docker.APIClient(
            version=version, timeout=limits.ENGINE_CALL_TIMEOUT, num_pools=limits.MAX_ENGINE_CONNECTIONS, **settings
        )


def _no_socket(url: str) -> OSError | None:
    """The error for a file or folder in place of a socket, for which the kernel says only `Connection refused`."""
    path = Path(url.partition("://")[2])
    if "unix://" not in url or not path.exists() or path.is_socket():
        return None
    return OSError(errno.ENOTSOCK, f"this is a {'folder' if path.is_dir() else 'file'}, not a socket")
