"""The search for the fragments that Caddy refuses. Pure.

Who made what Caddy refuses is rejected without another try, unless Caddy says the same again without it. Where that is not
known, a fragment is rejected after it has been tried, not on suspicion.
"""

from collections.abc import Callable, Hashable, Sequence

from attrs import define, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.quarantine.makers import MadeBy
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.settings import limits

# tries candidates beside everything that is accepted; accepted ones stay, the others are set aside again
Attempt = Callable[[Sequence[Fragment]], Refusal | None]
# splits candidates into groups, the group to be tried first is the last one
InOrder = Callable[[Sequence[Fragment], Sequence[Fragment]], list[Sequence[Fragment]]]
# who of some candidates a refusal is about
WhoMade = Callable[[Refusal, Sequence[Fragment]], MadeBy]


@frozen
class Finding:
    """A fragment that is refused beside everything that is accepted, and the refusal."""

    fragment: Fragment
    refused: Refusal


@frozen
class _Task:
    """Candidates to be tried. `refused` is their refusal beside the fragments of the keys `beside`, where it is known.

    With `is_certain` it is a single fragment that made what is refused; `since` counts the refusals before this one.
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
    made_by: WhoMade
    is_over: Callable[[], bool]
    found: list[Finding] = field(factory=list)
    untried: list[Fragment] = field(factory=list)
    _accepted: set[str] = field(factory=set)
    _tried_alone: int = 0
    _refusals: int = 0
    _tries: int = 0
    _last_heard: dict[Hashable, int] = field(factory=dict)

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
        else:
            self._refusals += 1
            self._last_heard.update(dict.fromkeys((each.cause for each in (refused, *refused.others)), self._refusals))
        return refused

    def _is_proven(self, task: _Task, refused: Refusal) -> bool:
        """Whether another try would say nothing new: all others are accepted, or the message came and went with it."""
        if task.beside <= self._accepted:
            return True
        return task.is_certain and self._last_heard.get(refused.cause, 0) <= task.since

    def _divided(self, group: tuple[Fragment, ...], refused: Refusal) -> list[_Task]:
        """The tasks that a refused group is divided into; the last one is tried first."""
        certain = self._certain(group, refused)
        if certain:
            others = _without(group, list(certain))
            first = [tuple(each) for each in self._ordered(others, list(certain))]
            beside = frozenset(each.key for each in others)
            late = [_Task((each,), said, beside, True, self._refusals) for each, said in certain.items()]
            return [*late, *map(_Task, first)]
        makers = self.made_by(refused, group).fragments
        if not 0 < len(makers) < len(group):
            ordered = self._ordered(group)
            middle = len(group) // 2
            halves: list[Sequence[Fragment]] = [group[middle:], group[:middle]]
            last, *others_first = ordered if len(ordered) > 1 else halves
            return self._tasks(last, others_first, refused)
        others = _without(group, makers)
        if not refused.at_load and self._tried_alone < limits.MAX_TRIED_ALONE:
            # adapting costs no load: the line that Caddy names may be right, and another fragment the cause
            self._tried_alone += 1
            return self._tasks(others, [makers], refused)
        return self._tasks(makers, self._ordered(others, makers), refused)

    def _certain(self, group: Sequence[Fragment], refused: Refusal) -> dict[Fragment, Refusal]:
        """Those of a group that made what is refused, each with what is said of it."""
        found: dict[Fragment, Refusal] = {}
        for each in (refused, *refused.others):
            made_by = self.made_by(each, group)
            if made_by.is_certain:
                found = dict.fromkeys(made_by.fragments, each) | found
        return found

    def _tasks(self, last: Sequence[Fragment], first: list[Sequence[Fragment]], refused: Refusal) -> list[_Task]:
        """Tasks for the groups that are tried `first`, and one for those that are refused if all `first` are accepted."""
        beside = frozenset(each.key for group in first for each in group)
        return [_Task(tuple(last), refused, beside), *(_Task(tuple(group)) for group in first)]

    def _ordered(self, group: Sequence[Fragment], guess: Sequence[Fragment] = ()) -> list[Sequence[Fragment]]:
        refused = [each.fragment for each in self.found] + list(guess)
        return self.in_order(group, refused)


def _without(group: Sequence[Fragment], some: Sequence[Fragment]) -> tuple[Fragment, ...]:
    left_out = set(some)
    return tuple(each for each in group if each not in left_out)
