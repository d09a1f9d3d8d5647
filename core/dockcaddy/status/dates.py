"""Since when a condition is as it is."""

from collections.abc import Callable, Iterable

from attrs import define, evolve, field

from dockcaddy.status.model import Condition, Conditions


@define
class Dates:
    """Remembers conditions by the subject that has them. `time` gives seconds since the epoch.

    `changed` are the subjects whose states changed, and `gone` those that are gone, since both were taken last.
    """

    time: Callable[[], float]
    known: dict[str, dict[str, Condition]] = field(factory=dict)
    changed: set[str] = field(factory=set)
    gone: set[str] = field(factory=set)

    def dated(self, subject: str, given: Iterable[Condition]) -> Conditions:
        """The conditions with the times of their last changes."""
        accepted, programmed, ready = (self._dated(subject, each) for each in given)
        return Conditions(accepted, programmed, ready)

    def _dated(self, subject: str, given: Condition) -> Condition:
        of_subject = self.known.setdefault(subject, {})
        before = of_subject.get(given.type)
        if before == given:
            return before
        is_same = before is not None and (before.state, before.reason) == (given.state, given.reason)
        made = evolve(given, since=before.since if before is not None and is_same else self.time())
        of_subject[given.type] = made
        if not is_same:
            self.changed.add(subject)
            self.gone.discard(subject)
        return made

    def forget(self, subject: str) -> None:
        """The subject is gone."""
        if self.known.pop(subject, None) is not None:
            self.gone.add(subject)
            self.changed.discard(subject)
