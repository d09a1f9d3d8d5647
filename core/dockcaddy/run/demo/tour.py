"""What the demo shows, step by step."""

from collections.abc import Callable
from functools import partial

from attrs import frozen

from dockcaddy.model import Health
from dockcaddy.run.demo.backends import DemoEngine

PROXY = "caddy.reverse_proxy"
HELLO, SHOP = "hello.localhost", "shop.localhost"


@frozen
class Step:
    """One change: what is said, what happens, whose labels are shown (all, or those of `keys`), which site is visited.

    `replicas` is how many containers answer for that site then. `meant` tells what the newcomer should notice where the Caddyfile stays as it was.
    """

    title: str
    change: Callable[[DemoEngine], None]
    replicas: int
    container: str = ""
    keys: tuple[str, ...] = ()
    visited: str = HELLO
    meant: str = ""


@frozen
class Tour:
    """The steps of a demo whose sites listen at `port`."""

    port: int

    def url(self, site: str) -> str:
        """A site's address."""
        return f"http://{site}:{self.port}"

    def labels(self, site: str, port: int, function: str = "upstreams") -> dict[str, str]:
        """The labels of a small web application that listens at `port`."""
        return {
            "caddy": self.url(site),
            PROXY: f"{{{{if isHealthy}}}}{{{{{function} {port}}}}}{{{{end}}}}",
            f"{PROXY}.lb_policy": "round_robin",
        }

    def steps(self) -> tuple[Step, ...]:
        """What is shown, in order."""
        return (
            Step("two containers start, both with these labels", self._start_two, 2, "hello-1"),
            Step("a third one joins: requests are spread over three", self._start_third, 3),
            Step("hello-2 turns unhealthy: {{if isHealthy}} takes it out", partial(_turn, health="unhealthy"), 2),
            Step(
                "another container starts, with a spelling mistake",
                self._start_broken,
                2,
                "shop-1",
                (PROXY,),
                meant="one mistake costs one site, all others stay",
            ),
            Step("the label is corrected: the site is live", self._fix, 1, "shop-1", (PROXY,), SHOP),
            Step("hello-2 is healthy again, and is back", partial(_turn, health="healthy"), 3),
        )

    def _hello(self, port: int) -> dict[str, str]:
        return self.labels(HELLO, port)

    def _start_two(self, engine: DemoEngine) -> None:
        engine.run("hello-1", "hello-2", labels=self._hello)

    def _start_third(self, engine: DemoEngine) -> None:
        engine.run("hello-3", labels=self._hello)

    def _start_broken(self, engine: DemoEngine) -> None:
        engine.run("shop-1", labels=lambda port: self.labels(SHOP, port, "upstraems"))

    def _fix(self, engine: DemoEngine) -> None:
        engine.relabel("shop-1", lambda port: self.labels(SHOP, port))


def _turn(engine: DemoEngine, health: Health) -> None:
    engine.turn("hello-2", health)
