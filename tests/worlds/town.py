"""Sites on an engine that can be made to fail, the program that serves them, and somebody who visits them."""

import http.client
import threading
from collections.abc import Callable

from attrs import define, field
from proxy import Proxy
from stand_in_container import StandInContainer
from stand_in_engine import StandInEngine


@define(eq=False)
class Visitor:
    """Asks sites again and again from a thread of its own; `failures` has whatever was not the right answer."""

    proxy: Proxy
    sites: dict[str, str]
    visits: int = 0
    failures: list[str] = field(factory=list)
    _gone: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Visitor":
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        assert self._thread is not None
        self._thread.join()

    def _visit(self) -> None:
        while not self._gone.wait(0.005):
            for host, wanted in self.sites.items():
                given = self._answer(host)
                self.visits += 1
                if given != wanted:
                    self.failures.append(f"{host}: {given}")

    def _answer(self, host: str) -> str:
        try:
            return self.proxy.body(host)
        except (OSError, http.client.HTTPException) as error:
            return repr(error)


@define(eq=False)
class Town:
    """Sites on the stand-in's containers, by the containers' names."""

    engine: StandInEngine
    proxy: Proxy
    _added: list[StandInContainer] = field(factory=list)

    @property
    def lives(self) -> int:
        """How often a labelled container was started: so many inspect calls there may be at most."""
        return sum(each.lives for each in self._added)

    def add(self, name: str, **labels: str) -> StandInContainer:
        """One more container with a site of its own; `__` stands for a dot in a label's key."""
        made = self.create(name, **labels)
        self.engine.start(name)
        return made

    def create(self, name: str, **labels: str) -> StandInContainer:
        """The same, not yet started."""
        given = {"caddy": f"http://{name}.test:{self.proxy.port}", "caddy.reverse_proxy": self.upstreams}
        given |= {key.replace("__", "."): value for key, value in labels.items()}
        self._added.append(self.engine.create(name, given))
        return self._added[-1]

    @property
    def upstreams(self) -> str:
        """The label's value that proxies to the container."""
        return f"{{{{upstreams {self.engine.port}}}}}"

    def right(self, *names: str) -> bool:
        """Whether each of these sites, of all where none is named, is answered by its container."""
        return all(self.proxy.body(f"{name}.test") == self.engine.containers[name].address for name in names)

    def gone(self, name: str) -> bool:
        """Whether Caddy no longer knows the site."""
        return self.proxy.body(f"{name}.test") == ""

    def unanswered(self, name: str) -> bool:
        """Whether Caddy knows the site, and nobody who answers."""
        return self.proxy.body(f"{name}.test") == "status 503"

    def polled(self, times: int) -> Callable[[], bool]:
        """A condition: that everything has been listed so many times from now on."""
        lists = self.engine.counts["list"]
        return lambda: self.engine.counts["list"] >= lists + times

    def visitor(self, *names: str) -> Visitor:
        """Somebody who visits these sites all the time."""
        return Visitor(self.proxy, {f"{name}.test": self.engine.containers[name].address for name in names})
