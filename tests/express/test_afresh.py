"""Whatever came, went, changed and failed: requests go where the containers are, and what is kept is what would be made at once."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from dockcaddy.caddyjson import FragmentDocuments, Splicer
from dockcaddy.merge.assembly import Assembler
from dockcaddy.model import Inventory
from dockcaddy.narration.live import LiveSites
from dockcaddy.narration.log import LogNarrator
from dockcaddy.plugins.registry import Registry
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.reconcile.engine_fragments import EngineFragments
from dockcaddy.reconcile.flapping import Flapping
from dockcaddy.reconcile.grace import GracePeriod
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.observation import Observation
from dockcaddy.status.resource_book import ResourceBook
from dockcaddy.status.site_book import SiteBook
from express_world import ExpressWorld

STEPS: tuple[tuple[type, str], ...] = (
    (Assembler, "_assembled"),
    (EngineFragments, "after"),
    (Flapping, "_forget"),
    (FragmentDocuments, "_made"),
    (GracePeriod, "needed"),
    (LastGood, "keep"),
    (LiveSites, "take"),
    (Memory, "accept"),
    (ResourceBook, "_moved"),
    (SiteBook, "_link"),
    (Splicer, "_adapt_new"),
    (Transforms, "applied"),
)
# enough for documents that are put together from parts
SITES = 40


def failing(step: Callable[..., object], *, is_done: bool) -> Callable[..., object]:
    """The same step, which raises an error, where `is_done` after all of its work."""

    def fails(*given: Any, **named: Any) -> object:
        if is_done:
            step(*given, **named)
        raise RuntimeError("on purpose")

    return fails


def put(world: ExpressWorld, name: str, address: str, **more: str) -> None:
    """A container at an address of its own: what was accepted of one with another address is not served in its place."""
    world.put(name, address, **more)
    world.engine.resources[name] = evolve(world.engine.resources[name], targets=(address.partition(":")[0],))


def change(world: ExpressWorld, random: Random, number: int) -> None:
    """One of the things that happen."""
    name, what = f"app-{random.randrange(SITES + 10)}", random.randrange(10)
    address = f"10.1.{number // 200}.{number % 200}:80"
    if what < 5:
        put(world, name, address)
    elif what < 7:
        world.engine.resources.pop(name, None)
    elif what == 7:
        put(world, name, address, **{"caddy.respond": "hi"})
    elif what == 8:
        put(world, name, address, **{"caddy.bogus": "x"})
    else:
        # the newest one is listed first
        put(world, name, address)
        world.engine.resources = {name: world.engine.resources.pop(name), **world.engine.resources}


def answers(world: ExpressWorld) -> dict[str, str]:
    """The addresses that requests go to, by host."""
    servers = json.loads(world.caddy.loads[-1])["apps"]["http"]["servers"]
    found = {}
    for route in (each for server in servers.values() for each in server["routes"]):
        hosts = [host for match in route["match"] for host in match.get("host", ())]
        handlers = [each for each in route["handle"][0].get("routes", [{}])[0].get("handle", ()) if "upstreams" in each]
        found.update({host: handlers[0]["upstreams"][0]["dial"] for host in hosts if handlers})
    return {**found, **{host: names[0] for host, names in world.found.items()}}


@pytest.mark.parametrize("seed", range(16))
def test_after_many_changes_and_faults_all_is_as_if_made_at_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, world = Random(seed), ExpressWorld(tmp_path)
    keeper, narrator = StatusKeeper(), LogNarrator()
    world.reconciler.observer, world.reconciler.narrator = keeper, narrator
    for number in range(SITES):
        put(world, f"app-{number}", f"10.0.0.{number}:80")
    for number in range(60):
        for _ in range(random.choice((0, 1, 1, 2, 6))):
            change(world, random, number)
        with monkeypatch.context() as patched:
            if random.random() < 0.25:
                owner, name = random.choice(STEPS)
                patched.setattr(owner, name, failing(getattr(owner, name), is_done=random.random() < 0.5))
            world.turn(random.choice((1, 2, 70)))
        if random.random() < 0.3:
            world.turn(70)
    # what was held back, or tried again later, is over
    world.turn(70)
    world.pass_by(1000)
    world.turn(70)
    resources = world.engine.resources
    good = {name for name, each in resources.items() if "caddy.bogus" not in each.labels}
    assert answers(world) == {f"{name}.test": resources[name].labels["caddy.reverse_proxy"] for name in good}
    assert len(narrator.sites) == len(good)
    inventory = Inventory((world.engine.inventory(),))
    bad = {each.key for name, each in resources.items() if name not in good}
    pipeline = Pipeline(Registry())
    afresh = pipeline.configuration([each for each in pipeline.fragments(inventory) if each.key not in bad])
    quarantine, configuration = world.reconciler.quarantine, world.reconciler.configuration
    assert configuration is not None and quarantine is not None and configuration.text == afresh.text
    # of what is left out now, what was accepted before stays known
    saved = LastGood(tmp_path / "last.db").load().fragments
    assert {key: each.content for key, each in saved.items()} == {
        key: each.content for key, each in quarantine.last_good.items()
    }
    contents = {each.key: each.content for each in afresh.assembly.fragments}
    assert {key: each.content for key, each in saved.items() if key not in bad} == contents
    made = StatusKeeper(keeper.time)
    rejections = quarantine.left_out
    fragments = world.reconciler.pipeline.fragments(inventory)
    made.observe(
        Observation(
            inventory,
            fragments,
            configuration,
            quarantine.parts,
            rejections,
            world.reconciler._reported,
            {"local": ""},
        )
    )
    conditions = [
        {name: [(one.state, one.reason) for one in each.conditions] for name, each in status.sites.items()}
        | {key: [(one.state, one.reason) for one in each.conditions] for key, each in status.resources.items()}
        for status in (keeper.current, made.current)
    ]
    assert conditions[0] == conditions[1]
