"""The engines that the settings name."""

import contextlib
import logging
import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from dockcaddy.engine import Connection, Engine
from dockcaddy.engine.api.endpoint import Endpoint, endpoint_of
from dockcaddy.engine.reach.neighbours import Neighbours, Reach
from dockcaddy.engine.reach.own_addresses import own_addresses
from dockcaddy.engine.reach.own_container import is_in_container
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.stopped import Stopped
from dockcaddy.errors import SettingsError
from dockcaddy.files import is_file
from dockcaddy.settings.constraint import Constraint
from dockcaddy.settings.endpoints import check_engine
from dockcaddy.settings.reach import check_names, parse_reach
from dockcaddy.settings.table import Settings

logger = logging.getLogger("dockcaddy")

_ALIGNED = ("docker_names", "docker_certs_path", "docker_apis_version", "docker_reach")
# the networks of a rootless engine are in a namespace of their own, those of Docker Desktop and the like in a virtual machine
_ROOTLESS = re.compile(
    r"unix:///(?:run/user/|tmp/podman-run-|mnt/wsl/)|unix://.*/\.(?:docker|local|colima|lima|rd|orbstack)/"
)
# of these, the containers with the host's network are on this machine
_ROOTLESS_PODMAN = re.compile(r"unix:///(?:run/user/|tmp/podman-run-).*podman")


@frozen
class NamedEngine:
    """An engine of the settings: its name, how to connect to it, and how Caddy reaches its containers."""

    name: str
    connection: Connection
    endpoint: Endpoint
    reach: Reach


def options_for(settings: Settings) -> EngineOptions:
    """What the settings say about resources and their addresses."""
    return EngineOptions(
        settings.label_prefix,
        settings.ingress_networks,
        Stopped(settings.when_stopped, settings.scan_stopped_containers),
        settings.proxy_service_tasks,
        settings.scan_one_off_containers,
        Constraint.parse(settings.constraint),
        all_addresses=settings.upstream_addresses == "all",
    )


def engines_for(settings: Settings) -> list[Engine]:
    """The engines that the settings name; the environment's where they name none. Raises SettingsError."""
    found = named_engines(settings)
    for each in found:
        if each.endpoint.tls is not None and not each.endpoint.tls.verify:
            is_context = each.endpoint.place.startswith("docker context")
            remedy = "remove skip-tls-verify from that context" if is_context else "set DOCKER_TLS_VERIFY=1"
            logger.warning("engine %s: its certificate is not checked: %s", each.name, remedy)
    near = Neighbours(is_in_container(), bool(settings.ingress_networks), own_addresses)
    # what comes first has its addresses: the engine of this machine, and of these the one at the default socket
    for each in sorted(found, key=lambda each: each.endpoint.url not in _DEFAULTS):
        near.join(each.name, each.reach)
    return [Engine(each.connection, options_for(settings), each.name, neighbours=near) for each in found]


_DEFAULTS = ("unix:///var/run/docker.sock", "unix:///run/docker.sock")


def named_engines(settings: Settings) -> list[NamedEngine]:
    """The engines, checked. Raises SettingsError for what cannot be an engine, instead of waiting for it to answer."""
    sockets = settings.docker_sockets or ("",)
    for option in _ALIGNED:
        values = getattr(settings, option)
        if len(values) > len(sockets):
            flag = f"--{option.replace('_', '-')}"
            raise SettingsError(
                f"{flag}: {len(values)} values for {len(sockets)} engine{'s' if len(sockets) > 1 else ''}: write one for "
                "each of --docker-sockets, in the same order"
            )
    found = [_named(settings, place, socket) for place, socket in enumerate(sockets)]
    twice = [url for url, count in Counter(_place(each.endpoint.url) for each in found).items() if count > 1]
    if twice:
        raise SettingsError(f"--docker-sockets: {twice[0]} is there twice: remove one of them")
    try:
        check_names(each.name for each in found if each.name not in (each.connection.url, each.endpoint.url))
    except ValueError as error:
        raise SettingsError(f"--docker-names: {error}") from None
    return found


def _named(settings: Settings, place: int, url: str) -> NamedEngine:
    def item(values: tuple[str, ...]) -> str:
        return values[place] if place < len(values) else ""

    endpoint = _endpoint(url, item(settings.docker_certs_path), item(settings.docker_apis_version))
    # the first one keeps its name when others are added: what is remembered of an engine goes by its name
    default = (url.removeprefix("context://") or endpoint.url) if place else "local"
    connection = Connection(url, item(settings.docker_certs_path), item(settings.docker_apis_version))
    reach = reach_of(endpoint.url, item(settings.docker_reach), has_tls=endpoint.tls is not None)
    return NamedEngine(item(settings.docker_names) or default, connection, endpoint, reach)


def _place(url: str) -> str:
    """A URL, of a socket with its real path: /var/run is a link to /run."""
    scheme, _, path = url.partition("://")
    return f"{scheme}://{os.path.realpath(path)}" if scheme == "unix" else url


def _endpoint(url: str, certs_path: str, api_version: str) -> Endpoint:
    named = f"--docker-sockets {url}: " if url else ""
    try:
        check_engine(url)
        endpoint = endpoint_of(url, certs_path, api_version)
        if not url:
            named = f"environment variable {endpoint.place}: " if "=" in endpoint.place else ""
        check_engine(endpoint.url)
    except ValueError as error:
        raise SettingsError(f"{named}{error}") from None
    if certs_path:
        missing = [name for name in ("ca.pem", "cert.pem", "key.pem") if not is_file(Path(certs_path, name))]
        if missing:
            raise SettingsError(f"--docker-certs-path {certs_path}: {', '.join(missing)} not found there")
    return endpoint


def reach_of(url: str, rule: str = "", *, has_tls: bool = False) -> Reach:
    """How the containers of the engine at this URL are reached. Published ports are at its host by default."""
    kind, host = parse_reach(rule)
    is_socket = "unix://" in url
    own = "" if is_socket else urlsplit(url).hostname or ""
    is_rootless, is_local = bool(_ROOTLESS.match(url)), is_socket or _is_local(own)
    # a proxy speaks no TLS, and its container has a short name
    is_proxied = not host and not is_local and not has_tls and url.startswith("tcp://") and not {".", ":"} & set(own)
    has_own_host = is_rootless and not _ROOTLESS_PODMAN.match(url)
    return Reach(kind, host or own, is_local, is_rootless, has_own_host, is_proxied)


def _is_local(host: str) -> bool:
    """Whether an address is one of this machine. Names are not looked up: the answer may change."""
    if host == "localhost":
        return True
    return any(_can_bind(family, host) for family in (socket.AF_INET, socket.AF_INET6))


def _can_bind(family: socket.AddressFamily, host: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as tried:
        socket.inet_pton(family, host)
        tried.bind((host, 0))
        return True
    return False


def endpoint_urls(settings: Settings) -> Iterator[str]:
    """The URLs of the engines, without those that cannot be found out."""
    for url in settings.docker_sockets or ("",):
        with contextlib.suppress(ValueError):
            yield endpoint_of(url).url
