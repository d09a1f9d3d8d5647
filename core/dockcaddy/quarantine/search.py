"""The search for the fragments that Caddy refuses. Pure.

Caddy's message only decides what is tried first: a fragment is rejected after it has been tried, not on suspicion.
"""

from collections.abc import Callable, Hashable, Sequence

from attrs import define, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.settings import limits

# tries candidates beside everything that is accepted; accepted ones stay, the others are set aside again
Attempt = Callable[[Sequence[Fragment]], Refusal | None]
# splits candidates into groups, the group to be tried first is the last one
InOrder = Callable[[Sequence[Fragment], Sequence[Fragment]], list[Sequence[Fragment]]]


@frozen
class Finding:
    """A fragment that is refused beside everything that is accepted, and the refusal."""

    fragment: Fragment
    refused: Refusal


@frozen
class _Task:
    """Candidates to be tried. `refused` is their refusal beside the fragments of the keys `beside`, where it is known.

    With `is_certain` it is a single fragment that the message points at; `since` counts the refusals before this one.
    """

    group: tuple[Fragment, ...]
    refused: Refusal | None = None
    beside: frozenset[str] = frozenset()
    is_certain: bool = False
    since: int = 0


@define
class Search:
    """One search among candidates that are set aside. `is_over` says that other fragments have waited long enough."""

    attempt: Attempt
    in_order: InOrder
    is_over: Callable[[], bool] = lambda: False
    found: list[Finding] = field(factory=list)
    untried: list[Fragment] = field(factory=list)
    rejected_kinds: dict[Hashable, Refusal] = field(factory=dict)
    _accepted: set[str] = field(factory=set)
    _tried_alone: int = 0
    _refusals: int = 0
    _tries: int = 0
    _last_heard: dict[Hashable, int] = field(factory=dict)
    _accepted_kinds: set[Hashable] = field(factory=set)
    _refused_alone: set[Hashable] = field(factory=set)

    def run(self, group: Sequence[Fragment], refused: Refusal | None = None) -> None:
        """Add those of a group that Caddy accepts; `refused` is its refusal of the whole group, where that is known.

        Afterwards `found` has those that it refuses, `untried` those for which there was no time.
        """
        tried_first = [tuple(group)] if refused else self._ordered(group)
        waiting = [_Task(tuple(each), refused) for each in tried_first]
        while waiting:
            task = waiting.pop()
            refused = self._refusal(task) if task.group else None
            if refused is None:
                continue
            if len(task.group) == 1:
                self.found.append(Finding(task.group[0], refused))
            else:
                waiting += self._divided(task.group, refused)

    def _refusal(self, task: _Task) -> Refusal | None:
        """Why a group is refused; None where it is accepted or left untried."""
        if task.refused is not None and self._is_proven(task, task.refused):
            return task.refused
        if self._tries and self.is_over():
            self.untried += task.group
            return None
        self._tries += 1
        refused = self.attempt(task.group)
        if refused is None:
            self._accepted |= {each.key for each in task.group}
            self._accepted_kinds |= {each.kind for each in task.group}
        else:
            self._refusals += 1
            self._last_heard[refused.cause] = self._refusals
            if len(task.group) == 1:
                self._refused_alone.add(_kind_and_words(task.group[0], refused))
        return refused

    def _is_proven(self, task: _Task, refused: Refusal) -> bool:
        """Whether another try would say nothing new: all others are accepted, or the message came and went with it."""
        if task.beside <= self._accepted:
            return True
        if task.is_certain and self._last_heard.get(refused.cause, 0) <= task.since:
            return True
        return self._is_rejected_kind(task.group, refused) and refused.names_file_of(task.group)

    def _is_rejected_kind(self, group: Sequence[Fragment], refused: Refusal) -> bool:
        """Whether all of a group differ only in hosts from one that was refused alone, and no such one is accepted."""
        return (
            _kind_and_words(group[0], refused) in self._refused_alone
            and group[0].kind not in self._accepted_kinds
            and refused.is_about_kind(group)
        )

    def _divided(self, group: tuple[Fragment, ...], refused: Refusal) -> list[_Task]:
        """The tasks that a refused group is divided into; the last one is tried first."""
        if self._is_rejected_kind(group, refused):
            self.rejected_kinds[group[0].kind] = refused
            self.found += [Finding(each, refused) for each in group]
            return []
        guess = refused.guess(group)
        if group[0].kind not in self._accepted_kinds and refused.is_about_kind(group):
            # one is tried for all of them: if it is refused alone, and the others together, each of them would be
            return self._tasks(_without(group, (guess or group)[-1:]), [(guess or group)[-1:]], refused)
        if not guess:
            ordered = self._ordered(group)
            middle = len(group) // 2
            halves: list[Sequence[Fragment]] = [group[middle:], group[:middle]]
            last, *first = ordered if len(ordered) > 1 else halves
            return self._tasks(last, first, refused)
        others = _without(group, guess)
        if not refused.at_load and refused.named(guess) and self._tried_alone < limits.MAX_TRIED_ALONE:
            # adapting costs no load: the line that Caddy names may be right, and another fragment the cause
            self._tried_alone += 1
            return self._tasks(others, [guess], refused)
        if len(guess) == 1 and refused.is_certain(guess[0], group):
            return self._beside_its_kind(guess[0], others, refused)
        return self._tasks(guess, self._ordered(others, guess), refused)

    def _beside_its_kind(self, fragment: Fragment, others: Sequence[Fragment], refused: Refusal) -> list[_Task]:
        """First those unlike the one at fault, then those of its kind: if these are refused too, all of the kind are."""
        self._refused_alone.add(_kind_and_words(fragment, refused))
        mates = [each for each in others if each.kind == fragment.kind]
        ordered = self._ordered(_without(others, mates), (fragment,))
        return self._tasks((fragment,), [mates, *ordered] if mates else ordered, refused, is_certain=True)

    def _tasks(
        self, last: Sequence[Fragment], first: list[Sequence[Fragment]], refused: Refusal, *, is_certain: bool = False
    ) -> list[_Task]:
        """Tasks for the groups that are tried `first`, and one for those that are refused if all `first` are accepted."""
        beside = frozenset(each.key for group in first for each in group)
        late = _Task(tuple(last), refused, beside, is_certain, self._refusals)
        return [late, *(_Task(tuple(group)) for group in first)]

    def _ordered(self, group: Sequence[Fragment], guess: Sequence[Fragment] = ()) -> list[Sequence[Fragment]]:
        refused = [each.fragment for each in self.found] + list(guess)
        return self.in_order(group, refused)


def _without(group: Sequence[Fragment], some: Sequence[Fragment]) -> tuple[Fragment, ...]:
    return tuple(each for each in group if each not in some)


def _kind_and_words(fragment: Fragment, refused: Refusal) -> Hashable:
    return fragment.kind, refused.said
