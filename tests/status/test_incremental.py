"""However the world came to be as it is, the status is the one that is made of it at once."""

import random
from functools import cache

import pytest
from attrs import evolve
from dockcaddy import plugins
from dockcaddy.model import Unserved
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.observation import Observation
from observed import Observed

HOSTS = ("a.test", "http://b.test", "c.test, d.test", "http://b.test:81", "(snippet)")
BODIES = (
    {"caddy.reverse_proxy": "{{upstreams 80}}"},
    {"caddy.respond": "x"},
    {"caddy.respond": "{{wrong}}"},
    {"caddy.bogus": "x"},
    {"caddy.reverse_proxy": "/x {{upstreams 80}}"},
    {"caddy.reverse_proxy": "localhost:2019"},
    {"caddy.import": "snippet"},
)


@cache
def registry() -> Registry:
    return plugins.load()


class Kept:
    """An observer that hands on, and keeps what it saw last."""

    def __init__(self, keeper: StatusKeeper) -> None:
        self.keeper, self.seen = keeper, Observation()

    def observe(self, seen: Observation) -> None:
        self.seen = (
            seen
            if seen.inventory is not None
            else evolve(
                seen,
                inventory=self.seen.inventory,
                fragments=self.seen.fragments,
                configuration=seen.configuration or self.seen.configuration,
            )
        )
        self.keeper.observe(seen)

    def caddy_restarted(self, crashes: int) -> None:
        self.keeper.caddy_restarted(crashes)


def change(world: Observed, chance: random.Random) -> None:
    name = f"c{chance.randrange(5)}"
    what = chance.randrange(9)
    if what <= 3 or name not in world.engine.resources:
        world.put(name, {"caddy": chance.choice(HOSTS), **chance.choice(BODIES)})
    elif what == 4:
        world.change(name, health=chance.choice(("healthy", "unhealthy", "starting", "none")))
    elif what == 5:
        del world.engine.resources[name]
        world.engine.unserved = tuple(
            Unserved("container", each, each, chance.choice(("Stopped", "NoLabels")))
            for each in {name, f"u{chance.randrange(3)}"}
            if each not in world.engine.resources
        )
    elif what == 6:
        world.caddy.down = chance.random() < 0.5
    elif what == 7:
        world.engine.down = chance.random() < 0.3
    else:
        world.caddy.refuses = chance.choice(("bogus", "nothing"))


@pytest.mark.parametrize("seed", range(25))
def test_the_status_after_many_changes_is_that_of_the_last_pass(seed: int) -> None:
    chance, world = random.Random(seed), Observed.make()
    world.reconciler.pipeline = Pipeline(registry())
    kept = Kept(world.keeper)
    world.reconciler.observer = kept
    views: dict[str, str] = {}
    uncertified: dict[str, str] = {}
    for step in range(25):
        change(world, chance)
        # what is gone for a moment is kept by a grace period, and flapping is held back
        world.turn(chance.choice((1, 30, 700)))
        if chance.random() < 0.2:
            views = {
                f"{address}:80": chance.choice(("HealthyForCaddy", "UnhealthyForCaddy", "ConnectionRefused"))
                for each in world.engine.resources.values()
                for address in each.targets
            }
            uncertified = {"a.test": "no such host"} if chance.random() < 0.5 else {}
            world.keeper.caddy_reports(views, uncertified)
        fresh = StatusKeeper()
        fresh.observe(kept.seen)
        fresh.caddy_reports(views, uncertified)
        now, wanted = world.keeper.current, fresh.current
        assert dict(now.sites) == dict(wanted.sites), (seed, step)
        assert dict(now.resources) == dict(wanted.resources), (seed, step)
        assert (now.caddy.is_up, now.engines) == (wanted.caddy.is_up, wanted.engines)
