"""All servers of a controller. To the loop they are one Caddy, which refuses only what none of them accepts."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from attrs import define, field, frozen

from dockcaddy.controller.discovery import Target, targets_of
from dockcaddy.controller.server import Caddy, Server, Wanted
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.model import Inventory, Problem
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

T = TypeVar("T", bytes, bool)


@frozen
class ServerStatus:
    """What is known of one server: `state` is configured, waiting, unreachable, refusing or partial."""

    url: str
    name: str
    state: str
    message: str = ""


@define(eq=False)
class Fleet:
    """The servers. `connect` makes one that is not started yet; `label`, `network` and `urls` are those of the settings.

    What is loaded is tried on one server first, and on others only if that one refuses it. Which one it is stays the same
    as long as it answers.
    """

    connect: Callable[[Target], Server]
    label: str = "caddy_controlled_server"
    network: str = ""
    urls: Sequence[str] = ()
    on_targets: Callable[[Sequence[Target]], None] = lambda targets: None
    _servers: dict[Target, Server] = field(factory=dict)
    _problems: tuple[Problem, ...] = ()
    _first: Target | None = None
    _wanted: Wanted | None = None
    _loaded: bytes = b""

    def found(self, inventory: Inventory) -> None:
        """The servers are those of this inventory from now on. What a server that is gone has stays."""
        targets, self._problems = targets_of(inventory, self.network, self.urls)
        for target in self._servers.keys() - set(targets):
            self._servers.pop(target).close()
            logger.info("%s: is gone", target)
        for target in targets:
            if target not in self._servers:
                logger.log(logging.INFO if target.name else logging.DEBUG, "%s: found", target)
                server = self._servers[target] = self.connect(target)
                if self._wanted is not None:
                    server.want(self._wanted)
                server.start()
        self.on_targets(targets)

    def publish(self, wanted: Wanted) -> None:
        """Have all servers run this, each in its own time."""
        self._wanted = wanted
        for server in self._servers.values():
            server.want(wanted)

    def forget(self) -> None:
        """Another controller leads: what was wanted is outdated when this one leads again."""
        self._wanted, self._loaded = None, b""
        for server in self._servers.values():
            server.forget()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with servers."""
        return (*self._problems, *(each for server in self._servers.values() for each in server.problems))

    @property
    def status(self) -> tuple[ServerStatus, ...]:
        """What is known of each server."""
        return tuple(
            self._status_of(server) for _, server in sorted(self._servers.items(), key=lambda each: each[0].url)
        )

    def _status_of(self, server: Server) -> ServerStatus:
        target, problems = server.target, server.problems
        has_all = self._wanted is not None and server.holds(self._wanted.configuration)
        state = "unreachable" if server.failure else "refusing" if server.refusal else "waiting"
        if state == "waiting" and has_all:
            state = "partial" if problems else "configured"
        return ServerStatus(target.url, target.name, state, "; ".join(each.message for each in problems))

    # --- as the Caddy of the loop

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text. Raises CaddyRefusal if no server adapts it, CaddyUnreachable if none answers."""
        return self._asked(lambda caddy: caddy.adapt(caddyfile))

    def load(self, config: bytes) -> None:
        """Have one server run this JSON. Raises CaddyRefusal if none accepts it, CaddyUnreachable if none answers."""

        def load(caddy: Caddy) -> bool:
            if not caddy.holds(config):
                caddy.load(config)
            return True

        self._asked(load, loads=True)
        self._loaded = config

    def config(self) -> bytes:
        """What servers run: what one of them took last, as each is kept right by itself. Raises CaddyUnreachable."""
        if not self._candidates():
            raise CaddyUnreachable(self._none())
        return self._loaded or self._asked(lambda caddy: caddy.config())

    def close(self) -> None:
        """Stop configuring servers."""
        for server in self._servers.values():
            server.close()

    def _asked(self, work: Callable[[Caddy], T], *, loads: bool = False) -> T:
        """The result of the first server that gives one. Raises the first refusal, or CaddyUnreachable."""
        refusal: CaddyRefusal | None = None
        for server in self._candidates():
            future: Future[bytes | bool] = server.ask(work, loads=loads)
            try:
                result = future.result(limits.SERVER_PATIENCE)
            except CaddyRefusal as error:
                refusal = refusal or error
            except (CaddyUnreachable, FutureTimeout):
                future.cancel()
            else:
                self._first = server.target
                return result  # type: ignore[return-value]
        raise refusal or CaddyUnreachable(self._none())

    def _candidates(self) -> list[Server]:
        """The servers that seem up, the one that was asked last first."""
        ups = [server for server in self._servers.values() if server.seems_up]
        ups.sort(key=lambda server: (server.target != self._first, server.target.url))
        return ups[: limits.MAX_ASKED_SERVERS]

    def _none(self) -> str:
        if not self._servers:
            return f"there is no server: label one with {self.label}, or name one with --caddy-admin URL"
        return f"none of {len(self._servers)} servers answers: {'; '.join(self._reasons())}"

    def _reasons(self) -> Iterator[str]:
        named = [f"{server.target}: {server.failure or 'it takes long'}" for server in self._servers.values()]
        yield from named[:3]
        if len(named) > len(named[:3]):
            yield f"and {len(named) - 3} more"
