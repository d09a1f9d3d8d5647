"""Where an engine is, as the docker command finds it: a URL, a Docker context, or what the environment says.

DOCKER_HOST has precedence over DOCKER_CONTEXT, and that over the current context of the configuration file
(https://docs.docker.com/engine/manage-resources/contexts/).
"""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from dockcaddy.files import is_file, unreadable

DEFAULT_SOCKET = "unix:///var/run/docker.sock"
CONTEXT = "context://"
# the context that every installation has: the one of the environment
_DEFAULT_CONTEXT = "default"
_CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@frozen
class Certificates:
    """Files for TLS, `""` for none; without `verify` the engine's certificate is not checked."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True

    @classmethod
    def of(cls, folder: Path, *, verify: bool = True) -> "Certificates":
        """The files that are in a folder."""
        found = [str(folder / name) if is_file(folder / name) else "" for name in _CERTIFICATES]
        return cls(found[0], found[1], found[2], verify)


@frozen
class Endpoint:
    """An engine's `url`, its certificates (None without TLS), its name in messages, and its API version (`""`: any)."""

    url: str
    place: str
    tls: Certificates | None = None
    api_version: str = ""


def endpoint_of(
    url: str, certs_path: str = "", api_version: str = "", environment: Mapping[str, str] | None = None
) -> Endpoint:
    """The endpoint of a URL, of `context://NAME`, or of the environment for `""`. `certs_path` is a folder, `""` for none.

    Raises ValueError for a context that does not exist or cannot be read.
    """
    env = os.environ if environment is None else environment
    tls, url = Certificates.of(Path(certs_path)) if certs_path else None, _in_lower_case(url)
    if url.startswith(CONTEXT):
        found = _of_context(url.removeprefix(CONTEXT), "", env)
    elif url:
        found = Endpoint(url, url)
    else:
        found = _of_environment(env)
    return Endpoint(_in_lower_case(found.url), found.place, tls or found.tls, api_version or found.api_version)


def _in_lower_case(url: str) -> str:
    """A URL with its scheme in lower case."""
    scheme, sign, rest = url.partition("://")
    return f"{scheme.lower()}{sign}{rest}" if sign else url


def _of_environment(env: Mapping[str, str]) -> Endpoint:
    if env.get("DOCKER_HOST"):
        return _default(env)
    if name := env.get("DOCKER_CONTEXT", ""):
        return _of_context(name, "DOCKER_CONTEXT", env)
    file = _folder(env) / "config.json"
    current = str(_json(file).get("currentContext") or "")
    return _of_context(current, f"the current context of {file}", env) if current else _default(env)


def _default(env: Mapping[str, str]) -> Endpoint:
    """The engine at DOCKER_HOST or at the default socket."""
    host = env.get("DOCKER_HOST", "")
    folder = env.get("DOCKER_CERT_PATH", "")
    has_tls = bool(folder or env.get("DOCKER_TLS_VERIFY") or env.get("DOCKER_TLS"))
    return Endpoint(
        host or DEFAULT_SOCKET,
        f"DOCKER_HOST={host}" if host else f"the default docker socket {DEFAULT_SOCKET}",
        Certificates.of(Path(folder or _folder(env)), verify=bool(env.get("DOCKER_TLS_VERIFY"))) if has_tls else None,
        env.get("DOCKER_API_VERSION", ""),
    )


def _of_context(name: str, source: str, env: Mapping[str, str]) -> Endpoint:
    """The endpoint of a context; `source` is what names it, `""` for the settings."""
    if name == _DEFAULT_CONTEXT:
        return _default(env)
    key, contexts = sha256(name.encode()).hexdigest(), _folder(env) / "contexts"
    meta = contexts / "meta" / key / "meta.json"
    if not is_file(meta):
        known = ", ".join(_names(contexts / "meta")) or "none"
        named = f"{source}: " if source else ""
        raise ValueError(
            f'{named}no docker context is called "{name}" in {contexts}, there is {known}: correct the name, make it '
            "with docker context create, or set DOCKER_CONFIG to the folder that has it"
        )
    docker = (_json(meta).get("Endpoints") or {}).get("docker") or {}
    folder = contexts / "tls" / key / "docker"
    verify = not docker.get("SkipTLSVerify")
    tls = Certificates.of(folder, verify=verify) if folder.is_dir() or not verify else None
    return Endpoint(str(docker.get("Host") or DEFAULT_SOCKET), f"docker context {name}", tls)


def _names(folder: Path) -> list[str]:
    files = sorted(folder.glob("*/meta.json"))
    return sorted(str(_json(each).get("Name") or "") for each in files)


def _folder(env: Mapping[str, str]) -> Path:
    """The folder of docker's configuration."""
    return Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or "~").expanduser() / ".docker")


def _json(file: Path) -> Mapping[str, Any]:
    """The object in a file, empty if there is no such file. Raises ValueError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, PermissionError) and file.name == "config.json":
            # docker uses its defaults too
            return {}
        raise ValueError(f"{file}: {unreadable(error)}") from None
    except ValueError as error:
        raise ValueError(f"{file}: not JSON: {error}") from None
    return found if isinstance(found, dict) else {}
