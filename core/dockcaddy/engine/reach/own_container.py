"""The container that dockcaddy itself runs in."""

import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define

from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.failures import is_forbidden
from dockcaddy.engine.reach.shared_networks import owner_of

# Docker's folder is `containers`, Podman's is named after its storage driver: `overlay-containers`
_CONTAINER_ID = re.compile(r"[/-]containers/([0-9a-f]{64})/")
_CGROUP_ID = re.compile(r"[/-]([0-9a-f]{64})(?:\.scope)?(?:/container)?$", re.MULTILINE)
_SHORT_ID = re.compile(r"[0-9a-f]{12}")
_OWN_FILES = re.compile(r" /etc/(?:host|resolv\.conf)")
_UPPER = re.compile(r"upperdir=([^,\s]+)")


@define(eq=False)
class OwnContainer:
    """Found once, and again when its networks change. `found` is its inspect response, None on a host.

    `is_known` if `found` is current, `was_known` if it was ever set.
    """

    connection: Connection
    found: Mapping[str, Any] | None = None
    is_known: bool = False
    was_known: bool = False

    def ask(self) -> Mapping[str, Any] | None:
        """The container's inspect response, None on a host. Raises what docker's client raises."""
        client, layer = self.connection.client(), own_layer()
        if self.found is not None and _layer(self.found) == layer != "":
            # it is ours for certain, which needs no second search
            if (found := _inspected(client, self.found["Id"])) is not None:
                return found
        for candidate in own_container_ids():
            if (found := _inspected(client, candidate)) is not None:
                return _user_of(client, found, layer) or found
        return None

    def take(self, found: Mapping[str, Any] | None) -> None:
        """Set what `ask` returned."""
        self.found, self.is_known, self.was_known = found, True, True

    def forget(self) -> None:
        """Ask again at the next pass; until then, `found` stays."""
        self.is_known = False

    def has_id(self, id: str) -> bool:
        """Whether it is the container with this id."""
        return self.found is not None and id == self.found["Id"]


def _inspected(client: Any, id: str) -> Mapping[str, Any] | None:
    """A container's inspect response, or what a list says if inspecting is forbidden. None if there is no such container."""
    from docker.errors import NotFound  # noqa: PLC0415  docker is slow to import

    try:
        answer: Mapping[str, Any] = client.inspect_container(id)
    except NotFound:
        return None
    except Exception as error:
        if not is_forbidden(error):
            raise
        return next(map(as_inspected, client.containers(filters={"id": id})), None)
    # it may be a name too
    return answer if str(answer["Id"]).startswith(id) else None


def _user_of(client: Any, owner: Mapping[str, Any], layer: str) -> Mapping[str, Any] | None:
    """The container with this layer of files among those that use the network of `owner`, None if it is none of them.

    A container that uses another one's network has also its host name and its `/etc/hosts`.
    """
    if not layer or _layer(owner) in ("", layer):
        return None
    using = [item for item in client.containers() if owner_of(item) == owner["Id"]]
    users = (_inspected(client, item["Id"]) for item in using)
    return next((each for each in users if each is not None and _layer(each) == layer), None)


def _layer(inspect: Mapping[str, Any]) -> str:
    return str(((inspect.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir") or "")


def own_layer(root: Path = Path("/")) -> str:
    """The folder of the engine in which our own container's files are written, `""` if that is unknown."""
    lines = _read(root / "proc/self/mountinfo").splitlines()
    found = (_UPPER.search(line) for line in lines if line.split()[4:5] == ["/"])
    return next((each[1] for each in found if each), "")


def own_container_ids(root: Path = Path("/")) -> Iterable[str]:
    """Possible ids of our own container, from control groups and mounts that only a container has.

    Without any, its host name may be the beginning of its id, which it is by default. It counts only if it is: the engine
    also finds a container with this text as its name, on another machine too.
    """
    # where the network is another container's, so are these mounts, and the host name
    groups = _CGROUP_ID.findall(_read(root / "proc/self/cgroup"))
    # a host's mounts name containers too; only a container has these files mounted
    mounts = [line for line in _read(root / "proc/self/mountinfo").splitlines() if _OWN_FILES.search(line)]
    found = [*dict.fromkeys(groups), *dict.fromkeys(_CONTAINER_ID.findall("\n".join(mounts)))]
    yield from found or filter(_SHORT_ID.fullmatch, [socket.gethostname()] if _is_marked(root) else [])


def is_in_container(root: Path = Path("/")) -> bool:
    """Whether we run in a container, whatever its id."""
    return _is_marked(root) or any(own_container_ids(root))


def _is_marked(root: Path) -> bool:
    return (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def as_listed(own: Mapping[str, Any]) -> dict[str, Any]:
    """An inspect response in the form of a list item."""
    return {
        "Id": own["Id"],
        "Names": [own.get("Name", "")],
        "State": "running",
        "Labels": (own.get("Config") or {}).get("Labels"),
        "HostConfig": own.get("HostConfig"),
        "NetworkSettings": own.get("NetworkSettings"),
    }


def as_inspected(item: Mapping[str, Any]) -> dict[str, Any]:
    """A list item in the form of an inspect response, as far as possible."""
    names = item.get("Names") or [""]
    return {
        "Id": item["Id"],
        "Name": names[0],
        "Config": {"Labels": item.get("Labels")},
        "HostConfig": item.get("HostConfig"),
        "NetworkSettings": item.get("NetworkSettings"),
    }
