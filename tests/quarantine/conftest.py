"""A real Caddy with good sites, and what comes beside them."""

from servers import servers
from world_fixtures import newcomers, world

__all__ = ["newcomers", "servers", "world"]
