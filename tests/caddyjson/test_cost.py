"""A pass with one new route among many costs what that one costs: each other route is looked at once for all documents."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve, field
from dockcaddy.admission import own_addresses, unsafe
from dockcaddy.admission.own_addresses import Place
from dockcaddy.caddyjson import Document, document, trust, with_isolated_sites
from dockcaddy.caddyjson.document import Json, Route, Server
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.caddyjson.streams import LongStreams

SITES = 200


def route(number: int, **more: Any) -> Route:
    """A site's route with a proxy."""
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": f"10.1.{number // 250}.{number % 250}:80"}], **more}
    return Route({"match": [{"host": [f"s{number}.test"]}], "handle": [proxy], "terminal": True})


def documents() -> tuple[Document, Document]:
    """One of many routes, and the same with one more."""
    server = Server({"listen": [":443"]}, tuple(map(route, range(SITES))), (route(SITES),), {"r": route(SITES + 1)})
    first = Document({"apps": {"http": {}}}, {"srv0": server})
    more = evolve(server, routes=(*server.routes, route(SITES + 2)))
    return first, evolve(first, servers={"srv0": more})


@define
class Walks:
    """Counts the routes that are walked through, and the parts that are encoded."""

    walked: int = 0
    encoded: int = 0


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> Walks:
    counted = Walks()
    objects_in, encoded = document.objects_in, document.encoded

    def walk(part: Any) -> Any:
        counted.walked += 1
        return objects_in(part)

    def encode(value: Any) -> bytes:
        counted.encoded += isinstance(value, dict) and "handle" in value
        return encoded(value)

    monkeypatch.setattr(document, "objects_in", walk)
    monkeypatch.setattr(trust, "objects_in", walk)
    monkeypatch.setattr(document, "encoded", encode)
    return counted


@define
class Pass:
    """What becomes of a document in each pass."""

    streams: LongStreams = field(factory=lambda: LongStreams(60))
    retries: Retries = field(factory=lambda: Retries(True, 5.0))

    def __call__(self, given: Document, *more: str) -> Document:
        service = frozenset(("10.1.0.3", "10.1.0.4", *more))
        changed = with_isolated_sites(self.retries.applied(self.streams.applied(given), service, service))
        assert not list(unsafe.unsafe_settings(changed))
        changed.encode()
        return changed


def test_what_was_there_before_is_neither_walked_through_nor_encoded_again(walks: Walks) -> None:
    first, second = documents()
    one_pass = Pass()
    one_pass(first)
    at_first = (walks.walked, walks.encoded)
    one_pass(first)
    assert (walks.walked, walks.encoded) == at_first
    one_pass(second)
    # a few times for the new one: as it was, and as it is with its changes
    assert walks.walked - at_first[0] <= 6
    assert walks.encoded - at_first[1] <= 3
    one_pass(second, "10.9.9.9", "10.1.0.7")
    # of the services, one has come that a site is for
    assert walks.walked - at_first[0] <= 12
    assert walks.encoded - at_first[1] <= 6


def test_an_unchanged_route_stays_the_same_object() -> None:
    first, second = documents()
    one_pass = Pass()
    before, after = one_pass(first), one_pass(second)
    assert all(old is new for old, new in zip(before.routes, after.routes, strict=False))


def test_the_proxies_of_a_route_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Route] = []

    def with_proxies(self: Route, _: Callable[[Json], Json]) -> Route:
        asked.append(self)
        return self

    monkeypatch.setattr(Route, "with_proxies", with_proxies)
    first, second = documents()
    streams = LongStreams(60)
    assert streams.applied(first) is first
    assert streams.applied(second) is second
    assert streams.applied(first) is first
    assert len(asked) == len(set(asked)) == SITES + 3


def test_what_is_found_in_a_route_is_searched_for_once() -> None:
    one, searched = route(1), list[Json]()

    def find(given: Route) -> str:
        searched.append(given.value)
        return "found"

    assert [one.found(find), one.found(find)] == ["found", "found"]
    assert searched == [one.value]


def test_in_a_document_what_came_is_searched_and_what_went_is_forgotten() -> None:
    searched = list[Route]()

    def find(given: Route) -> bool:
        searched.append(given)
        return "s7.test" in given.hosts

    first, second = documents()
    second = evolve(second, searches=first.searches)
    (there,) = first.found(find)
    assert there.hosts == ("s7.test",) and len(searched) == SITES + 2
    assert list(second.found(find)) == [there] and len(searched) == SITES + 3
    without = evolve(second, servers={"srv0": Server({}, tuple(each for each in second.routes if each is not there))})
    assert not without.found(find) and len(searched) == SITES + 3


def test_whether_an_upstream_is_this_machine_is_asked_once_for_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def place_here(address: str) -> Place | None:
        asked.append(address)
        return own_addresses.place_here(address)

    monkeypatch.setattr(unsafe, "place_here", place_here)
    first, second = documents()
    # the port of the containers
    first, second = (
        one.with_servers(lambda each: evolve(each, settings={"listen": [":80"]})) for one in (first, second)
    )
    second = evolve(second, searches=first.searches)
    assert not list(unsafe.unsafe_settings(first))
    asked.clear()
    assert not list(unsafe.unsafe_settings(second))
    assert sorted(asked) == ["10.1.0.202:80", ":80"]


def test_a_deep_proxy_is_changed_as_well() -> None:
    value: dict[str, Any] = {"handler": "reverse_proxy"}
    for _ in range(120):
        value = {"handler": "subroute", "routes": [{"handle": [value]}]}
    given = Document({"apps": {"http": {}}}, {"srv0": Server({}, (Route({"handle": [value]}),))})
    (changed,) = LongStreams(1).applied(given).routes
    assert [each["stream_close_delay"] for each in changed.proxies] == [1_000_000_000]


def test_an_encoded_route_keeps_only_its_json() -> None:
    one = route(1)
    before = one.value
    assert one.value is before
    assert one.encoded == document.encoded(before)
    assert one.value is not before and one.value == before


def test_after_a_pass_no_route_is_kept_decoded() -> None:
    first, _ = documents()
    changed = Pass()(first)
    kept = [*first.every_route, *changed.every_route]
    assert all(each.value is not each.value for each in kept)


def test_a_word_is_found_in_json_that_is_not_decoded() -> None:
    text = Route({"handle": [{"handler": "vars", "of": '"group":', "n": '"group"'}]})
    assert not text.has((b'"group":',)) and text.has((b'"vars"',))
    assert Route({"group": "g", "handle": []}).has((b'"other"', b'"group":'))
