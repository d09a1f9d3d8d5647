"""Deliberate faults in the loop: the simulation finds each within a few seeds, so it can fail."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from dockcaddy.engine.api.responses import Responses
from dockcaddy.engine.live import Engine
from dockcaddy.engine.store import ContainerStore
from dockcaddy.engine.watch.event_handler import EventHandler
from dockcaddy.engine.watch.reflector import Reflector
from dockcaddy.model import EngineInventory
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.trial import Trial
from dockcaddy.reconcile.debounce import Debounce
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.flapping import Flapping
from dockcaddy.reconcile.grace import GracePeriod
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.watch import EngineWatch, EngineWatches
from simulated.lives import script_of
from simulated.steps import Script

Patch = pytest.MonkeyPatch
Tried = Callable[[Script], str]
BUSY, CALM = range(80), range(12)
HOURS, CALM_HOURS = 0.1, 0.4


def broken_by_a_seed(tried: Tried) -> str:
    """What the first seed that fails says is broken, of busy worlds and of calm ones."""
    busy = (script_of(seed, HOURS, is_busy=True) for seed in BUSY)
    calm = (script_of(seed, CALM_HOURS) for seed in CALM)
    return next(filter(None, map(tried, chain(busy, calm))), "")


def nothing(*_: Any, **__: Any) -> None:
    pass


def test_a_stream_that_was_cut_without_listing_anew_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Engine, "_missed", lambda engine: None)
    monkeypatch.setattr(Reflector, "look_later", nothing)
    monkeypatch.setattr(Reflector, "list_again", nothing)
    assert broken_by_a_seed(tried)


def test_what_failed_and_is_not_tried_again_is_found(monkeypatch: Patch, tried: Tried) -> None:
    failed = Delivery._failed

    def for_good(delivery: Delivery, reason: str) -> None:
        failed(delivery, reason)
        delivery._backoff.retry_at = float("inf")

    monkeypatch.setattr(Delivery, "_failed", for_good)
    assert broken_by_a_seed(tried)


def test_a_stale_address_is_found(monkeypatch: Patch, tried: Tried) -> None:
    put = ContainerStore.put

    def stale(store: ContainerStore, item: Any, rank: int = 0) -> None:
        known = store.item(item["Id"])
        put(store, item if known is None else {**item, "NetworkSettings": known["NetworkSettings"]}, rank)

    monkeypatch.setattr(ContainerStore, "put", stale)
    assert broken_by_a_seed(tried)


def test_sending_each_time_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Delivery, "has", lambda delivery, configuration: False)
    assert broken_by_a_seed(tried) in ("nothing is sent when nothing changed", "calls are bounded")


def test_a_quarantine_that_is_forgotten_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Memory, "forget_outdated", lambda memory, fragments: memory.rejections.clear())
    assert broken_by_a_seed(tried)


def test_the_oldest_being_left_out_in_the_place_of_the_guilty_is_found(monkeypatch: Patch, tried: Tried) -> None:
    reject = Trial._reject

    def oldest(trial: Trial, fragment: Any, problem: Any, *more: Any, **named: Any) -> None:
        reject(trial, min(trial.parts or [fragment], key=lambda each: each.seniority), problem)
        reject(trial, fragment, problem, *more, **named)

    monkeypatch.setattr(Trial, "_reject", oldest)
    assert broken_by_a_seed(tried)


def test_a_failed_list_taken_for_an_empty_one_is_found(monkeypatch: Patch, tried: Tried) -> None:
    inventory = EngineWatch.inventory

    def emptied(watch: EngineWatch, has_configuration: Callable[[], bool]) -> EngineInventory | None:
        found = inventory(watch, has_configuration)
        return found if watch.retry_at is None else EngineInventory(watch.engine.name)

    monkeypatch.setattr(EngineWatch, "inventory", emptied)
    assert broken_by_a_seed(tried)


def test_not_looking_at_what_caddy_has_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Delivery, "_look", nothing)
    assert broken_by_a_seed(tried)


def test_a_state_that_cannot_be_read_ending_the_program_is_found(monkeypatch: Patch, tried: Tried) -> None:
    def load(last_good: LastGood) -> Any:
        with last_good._connect() as connection:
            connection.execute("select json from configuration")
        return loaded(last_good)

    loaded = LastGood.load
    monkeypatch.setattr(LastGood, "load", load)
    assert broken_by_a_seed(tried)


def test_what_flapped_being_held_for_ever_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Flapping, "due", property(lambda flapping: None))
    assert broken_by_a_seed(tried)


def test_a_debounce_that_never_ends_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Debounce, "due", property(lambda debounce: None))
    assert broken_by_a_seed(tried)


def test_a_grace_period_that_no_label_asks_for_is_found(monkeypatch: Patch, tried: Tried) -> None:
    needed = GracePeriod.needed

    def long(grace: GracePeriod, fragments: Any) -> Any:
        found = needed(grace, fragments)
        grace._periods = {each.key: 600.0 for each in fragments}
        return found

    monkeypatch.setattr(GracePeriod, "needed", long)
    assert broken_by_a_seed(tried)


def test_a_poll_that_lists_nothing_anew_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(EngineWatches, "resync", nothing)
    assert broken_by_a_seed(tried)


def test_what_no_caddy_has_accepted_being_trusted_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Outputs, "is_accepted", property(lambda outputs: True))
    assert broken_by_a_seed(tried)


def test_an_event_of_a_start_being_ignored_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(EventHandler, "_started", lambda handler, id: False)
    assert broken_by_a_seed(tried)


def test_believing_an_answer_that_is_older_than_an_event_is_found(monkeypatch: Patch, tried: Tried) -> None:
    counting = Responses._counting

    def believing(answers: Responses, *given: Any) -> Any:
        answers._learnt, answers.containers._by_id = {}, {}
        return counting(answers, *given)

    monkeypatch.setattr(Responses, "_counting", believing)
    assert broken_by_a_seed(tried)


def test_the_health_of_a_container_being_ignored_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(ContainerStore, "_set_health", lambda store, known, status: False)
    assert broken_by_a_seed(tried)


def test_a_bad_resource_costing_all_others_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr(Trial, "_isolate", nothing)
    assert broken_by_a_seed(tried)


def test_memory_that_is_not_bounded_is_found(monkeypatch: Patch, tried: Tried) -> None:
    monkeypatch.setattr("simulated.invariants.MOST_OBJECTS", 10)
    assert broken_by_a_seed(tried) == "memory is bounded"
