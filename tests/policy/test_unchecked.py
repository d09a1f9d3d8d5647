"""Where no Caddy can be asked, labels are not written."""

import pytest
from dockcaddy import CaddyUnreachable, testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy_policy import PolicySettings
from policies import loaded, site


def written(trust: str, *labels: dict[str, str]) -> str:
    """What is written without a Caddy."""
    pipeline = Pipeline(loaded(), {PolicySettings: PolicySettings(trust=trust)})
    reconciler = Reconciler(None, pipeline, None, None, lambda: 0.0)  # type: ignore[arg-type]
    containers = tuple(testing.container(f"web-{at}", labels=each) for at, each in enumerate(labels))
    inventory = Inventory((EngineInventory("local", containers),))
    return reconciler._resolved(pipeline.fragments(inventory, BaseCaddyfile("/x/Caddyfile", "a.test\n"))).text


def test_labels_are_not_written_unchecked() -> None:
    with pytest.raises(CaddyUnreachable, match="no caddy to check labels with"):
        written("limited", site(caddy__respond="x"))


def test_labels_are_written_where_all_are_trusted_and_so_is_the_operators_caddyfile() -> None:
    assert "example.org" in written("all", site(caddy__respond="x"))
    assert "a.test" in written("limited")
