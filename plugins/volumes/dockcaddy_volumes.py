"""Template functions for the mounts of a resource, as the host and as Caddy see them."""

from collections.abc import Iterable, Mapping
from posixpath import join, normpath

import dockcaddy
from dockcaddy import Context, Mount, TemplateFunction


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {
        "mountSource": mount_source,
        "bindMounts": bind_mounts,
        "volumeMounts": volume_mounts,
        "hasMount": has_mount,
        "servePath": serve_path,
    }


def mount_source(context: Context, path: str) -> str:
    """The host path of a path in the container: the source of its mount, and the rest of the path."""
    found = _deepest(context.resource.mounts, path)
    if found is None or not found[0].source:
        context.warn(f"no mount at {path}")
        return ""
    return _below(found[0].source, found[1])


def bind_mounts(context: Context) -> list[str]:
    """The host paths of all bind mounts."""
    return [mount.source for mount in context.resource.mounts if mount.type == "bind"]


def volume_mounts(context: Context) -> list[str]:
    """The names of all volumes."""
    return [mount.name for mount in context.resource.mounts if mount.type == "volume"]


def has_mount(context: Context, path: str) -> bool:
    """Whether the path in the container is on a mount."""
    return _deepest(context.resource.mounts, path) is not None


def serve_path(context: Context, path: str) -> str:
    """The path at which Caddy sees the same files; the host path if Caddy runs on the host."""
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
        f"caddy cannot read {path}: {what} is mounted into {context.resource} but not into {caddy}, mount it there too"
    )
    return mount_source(context, path)


def _seen_by(mounts: Iterable[Mount], wanted: Mount, rest: str) -> str:
    """The path in a container that mounts the same volume, the same host folder, or a folder above it."""
    target = _below(wanted.source, rest)
    for mount in sorted(mounts, key=lambda mount: len(mount.source), reverse=True):
        if wanted.name and mount.name == wanted.name:
            return _below(mount.destination, rest)
        inner = _rest(mount.source, target) if mount.source and wanted.source else None
        if inner is not None:
            return _below(mount.destination, inner)
    return ""


def _deepest(mounts: Iterable[Mount], path: str) -> tuple[Mount, str] | None:
    """The deepest mount that contains the path, and the rest of the path below it."""
    clean = _clean(path)
    holding = [(mount, rest) for mount in mounts if (rest := _rest(mount.destination, clean)) is not None]
    return max(holding, key=lambda found: len(_clean(found[0].destination)), default=None)


def _rest(folder: str, path: str) -> str | None:
    """The part of the path below the folder; None if the path is not in the folder."""
    outer, inner = _clean(folder), _clean(path)
    if inner == outer:
        return ""
    prefix = outer if outer == "/" else outer + "/"
    return inner[len(prefix) :] if inner.startswith(prefix) else None


def _clean(path: str) -> str:
    return normpath("/" + path.lstrip("/"))


def _below(folder: str, rest: str) -> str:
    return join(folder, rest) if rest else folder
