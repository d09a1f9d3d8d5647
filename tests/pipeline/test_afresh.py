"""However a configuration came to be, it is the one that is made of the same inventory at once."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from random import Random

import pytest
from attrs import define, evolve, field
from dockcaddy import plugins, testing
from dockcaddy.merge.assembly import Assembler
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Resource, SwarmConfig
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline, problems_of

HOSTS = ("a.test", "b.test", "http://b.test", "b.test, c.test", "a.test/path", "http://d.test:81", "(snippet)", "")
LINES: tuple[Mapping[str, str], ...] = (
    {"caddy.reverse_proxy": "{{upstreams 80}}"},
    {"caddy.respond": "x"},
    {"caddy.respond": "{{wrong}}"},
    {"caddy.import": "snippet"},
    {"caddy.reverse_proxy": "{{range $each := resources}}{{$each.Name}} {{end}}"},
    {"caddy.tls": "internal"},
    {},
)
BASES = (
    None,
    BaseCaddyfile("/etc/caddy/Caddyfile", ""),
    BaseCaddyfile("/etc/caddy/Caddyfile", "{\n\thttp_port 81\n}\n"),
)


@cache
def registry() -> Registry:
    return plugins.load()


@define
class World:
    """What changes from one pass to the next."""

    random: Random
    engines: tuple[dict[str, Resource], ...] = field(factory=lambda: ({}, {}))
    configs: tuple[SwarmConfig, ...] = ()
    base: BaseCaddyfile | None = None
    excluded: frozenset[str] = frozenset()
    caddy: Resource | None = None
    made: int = 0

    def change(self) -> None:
        """One of the things that change."""
        random, place = self.random, self.random.randrange(2)
        resources, name = self.engines[place], f"c{random.randrange(12)}"
        what = random.randrange(12)
        if what < 6 or name not in resources:
            self.put(place, name)
        elif what < 8:
            del resources[name]
        elif what == 8:
            # the same one is another object, or is the first one now
            resources[name] = evolve(resources.pop(name), running=random.random() < 0.8)
        elif what == 9:
            keys = sorted(each.key for one in self.engines for each in one.values())
            self.excluded = frozenset(random.sample(keys, random.randrange(min(4, len(keys)))))
        elif what == 10:
            self.base = random.choice(BASES)
            self.configs = random.choice(((), (SwarmConfig("1", "one", "e.test {\n\trespond 1\n}\n"),)))
        else:
            self.caddy = random.choice((None, resources[name]))

    def put(self, place: int, name: str) -> None:
        self.made += 1
        labels = {"caddy": self.random.choice(HOSTS), **self.random.choice(LINES)}
        made = testing.container(
            name, labels=labels, networks={"front": f"10.0.{self.made // 200}.{self.made % 200 + 1}"}
        )
        self.engines[place][name] = evolve(made, engine=f"e{place}", created=self.made * 7 % 1009)

    @property
    def inventory(self) -> Inventory:
        first, second = (tuple(each.values()) for each in self.engines)
        return Inventory(
            (EngineInventory("e0", first, self.configs, self.caddy), EngineInventory("e1", second))
            if second
            else (EngineInventory("e0", first, self.configs, self.caddy),)
        )


def built(pipeline: Pipeline, world: World, excluded: frozenset[str]) -> Configuration:
    fragments = pipeline.fragments(world.inventory, world.base)
    made = pipeline.configuration([each for each in fragments if each.key not in excluded])
    return evolve(made, problems=problems_of(world.inventory, fragments, made))


def described(made: Configuration) -> tuple[object, ...]:
    assembly = made.assembly
    neighbours = {(each.newer.oldest.fragment.key, each.older.oldest.fragment.key) for each in assembly.neighbours}
    shared = {group: [each.fragment.key for each in members] for group, members in assembly.shared.items()}
    return (
        made.text,
        made.lines,
        set(map(str, made.problems)),
        set(map(str, assembly.conflicts)),
        dict(assembly.placeholders),
        neighbours,
        shared,
        [each.key for each in assembly.fragments],
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_configuration_after_many_changes_is_that_of_the_last_inventory(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(Random(seed))
    pipeline = Pipeline(registry())
    for _ in range(60):
        for _ in range(world.random.choice((0, 1, 1, 1, 2, 8))):
            world.change()
        if world.random.random() < 0.1:
            # a pass is interrupted by a fault
            world.put(0, "c0")
            with monkeypatch.context() as patched, suppress(ZeroDivisionError):
                patched.setattr(Assembler, "_assembled", lambda *_: 1 // 0)
                built(pipeline, world, world.excluded - {"e0/id-of-c0"})
            pipeline.forget()
        if world.random.random() < 0.1:
            pipeline.use_states({"resolver": object()})
        assert described(built(pipeline, world, world.excluded)) == described(
            built(Pipeline(registry()), world, world.excluded)
        )


def test_the_same_inventory_gives_the_very_same_fragments_and_assembly() -> None:
    world, pipeline = World(Random(1)), Pipeline(registry())
    for number in range(20):
        world.put(0, f"c{number}")
    inventory = world.inventory
    fragments = pipeline.fragments(inventory)
    assert pipeline.fragments(inventory) is fragments
    # whether it is listed again makes no difference
    assert pipeline.fragments(world.inventory) is fragments
    assembly = pipeline.configuration(fragments).assembly
    assert pipeline.configuration(fragments).assembly is assembly
