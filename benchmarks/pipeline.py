"""Inventory to Caddyfile and to the status, in process: `python benchmarks/pipeline.py`."""

import gc
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence

from attrs import evolve
from dockcaddy import plugins
from dockcaddy.model import Attachment, EngineInventory, Inventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.settings import limits
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.observation import Observation
from measuring import Table
from usual_labels import usual_labels

SIZES = (10, 100, 1_000, 10_000)
COLUMNS = ("one changed, ms", "nothing changed, ms", "memory, MB")


def resource(number: int) -> Resource:
    """A container of six labels, as an application has them."""
    address = f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 2}"
    return Resource(
        kind="container",
        id=f"{number:064x}",
        name=f"app-{number}",
        image="acme/app:1.2",
        labels=usual_labels(f"app-{number}.example.com"),
        environment={"DOMAIN": "example.com"},
        attachments=(Attachment("front", "f", address),),
        created=number,
        state="running",
        running=True,
        targets=(address,),
    )


def inventory(resources: tuple[Resource, ...]) -> Inventory:
    """One engine with these resources."""
    return Inventory((EngineInventory("local", resources),))


def median(action: Callable[[], object], runs: int) -> float:
    """The median time of an action, in milliseconds."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def with_another_address(resources: tuple[Resource, ...], at: int) -> tuple[Resource, ...]:
    """The resources, one of which has got another address."""
    changed = evolve(resources[at], targets=(f"10.9.9.{time.perf_counter_ns() % 250}",))
    return (*resources[:at], changed, *resources[at + 1 :])


def memory(make: Callable[[], object]) -> float:
    """The memory that something takes once it is made, in MB."""
    gc.collect()
    tracemalloc.start()
    kept = make()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    del kept
    return used


def print_pipeline(registry: Registry) -> None:
    """A row for each size: what the configuration takes."""
    table = Table(("resources", "cold, ms", *COLUMNS))
    for size in SIZES:
        resources = tuple(resource(number) for number in range(size))
        whole = inventory(resources)
        cold = median(lambda whole=whole: Pipeline(registry).build(whole).text, 5 if size < 5_000 else 3)
        pipeline = Pipeline(registry)
        pipeline.build(whole)

        def change(resources: tuple[Resource, ...] = resources, pipeline: Pipeline = pipeline) -> str:
            return pipeline.build(inventory(with_another_address(resources, len(resources) // 2))).text

        one = median(change, 15)
        calm = median(lambda pipeline=pipeline, whole=whole: pipeline.build(whole).text, 15)
        del pipeline

        def kept(whole: Inventory = whole) -> Pipeline:
            made = Pipeline(registry)
            made.build(whole)
            return made

        table.row(f"{size:,}", f"{cold:.1f}", f"{one:.2f}", f"{calm:.2f}", f"{memory(kept):.1f}")


def observation(pipeline: Pipeline, whole: Inventory) -> Observation:
    """A pass in which Caddy takes everything."""
    fragments = pipeline.fragments(whole)
    return Observation(whole, fragments, pipeline.configuration(fragments), fragments, engines={"local": ""})


def observed(passes: Sequence[Observation]) -> StatusKeeper:
    """The status after these passes."""
    keeper = StatusKeeper()
    for each in passes:
        keeper.observe(each)
    return keeper


def print_status(registry: Registry) -> None:
    """A row for each size: what the status takes."""
    table = Table(("resources", "first pass, ms", *COLUMNS))
    for size in SIZES:
        resources = tuple(resource(number) for number in range(size))
        pipeline = Pipeline(registry)
        first = observation(pipeline, inventory(resources))
        cold = median(lambda first=first: observed((first,)), 3)
        keeper = observed((first,))
        changes = []
        for at in range(15):
            resources = with_another_address(resources, at * size // 15)
            changes.append(observation(pipeline, inventory(resources)))
        waiting = iter(changes)
        one = median(lambda keeper=keeper, waiting=waiting: keeper.observe(next(waiting)), len(changes))
        calm = median(lambda keeper=keeper, last=changes[-1]: keeper.observe(last), 15)
        taken = memory(lambda first=first: observed((first,)))
        table.row(f"{size:,}", f"{cold:.1f}", f"{one:.2f}", f"{calm:.2f}", f"{taken:.1f}")


def main() -> None:
    """Print both tables."""
    # as the program does
    gc.set_threshold(limits.OBJECTS_BETWEEN_COLLECTIONS)
    registry = plugins.load()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print_pipeline(registry)
    print("\nThe status of these resources:\n")
    print_status(registry)


if __name__ == "__main__":
    main()
