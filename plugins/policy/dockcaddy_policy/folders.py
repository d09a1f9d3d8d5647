"""Files and folders that belong to the proxy itself."""

import posixpath
import re
from collections.abc import Iterable

from dockcaddy import Context, Mount, Proxy, SiteAddress

LOG_FOLDER = "/var/log"
# defaults of Caddy's images and packages for data, certificates and settings; protected even if this run uses others
CADDY_FOLDERS = ("/data", "/config", "/etc/caddy")
SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/boot", "/var/lib/caddy", "/var/lib/dockcaddy")
# also protected, except folders in them that the resource itself has mounted
HOST_FOLDERS = (LOG_FOLDER, "/root", "/var/lib/docker", "/var/lib/containers", "/var/lib/containerd")

# where Docker puts secrets; every container has its own
SECRETS_FOLDERS = ("/run/secrets/", "/var/run/secrets/")

# placeholders limited to the site's own hosts: Caddy routes no other request there
OF_THE_HOST = re.compile(r"\{(?:host|labels\.\d+|http\.request\.host(?:\.labels\.\d+)?)\}")
_ENGINE_SOCKETS = re.compile(
    r"(?:docker|containerd|podman|libpod|cri-?o|buildkit|snapd|libvirt)[^/]*\.sock|/(?:lxd|incus|containerd-shim)/"
    r"|/run/(?:user/\d+/)?(?:docker|containerd|podman|crio)/",
    re.IGNORECASE,
)


def wrong_root(path: str, context: Context) -> str:
    """Why this folder may not be served; `""` if it may."""
    if climbs(path) and not path.startswith("/"):
        return f"{path} leads out of Caddy's folder"
    if climbs(OF_THE_HOST.sub("", path)) and not climbs(OF_THE_HOST.sub("host", path)):
        return f"{path} goes up where a part of the host is empty"
    if _normal(path) == "/" and not path.startswith("/"):
        # the same as without a root: Caddy's working directory; our own child starts in an empty one
        return ""
    of_the_host = OF_THE_HOST.search(path)
    if of_the_host and (reason := wrong_root(posixpath.dirname(path[: of_the_host.start()]) or ".", context)):
        # the host could be `data`
        return f"{of_the_host[0]} could be any folder there: {reason}"
    others = () if is_mounted(path, context) else HOST_FOLDERS
    return _own(path, context.proxy, (*SYSTEM_FOLDERS, *others))


def request_placeholder(path: str, addresses: tuple[str, ...]) -> str:
    """The first placeholder in the path that a request could use to leave it; `""` if there is none."""
    plain = OF_THE_HOST.sub("host", path) if addresses and all(map(_has_host, addresses)) else path
    return plain[plain.index("{") :] if "{" in plain else ""


def wrong_log(path: str, proxy: Proxy, *, is_global: bool) -> str:
    """Why no log may be written there; `""` if it may. A global log must be in a folder that no label can serve."""
    if climbs(path):
        return f"{path} contains .., which could lead anywhere through links"
    normal = _normal(path)
    is_log = normal.endswith(".log") or not {"log", "logs"}.isdisjoint(normal.split("/"))
    if is_global and not _within(normal, LOG_FOLDER):
        return f"{path} is not below {LOG_FOLDER}"
    if proxy.base_folder not in ("", "/") and _within(normal, proxy.base_folder):
        return f"{path} could be imported"
    if not path.startswith("/") or "{" in path or not is_log:
        return f"{path} is no path for logs: expected an absolute path in {LOG_FOLDER}, in a folder logs, or to a file *.log"
    return _own(path, proxy, (*SYSTEM_FOLDERS, *HOST_FOLDERS[1:]))


def wrong_storage(path: str, proxy: Proxy) -> str:
    """Why Caddy may not store keys there; `""` if it may. Labels can serve every folder except Caddy's own."""
    is_own = any(_within(_normal(path), folder) for folder in (*_own_folders(proxy), "/var/lib/caddy"))
    safe = is_own and path.startswith("/") and "{" not in path
    return "" if safe else f"{path} is not one of Caddy's own folders: labels could serve the keys in it"


