"""The border to Docker: turns an engine's JSON and events into resources. Raw JSON never leaves this package."""

from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.live import Engine
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.snapshot import VERSION, SnapshotError, from_snapshot

__all__ = ["VERSION", "Connection", "Engine", "EngineOptions", "SnapshotError", "from_snapshot"]
