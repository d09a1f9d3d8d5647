"""The cause and the remedy of a failed call to an engine, in words."""

import errno
import re
import socket
import ssl
from http import HTTPStatus
from http.client import IncompleteRead
from typing import Any

from attrs import frozen

from dockcaddy.errors import EngineUnreachable, one_line

FORBIDDEN = HTTPStatus.FORBIDDEN
# every call to the engine: its variable of docker-socket-proxy (Tecnativa's and compatible ones), and what needs it
CALLS = {
    "/containers/json": ("CONTAINERS", "everything"),
    "/containers/ID/json": (
        "CONTAINERS",
        "environment, health and mounts in templates, and finding Caddy's own container",
    ),
    "/version": ("VERSION", "the API version, unless `--docker-apis-version` sets it"),
    "/_ping": ("PING", "the API version, where `/version` is forbidden"),
    "/events": ("EVENTS", "changes at once; without it they are found by polling"),
    "/networks": ("NETWORKS", "which networks Caddy reaches; without it every network counts"),
    "/info": ("INFO", "whether a node of a Swarm is a manager; asked of nodes only"),
    "/services": ("SERVICES", "Swarm services; asked of managers only"),
    "/tasks": ("TASKS", "upstreams of Swarm services, except with `--proxy-service-tasks=false`"),
    "/configs": ("CONFIGS", "Caddyfiles in Swarm configs"),
}
_ALLOWED_BY = {path.split("/")[1]: variable for path, (variable, _) in CALLS.items()}
# the status of an engine that is not a Swarm manager, and of Podman
_NO_MANAGER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
_VERSION = re.compile(r"^/v[0-9.]+(?=/)")
_START = "start Docker (systemctl start docker)"
_RESTART = "restart it if it hangs (systemctl restart docker)"
_NO_ACCESS = (
    "join the docker group (usermod -aG docker $USER) and log in again, or run as root; "
    "in a container: --group-add $(stat -c %g /var/run/docker.sock), in compose group_add, or --user root"
)
_BY_SOCKET = {
    errno.ENOENT: f"{_START}, or set the engine's socket: --docker-sockets unix:///PATH; in a container, mount it",
    errno.ECONNREFUSED: _START,
    errno.EACCES: _NO_ACCESS,
    errno.EPERM: _NO_ACCESS,
    errno.ENOTSOCK: "set the engine's socket: --docker-sockets unix:///PATH",
}
# what ssh, or the shell of the other machine, says
_BY_SSH = {
    "Host key verification failed": "add the host's key: ssh-keyscan HOST >> ~/.ssh/known_hosts, and compare it",
    "Permission denied": "let dockcaddy's user log in with a key and without a password (ssh-copy-id), and be in the docker group there",
    "not found": "install the docker command on that host",
    "Could not resolve": "no such host, correct the engine's URL",
    "Connection refused": "start an ssh server there, or correct the engine's URL",
    "timed out": "correct the engine's URL, or open the way to that host (a firewall, a VPN)",
    "No route to host": "correct the engine's URL, or open the way to that host (a firewall, a VPN)",
}
_TOO_NEW = re.compile(r"client version \S+ is too (?:new|old)")
_CERTIFICATES = "set the folder of ca.pem, cert.pem and key.pem: --docker-certs-path FOLDER"


@frozen
class Failure:
    """A failed call: its cause, and what to do.

    `is_forbidden` if a socket proxy or an authorization plugin forbids it, `is_refused` if the engine refuses it.
    """

    cause: str
    remedy: str = ""
    is_forbidden: bool = False
    is_refused: bool = False


def failure_of(error: BaseException, *, by_socket: bool = True) -> Failure:
    """The cause and remedy of an error of docker's client. `by_socket` if the engine is at a unix socket."""
    if isinstance(error, EngineUnreachable):
        return Failure(str(error), error.remedy)
    bottom = _bottom_of(error)
    response = getattr(bottom, "response", None)
    if response is not None:
        return _of_response(bottom, response)
    if isinstance(bottom, IncompleteRead):
        return Failure("Response ended prematurely")
    text = getattr(bottom, "explanation", None) or getattr(bottom, "strerror", None) or str(bottom)
    cause = one_line(str(text) or type(bottom).__name__)
    return Failure(cause, _remedy(bottom, by_socket=by_socket))


def remedy_of_silence(error: BaseException, *, by_socket: bool) -> str:
    """What to do about an engine of which no call is answered in time, `""` where the error is another one."""
    if not isinstance(_bottom_of(error), TimeoutError):
        return ""
    return _RESTART if by_socket else f"correct its URL, or open the way to it (a firewall, a VPN), or {_RESTART}"


def is_forbidden(error: BaseException) -> bool:
    """Whether the call is forbidden, for example by a socket proxy."""
    return failure_of(error).is_forbidden


def is_no_manager(error: BaseException) -> bool:
    """Whether the engine is not a Swarm manager."""
    return status_of(error) in _NO_MANAGER


def status_of(error: BaseException) -> int | None:
    """The status of the engine's response, None if there is none."""
    response = getattr(_bottom_of(error), "response", None)
    return response.status_code if response is not None else None


def cause_of(error: BaseException) -> str:
    """The cause alone, without the remedy."""
    return failure_of(error).cause


def _bottom_of(error: BaseException) -> BaseException:
    """The original error, which requests and urllib3 wrap several times, or the one with the engine's explanation."""
    while not getattr(error, "explanation", None) and getattr(error, "response", None) is None:
        causes = (*error.args, getattr(error, "reason", None), error.__cause__)
        inner = next((each for each in causes if isinstance(each, BaseException) and each is not error), None)
        if inner is None:
            break
        error = inner
    return error


def _of_response(error: BaseException, response: Any) -> Failure:
    explanation = str(getattr(error, "explanation", None) or "").strip()
    is_explained = "json" in str(response.headers.get("Content-Type") or "") and bool(explanation)
    request = response.request
    path = _VERSION.sub("", str(request.path_url).partition("?")[0])
    call = f"{request.method} {path}: {response.status_code}"
    if response.status_code == FORBIDDEN:
        allowed = _ALLOWED_BY.get(path.strip("/").partition("/")[0], "")
        if is_explained or not allowed:
            return Failure(one_line(f"{call}, {explanation or 'forbidden'}"), is_forbidden=True)
        return Failure(f"{call}, allow {allowed}=1", is_forbidden=True)
    if _TOO_NEW.match(explanation):
        remedy = "omit --docker-apis-version to negotiate the version"
        return Failure(one_line(explanation), remedy, is_refused=True)
    if explanation and not explanation.startswith("<"):
        remedy = _CERTIFICATES if "HTTPS server" in explanation else ""
        return Failure(one_line(explanation), remedy)
    return Failure(f"{call} {response.reason or ''}".strip())


def _remedy(error: BaseException, *, by_socket: bool) -> str:
    text = str(getattr(error, "strerror", None) or "")
    if text.startswith("ssh: "):
        return next((remedy for said, remedy in _BY_SSH.items() if said in text), "")
    if isinstance(error, ssl.SSLError):
        return _CERTIFICATES
    if isinstance(error, socket.gaierror):
        return "no such host, correct the engine's URL"
    number = getattr(error, "errno", None)
    if by_socket:
        return _BY_SOCKET.get(number or 0, "")
    return "start the engine, or correct the port in its URL" if number == errno.ECONNREFUSED else ""
