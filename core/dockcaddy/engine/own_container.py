"""The container that dockcaddy itself runs in."""

import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define

from dockcaddy.engine.connection import Connection
from dockcaddy.engine.failures import is_forbidden

# Docker's folder is `containers`, Podman's is named after its storage driver: `overlay-containers`
_CONTAINER_ID = re.compile(r"[/-]containers/([0-9a-f]{64})/")
_CGROUP_ID = re.compile(r"[/-]([0-9a-f]{64})(?:\.scope)?(?:/container)?$", re.MULTILINE)


@define(eq=False)
class OwnContainer:
    """Found once, and again when its networks change. `found` is its inspect response, None on a host."""

    connection: Connection
    found: Mapping[str, Any] | None = None
    _is_known: bool = False
    _was_known: bool = False

    @property
    def is_known(self) -> bool:
        """Whether `found` is current."""
        return self._is_known

    @property
    def was_known(self) -> bool:
        """Whether `found` was ever set."""
        return self._is_known or self._was_known

    def ask(self) -> Mapping[str, Any] | None:
        """The container's inspect response, None on a host. Raises what docker's client raises."""
        from docker.errors import NotFound  # noqa: PLC0415  docker is slow to import

        client = self.connection.client()
        for candidate in own_container_ids():
            try:
                answer: Mapping[str, Any] = client.inspect_container(candidate)
            except NotFound:
                continue
            except Exception as error:
                if not is_forbidden(error):
                    raise
                return next(map(as_inspected, client.containers(filters={"id": candidate})), None)
            return answer
        return None

    def take(self, found: Mapping[str, Any] | None) -> None:
        """Set what `ask` returned."""
        self.found, self._is_known = found, True

    def forget(self) -> None:
        """Ask again at the next pass; until then, `found` stays."""
        self._is_known, self._was_known = False, self.was_known

    def has_id(self, id: str) -> bool:
        """Whether it is the container with this id."""
        return self.found is not None and id == self.found["Id"]


def own_container_ids() -> Iterable[str]:
    """Possible ids of our own container, from mounts and control groups that only a container has."""
    for path, pattern in (("/proc/self/mountinfo", _CONTAINER_ID), ("/proc/self/cgroup", _CGROUP_ID)):
        try:
            text = Path(path).read_text()
        except OSError:
            continue
        if path.endswith("mountinfo"):
            # a host's mounts name containers too; only a container has these files mounted
            text = "\n".join(line for line in text.splitlines() if " /etc/host" in line or " /etc/resolv.conf" in line)
        yield from dict.fromkeys(pattern.findall(text))
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        yield socket.gethostname()


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
