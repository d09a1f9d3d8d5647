"""The real engine, where there is one."""

from real_engine_fixtures import containers

__all__ = ["containers"]
