"""The outputs that the settings choose."""

from attrs import frozen

from dockcaddy.hookspecs import OutputType
from dockcaddy.plugins.guard import Contribution
from dockcaddy.plugins.registry import Registry
from dockcaddy.settings.table import Settings


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


def chosen_outputs(settings: Settings, registry: Registry) -> tuple[ChosenOutput, ...]:
    """The outputs in the order of the settings."""
    named = (text.partition("=") for text in settings.output)
    return tuple(ChosenOutput(name, target, registry.outputs.get(name)) for name, _, target in named)
