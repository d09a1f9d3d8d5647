"""What every client of the admin API needs: a connection to a unix socket, and what Caddy's responses say."""

import http.client
import json
import socket


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        # the host that Caddy's origin check accepts on a unix socket
        super().__init__("127.0.0.1", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def error_text(answer: bytes) -> str:
    """Caddy's error text from `{"error": "..."}`, `""` if the response is not of this form."""
    try:
        decoded = json.loads(answer)
    except ValueError:
        return ""
    return str(decoded.get("error", "")) if isinstance(decoded, dict) else ""


_RESULT = b'{"result":'


def result_of(answer: bytes) -> bytes:
    """The `result` of an /adapt response. Cut out if it comes first, because parsing a large one is slow."""
    if answer.startswith(_RESULT):
        return answer.strip()[len(_RESULT) : -1]
    decoded = json.loads(answer)
    return json.dumps(decoded.get("result") or {}, separators=(",", ":")).encode()
