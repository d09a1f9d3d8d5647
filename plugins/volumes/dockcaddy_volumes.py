"""Where a resource's files are, for the host and for Caddy."""

from collections.abc import Iterable, Mapping
from posixpath import join, normpath

import dockcaddy
from dockcaddy import Context, Mount


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, object]:
    """The functions of this plugin."""
    return {
        "mountSource": mount_source,
        "bindMounts": bind_mounts,
        "volumeMounts": volume_mounts,
        "hasMount": has_mount,
        "servePath": serve_path,
    }


def mount_source(context: Context, path: str) -> str:
    """The host path of a path in the container: the mount's source, and the rest of a path below it."""
    found = _deepest(context.resource.mounts, path)
    if found is None or not found[0].source:
        context.warn(f"nothing is mounted at {path}")
        return ""
    return _below(found[0].source, found[1])


def bind_mounts(context: Context) -> list[str]:
    """The host paths of all bind mounts."""
    return [mount.source for mount in context.resource.mounts if mount.type == "bind"]


def volume_mounts(context: Context) -> list[str]:
    """The names of all volumes."""
    return [mount.name for mount in context.resource.mounts if mount.type == "volume"]


def has_mount(context: Context, path: str) -> bool:
    """Whether something is mounted exactly there or above."""
    return _deepest(context.resource.mounts, path) is not None


def serve_path(context: Context, path: str) -> str:
    """The same files as Caddy itself sees them; the host path where Caddy runs on the host."""
    found = _deepest(context.resource.mounts, path)
    caddy = context.engine.caddy
    if found is None or caddy is None:
        return mount_source(context, path)
    mount, rest = found
    seen = _seen_by(caddy.mounts, mount, rest)
    if seen:
        return seen
    what = f"volume {mount.name}" if mount.name else f"folder {mount.source}"
    context.warn(
        f"caddy cannot see {path}: {what} is mounted into {context.resource} but not into {caddy}, "
        f"mount it there too and caddy finds the files"
    )
    return mount_source(context, path)


def _seen_by(mounts: Iterable[Mount], wanted: Mount, rest: str) -> str:
    """The path inside a container that mounts the same volume, or the same host folder or one above it."""
    target = _below(wanted.source, rest)
    for mount in sorted(mounts, key=lambda mount: len(mount.source), reverse=True):
        if wanted.name and mount.name == wanted.name:
            return _below(mount.destination, rest)
        inner = _rest(mount.source, target) if mount.source and wanted.source else None
        if inner is not None:
            return _below(mount.destination, inner)
    return ""


def _deepest(mounts: Iterable[Mount], path: str) -> tuple[Mount, str] | None:
    """The mount that holds the path, the deepest one, and the rest of the path below it."""
    clean = _clean(path)
    holding = [(mount, rest) for mount in mounts if (rest := _rest(mount.destination, clean)) is not None]
    return max(holding, key=lambda found: len(_clean(found[0].destination)), default=None)


def _rest(folder: str, path: str) -> str | None:
    """What follows the folder in the path; None where the path is not in the folder."""
    outer, inner = _clean(folder), _clean(path)
    if inner == outer:
        return ""
    prefix = outer if outer == "/" else outer + "/"
    return inner[len(prefix) :] if inner.startswith(prefix) else None


def _clean(path: str) -> str:
    return normpath("/" + path.lstrip("/"))


def _below(folder: str, rest: str) -> str:
    return join(folder, rest) if rest else folder
