"""What the loop has to do with servers: which there are, what they run, and whether this controller configures them."""

from collections.abc import Callable, Sequence

from attrs import define, field

from dockcaddy.admission.document_rules import DocumentRules
from dockcaddy.controller.election import Leadership
from dockcaddy.controller.fleet import Fleet
from dockcaddy.controller.server import Build, Wanted
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem


@define(eq=False)
class Controller:
    """Servers that get what one of them accepted, each in its own time. `changed` is called when their problems or the lead change.

    `document_rules` check what they get: they are set before it starts.
    """

    fleet: Fleet
    leadership: Leadership
    changed: Callable[[], None] = lambda: None
    document_rules: DocumentRules = field(init=False)
    # the lead has changed so many times, now and when the present pass began
    _term: int = 0
    _term_of_pass: int = 0

    @property
    def leads(self) -> bool:
        """Whether this controller leads. If not, it watches and configures nothing."""
        return self.leadership.leads

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with servers."""
        return self.fleet.problems

    def tell(self) -> None:
        """The problems of servers have changed."""
        self.changed()

    def lead_changed(self) -> None:
        """This controller begins to lead, or ends."""
        self._term += 1
        self.fleet.forget()
        self.changed()

    def start(self) -> None:
        """Begin. Called once, before the first pass."""
        self.fleet.found(Inventory(()))
        self.leadership.start()

    def found(self, inventory: Inventory) -> None:
        """What there is now, servers included."""
        self._term_of_pass = self._term
        self.fleet.found(inventory)

    def may_have_more(self, remembered: bytes) -> bool:
        """Whether servers run what another controller made since this one `remembered` its last configuration (JSON).

        What was published since this controller leads is its own.
        """
        return not self.fleet.has_published and self.fleet.runs_another(remembered)

    def publish(
        self, configuration: Configuration, parts: Sequence[Fragment], builders: Callable[[], Callable[[], Build]]
    ) -> None:
        """Have all servers run this configuration, which is made of these fragments. What was made before the lead changed is outdated.

        `builders` makes what gives a server a builder of its own.
        """
        if self.leads and self._term_of_pass == self._term:
            self.fleet.publish(Wanted(configuration, parts, builders()))

    def close(self) -> None:
        """Stop; what servers have stays."""
        self.leadership.close()
        self.fleet.close()


class NoServers:
    """In place of a controller, in dockcaddy without servers."""

    leads = True
    problems = ()

    def start(self) -> None:
        """See Controller."""

    def found(self, inventory: Inventory) -> None:
        """See Controller."""

    def may_have_more(self, remembered: bytes) -> bool:
        """See Controller."""
        return False

    def publish(
        self, configuration: Configuration, parts: Sequence[Fragment], builders: Callable[[], Callable[[], Build]]
    ) -> None:
        """See Controller."""

    def close(self) -> None:
        """See Controller."""
