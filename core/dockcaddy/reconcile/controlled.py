"""The servers of a controller, as the loop sees them."""

from collections.abc import Sequence
from typing import Protocol

from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem


class Controlled(Protocol):
    """Servers that get what one of them accepted, each in its own time."""

    @property
    def leads(self) -> bool:
        """Whether this controller leads. If not, it watches and configures nothing."""

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with servers."""

    def start(self) -> None:
        """Begin. Called once, before the first pass."""

    def found(self, inventory: Inventory) -> None:
        """What there is now, servers included."""

    def may_have_more(self, remembered: bytes) -> bool:
        """Whether servers run what another controller made since this one `remembered` its last configuration (JSON)."""

    def publish(self, configuration: Configuration, parts: Sequence[Fragment]) -> None:
        """Have all servers run this configuration, which is made of these fragments."""

    def close(self) -> None:
        """Stop; what servers have stays."""


class NoServers:
    """Dockcaddy without servers."""

    leads = True
    problems = ()

    def start(self) -> None:
        """See Controlled."""

    def found(self, inventory: Inventory) -> None:
        """See Controlled."""

    def may_have_more(self, remembered: bytes) -> bool:
        """See Controlled."""
        return False

    def publish(self, configuration: Configuration, parts: Sequence[Fragment]) -> None:
        """See Controlled."""

    def close(self) -> None:
        """See Controlled."""
