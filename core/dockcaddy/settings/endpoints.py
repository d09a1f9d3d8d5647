"""Check the URL of an engine, in the form of DOCKER_HOST."""

from shutil import which
from urllib.parse import urlsplit

from dockcaddy.settings.table import guess

_SCHEMES = ("unix", "tcp", "http", "https", "ssh", "context")
_EXAMPLES = "unix:///var/run/docker.sock or tcp://HOST:2375"


def check_engine(url: str) -> None:
    """Raises ValueError, with what to write instead, unless the text is an engine's URL or empty."""
    if not url:
        return
    scheme, sign, rest = url.partition("://")
    if not sign:
        raise ValueError(f"not a URL, write {_as_url(url)}")
    if scheme.removeprefix("http+").lower() not in _SCHEMES:
        raise ValueError(f'unknown scheme "{scheme}"{guess(scheme, _SCHEMES)}, write {_EXAMPLES}')
    if scheme.lower() in ("unix", "http+unix"):
        if not rest.startswith("/"):
            raise ValueError(f"a socket's path begins with /, write unix:///{rest or 'var/run/docker.sock'}")
        return
    if scheme.lower() == "context":
        if not rest:
            raise ValueError("the name of a docker context is missing, write context://NAME")
        return
    _check_place(scheme, url)
    if scheme.lower() == "ssh" and which("ssh") is None:
        raise ValueError("ssh needs the program ssh, which is not installed: apt install openssh-client")


def _as_url(text: str) -> str:
    if text.startswith("unix:"):
        return f"unix:///{text.removeprefix('unix:').lstrip('/')}"
    if "/" in text or text.endswith(".sock"):
        return f"unix:///{text.lstrip('/')}" if text.startswith("/") else "unix:// and the socket's absolute path"
    host, _, port = text.rpartition(":")
    return f"tcp://{text}" if host and port.isdecimal() else _EXAMPLES


def _check_place(scheme: str, url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"a host is missing, write {scheme}://HOST:2375")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port is not a number from 1 to 65535") from None
    if port is None and scheme.lower() != "ssh":
        raise ValueError(f"a port is missing, write {scheme}://{parts.netloc}:2375, with TLS :2376")
