"""A Caddy that is simulated by rules over the Caddyfile's text, and every way to fail.

It reads the directives `reverse_proxy` and `respond`; refuses `bad` when it adapts, `badload` when it loads, and ends of
`crash` when it loads. What else it is told it takes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from attrs import define, field, frozen
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable

from simulated.schedule import Schedule

# of the program's own client: how long it waits for a sign of life, and for an answer
PATIENCE, LONGEST = 2.0, 30.0
EMPTY = b"null"


@frozen
class Route:
    """What a host is answered with: by one of these addresses, or with a text."""

    dials: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ",".join((*(each.removesuffix(":8080") for each in self.dials), *map(repr, self.texts)))


@define(eq=False)
class SimulatedCaddy:
    """The process. `on_start` is called when it has started again, `initial` gives what it is started with."""

    schedule: Schedule
    random: Random
    is_child: bool = True
    running: bytes = EMPTY
    is_up: bool = True
    hangs_until: float = 0.0
    slow_until: float = 0.0
    slow_by: float = 0.0
    refuses_until: float = 0.0
    ended_at: float = float("-inf")
    # how often it was given something and by whom it was changed last
    counts: Counter[str] = field(factory=Counter)
    version: int = 0
    initial: Callable[[], bytes] = lambda: EMPTY
    on_start: Callable[[int], None] = lambda crashes: None
    loading: Callable[[bytes], None] = lambda config: None
    taken: Callable[[bytes], None] = lambda config: None
    told: Callable[[str], None] = lambda line: None
    _routes: tuple[bytes, dict[str, Route]] = (b"", {})

    # --- the admin API, as the program's loaders have it

    def adapt(self, caddyfile: str) -> bytes:
        self._answer(0.004)
        self.counts["adapt"] += 1
        self.told(f"adapt {len(caddyfile)}")
        return adapted(caddyfile)

    def load(self, config: bytes) -> None:
        self._answer(0.015)
        self.counts["load"] += 1
        self.loading(config)
        if config == self.running:
            # it takes what it has without a look at it
            return
        if self.schedule.now < self.refuses_until:
            raise CaddyRefusal("loading new config: http app module: start: the simulation refuses everything")
        if b'"badload"' in config:
            raise CaddyRefusal(_complaint(config))
        if b'"crash"' in config:
            self.crash(0.05, keeps=True)
            self.schedule.wait(0.1)
            raise CaddyRefusal("caddy crashes when it loads it")
        self.taken(config)
        self._run(config)
        self.told("load " + " ".join(f"{host}={route}" for host, route in self.routes.items()))

    def config(self) -> bytes:
        self._answer(0.001)
        self.counts["config"] += 1
        return self.running

    def since(self) -> object:
        self._answer(0.001)
        self.counts["since"] += 1
        return self.ended_at, self.running

    def close(self) -> None:
        pass

    def _answer(self, seconds: float) -> None:
        """Take some time, or longer than anybody waits."""
        now = self.schedule.now
        if now < self.hangs_until:
            self.schedule.wait(min(PATIENCE, self.hangs_until - now))
            if self.schedule.now < self.hangs_until:
                raise CaddyUnreachable("the simulated caddy does not answer: timed out")
        self.schedule.wait(seconds + (self.slow_by if now < self.slow_until else 0.0))
        if not self.is_up:
            raise CaddyUnreachable("the simulated caddy does not answer: connection refused")

    # --- its own life

    def crash(self, seconds: float, *, keeps: bool) -> None:
        """It ends, and is there again after so many seconds: with its configuration, or with what it is started with."""
        if not self.is_up:
            return
        self.is_up, self.ended_at = False, self.schedule.now
        before = self.running
        self.schedule.after(seconds, lambda: self._start(before if keeps else EMPTY))

    def _start(self, config: bytes) -> None:
        self.is_up = True
        self._run((self.initial() or EMPTY) if self.is_child else config)
        self.on_start(1)

    def change(self, config: bytes) -> None:
        """Somebody else has it run something."""
        if self.is_up:
            self._run(config)

    def _run(self, config: bytes) -> None:
        self.running = config
        self.version += 1

    @property
    def routes(self) -> Mapping[str, Route]:
        """What it serves now, by host."""
        if not self.is_up:
            return {}
        if self._routes[0] is not self.running:
            self._routes = self.running, routes_of(self.running)
        return self._routes[1]


def adapted(caddyfile: str) -> bytes:
    """Caddy's JSON of a Caddyfile. Raises CaddyRefusal with the line as Caddy names it."""
    routes: list[Any] = []
    for number, line in enumerate(caddyfile.split("\n"), start=1):
        words = line.split()
        if not words or words[0].startswith("#") or words == ["}"]:
            continue
        if not line.startswith("\t"):
            hosts = [each.rstrip(",").removeprefix("http://") for each in words if each != "{"]
            routes.append({"match": [{"host": hosts}], "handle": [], "terminal": True})
        elif words[0] == "bad":
            raise CaddyRefusal(f"Caddyfile:{number}: unrecognized directive: bad")
        else:
            routes[-1]["handle"].append(_handler(words))
    if not routes:
        return b"{}"
    servers = {"srv0": {"listen": [":80"], "routes": routes}}
    return json.dumps({"apps": {"http": {"servers": servers}}}, separators=(",", ":")).encode()


def _handler(words: list[str]) -> dict[str, Any]:
    if words[0] == "reverse_proxy":
        return {"handler": "reverse_proxy", "upstreams": [{"dial": each} for each in words[1:] if each != "{"]}
    if words[0] == "respond":
        return {"handler": "static_response", "body": " ".join(words[1:])}
    return {"handler": words[0], "words": words[1:]}


def _complaint(config: bytes) -> str:
    for place, route in enumerate(json.loads(config)["apps"]["http"]["servers"]["srv0"]["routes"]):
        for handler in route["handle"]:
            if handler["handler"] == "badload":
                return (
                    f"loading new config: loading http app module: provision http: server srv0: setting up route "
                    f"handlers: route {place}: loading handler modules: position 0: loading module 'badload': "
                    f"provision http.handlers.badload: cannot open {' '.join(handler['words'])}"
                )
    return "loading new config: unknown"


def routes_of(config: bytes) -> dict[str, Route]:
    """Who answers for which host."""
    servers = (((json.loads(config) or {}).get("apps") or {}).get("http") or {}).get("servers") or {}
    found: dict[str, Route] = {}
    for server in servers.values():
        for route in server["routes"]:
            made = Route(tuple(_dials(route)), tuple(_texts(route)))
            found.update({host: made for match in route["match"] for host in match["host"]})
    return found


def _dials(route: Mapping[str, Any]) -> Iterator[str]:
    for handler in route["handle"]:
        yield from (each["dial"] for each in handler.get("upstreams") or ())


def _texts(route: Mapping[str, Any]) -> Iterator[str]:
    for handler in route["handle"]:
        if handler["handler"] == "static_response":
            yield handler["body"]
