"""A real Caddy with good sites, and what comes beside them."""

from world_fixtures import newcomers, world

__all__ = ["newcomers", "world"]
