"""What events say and responses do not show yet. No I/O.

Docker Engine sends an event some milliseconds before a list shows the change, and a response may be older than the
event, and older than the response before it. So each response is compared with what events said until the expectation
expires: a container that ended has ended whatever the response says, and one that is not as expected is looked at again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field

from dockcaddy.backoff import pause_after
from dockcaddy.engine.reach.shared_networks import endpoints

Json = Mapping[str, Any]

# after this long the list is right, in seconds: the change was undone, or another event was lost
PATIENCE = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.5
_ENDED = frozenset(("exited", "restarting"))
_UP = frozenset(("running", "paused"))
_WITHOUT_ADDRESSES = frozenset(("host", "null"))
_HEALTH = re.compile(r"\((?:healthy|unhealthy|health: starting)\)")


@define(eq=False)
class Expectation:
    """What events said about one container. `until` is when it expires, in seconds of the clock.

    `networks` is by id whether it is connected; `ended` are the ids of endpoints that it has lost.
    """

    until: float = 0.0
    looks: int = 0
    there: bool = True
    state: str = ""
    health: str = ""
    name: str = ""
    networks: dict[str, bool] = field(factory=dict)
    ended: frozenset[str] = frozenset()

    def is_shown_by(self, item: Json | None) -> bool:
        """Whether the response shows it; None means that there is no such container."""
        if item is None or not self.there:
            return item is None and not self.there
        state = str(item.get("State") or "")
        if (state in _UP if self.state in _ENDED else state != self.state) and self.state:
            return False
        # while it is renamed, a list has both names
        if self.name and [name.lstrip("/") for name in _own_names(item)] != [self.name]:
            return False
        return _health_text(item, self.health) == item.get("Status") and self._shows_networks(item)

    def _shows_networks(self, item: Json) -> bool:
        shown = endpoints(item).values()
        if any(endpoint.get("EndpointID") in self.ended for endpoint in shown):
            return False
        addressed = {endpoint.get("NetworkID") for endpoint in shown if _address(endpoint)}
        attached = {endpoint.get("NetworkID") for endpoint in shown}
        return all(id in addressed if there else id not in attached for id, there in self.networks.items())

    def amended(self, item: Json) -> Json:
        """The response without what has ended, and with what only events said."""
        changed: dict[str, Any] = {}
        if self.state in _ENDED and item.get("State") in _UP:
            return ended(item, self.state)
        # a container that starts counts as running once its addresses show
        if self.state in _UP and item.get("State") in _UP:
            changed["State"] = self.state
        if self.name:
            own = _own_names(item)
            changed["Names"] = [f"/{self.name}", *(name for name in item.get("Names") or () if name not in own)]
        lost = [name for name, endpoint in endpoints(item).items() if self._is_lost(endpoint)]
        if lost:
            kept = {name: endpoint for name, endpoint in endpoints(item).items() if name not in lost}
            changed["NetworkSettings"] = {**item["NetworkSettings"], "Networks": kept}
        if self.health:
            changed["Status"] = _health_text(item, self.health)
        return {**item, **changed} if changed else item

    def _is_lost(self, endpoint: Json) -> bool:
        return endpoint.get("EndpointID") in self.ended or self.networks.get(str(endpoint.get("NetworkID"))) is False

    def end(self, item: Json | None, state: str) -> None:
        """The container ended, and lost its addresses. It is `exited`, or `restarting` if the engine starts it again."""
        self.state, self.health, self.networks = state, "", {}
        self.ended |= frozenset(_endpoint_ids(endpoints(item or {}).values()))

    def connect(self, network: str, driver: str) -> None:
        """The container is on another network."""
        if driver in _WITHOUT_ADDRESSES:
            self.networks.pop(network, None)
        else:
            self.networks[network] = True

    def disconnect(self, network: str, item: Json | None) -> None:
        """The container is no longer on a network. One that ended still shows its networks, without addresses."""
        if self.state not in _ENDED:
            self.networks[network] = False
        lost = (each for each in endpoints(item or {}).values() if each.get("NetworkID") == network)
        self.ended |= frozenset(_endpoint_ids(lost))


@define(eq=False)
class Expectations:
    """The expectations by id. With `end_when_shown`, one ends with the first response that shows it.

    That is for one call at a time about what never becomes again what it was: a list may show a container's state of before
    two events, and then the one between them.
    """

    end_when_shown: bool = False
    _by_id: dict[str, Expectation] = field(factory=dict)

    def of(self, id: str, now: float) -> Expectation:
        """The expectation of a container, for the caller to fill in. It expires later from now on."""
        self.expire(now)
        found = self._by_id.setdefault(id, Expectation())
        found.until, found.looks = now + PATIENCE, 0
        return found

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that have expectations."""
        return tuple(self._by_id)

    def health_of(self, id: str) -> str:
        """The expected health of a container, `""` if there is none."""
        return self._by_id[id].health if id in self._by_id else ""

    def expects(self, id: str) -> bool:
        """Whether the container is expected to exist."""
        return id in self._by_id and self._by_id[id].there

    def compared(self, id: str, item: Json | None, known: Json | None = None) -> tuple[Json | None, float | None]:
        """The response corrected by the expectation, and in how many seconds to look again; None if it is as expected.

        What is `known` stays if it is as expected and the response is not.
        """
        expected = self._by_id.get(id)
        if expected is None:
            return item, None
        if expected.is_shown_by(item):
            if self.end_when_shown:
                del self._by_id[id]
            return item, None
        expected.looks += 1
        pause = pause_after(expected.looks, FIRST_PAUSE, LONGEST_PAUSE)
        if item is None or not expected.there:
            return None, pause
        if known is not None and expected.is_shown_by(known):
            return known, pause
        return expected.amended(item), pause

    def forget(self) -> None:
        """Events may have been lost: drop all expectations."""
        self._by_id.clear()

    def drop(self, id: str) -> None:
        """Expect nothing of a container."""
        self._by_id.pop(id, None)

    def expire(self, now: float) -> None:
        """Drop expectations that have expired."""
        for id in [id for id, each in self._by_id.items() if now >= each.until]:
            del self._by_id[id]


def ended(item: Json, state: str) -> dict[str, Any]:
    """The item of a container that has ended: its addresses go to the next container that starts."""
    networks = {
        name: {**endpoint, "EndpointID": "", "IPAddress": "", "GlobalIPv6Address": ""}
        for name, endpoint in endpoints(item).items()
    }
    return {**item, "State": state, "NetworkSettings": {**(item.get("NetworkSettings") or {}), "Networks": networks}}


def _endpoint_ids(shown: Iterable[Json]) -> Iterator[str]:
    yield from (str(each["EndpointID"]) for each in shown if each.get("EndpointID"))


def _address(endpoint: Json) -> str:
    return str(endpoint.get("IPAddress") or endpoint.get("GlobalIPv6Address") or "")


def _health_text(item: Json, health: str) -> Any:
    """The item's status with this health; the status contains it as text: `Up 2 minutes (healthy)`."""
    status = item.get("Status")
    if not health or not isinstance(status, str):
        return status
    return _HEALTH.sub("(health: starting)" if health == "starting" else f"({health})", status)


def _own_names(item: Json) -> list[str]:
    """The names that are not those of links, which have a second slash."""
    return [name for name in item.get("Names") or () if "/" not in name.lstrip("/")]
