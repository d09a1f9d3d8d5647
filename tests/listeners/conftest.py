"""A world of good sites with a real Caddy."""

from world_fixtures import add_to_base, newcomers, world

__all__ = ["add_to_base", "newcomers", "world"]
