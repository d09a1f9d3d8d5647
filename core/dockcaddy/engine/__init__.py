"""The Docker side: the engine's JSON to resources, events, ingress networks. Raw JSON never leaves it."""

from dockcaddy.engine.connection import Connection
from dockcaddy.engine.live import Engine
from dockcaddy.engine.records import EngineOptions
from dockcaddy.engine.snapshot import VERSION, SnapshotError, from_snapshot

__all__ = ["VERSION", "Connection", "Engine", "EngineOptions", "SnapshotError", "from_snapshot"]
