"""What belongs to the program and its Caddy, so that labels are kept from it."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockcaddy.caddy.folders import caddy_folders
from dockcaddy.controller.discovery import DEFAULT_PORT
from dockcaddy.model import Proxy
from dockcaddy.plugins.registry import Registry
from dockcaddy.run.engines import endpoint_urls
from dockcaddy.run.outputs import chosen_outputs
from dockcaddy.settings.table import Settings


def proxy_of(settings: Settings, registry: Registry) -> Proxy:
    """What belongs to the program and its Caddy, by the settings and by where Caddy keeps its files."""
    home = Path(os.environ.get("HOME") or "/root")
    folders = [
        *map(str, caddy_folders(os.environ)),
        str(settings.state_path().absolute()),
        str(settings.address_path().absolute()),
        # the keys with which engines let us in, where nobody said otherwise
        *(str(home / name) for name in (".docker", ".ssh")),
        *([os.environ["DOCKER_CONFIG"]] if os.environ.get("DOCKER_CONFIG") else []),
        *_certificates(settings),
    ]
    outputs, engines = chosen_outputs(settings, registry), tuple(endpoint_urls(settings))
    written = [each.target for each in outputs if not each.is_live]
    endpoints = [*settings.caddy_admin, *(each.target for each in outputs if each.is_live)]
    sockets = _sockets((settings.admin, *settings.caddy_admin, *engines))
    given = (settings.caddyfile_path, settings.source, settings.envfile, *written, *sockets)
    files = [Path(file).absolute() for file in given if file]
    admin = f":{DEFAULT_PORT}" if settings.has_servers else settings.running_caddy or settings.admin
    port = re.search(r":(\d+)(?:/|$)", admin)
    return Proxy(
        folders=_with_targets(folders),
        files=_with_targets(map(os.path.normpath, files)),
        base_folder=os.path.normpath(files[0].parent) if settings.caddyfile_path else "",
        admin_port=int(port[1]) if port else 0,
        address_folder=str(settings.address_path().absolute()),
        engine_ports=tuple(dict.fromkeys(_engine_ports(engines))),
        container=settings.caddy_container,
        admin_endpoints=tuple(_admin_endpoints(engines, endpoints)),
        server_endpoints=frozenset(_endpoints(settings.caddy_admin)),
        status_socket=str(settings.status_path().absolute()),
        status_listen=settings.status_listen,
    )


def _with_targets(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths, and where links on the way lead: the same files by another name."""
    return tuple(dict.fromkeys(each for path in paths for each in (path, os.path.realpath(path))))


def _engine_ports(engines: Iterable[str]) -> Iterator[int]:
    for address in engines:
        if found := re.match(r"(?:tcp|https?)://.*:(\d+)/?$", address):
            yield int(found[1])


def _admin_endpoints(engines: Iterable[str], urls: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Where a Caddy answers that was there before us; on this machine only where its engine is on it too."""
    is_local = all(engine.startswith("unix:") or not engine for engine in engines)
    for host, port in _endpoints(urls):
        if is_local or not (host == "localhost" or host.startswith("127.")):
            yield host, port


def _endpoints(urls: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The hosts and ports of URLs that have both."""
    for url in urls:
        if found := re.match(r"https?://(?:\[([\da-fA-F:.]+)\]|([^/:@\s]+)):(\d+)", url):
            yield found[1] or found[2], int(found[3])


def _certificates(settings: Settings) -> Iterator[str]:
    """The folders of the keys with which engines let us in."""
    for folder in settings.docker_certs_path or (os.environ.get("DOCKER_CERT_PATH", ""),):
        if folder:
            yield os.path.normpath(Path(folder).absolute())


def _sockets(addresses: Iterable[str]) -> Iterator[str]:
    """The files of the unix sockets among these addresses."""
    for address in addresses:
        if found := re.match(r"unix(?::/)?/(/[^|]*)", address):
            yield found[1]
