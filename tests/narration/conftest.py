"""A running dockcaddy beside an engine that is told what runs."""

from town_fixtures import engine, start_proxy

__all__ = ["engine", "start_proxy"]
