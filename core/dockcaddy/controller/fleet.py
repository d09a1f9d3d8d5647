"""All servers of a controller. To the loop they are one Caddy, which refuses only what none of them accepts."""

import logging
import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from dockcaddy.controller.discovery import Target, targets_of
from dockcaddy.controller.server import Server, Wanted
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.model import Inventory, Problem
from dockcaddy.settings import limits

if TYPE_CHECKING:
    from dockcaddy.caddy.watched import WatchedCaddy

logger = logging.getLogger("dockcaddy")

T = TypeVar("T")


@define(eq=False)
class Fleet:
    """The servers. `connect` makes one that is not started yet; `label`, `network` and `urls` are those of the settings.

    What is loaded is tried on one server first, and on others only if that one refuses it or takes long. Which one it is
    stays the same as long as it answers.
    """

    connect: Callable[[Target], Server]
    label: str = "caddy_controlled_server"
    network: str = ""
    urls: Sequence[str] = ()
    on_targets: Callable[[Sequence[Target]], None] = lambda targets: None
    # replaced, never changed: the election's thread uses it too
    _servers: Mapping[Target, Server] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)
    _problems: tuple[Problem, ...] = ()
    _first: Target | None = None
    _wanted: Wanted | None = None
    _loaded: bytes = b""

    def found(self, inventory: Inventory) -> None:
        """The servers are those of this inventory from now on. What a server that is gone has stays."""
        targets, self._problems = targets_of(inventory, self.network, self.urls)
        before = self._servers
        new = {target: self.connect(target) for target in targets if target not in before}
        with self._lock:
            self._servers = {target: new.get(target) or before[target] for target in targets}
            for target, server in new.items():
                logger.log(logging.INFO if target.name else logging.DEBUG, "%s: found", target)
                if self._wanted is not None:
                    server.want(self._wanted)
                server.start()
        for target in before.keys() - self._servers.keys():
            before[target].close()
            logger.info("%s: is gone", target)
        self.on_targets(targets)

    def publish(self, wanted: Wanted) -> None:
        """Have all servers run this, each in its own time."""
        with self._lock:
            self._wanted = wanted
            for server in self._servers.values():
                server.want(wanted)

    def forget(self) -> None:
        """The lead has changed: what was wanted is outdated when this controller leads again."""
        with self._lock:
            self._wanted, self._loaded = None, b""
            for server in self._servers.values():
                server.forget()

    @property
    def has_published(self) -> bool:
        """Whether it is known what servers are to run."""
        return self._wanted is not None

    def runs_another(self, config: bytes) -> bool:
        """Whether servers that answer serve something, and none of them what this JSON does."""
        is_any = False
        for server in self._candidates():
            future = server.ask(lambda caddy: _compared(caddy, config))
            try:
                found = future.result(limits.SERVER_HEDGE)
            except (CaddyUnreachable, CaddyRefusal, FutureTimeout):
                future.cancel()
                continue
            if found == "same":
                return False
            is_any = is_any or found == "another"
        return is_any

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with servers."""
        return (*self._problems, *(each for server in self._servers.values() for each in server.problems))

    # --- as the Caddy of the loop

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text, made by a server of the settings: all servers get it, and a labelled one may be anybody's.

        Raises CaddyRefusal if none of them adapts it, CaddyUnreachable if none answers.
        """
        if not self.urls:
            raise CaddyUnreachable("no caddy to adapt with: install one beside the controller (--caddy names it)")
        return self._asked(lambda caddy: caddy.adapt(caddyfile), among=self.urls)

    def load(self, config: bytes) -> None:
        """Have one server run this JSON. Raises CaddyRefusal if none accepts it, CaddyUnreachable if none answers."""

        def load(caddy: "WatchedCaddy") -> None:
            if not caddy.holds(config):
                caddy.load(config)

        self._asked(load, loads=True)
        self._loaded = config

    def config(self) -> bytes:
        """What servers run: what one of them took last, as each is kept right by itself. Raises CaddyUnreachable."""
        if not self._candidates():
            raise CaddyUnreachable(self._none())
        return self._loaded or self._asked(lambda caddy: caddy.config())

    def since(self) -> Hashable:
        """Not known: what servers run costs nothing to ask."""
        return ()

    def close(self) -> None:
        """Stop configuring servers."""
        for server in self._servers.values():
            server.close()

    def _asked(self, work: "Callable[[WatchedCaddy], T]", *, loads: bool = False, among: Collection[str] = ()) -> T:
        """The result of the first server that gives one. Raises the first refusal, or CaddyUnreachable."""
        asked: dict[Future[T], Server] = {}
        refusal: CaddyRefusal | None = None
        try:
            for future in self._answers(work, asked, loads=loads, among=among):
                try:
                    result = future.result()
                except CaddyRefusal as error:
                    refusal = refusal or error
                except CaddyUnreachable:
                    continue
                else:
                    self._first = asked[future].target
                    return result
        finally:
            for future in asked:
                future.cancel()
        raise refusal or CaddyUnreachable(self._none())

    def _answers(
        self,
        work: "Callable[[WatchedCaddy], T]",
        asked: dict["Future[T]", Server],
        *,
        loads: bool,
        among: Collection[str],
    ) -> Iterator["Future[T]"]:
        """Ask one server after the other, without waiting long for one. Yields what was `asked`, in the order of the responses."""
        left, pending = self._candidates(among), set[Future[T]]()
        while left or pending:
            if left:
                server = left.pop(0)
                future = server.ask(work, loads=loads)
                asked[future] = server
                pending.add(future)
            patience = limits.SERVER_HEDGE if left else limits.SERVER_PATIENCE
            done, pending = wait(pending, patience, FIRST_COMPLETED)
            if not (done or left):
                return
            yield from done

    def _candidates(self, among: Collection[str] = ()) -> list[Server]:
        """The servers that seem up, the one that was asked last first; only those at these URLs if there are any."""
        every = self._servers.values()
        ups = [each for each in every if each.seems_up and (not among or each.target.url in among)]
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


def _compared(caddy: "WatchedCaddy", config: bytes) -> str:
    """Whether Caddy serves the `same`, something else (`another`), or nothing (`""`)."""
    if not caddy.serves(b"") and not caddy.serves(b'{"apps":{}}'):
        return "same" if config and caddy.serves(config) else "another"
    return ""
