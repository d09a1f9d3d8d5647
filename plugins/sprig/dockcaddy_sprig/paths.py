"""Paths; those of the operating system are the same, for Caddy runs on Linux."""

from collections.abc import Callable

from dockcaddy import Context


def base(context: Context, path: str) -> str:
    """The last element."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def dir_(context: Context, path: str) -> str:
    """All but the last element."""
    folder, slash, _ = path.rpartition("/")
    return clean(context, folder + slash)


def ext(context: Context, path: str) -> str:
    """The ending of the file's name, with its dot."""
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    return dot + ending if dot else ""


def clean(context: Context, path: str) -> str:
    """The shortest path that is the same."""
    if not path:
        return "."
    rooted, kept = path.startswith("/"), list[str]()
    for element in path.split("/"):
        if element == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif (element == ".." and not rooted) or element not in ("", ".", ".."):
            kept.append(element)
    return "/" * rooted + "/".join(kept) or "."


def is_abs(context: Context, path: str) -> bool:
    """Whether it begins at the root."""
    return path.startswith("/")


FUNCTIONS: dict[str, Callable[..., object]] = {
    "base": base,
    "clean": clean,
    "dir": dir_,
    "ext": ext,
    "isAbs": is_abs,
    "osBase": base,
    "osClean": clean,
    "osDir": dir_,
    "osExt": ext,
    "osIsAbs": is_abs,
}
