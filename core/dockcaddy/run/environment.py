"""What commands start from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from dockcaddy.settings.table import Settings

if TYPE_CHECKING:
    from dockcaddy.plugins.registry import Registry

Section = TypeVar("Section")


@frozen
class Environment:
    """The settings, the plugins, and the plugins' settings by class."""

    settings: Settings
    registry: "Registry"
    sections: Mapping[type, Any]

    def section(self, section: type[Section]) -> Section:
        """A plugin's settings of this class, by default its defaults."""
        found: Section = self.sections[section] if section in self.sections else section()
        return found
