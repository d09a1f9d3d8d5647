"""What is known of containers, from lists, inspects and events."""

import json
from typing import Any

import pytest
from dockcaddy.engine.reach import shared_networks
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records import resources
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.stopped import Stopped
from dockcaddy.engine.store import ContainerStore
from dockcaddy.model import Unserved


def item(id: str = "a", state: str = "running", status: str = "Up", address: str = "172.18.0.2", **more: Any) -> dict:
    """An item of GET /containers/json."""
    return {
        "Id": id,
        "Names": [f"/{id}"],
        "Labels": {"caddy": f"{id}.test"},
        "State": state,
        "Status": status,
        "Created": 1,
        "NetworkSettings": {"Networks": {"front": {"NetworkID": "n", "IPAddress": address}}},
        **more,
    }


def inspect(health: str = "", checked: bool = False, **environment: str) -> dict:
    """The answer of GET /containers/{id}/json."""
    return {
        "Config": {
            "Env": [f"{key}={value}" for key, value in environment.items()],
            "Healthcheck": {"Test": ["CMD", "true"]} if checked or health else None,
        },
        "State": {"Health": {"Status": health} if health else None},
        "Mounts": [],
    }


def store(*items: dict, **inspected: dict) -> ContainerStore:
    made = ContainerStore("local", EngineOptions())
    made.replace_all(items)
    for id, answer in inspected.items():
        made.put_inspect(id, answer)
    return made


def test_a_newcomer_counts_when_it_has_been_inspected() -> None:
    known = store(item())
    assert known.resources(0) == () and known.uninspected() == ["a"]
    known.put_inspect("a", inspect(KEY="value"))
    assert known.resources(0)[0].environment == {"KEY": "value"} and known.uninspected() == []


def test_one_that_cannot_be_inspected_counts_with_what_the_list_says() -> None:
    known = store(item())
    known.mark_unreadable("a")
    assert known.resources(0)[0].name == "a" and known.uninspected() == ["a"]


def test_the_network_mode_of_an_inspect_stays_where_lists_have_none() -> None:
    known = store(item(), a={**inspect(), "HostConfig": {"NetworkMode": "host"}})
    changes = known.changes
    known.put(item())
    assert known.changes == changes
    known.put(item(state="paused"))
    assert shared_networks.uses_the_hosts(known.item("a") or {})


def test_equal_texts_of_inspects_are_one_object() -> None:
    known = store(item("a"), item("b"))
    for id in "ab":
        known.put_inspect(id, json.loads(json.dumps(inspect(PATH="/bin"))))
    one, other = (known._known[id].inspect or {} for id in "ab")
    assert one["Config"]["Env"][0] is other["Config"]["Env"][0] and next(iter(one)) is next(iter(other))


def test_a_restart_needs_no_second_inspect() -> None:
    known = store(item(), a=inspect())
    known.set_state("a", "exited")
    assert known.resources(0) == ()
    known.put(item(address="172.18.0.9"))
    assert known.uninspected() == [] and known.resources(0)[0].attachments[0].ipv4 == "172.18.0.9"


def test_one_that_stops_is_known_to_have_stopped_before_the_next_list() -> None:
    known = store(item(), item("b"), item("side", Labels={}), a=inspect(), b=inspect())
    known.resources(0)
    assert known.stopped == ()
    known.set_state("a", "exited")
    known.resources(0)
    assert known.stopped == (Unserved("container", "a", "a", "Stopped", ("a.test",)),)
    # the list says it as well
    known.set_others([item(state="exited"), item("b")])
    assert known.stopped == () and [each.id for each in known.unserved] == ["a"]
    known.drop("a")
    known.set_others([item("b")])
    assert known.stopped == () == known.unserved


def test_the_same_answers_give_the_same_object() -> None:
    known = store(item(status="Up 1 second"), a=inspect())
    before = known.resources(0)[0]
    known.replace_all([item(status="Up 2 seconds")])
    known.put(item(status="Up 3 seconds"))
    assert known.resources(0)[0] is before


def test_one_that_is_checked_and_not_yet_started_is_not_healthy() -> None:
    assert store(item(), a=inspect(checked=True)).resources(0)[0].health == "starting"
    assert store(item(), a=inspect()).resources(0)[0].health == "none"


def test_the_health_comes_with_events_and_with_the_lists_words() -> None:
    known = store(item(), a=inspect(health="starting"))
    assert known.set_health("a", "healthy") and known.resources(0)[0].health == "healthy"
    assert not known.set_health("a", "healthy")
    known.put(item(status="Up 2 minutes (unhealthy)"))
    assert known.resources(0)[0].health == "unhealthy"
    known.set_state("a", "exited")
    known.put(item(status="Up 1 second (health: starting)"))
    assert known.resources(0)[0].health == "starting"


def test_one_that_is_told_to_stop_is_stopping_until_it_has_not() -> None:
    known = store(item(), a=inspect())
    assert known.set_stopping("a", until=10)
    assert known.resources(5)[0].stopping
    assert not known.resources(10)[0].stopping


def test_what_is_not_in_a_full_list_is_gone() -> None:
    known = store(item("a"), item("b"), a=inspect(), b=inspect())
    known.replace_all([item("b")])
    assert [each.name for each in known.resources(0)] == ["b"]


def test_foreign_containers_are_not_kept() -> None:
    known = store(item(Labels={"com.example": "x"}))
    assert "a" not in known and known.uninspected() == []


def test_a_calm_pass_looks_only_at_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"c{number}" for number in range(20)]
    known = store(*(item(id) for id in ids), item("stopped", "exited"), **{id: inspect() for id in ids})
    before = known.resources(0)
    counted: list[Any] = []
    monkeypatch.setattr(resources, "has_prefix", lambda *_: counted.append("labels") or True)
    monkeypatch.setattr(Stopped, "counts", lambda *_: counted.append("state") or True)
    monkeypatch.setattr(shared_networks, "names_of", lambda *_: counted.append("owners") or ())
    assert known.resources(0) == before and len(before) == 20
    assert known.uninspected() == ["stopped"] and known.servers((), lambda _: True) == ()
    # the state of the one that is not inspected
    assert counted == ["state"]


def test_other_ingress_networks_change_every_resource() -> None:
    known = store(item(), a=inspect())
    (before,) = known.resources(0)
    changes = known.changes
    known.set_ingress(IngressNetworks(ranks={"front": 0}, takes_all=True))
    (after,) = known.resources(0)
    assert known.changes > changes and (before.targets, after.targets) == ((), ("172.18.0.2",))


def test_those_that_use_a_network_change_with_its_owner() -> None:
    shares = {"HostConfig": {"NetworkMode": "container:vpn"}}
    known = store(
        item("vpn"), item("app", **shares), item("web", **shares), vpn=inspect(), app=inspect(), web=inspect()
    )
    before = {each.name: each for each in known.resources(0)}
    assert known.set_stopping("vpn", until=10)
    assert all(each.stopping and each is not before[each.name] for each in known.resources(0))
    known.drop("app")
    known.drop("web")
    assert not known.owners.names
