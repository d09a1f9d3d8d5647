"""The calls to the engine's API, made with docker's client."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define

from dockcaddy.engine.api import podman
from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.failures import failure_of, is_no_manager
from dockcaddy.engine.records.resources import EngineOptions, shared
from dockcaddy.engine.services import SwarmResponses
from dockcaddy.errors import EngineUnreachable

_IN_NO_SWARM = (None, "", "inactive")
RUNNING = {"desired-state": "running"}


@define(eq=False)
class EngineApi:
    """Each method is a call, and raises what docker's client raises. Calls may hang."""

    connection: Connection
    options: EngineOptions

    @property
    def lists_health(self) -> bool:
        """Whether a list has the health of each container."""
        return not self.connection.is_podman

    def networks(self) -> Any:
        """All networks."""
        networks = self.connection.client().networks()
        return podman.networks(networks) if self.connection.is_podman else networks

    def containers(self) -> Any:
        """All containers in any state: the labels of one that has stopped say whether it still counts."""
        return self._listed(self.connection.client().containers(all=True))

    def some_containers(self, ids: Sequence[str]) -> Any:
        """The containers with these ids, in any state."""
        return self._listed(self.connection.client().containers(all=True, filters={"id": list(ids)}))

    def _listed(self, items: Any) -> Any:
        return [shared(item) for item in podman.containers(items)] if self.connection.is_podman else items

    def inspect(self, id: str) -> Any:
        """One container in detail."""
        return self.connection.client().inspect_container(id)

    def begin_inspect(self, id: str, done: Callable[[Any], None]) -> bool:
        """Begin `inspect`; `done` gets what it returns or raises. Returns False where a thread has to wait for it."""
        begin = getattr(self.connection.known, "begin_inspect", None)
        return begin is not None and bool(begin(id, done))

    def tasks(self) -> Any:
        """All tasks that are to run, of a Swarm manager."""
        return self.connection.client().tasks(filters=RUNNING)

    def swarm(self) -> tuple[SwarmResponses | None, dict[str, str]]:
        """The services, tasks and configs of a Swarm manager, None on other nodes; and the forbidden calls.

        The latter are by name of the call, with the cause. An engine in no Swarm has none. Any other error is raised.
        """
        forbidden: dict[str, str] = {}
        client = self.connection.client()
        info = _allowed("info", client.info, forbidden)
        if info is not None and not (node := info.get("Swarm") or {}).get("ControlAvailable"):
            _refuse_unknown(node)
            return (SwarmResponses() if node.get("LocalNodeState") in _IN_NO_SWARM else None), forbidden
        try:
            services = _allowed("services", client.services, forbidden)
        except Exception as error:
            if info is None and is_no_manager(error):
                return None, {}
            raise
        tasks = _allowed("tasks", self.tasks, forbidden) if services else ()
        configs = None
        if services is not None:
            configs = _allowed(
                "configs", lambda: client.configs(filters={"label": self.options.label_prefix}), forbidden
            )
        node = str(((info or {}).get("Swarm") or {}).get("NodeID") or "")
        return SwarmResponses(services or (), tasks or (), configs or (), node), forbidden


def _refuse_unknown(node: Mapping[str, Any]) -> None:
    """Raises EngineUnreachable for a node that does not know whether it is a manager."""
    cause = str(node.get("Error") or "").strip()
    match node.get("LocalNodeState"):
        case "pending":
            # a manager that starts does not know yet that it is one
            raise EngineUnreachable("this node is still joining its Swarm", "wait, or see docker info for its state")
        case "locked":
            raise EngineUnreachable(
                "the Swarm on this node is locked since the engine was restarted", "unlock it (docker swarm unlock)"
            )
        case "error":
            raise EngineUnreachable(
                f"the Swarm on this node has an error: {cause or 'unknown'}",
                "see the engine's log (journalctl -u docker), or have the node leave its Swarm and join it again",
            )


def _allowed(call: str, ask: Callable[[], Any], forbidden: dict[str, str]) -> Any:
    """The response; None if the call is forbidden, which is recorded in `forbidden`."""
    try:
        return ask()
    except Exception as error:
        failure = failure_of(error)
        if not failure.is_forbidden:
            raise
        forbidden[call] = failure.cause
        return None
