"""The way to one engine's API."""

from pathlib import Path
from typing import Any

from attrs import define

from dockcaddy.errors import EngineUnreachable, one_line

CALL_TIMEOUT = 10
CALLS_AT_ONCE = 10


@define(eq=False)
class Connection:
    """One endpoint. `url` is a DOCKER_HOST value, `""` the environment's; `certs_path` a folder, `""` for none."""

    url: str = ""
    certs_path: str = ""
    api_version: str = ""
    _client: Any = None

    def client(self) -> Any:
        """docker's client of the API, connected when it is needed first. Raises EngineUnreachable."""
        # another thread may have it forgotten meanwhile
        client = self._client
        if client is None:
            client = self._client = self._new_client()
        return client

    def renewed(self) -> Any:
        """Another client: what was connected may not be any more. Raises EngineUnreachable."""
        client = self._client = self._new_client()
        return client

    def forget(self) -> None:
        """Have the next call use another connection: this one may be dead."""
        self._client = None

    def unreachable(self, error: BaseException) -> EngineUnreachable:
        """What to tell of a call that failed."""
        if isinstance(error, EngineUnreachable):
            return error
        return EngineUnreachable(f"{self.url or 'the default docker socket'} does not answer: {cause_of(error)}")

    def _new_client(self) -> Any:
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
        try:
            return docker.APIClient(
                version=self.api_version or "auto", timeout=CALL_TIMEOUT, num_pools=CALLS_AT_ONCE, **settings
            )
        except Exception as error:
            raise self.unreachable(error) from error


def cause_of(error: BaseException) -> str:
    """What went wrong at the bottom: requests and urllib3 wrap it several times, the engine explains its own errors."""
    while not getattr(error, "explanation", None):
        inner = next((each for each in (*error.args, error.__cause__) if isinstance(each, BaseException)), None)
        if inner is None:
            break
        error = inner
    said = getattr(error, "explanation", None) or getattr(error, "strerror", None) or str(error)
    return one_line(str(said) or type(error).__name__)
