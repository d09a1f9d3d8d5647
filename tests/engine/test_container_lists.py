"""A list of containers is decoded only where it differs from the list before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from dockcaddy.engine import Connection, EngineOptions
from dockcaddy.engine.api.container_lists import ContainerLists
from dockcaddy.engine.api.engine_api import EngineApi
from real_engine import Containers
from stand_in_engine import StandInEngine

LABELS = {"caddy": "a.test", "odd": 'a text},{"Id":"with","Names":[', "state": '"Status": "Up 2 minutes'}


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"Id": f"{number:064x}", "Names": [f"/app-{number}"], "Labels": LABELS, "State": "running", **more}


@define
class Lists:
    """The lists that an engine gives. `decoded` are the names of those that are not the same objects as in the last one."""

    decoded: list[str] = field(factory=list)
    lists: ContainerLists = field(factory=ContainerLists)
    last: list[Any] = field(factory=list)

    def read(self, *items: Any, separators: tuple[str, str] = (",", ":")) -> list[Any]:
        body = b"[" + b",".join(json.dumps(each, separators=separators).encode() for each in items) + b"]"
        read = self.lists.items(body)
        assert [{**each, "Status": None} for each in read] == [{**each, "Status": None} for each in items]
        known = {id(each) for each in self.last}
        self.decoded = [each["Names"][0] for each in read if id(each) not in known]
        self.last = read
        return read


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_list_that_is_as_before_is_not_decoded(separators: tuple[str, str]) -> None:
    lists = Lists()

    def listed(minutes: int) -> list[Any]:
        up = [item(number, Status=f"Up {minutes} minutes") for number in range(100)]
        ended = item(100, State="exited", Status=f"Exited (1) {minutes} minutes ago")
        checked = item(101, Status=f"Up {minutes} minutes (healthy)")
        return lists.read(*up, ended, checked, separators=separators)

    listed(1)
    assert len(lists.decoded) == 102
    listed(7)
    assert lists.decoded == []


@pytest.mark.parametrize(
    "changed",
    [
        {"Status": "Up 1 minute (unhealthy)"},
        {"Status": "Up 1 minute (Paused)"},
        {"State": "exited"},
        {"Labels": {}},
        {"Health": {"Status": "healthy", "FailingStreak": 1}},
    ],
    ids=str,
)
def test_what_has_changed_is_decoded_and_nothing_else(changed: dict[str, Any]) -> None:
    lists = Lists()
    items = [item(number, Status="Up 1 minute (healthy)", Health={"Status": "healthy"}) for number in range(9)]
    lists.read(*items)
    items[4] |= changed
    lists.read(*items)
    assert lists.decoded == ["/app-4"]
    assert lists.read(*items)[4]["Status"] == items[4]["Status"]


def test_equal_texts_of_containers_are_one_object() -> None:
    one, other = Lists().read(item(1, Image="acme/app"), item(2, Image="acme/app"))
    assert one["Image"] is other["Image"] and next(iter(one)) is next(iter(other))


def test_one_more_and_one_less() -> None:
    lists = Lists()
    lists.read(item(1), item(2))
    lists.read(item(3), item(1))
    assert lists.decoded == ["/app-3"]
    # what is gone is not kept
    lists.read(item(2), item(1))
    assert lists.decoded == ["/app-2"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[1]",
        b"<html>",
        b'[{"Id":"a"}',
        b'[{"Id":"a","Within":[{"Id":"b"},{"Id":"c"}]}]',
        b'[{"Names":[],"Id":"a"},{"Names":[],"Id":"b"}]',
    ],
)
def test_a_list_of_another_form_is_for_somebody_else(body: bytes) -> None:
    with pytest.raises(ValueError):
        ContainerLists().items(body)


def test_a_list_without_containers_is_read(tmp_path: Path) -> None:
    with StandInEngine(str(tmp_path / "engine.sock")) as stand_in:
        made = EngineApi(Connection(f"unix://{stand_in.path}"), EngineOptions())
        assert made.containers() == []
        stand_in.add("a")
        stand_in.add("b", {"caddy": "a.test"})
        listed = made.containers()
        assert [each["Names"] for each in listed] == [["/b"], ["/a"]]
        # also over another connection, as after a break
        made.connection.forget()
        stand_in.add("c")
        assert made.containers()[1] is listed[0]


@pytest.mark.engine
def test_the_list_of_the_real_engine_is_decoded_once(containers: Containers, eventually: Callable[..., None]) -> None:
    containers.run("web", caddy="a.test")
    made = EngineApi(Connection(), EngineOptions())
    # others may start containers in between
    eventually(lambda: list(map(id, made.containers())) == list(map(id, made.containers())))
