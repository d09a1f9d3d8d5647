"""The fixtures of a town whose engine can be made to fail."""

from judging_fixtures import court
from real_engine_fixtures import containers
from town_fixtures import calm, engine, start_proxy, town

__all__ = ["calm", "containers", "court", "engine", "start_proxy", "town"]
