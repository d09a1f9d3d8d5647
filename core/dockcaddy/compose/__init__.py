"""The border to Compose files: a project becomes a snapshot of the engine that would run it, with the lines of its labels."""

from dockcaddy.compose.nodes import Position
from dockcaddy.compose.project import Project, load_project
from dockcaddy.compose.snapshot import snapshot_of

__all__ = ["Position", "Project", "load_project", "snapshot_of"]
