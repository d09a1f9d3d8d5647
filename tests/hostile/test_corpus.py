"""Label sets that somebody wrote to break things: beside each of them every good site answers as before."""

import time
from pathlib import Path
from typing import Any

import pytest
from world import SECRET, World, containers_of, read_corpus, visits_of

CORPUS = read_corpus(Path(__file__).parent / "corpus")
SECONDS = 5.0
# for one hostile set, in MiB
MEMORY, CADDYS_MEMORY = 300, 400


@pytest.mark.parametrize("name", CORPUS)
def test_every_good_site_answers_beside_it(world: World, name: str) -> None:
    document = CORPUS[name]
    world.upstream.received.clear()
    starts, adapts, loads = world.caddy.starts, world.counts.adapts, world.counts.loads
    for world.cycle in range(document.get("cycles", 1)):
        world.put(containers_of(world, document), document.get("seconds", SECONDS))
        shown = _shown_secrets(world, document)
        assert _faults(world, document) == [], world.problems()
        assert world.caddy.starts == starts, "caddy died of it"
        assert shown == []
        assert world.touched_memory < MEMORY
        assert world.caddys_memory < CADDYS_MEMORY
    assert document.get("told", "") in str(world.problems())
    bounds: dict[str, int] = document.get("bounds", {})
    assert world.counts.adapts - adapts <= bounds.get("adapts", 40)
    assert world.counts.loads - loads <= bounds.get("loads", 40)


def _faults(world: World, document: dict[str, Any]) -> list[str]:
    """Those of the good sites; where sites get another certificate, once Caddy has issued that."""
    for _ in range(100 if document.get("certificates") else 0):
        if not world.faults(document.get("touches", ())):
            break
        time.sleep(0.05)
    return world.faults(document.get("touches", ()))


def _shown_secrets(world: World, document: dict[str, Any]) -> list[object]:
    """What came out to a visitor, to a server of the attacker's, or to the one who reads the problems."""
    shown: list[object] = []
    for visit in visits_of(world, document):
        try:
            answer = world.visit(visit)
        except OSError:
            continue
        if answer.holds(SECRET):
            shown.append((visit, answer))
    shown += [received for received in world.upstream.received if SECRET in received]
    shown += [problem for problem in world.problems() if SECRET in problem]
    return shown


BODIES = {
    name: (visit["body"], document)
    for name, document in CORPUS.items()
    for visit in document.get("visits") or ()
    if "body" in visit
}


@pytest.mark.parametrize("name", BODIES)
def test_what_looks_like_structure_arrives_as_text(world: World, name: str) -> None:
    body, document = BODIES[name]
    world.put(containers_of(world, document))
    (visit,) = visits_of(world, document)
    assert world.visit(visit).body.decode() == world.filled_in(body), world.problems()


def test_nothing_hostile_leaves_a_trace(world: World) -> None:
    world.calm()
    before = world.reconciler.configuration
    for document in CORPUS.values():
        if document.get("trace"):
            world.put(containers_of(world, document), document.get("seconds", SECONDS))
            world.put(())
    assert world.reconciler.configuration is not None and before is not None
    assert world.reconciler.configuration.text == before.text
    assert world.problems() == []


def test_no_file_is_written_outside_of_caddys_own_folders(world: World) -> None:
    written = {entry.name for entry in world.folder.iterdir()} - {"data", "config", "state", "etc"}
    assert written == set()
