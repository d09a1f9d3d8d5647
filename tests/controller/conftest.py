"""A controller with servers that run on this machine."""

from servers import servers
from town_fixtures import calm, engine, start_proxy

__all__ = ["calm", "engine", "servers", "start_proxy"]
