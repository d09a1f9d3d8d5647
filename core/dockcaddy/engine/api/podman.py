"""Podman's answers in Docker's form, so that everything behind this module knows only that. No I/O.

Podman's Docker-compatible API differs from version to version. So this goes by what an answer has, and not by a version.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockcaddy.engine.records.soundness import ITEM, oddity

Json = Mapping[str, Any]

PRODUCT = "podman"
# the default network: in lists of networks, and at its containers
_LISTED_AS, _DEFAULT = "bridge", "podman"
# a container that is stopping should get no more requests
_STATES = {
    "configured": "created",
    "initialized": "created",
    "stopping": "exited",
    "stopped": "exited",
}
_UP = frozenset(("running", "paused", "restarting"))
_NO_ADDRESS = {"IPAddress": "", "GlobalIPv6Address": ""}
_ACTIONS = {"died": "die", "remove": "destroy"}
# `health_status` comes before its state is stored (4.x) or after (5.x), `exec_died` when a probe has ended
_PROBES = frozenset(("health_status", "exec_died"))
_JOINS = frozenset(("connect", "disconnect"))
# names of the events that only Podman has, for filters: it filters by its own names, and sends Docker's
EVENTS = ("died", "exec_died")


def sockets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The paths at which Podman's service listens: a user's, and the machine's."""
    folders = [folder for folder in (environment.get("XDG_RUNTIME_DIR"), "/run") if folder]
    return tuple(f"{folder}/podman/podman.sock" for folder in folders)


def is_podman(headers: Mapping[str, str]) -> bool:
    """Whether a response with these headers is Podman's."""
    return "Libpod-Api-Version" in headers or headers.get("Server", "").startswith("Libpod/")


def product(name: str) -> str:
    """The product's name, of its name in the header `Server`."""
    return PRODUCT if name == "libpod" else name


def containers(items: Iterable[Json]) -> list[dict[str, Any]]:
    """Items of a list of containers. Those with unexpected values are not changed."""
    return [dict(item) if oddity(item, ITEM, "Id") else _container(item) for item in items]


def _container(item: Json) -> dict[str, Any]:
    # where it has a NetworkMode, that is always `host`; `completed` has the right one
    made = {key: value for key, value in item.items() if key != "HostConfig"}
    state = str(item.get("State") or "")
    made["State"] = _STATES.get(state, state)
    made["NetworkSettings"] = {"Networks": _endpoints(item, is_up=made["State"] in _UP)}
    health, status = (item.get("Health") or {}).get("Status"), str(item.get("Status") or "")
    if health in ("healthy", "unhealthy", "starting") and "(" not in status:
        made["Status"] = f"{status} ({'health: ' * (health == 'starting')}{health})"
    return made


def _endpoints(item: Json, *, is_up: bool) -> dict[str, Any]:
    """The endpoints with their network's name as its id. As an id, Podman has the name (4.x) or the id (5.x).

    Podman shows an ended container's address for a moment, and that of its pod as long as the pod runs.
    """
    known = {} if is_up else _NO_ADDRESS
    listed = (item.get("NetworkSettings") or {}).get("Networks") or {}
    return {name: {**endpoint, **known, "NetworkID": name} for name, endpoint in listed.items() if endpoint is not None}


def completed(item: Json, known: Json | None) -> Json:
    """A list item with the network mode, which only the inspect response has, and a list item that was completed before."""
    mode = ((known or {}).get("HostConfig") or {}).get("NetworkMode")
    return item if item.get("HostConfig") or not mode else {**item, "HostConfig": {"NetworkMode": mode}}


def networks(items: Iterable[Json]) -> list[dict[str, Any]]:
    """Networks with the names that containers have for them, which are also their ids."""
    made = []
    for item in items:
        name = _DEFAULT if item.get("Name") == _LISTED_AS else str(item.get("Name"))
        made.append({**item, "Name": name, "Id": name})
    return made


def event(message: Json) -> Json:
    """A message of the event stream; one of Docker's is returned as it is."""
    actor, action = message.get("Actor") or {}, str(message.get("Action") or "")
    kind, attributes = message.get("Type"), actor.get("Attributes") or {}
    if kind == "container":
        docker = "health_status" if action in _PROBES else _ACTIONS.get(action, action)
        return message if docker == action else {**message, "Action": docker}
    if kind == "network" and ("network" in attributes or action in _JOINS):
        return _network_event(message, actor, attributes, action)
    return message


def _network_event(message: Json, actor: Json, attributes: Json, action: str) -> Json:
    """The network's name is its id; it is unknown before Podman 5.0."""
    network = str(attributes.get("network") or "")
    if action in _JOINS:
        if "container" in attributes:
            return message
        attributes = {**attributes, "container": actor.get("ID")}
    return {**message, "Actor": {"ID": network, "Attributes": attributes}}


def are_podmans(items: Sequence[Json]) -> bool:
    """Whether these items of `GET /containers/json` are Podman's, which have keys of a request to create a container."""
    return any("NetworkingConfig" in item for item in items)
