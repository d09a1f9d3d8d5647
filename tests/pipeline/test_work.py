"""What one more container costs where many have the same labels, counted in lines of Python."""

import gc

from attrs import evolve
from dockcaddy import plugins, testing
from dockcaddy.compile.rendering import ResourceContext
from dockcaddy.gotemplate.state import State
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from usual_labels import usual_labels
from work import lines_run

# 1,684 when this was written
MOST_LINES = 1_850


def container(number: int) -> Resource:
    labels = {**usual_labels(f"app-{number}.example.com"), "org.opencontainers.image.version": "1.2"}
    return evolve(testing.container(f"app-{number}", labels=labels), created=number)


def test_a_container_with_the_labels_of_others_is_rendered_with_little_work() -> None:
    pipeline = Pipeline(plugins.load())
    before = tuple(map(container, range(3)))
    pipeline.fragments(Inventory((EngineInventory("local", before),)))
    more = Inventory((EngineInventory("local", (*before, container(3))),))
    lines = lines_run(lambda: pipeline.fragments(more))
    assert 0 < lines <= MOST_LINES


def test_rendering_leaves_no_cycles_that_python_has_to_look_for() -> None:
    pipeline = Pipeline(plugins.load())
    many = Inventory((EngineInventory("local", tuple(map(container, range(50)))),))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        pipeline.fragments(many)
        gc.collect()
        # what other tests have begun leaves garbage too
        assert not [each for each in gc.garbage if isinstance(each, ResourceContext | State)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
