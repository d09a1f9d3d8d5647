"""Containers that use another network than their own: another container's (`network_mode: container:vpn`) or the host's.

Docker gives each start of a container a new network. Containers that used the old one have none until they start again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from attrs import define, field, frozen

from dockcaddy.settings import limits

Json = Mapping[str, Any]
Item = TypeVar("Item", bound=Mapping[str, Any])

_OF_A_CONTAINER = "container:"
_OF_THE_HOST = "host"
# a container that was never started
_NEVER = "0001-"


def network_mode(item: Json) -> str:
    """The engine's `NetworkMode`, of a list item or inspect response."""
    return str((item.get("HostConfig") or {}).get("NetworkMode") or "")


def uses_the_hosts(item: Json) -> bool:
    """Whether a container uses the host's network."""
    return network_mode(item) == _OF_THE_HOST


def owner_of(item: Json) -> str:
    """The id or name of the container whose network this one uses, `""` if it is no other's."""
    mode = network_mode(item)
    return mode.removeprefix(_OF_A_CONTAINER) if mode.startswith(_OF_A_CONTAINER) else ""


def endpoints(item: Json) -> dict[str, Json]:
    """The networks of a list item or inspect response by name, with what is said of its endpoint there."""
    listed = (item.get("NetworkSettings") or {}).get("Networks") or {}
    return {name: each or {} for name, each in listed.items()}


def names_of(item: Json) -> tuple[str, ...]:
    """The id of a container, and its names."""
    return str(item["Id"]), *(str(name).lstrip("/") for name in item.get("Names") or ())


def with_owners(ours: Iterable[Json], items: Sequence[Item], wanted: Iterable[str] = ()) -> list[Item]:
    """Those of `items` that are `ours`, `wanted` by id or name, or own the network of one of these; in the order of `items`."""
    chosen = {str(item["Id"]) for item in ours}
    names = {*wanted, *(owner_of(item) for item in items if item["Id"] in chosen)} - {""}
    while names:
        found = [item for item in items if item["Id"] not in chosen and not names.isdisjoint(names_of(item))]
        chosen.update(str(item["Id"]) for item in found)
        names = {owner_of(item) for item in found} - {""}
    return [item for item in items if item["Id"] in chosen]


@define(eq=False)
class Owners:
    """Whose networks containers use, by id or name, as the engine says it. `own` is whose network ours uses, `""` for none."""

    own: str = ""
    _by_user: dict[str, str] = field(factory=dict)
    _users: dict[str, set[str]] = field(factory=dict)

    @property
    def names(self) -> set[str]:
        """All owners."""
        return {*self._users, self.own} - {""}

    def put(self, user: Json) -> None:
        """Take the list item of a container, which may use another one's network."""
        owner, id = owner_of(user), str(user["Id"])
        if owner and self._by_user.get(id) != owner:
            self.drop(id)
            self._by_user[id] = owner
            self._users.setdefault(owner, set()).add(id)

    def drop(self, user: str) -> None:
        """Remove a container."""
        if (owner := self._by_user.pop(user, None)) is not None:
            self._users[owner].discard(user)
            if not self._users[owner]:
                del self._users[owner]

    def of(self, users: Iterable[str]) -> set[str]:
        """The owners of the networks that these containers use."""
        return {self._by_user[id] for id in users if id in self._by_user}

    def has(self, name: str) -> bool:
        """Whether it is the id or name of an owner."""
        return name in self._users or (name == self.own and name != "")

    def owns(self, item: Json) -> bool:
        """Whether the network of this container is used."""
        return bool(self._users or self.own) and any(map(self.has, names_of(item)))

    @property
    def are_any(self) -> bool:
        """Whether any container uses another's network."""
        return bool(self._by_user)

    def shares(self, item: Json) -> bool:
        """Whether it uses another's network, or another uses its network."""
        return bool(self._by_user) and (item["Id"] in self._by_user or self.owns(item))

    def users_of(self, owner: Json) -> list[str]:
        """The ids of the containers that use this one's network."""
        if not self._users:
            return []
        return sorted(id for name in names_of(owner) for id in self._users.get(name, ()))


@define
class Start:
    """When a container started, in seconds since the epoch; None if that is unknown. `is_asked` if an inspect tells it."""

    at: float | None = None
    is_asked: bool = True

    def heard(self, at: float) -> None:
        """An event says that it started; 0 if the event does not say when."""
        self.at, self.is_asked = (at, True) if at else (None, False)

    def inspected(self, inspect: Json | None) -> None:
        """Take an inspect response. One that is older than an event does not count."""
        self.is_asked = True
        at = _seconds((inspect or {}).get("State") or {})
        if at is not None:
            self.at = max(at, self.at or at)


def _seconds(state: Json) -> float | None:
    text = str(state.get("StartedAt") or "")
    if not text or text.startswith(_NEVER):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


@frozen
class Link:
    """A container in a chain of network owners: its list item, its name, when it started, and whether it is stopping."""

    item: Json
    name: str
    start: Start = field(factory=Start)
    stopping: bool = False


@frozen
class UsedNetwork:
    """The network that a container uses. `item` is the list item of the container that owns it.

    `owner` is that container's name, `""` if it is the container's own. `problem` is why nothing is reached there.
    """

    item: Json
    owner: str = ""
    problem: str = ""
    stopping: bool = False


def used_network(link: Link, find: Callable[[str], Link | None]) -> UsedNetwork:
    """The network that a container uses. `find` gives a container by its id or name."""
    chain = [link]
    while wanted := owner_of(chain[-1].item):
        owner = find(wanted)
        if owner is None or len(chain) > limits.MAX_NETWORK_CHAIN:
            return UsedNetwork(link.item, _short(wanted), _gone(_short(wanted), link.name))
        chain.append(owner)
    owner = chain[-1]
    stopping = any(each.stopping for each in chain)
    for user, used in pairwise(chain):
        if problem := _problem(user, used, link.name):
            return UsedNetwork(owner.item, used.name, problem, stopping)
    return UsedNetwork(owner.item, owner.name if len(chain) > 1 else "", "", stopping)


def _problem(user: Link, owner: Link, name: str) -> str:
    """Why `user` has no network of `owner`'s, `""` if it has. `name` is the container with the labels."""
    uses = f"it uses the network of container {owner.name} (network_mode)"
    if owner.item.get("State") not in ("running", "paused", None):
        return f"{uses}, which does not run: start {owner.name}, then restart {name}"
    if user.start.at is not None and owner.start.at is not None and user.start.at < owner.start.at:
        return f"{uses}, which restarted after it, and so has no network any more: restart {user.name} (docker restart {user.name})"
    return ""


def _gone(owner: str, name: str) -> str:
    return (
        f"it uses the network of container {owner} (network_mode), which does not exist any more: recreate {name} "
        "(docker compose up --force-recreate, or docker run anew)"
    )


def _short(id: str) -> str:
    return id[:12] if len(id) == 64 and set(id) <= set("0123456789abcdef") else id
