"""The settings of this plugin."""

from attrs import field, frozen


@frozen
class MaintenanceSettings:
    """The section `[maintenance]`."""

    text: str = field(default="back soon", metadata={"help": "what visitors read if the label has no text"})
