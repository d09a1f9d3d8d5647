"""Engines at `ssh://USER@HOST`: each connection is a run of the ssh program, as with the docker command.

So the user's ~/.ssh/config, agent, known hosts and jump hosts count. On the other machine `docker system dial-stdio`
connects to the engine's socket.
"""

import errno
import socket
import subprocess
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from dockcaddy.settings import limits

# in the place of the host; requests go through the adapter
URL = "http://ssh.invalid:80"
# nobody is there to type a password, and a dead connection has to end
_OPTIONS = (
    "BatchMode=yes",
    f"ConnectTimeout={limits.ENGINE_CALL_TIMEOUT}",
    "ServerAliveInterval=4",
    "ServerAliveCountMax=2",
)


def command(url: str) -> list[str]:
    """The command that connects its standard input and output to the engine at an ssh URL."""
    parts = urlsplit(url)
    options = [word for option in _OPTIONS for word in ("-o", option)]
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    path = parts.path.rstrip("/")
    at = ["--host", f"unix://{path}"] if path else []
    return ["ssh", *options, *user, *port, "--", str(parts.hostname), "docker", *at, "system", "dial-stdio"]


class _SshConnection(HTTPConnection):
    """A connection whose other end is an ssh program."""

    def __init__(self, url: str, timeout: Any) -> None:
        super().__init__("ssh.invalid", timeout=timeout)
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Start the program. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                command(self._url),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        timeout = self.timeout
        ours.settimeout(timeout if isinstance(timeout, int | float) else limits.ENGINE_CALL_TIMEOUT)
        self.sock = ours

    def getresponse(self, *arguments: Any, **named: Any) -> Any:
        """The response. Raises OSError with what ssh says where it ended."""
        # it is forgotten where the connection ends
        process = self._process
        try:
            return super().getresponse(*arguments, **named)
        except TimeoutError:
            raise
        except Exception:
            if (ended := _ended(process)) is not None:
                raise ended from None
            raise

    def close(self) -> None:
        """End the program."""
        super().close()
        process, self._process = self._process, None
        if process is not None:
            process.terminate()


def _ended(process: "subprocess.Popen[bytes] | None") -> OSError | None:
    """What ssh says, if it ended by itself."""
    if process is None:
        return None
    try:
        said = process.communicate(timeout=1)[1].decode(errors="replace").split("\n")
    except subprocess.TimeoutExpired:
        return None
    lines = [line.strip().removeprefix("ssh: ") for line in said if line.strip()]
    return ConnectionError(errno.ECONNABORTED, f"ssh: {'; '.join(lines[-3:]) or 'the connection ended'}")


class _SshPool(HTTPConnectionPool):
    def __init__(self, url: str) -> None:
        # an ssh server takes few connections at once; further calls wait
        super().__init__("ssh.invalid", maxsize=limits.MAX_SSH_CONNECTIONS, block=True)
        self._url = url

    def _new_conn(self) -> Any:
        self.num_connections += 1
        return _SshConnection(self._url, self.timeout.connect_timeout)


class SshAdapter(HTTPAdapter):
    """Sends the requests of a session to the engine at an ssh URL."""

    def __init__(self, url: str) -> None:
        self._pool = _SshPool(url)
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **named: Any) -> Any:
        """The pool, whatever the request."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """The path: there is no proxy."""
        return request.path_url

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
        super().close()
