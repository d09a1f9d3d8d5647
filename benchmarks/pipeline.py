"""Inventory to Caddyfile, in process: `python benchmarks/pipeline.py`."""

import gc
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable

from attrs import evolve
from dockcaddy import plugins
from dockcaddy.model import Attachment, EngineInventory, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.settings import limits

SIZES = (10, 100, 1_000, 10_000)


def resource(number: int) -> Resource:
    """A container of six labels, as an application has them."""
    address = f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 2}"
    return Resource(
        kind="container",
        id=f"{number:064x}",
        name=f"app-{number}",
        image="acme/app:1.2",
        labels={
            "caddy": f"app-{number}.example.com",
            "caddy.encode": "zstd gzip",
            "caddy.header.X-Container": "{{containerName}}",
            "caddy.header.Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "caddy.reverse_proxy": "{{upstreams 8000}}",
            "caddy.reverse_proxy.lb_policy": "least_conn",
        },
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


def main() -> None:
    """Print a row for each size."""
    # as the program does
    gc.set_threshold(limits.OBJECTS_BETWEEN_COLLECTIONS)
    registry = plugins.load()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print("| resources | cold, ms | one changed, ms | nothing changed, ms | memory, MB |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        resources = tuple(resource(number) for number in range(size))
        whole = inventory(resources)
        cold = median(lambda whole=whole: Pipeline(registry).build(whole).text, 5 if size < 5_000 else 3)
        pipeline = Pipeline(registry)
        pipeline.build(whole)
        middle = size // 2

        def change(resources: tuple[Resource, ...] = resources, pipeline: Pipeline = pipeline, at: int = middle) -> str:
            changed = evolve(resources[at], targets=(f"10.9.9.{time.perf_counter_ns() % 250}",))
            return pipeline.build(inventory((*resources[:at], changed, *resources[at + 1 :]))).text

        one = median(change, 15)
        calm = median(lambda pipeline=pipeline, whole=whole: pipeline.build(whole).text, 15)
        del pipeline
        gc.collect()
        tracemalloc.start()
        kept = Pipeline(registry)
        kept.build(whole)
        used = tracemalloc.get_traced_memory()[0] / 1e6
        tracemalloc.stop()
        print(f"| {size:,} | {cold:.1f} | {one:.2f} | {calm:.2f} | {used:.1f} |")


if __name__ == "__main__":
    main()
