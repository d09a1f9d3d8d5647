"""The calls of the engine's API that are made, by docker's client."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from attrs import define

from dockcaddy.engine.connection import Connection
from dockcaddy.engine.failures import failure_of, status_of
from dockcaddy.engine.records import EngineOptions
from dockcaddy.engine.services import SwarmResponses

# what an engine says that is no Swarm manager, and Podman
_NO_MANAGER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)
RUNNING = {"desired-state": "running"}


@define(eq=False)
class EngineApi:
    """Each method asks, and raises what docker's client raises. They are called from threads that may hang."""

    connection: Connection
    options: EngineOptions

    def networks(self) -> Any:
        """All networks."""
        return self.connection.client().networks()

    def containers(self) -> Any:
        """All containers that may count."""
        return self.connection.client().containers(all=self.options.scan_stopped_containers)

    def all_containers(self) -> Any:
        """All containers, in whatever state."""
        return self.connection.client().containers(all=True)

    def some_containers(self, ids: Sequence[str]) -> Any:
        """Some containers, in whatever state."""
        return self.connection.client().containers(all=True, filters={"id": list(ids)})

    def inspect(self, id: str) -> Any:
        """What is to be known of one container."""
        return self.connection.client().inspect_container(id)

    def swarm(self) -> tuple[SwarmResponses, dict[str, str]]:
        """What a Swarm manager knows, nothing where the engine is none; and by call what somebody forbids.

        What nobody may ask for is left out; any other failure is raised.
        """
        forbidden: dict[str, str] = {}
        client = self.connection.client()
        info = _allowed("info", client.info, forbidden)
        if info is not None and not (info.get("Swarm") or {}).get("ControlAvailable"):
            return SwarmResponses(), forbidden
        try:
            services = _allowed("services", client.services, forbidden)
        except Exception as error:
            if info is None and status_of(error) in _NO_MANAGER:
                return SwarmResponses(), {}
            raise
        tasks = _allowed("tasks", lambda: client.tasks(filters=RUNNING), forbidden) if services else ()
        configs = None
        if services is not None:
            configs = _allowed(
                "configs", lambda: client.configs(filters={"label": self.options.label_prefix}), forbidden
            )
        return SwarmResponses(services or (), tasks or (), configs or ()), forbidden


def _allowed(call: str, ask: Callable[[], Any], forbidden: dict[str, str]) -> Any:
    """The answer; None where somebody forbids the call, which is put down."""
    try:
        return ask()
    except Exception as error:
        failure = failure_of(error)
        if not failure.is_forbidden:
            raise
        forbidden[call] = failure.cause
        return None
