"""What would be served, for the commands that ask once and deliver nothing."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from attrs import evolve, field, frozen

from dockcaddy.caddy.command import find_caddy
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.quick_validation import QuickValidator
from dockcaddy.caddy.validation import NO_FILE, CommandValidator
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, one_line
from dockcaddy.fragment import Fragment
from dockcaddy.hookspecs import Adapter
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem
from dockcaddy.quarantine.labels import with_labels
from dockcaddy.quarantine.memory import Rejection
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline, problems_of
from dockcaddy.run.composition import quarantine_for
from dockcaddy.settings import limits
from dockcaddy.settings.table import Settings

# what changes the fragments before they are tried
Arrange = Callable[[Sequence[Fragment]], Sequence[Fragment]]


@frozen(eq=False)
class Preview:
    """The configuration that would be served, made of `parts` of the `fragments`; `left_out` says by key why others are not in it.

    `refusal` is why Caddy refuses everything, and then there is no configuration. `unchecked` is why it could not be asked.
    """

    configuration: Configuration
    fragments: Sequence[Fragment] = ()
    parts: Sequence[Fragment] = ()
    left_out: Mapping[str, Rejection] = field(factory=dict)
    refusal: str = ""
    unchecked: str = ""


@frozen
class Candidate:
    """An inventory and what makes a configuration of it. `arrange` changes the fragments before they are tried."""

    settings: Settings
    pipeline: Pipeline
    inventory: Inventory
    base: BaseCaddyfile | None = None
    arrange: Arrange = tuple

    def served_by_program(self, *, elsewhere: bool = False) -> Preview:
        """What would be served: without what admission rules or Caddy refuse, and without the newer side of each conflict.

        The Caddy program on disk is asked. `elsewhere` means that another machine would serve it. Raises CaddyUnreachable
        without a program.
        """
        program = find_caddy(self.settings.caddy)
        adapter = LimitedAdapter(program, limits.VALIDATOR_MEMORY, limits.CADDY_COMMAND_TIMEOUT, os.environ)
        elsewhere = elsewhere or bool(self.settings.caddy_admin)
        tried = self._served(adapter, QuickValidator(CommandValidator(program, elsewhere), adapter).validate)
        if not elsewhere:
            return tried
        problems = tuple(map(_for_elsewhere, tried.configuration.problems))
        return evolve(tried, configuration=evolve(tried.configuration, problems=problems))

    def served_unchecked(self) -> Preview:
        """What would be served if Caddy accepted everything that admission rules let through. Nothing is adapted.

        Who takes requests from whom is known only where there is a Caddy program.
        """
        adapter = Credulous()
        with suppress(CaddyUnreachable):
            adapter = Credulous(LimitedAdapter(find_caddy(self.settings.caddy)))
        tried = self._served(adapter, lambda config, text: None)
        return evolve(tried, configuration=evolve(tried.configuration, adapted=None))

    def _served(self, adapter: Adapter, validate: Callable[[bytes, str], None]) -> Preview:
        # a command runs once and has the time to find every refusal
        quarantine = quarantine_for(self.settings, [adapter], lambda: 0.0, rules=lambda: self.pipeline.document_rules)
        assert quarantine is not None
        fragments = tuple(self.arrange(self.pipeline.fragments(self.inventory, self.base)))
        # also the problems of sites whose fragments are left out
        everything = self.pipeline.configuration(fragments)

        def is_valid(built: Configuration) -> bool:
            validate(built.json, built.text)
            return True

        try:
            configuration = quarantine.resolve(fragments, self.pipeline.configuration, is_valid)
        except CaddyRefusal as refusal:
            problems = problems_of(self.inventory, fragments, everything, [self._refused_whole(refusal)])
            return Preview(Configuration("", problems), fragments, refusal=str(refusal))
        candidates = [each for each in fragments if not each.refused]
        refused = with_labels(quarantine.problems, candidates, quarantine.adapt, validate)
        found = evolve(configuration, problems=problems_of(self.inventory, fragments, everything, refused))
        return Preview(found, fragments, quarantine.parts, quarantine.left_out)

    def _refused_whole(self, refusal: CaddyRefusal) -> Problem:
        if self.base is not None and self.settings.process_caddyfile:
            return Problem(f"caddyfile {self.base.path}", "", one_line(f"caddy refuses it: {refusal}"))
        return Problem("caddy", "", one_line(f"refuses everything: {refusal}"))


def _for_elsewhere(problem: Problem) -> Problem:
    """The problem, only a warning where Caddy reads a file that another machine may have."""
    if not problem.message.endswith(NO_FILE):
        return problem
    return evolve(problem, severity="warning", message=f"{problem.message}: the machine that serves it needs this file")


@frozen
class Credulous:
    """An adapter that accepts everything. What the `reader` refuses is the empty configuration."""

    reader: Adapter | None = None

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON, as far as it is known."""
        with suppress(CaddyRefusal):
            return self.reader.adapt(caddyfile) if self.reader is not None else b"{}"
        return b"{}"
