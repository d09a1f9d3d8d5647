"""The fixtures of a running dockcaddy beside the real engine."""

from real_engine_fixtures import containers, start_dockcaddy

__all__ = ["containers", "start_dockcaddy"]
