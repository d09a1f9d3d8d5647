"""What tells the conflicts among containers, with a real Caddy that reads their sites."""

from collections.abc import Callable

import pytest
from conflicting import Told
from dockcaddy import plugins
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy_policy import PolicySettings

REGISTRY = plugins.load()


@pytest.fixture
def told(adapt: Callable[[str], bytes]) -> Told:
    """The conflicts among containers whose labels the policy checks."""
    return Told(adapt, lambda: Pipeline(REGISTRY))


@pytest.fixture
def told_of_trusted(adapt: Callable[[str], bytes]) -> Told:
    """Those among containers whose labels are trusted: some of this is refused otherwise, before it could take anything."""
    return Told(adapt, lambda: Pipeline(REGISTRY, {PolicySettings: PolicySettings(trust="all")}))
