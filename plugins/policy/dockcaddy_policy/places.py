"""Paths and addresses that belong to the proxy itself."""

import ipaddress
import posixpath
import re

from dockcaddy import Proxy

from dockcaddy_policy.lines import PLACEHOLDER

SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/boot")
LOG_FOLDER = "/var/log"

_ARGUMENTS = re.compile(r"\{args\[[^\[\]{}]*\]\}")
# what a visitor can only choose among the names that the site answers to
_OF_THE_HOST = re.compile(r"\{(?:host|labels\.\d+|http\.request\.host(?:\.labels\.\d+)?)\}")
_NETWORK = re.compile(r"(?:tcp|udp)[46]?/")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_PORTS = re.compile(r"(\d+)(?:-(\d+))?")
_ENGINE_SOCKETS = re.compile(r"(docker|containerd|podman|crio)[^/]*\.sock", re.IGNORECASE)


def whole_argument(token: str) -> bool:
    """Whether the token is one argument of a snippet and nothing else: it is checked where it is given."""
    return _ARGUMENTS.fullmatch(token) is not None


def wrong_root(path: str, proxy: Proxy) -> str:
    """Why this folder may not be served; `""` where it may."""
    if not path.startswith("/"):
        return f"{path} leads out of Caddy's folder" if ".." in path.split("/") else ""
    return _own(path, proxy)


def chosen_by_visitor(path: str, addresses: tuple[str, ...]) -> str:
    """The placeholder in a path with which a visitor can walk out of it, `""` where there is none."""
    plain = _OF_THE_HOST.sub("host", path) if addresses and all(map(_has_host, addresses)) else path
    found = PLACEHOLDER.search(plain)
    return found[0] if found else ""


def own_file(path: str, proxy: Proxy) -> str:
    """Why nothing may be written to this file; `""` where it may."""
    if PLACEHOLDER.search(path) or not _within(_normal(path), LOG_FOLDER):
        return f"{path} is not below {LOG_FOLDER}"
    return _own(path, proxy)


def may_import(pattern: str, proxy: Proxy) -> bool:
    """Whether this is a snippet's name, or a path in the base Caddyfile's folder."""
    if "/" not in pattern and "\\" not in pattern:
        return "{" not in pattern and ".." not in pattern
    plain = "{" not in pattern and proxy.base_folder != ""
    return plain and pattern.startswith("/") and _within(_normal(pattern), proxy.base_folder)


def wrong_upstream(address: str, proxy: Proxy) -> str:
    """Why this may not be dialled; `""` where it may. Ports: https://caddyserver.com/docs/conventions#network-addresses."""
    if whole_argument(address):
        return ""
    if address.startswith(("unix/", "unix+")):
        return _wrong_socket(address.partition("/")[2], proxy)
    bare = _SCHEME.sub("", _NETWORK.sub("", address), count=1).partition("/")[0]
    host, colon, port = bare.rpartition(":") if not bare.endswith("]") else (bare, "", "")
    if not colon:
        return f"a visitor could choose {address}" if PLACEHOLDER.fullmatch(bare) else ""
    if "{" in port or bare.endswith("}"):
        return f"the port of {address} is not known beforehand"
    return "" if _is_elsewhere(host) else wrong_port(port, proxy)


def wrong_port(port: str, proxy: Proxy) -> str:
    """Why this port, or range of ports, may not be used; `""` where it may."""
    ports = _PORTS.fullmatch(port)
    if ports is None or not proxy.admin_port:
        return ""
    first, last = int(ports[1]), int(ports[2] or ports[1])
    return f"port {proxy.admin_port} is the admin API's" if first <= proxy.admin_port <= last else ""


def listened_port(address: str) -> str:
    """The port of a site's address or of a `bind`; `""` where it names none."""
    bare = _SCHEME.sub("", _NETWORK.sub("", address.rstrip(",")), count=1).partition("/")[0]
    found = re.search(r":(\d+(?:-\d+)?)$", bare)
    return found[1] if found else ""


def _wrong_socket(path: str, proxy: Proxy) -> str:
    normal = _normal("/" + path.partition("|")[0])
    if PLACEHOLDER.search(path):
        return "a visitor could choose the socket"
    if _ENGINE_SOCKETS.search(posixpath.basename(normal)) or _within(normal, "/proc"):
        return f"{normal} is an engine's socket"
    return next((f"{normal} belongs to the proxy" for folder in proxy.folders if _within(normal, folder)), "")


def _own(path: str, proxy: Proxy) -> str:
    normal = _normal(path)
    for folder in (*proxy.folders, *SYSTEM_FOLDERS):
        if _within(normal, folder) or _within(folder, normal):
            return f"{path} holds or belongs to {folder}"
    return next((f"{path} holds {file}" for file in proxy.files if _within(file, normal)), "")


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _within(path: str, folder: str) -> bool:
    return folder in ("/", path) or path.startswith(folder.rstrip("/") + "/")


def _has_host(address: str) -> bool:
    host = _SCHEME.sub("", address.rstrip(",")).partition("/")[0].partition(":")[0]
    return host.strip("*.") != "" and "{" not in host


def _is_elsewhere(host: str) -> bool:
    """Whether the host is an address that can only be another machine's or container's."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not (mapped.is_loopback or mapped.is_unspecified or mapped.is_link_local)
