"""The outputs that the settings choose."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import OutputType
from dockcaddy.plugins.guard import Contribution
from dockcaddy.plugins.registry import Registry
from dockcaddy.settings.table import Settings, nearest


@frozen
class ChosenOutput:
    """What one `--output NAME[=TARGET]` says; `type` is None where no plugin contributes an output of this name.

    The target of a live output is the URL of its Caddy's admin API, `""` for the program's own Caddy. That of another
    one is the file that it writes.
    """

    name: str
    target: str
    type: Contribution[OutputType] | None

    def __str__(self) -> str:
        return f"{self.name}={self.target}" if self.target else self.name

    @property
    def is_live(self) -> bool:
        """Whether it has a Caddy, which can refuse a configuration."""
        return self.type is not None and self.type.item.live

    @property
    def options(self) -> Mapping[str, Any]:
        """What it is built with."""
        return {"target": self.target} if self.target else {}


def chosen_outputs(settings: Settings, registry: Registry) -> tuple[ChosenOutput, ...]:
    """The outputs in the order of the settings."""
    return tuple(_chosen(text, registry) for text in settings.output)


def _chosen(text: str, registry: Registry) -> ChosenOutput:
    name, _, target = text.partition("=")
    return ChosenOutput(name, target, registry.outputs.get(name))


def contributed(output: ChosenOutput, registry: Registry) -> Contribution[OutputType]:
    """The plugin's contribution. Raises SettingsError where there is none."""
    if output.type is None:
        raise SettingsError(f'no output "{output.name}"{nearest(output.name, registry.outputs)}')
    return output.type