def may_import(pattern: str, proxy: Proxy) -> bool:
    """Whether this is a snippet's name, or a path in the base Caddyfile's folder."""
    if "/" not in pattern and "\\" not in pattern:
        return re.search(r"[{*?\[]|^\.|\.\.", pattern) is None
    base, normal = proxy.base_folder, _normal(pattern)
    if (
        base in ("", "/")
        or not pattern.startswith("/")
        or "{" in pattern
        or climbs(pattern)
        or "*" in posixpath.dirname(normal)
    ):
        return False
    inside = [folder for folder in (*_own_folders(proxy), *SYSTEM_FOLDERS, *HOST_FOLDERS) if _within(folder, base)]
    return _within(normal, base) and not any(_within(normal, folder) for folder in inside if folder != base)


def wrong_socket(path: str, proxy: Proxy) -> str:
    """Why this socket may not be used; `""` if it may."""
    normal = _of_this_machine(path.partition("|")[0])
    if "{" in path:
        return "a visitor could choose the socket"
    if _ENGINE_SOCKETS.search(normal) or _within(normal, "/proc"):
        return f"{normal} is an engine's socket"
    if climbs(path):
        return f"{path} contains .., which could lead anywhere through links"
    if not path.startswith(("/", "@")):
        return f"{path} is relative to the folder in which Caddy was started"
    if normal in map(_of_this_machine, proxy.files) or any(_within(normal, folder) for folder in _own_folders(proxy)):
        return f"{normal} belongs to the proxy"
    return ""


def climbs(path: str) -> bool:
    """Whether the path contains `..`. Linux follows links first: `/var/run/..` is not `/var`."""
    # a part of the host can be empty, as in `.example.org`
    plain = OF_THE_HOST.sub("", path)
    return ".." in (*path.split("/"), *plain.split("/"))


def is_socket_file(path: str) -> bool:
    """Whether the path has the name of a socket. Caddy deletes an existing file before it listens."""
    return path.startswith("@") or posixpath.splitext(_normal(path.partition("|")[0]))[1] in (".sock", ".socket")


def is_mounted(path: str, context: Context) -> bool:
    """Whether the resource mounts the folder that Caddy sees at this path."""
    sources = [_normal(mount.source) for mount in context.resource.mounts if mount.source]
    caddy = context.engine.caddy
    folder = _normal(path) if caddy is None else _on_the_host(_normal(path), caddy.mounts)
    return any(_within(folder, source) for source in sources if source != "/")


def _on_the_host(path: str, mounts: Iterable[Mount]) -> str:
    """The host path of a path in a container; `""` if the path is on no mount."""
    holding = [mount for mount in mounts if mount.source and _within(path, _normal(mount.destination))]
    deepest = max(holding, key=lambda mount: len(_normal(mount.destination)), default=None)
    if deepest is None:
        return ""
    return _normal(posixpath.join(deepest.source, path[len(_normal(deepest.destination)) :].lstrip("/")))


def _of_this_machine(path: str) -> str:
    """The path with the usual links of Linux resolved."""
    return re.sub(r"^/var/run(?=/|$)", "/run", re.sub(r"^/dev/fd(?=/|$)", "/proc/self/fd", _normal(path)))


def _own_folders(proxy: Proxy) -> tuple[str, ...]:
    return (*CADDY_FOLDERS, *proxy.folders)


def _own(path: str, proxy: Proxy, system: tuple[str, ...]) -> str:
    normal = _normal(path)
    for folder in (*_own_folders(proxy), *system):
        if normal == folder:
            return f"labels may not use {path}"
        if _within(normal, folder):
            return f"{path} is in {folder}, which labels may not use"
        if _within(folder, normal):
            return f"{path} contains {folder}, which labels may not use"
    return next((f"{path} contains {file}" for file in proxy.files if _within(file, normal)), "")


def _normal(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _within(path: str, folder: str) -> bool:
    return folder in ("/", path) or path.startswith(folder.rstrip("/") + "/")


def _has_host(address: str) -> bool:
    host = SiteAddress.parse(address).host
    return host.strip("*.") != "" and "{" not in host
