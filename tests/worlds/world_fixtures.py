"""A world of good sites for as long as a module's tests last, and what comes beside them in one test."""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping

import pytest
from attrs import define, evolve, field
from dockcaddy.model import Resource
from world import SECRET, SECRET_VARIABLES, Answer, Visit, World, open_world

_NAMES = ("first", "second", "third", "fourth")


@define
class Newcomers:
    """Containers of one test beside the good ones, by their age: `first` is the oldest."""

    world: World
    mark: str = field(factory=lambda: uuid.uuid4().hex)

    def put(self, *labels: Mapping[str, str], **more: object) -> None:
        """Have a container with each of these label sets, and no other; one that is there already is changed.

        `more` is what else is to be said of all of them: `name`, `environment`, `image`, `mounts`.
        """
        self.world.put(self.made(*labels, **more))

    def made(self, *labels: Mapping[str, str], **more: object) -> tuple[Resource, ...]:
        """The same containers, not yet there."""
        found = []
        for place, (name, given) in enumerate(zip(_NAMES, labels, strict=False)):
            filled = {self.world.filled_in(key): self.world.filled_in(value) for key, value in given.items()}
            resource = self.world.resource({"name": name, "labels": filled, **more}, 1000 + place)
            found.append(evolve(resource, id=f"{self.mark}{place:032x}"))
        return tuple(found)

    def visit(self, name: str, path: str = "/", headers: Mapping[str, str] | None = None, **more: str) -> Answer:
        """What a visitor of the site `NAME.test` gets."""
        return self.world.visit(Visit(f"{name}.test", path, headers or {}, **more))

    def body(self, name: str, path: str = "/", **more: str) -> str:
        """The same, only the body."""
        return self.visit(name, path, **more).body.decode()

    def told(self, *texts: str) -> bool:
        """Whether one of the problems that are told has all these texts."""
        return any(all(text in problem for text in texts) for problem in self.world.problems())


def site(name: str, directives: Mapping[str, str]) -> dict[str, str]:
    """The labels of the site `http://NAME.test`."""
    return {"caddy": f"http://{name}.test:%PORT%"} | {f"caddy.{key}": value for key, value in directives.items()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, caddy: str, free_port: Callable[[], int]) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("DOCKCADDY_", "CADDY_")) and not name.startswith("DOCKCADDY_TESTS_"):
                patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        for name in SECRET_VARIABLES:
            patch.setenv(name, SECRET)
        with open_world(folder, caddy, free_port) as made:
            yield made


@pytest.fixture
def newcomers(world: World) -> Iterator[Newcomers]:
    yield Newcomers(world)
    world.calm()


@pytest.fixture
def add_to_base(world: World, newcomers: Newcomers) -> Iterator[Callable[[str], None]]:
    """Adds to the base Caddyfile."""
    file = world.folder / "etc/Caddyfile"
    before = file.read_text()

    def add(text: str) -> None:
        file.write_text(before + world.filled_in(text))

    yield add
    file.write_text(before)
