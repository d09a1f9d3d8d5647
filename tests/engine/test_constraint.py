"""Two dockcaddys of one host: each takes only what its constraint admits, live and from a snapshot."""

import tempfile
from collections.abc import Callable, Iterator

import pytest
from dockcaddy.engine import Connection, Engine, EngineOptions, from_snapshot
from dockcaddy.model import EngineInventory
from dockcaddy.settings.constraint import Constraint
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
SITE = {"caddy": "svc.test", "caddy.reverse_proxy": "{{upstreams 80}}"}


@pytest.fixture
def stand_in() -> Iterator[StandInEngine]:
    with tempfile.TemporaryDirectory() as folder, StandInEngine(f"{folder}/engine.sock") as made:
        made.swarm.role = "manager"
        made.swarm.add("svc", {**SITE, "zone": "public"}, "10.0.2.5")
        made.swarm.add("inner", SITE, "10.0.2.6")
        made.add("web", {"caddy": "web.test", "zone": "public"})
        made.add("admin", {"caddy": "admin.test", "zone": "internal"})
        made.add("other", {})
        yield made
        made.faults.clear()


def engine(stand_in: StandInEngine, constraint: str) -> Engine:
    options = EngineOptions(ingress_networks=("front", "bridge"), constraint=Constraint.parse(constraint))
    return Engine(Connection(f"unix://{stand_in.path}"), options)


def names(inventory: EngineInventory) -> list[str]:
    return [str(each) for each in inventory.resources]


@pytest.mark.parametrize(
    ("constraint", "admitted", "excluded"),
    [
        ("", ["container admin", "container web", "service svc", "service inner"], ()),
        (
            "Label(`zone`, `public`)",
            ["container web", "service svc"],
            ("container admin", "service inner"),
        ),
        (
            "!Label(`zone`, `public`)",
            ["container admin", "service inner"],
            ("container web", "service svc"),
        ),
        ("Name(`web`) || Name(`inner`)", ["container web", "service inner"], ("container admin", "service svc")),
        ("Network(`front`)", ["service svc", "service inner"], ("container admin", "container web")),
        ("Project(`x`)", [], ("container admin", "container web", "service inner", "service svc")),
    ],
)
def test_only_what_the_constraint_admits_counts(
    stand_in: StandInEngine, constraint: str, admitted: list[str], excluded: tuple[str, ...]
) -> None:
    watched = engine(stand_in, constraint)
    live = watched.inventory()
    (taken,) = from_snapshot({"version": 1, "engines": [watched.snapshot()]}, watched.options).engines
    for inventory in (live, taken):
        assert (names(inventory), inventory.excluded) == (admitted, excluded)
        assert inventory.problems == ()


def test_what_is_excluded_is_not_inspected(stand_in: StandInEngine) -> None:
    engine(stand_in, "Label(`zone`, `none`)").inventory()
    # our own container may be asked for
    assert stand_in.counts["inspect"] == 0


def test_a_container_counts_while_it_is_on_the_network(stand_in: StandInEngine, eventually: Eventually) -> None:
    stand_in.add_network("edge")
    watched = engine(stand_in, "Network(`edge`)")
    heard: list[bool] = []
    watched.start(lambda urgent=False: heard.append(urgent))
    eventually(lambda: heard)
    eventually(lambda: names(watched.inventory()) == [])
    stand_in.join("web", "edge", "172.30.0.2")
    eventually(lambda: names(watched.inventory()) == ["container web"])
    stand_in.part("web", "edge")
    eventually(lambda: names(watched.inventory()) == [])
    stand_in.rename("admin", "hidden")
    stand_in.join("hidden", "edge", "172.30.0.3")
    eventually(lambda: names(watched.inventory()) == ["container hidden"])
    watched.close()


def test_a_container_that_is_renamed_may_count_from_then_on(stand_in: StandInEngine, eventually: Eventually) -> None:
    watched = engine(stand_in, "NameRegex(`^pub-`)")
    heard: list[bool] = []
    watched.start(lambda urgent=False: heard.append(urgent))
    eventually(lambda: heard)
    eventually(lambda: names(watched.inventory()) == [])
    stand_in.rename("admin", "pub-admin")
    eventually(lambda: names(watched.inventory()) == ["container pub-admin"])
    watched.close()
