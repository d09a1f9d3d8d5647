"""Since when a condition is as it is."""

from collections.abc import Iterable

from attrs import define, evolve, field

from dockcaddy.status.model import Condition, Conditions


@define
class Dates:
    """Remembers the conditions of each subject. `now` is the time of the pass, in seconds since the epoch.

    `changed` are the subjects whose states changed, and `gone` those that are gone, since both were taken last.
    """

    known: dict[str, Conditions] = field(factory=dict)
    changed: set[str] = field(factory=set)
    gone: set[str] = field(factory=set)
    now: float = 0.0
    # what equal conditions became in this pass: thousands of resources have the same few, and they stay one object
    _dated: dict[tuple[Condition, float], Condition] = field(factory=dict)
    _made: dict[tuple[int, ...], Conditions] = field(factory=dict)

    def begin(self, now: float) -> None:
        """A pass begins."""
        self.now, self._dated, self._made = now, {}, {}

    def dated(self, subject: str, given: Iterable[Condition]) -> Conditions:
        """The conditions with the times of their last changes."""
        before: Iterable[Condition | None] = self.known.get(subject) or (None, None, None)
        dated = [self._since(*each) for each in zip(given, before, strict=True)]
        if any(was is None or is_other(was, now) for was, now in zip(before, dated, strict=True)):
            self.changed.add(subject)
            self.gone.discard(subject)
        made = self.known[subject] = self._made.setdefault(tuple(map(id, dated)), Conditions(*dated))
        return made

    def _since(self, given: Condition, before: Condition | None) -> Condition:
        if before is not None and before == given:
            return before
        since = self.now if before is None or is_other(before, given) else before.since
        made = self._dated.get((given, since))
        if made is None:
            made = self._dated[given, since] = evolve(given, since=since)
        return made

    def forget(self, subject: str) -> None:
        """The subject is gone."""
        if self.known.pop(subject, None) is not None:
            self.gone.add(subject)
            self.changed.discard(subject)


def is_other(before: Condition, now: Condition) -> bool:
    """Whether people have to know: another message alone is no change."""
    return (before.state, before.reason) != (now.state, now.reason)
