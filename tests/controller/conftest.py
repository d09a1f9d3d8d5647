"""A controller with servers that run on this machine."""

from judging_fixtures import court
from servers import servers
from town_fixtures import calm, engine, start_proxy

__all__ = ["calm", "court", "engine", "servers", "start_proxy"]
