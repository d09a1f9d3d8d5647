"""The fixtures of a town whose engine can be made to fail."""

from town_fixtures import calm, engine, external, start_proxy

__all__ = ["calm", "engine", "external", "start_proxy"]
