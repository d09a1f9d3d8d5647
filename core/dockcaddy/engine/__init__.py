"""The Docker side: the engine's JSON to resources, events, ingress networks. Raw JSON never leaves it."""

from dockcaddy.engine.records import EngineOptions
from dockcaddy.engine.snapshot import SnapshotError, from_snapshot

__all__ = ["EngineOptions", "SnapshotError", "from_snapshot"]
