"""A world of good sites with a real Caddy, and a town whose engine stands in for a real one."""

from town_fixtures import calm, engine, start_proxy, town
from world_fixtures import newcomers, world

__all__ = ["calm", "engine", "newcomers", "start_proxy", "town", "world"]
