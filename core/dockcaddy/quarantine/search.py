"""Finding whom a refusal is about. Caddy's words only choose what is tried first: nobody is found guilty untried. Pure."""

from collections.abc import Callable, Hashable, Sequence

from attrs import define, field, frozen

from dockcaddy.fragment import Fragment
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.settings import limits

# tries candidates beside all that was taken before; those that are taken stay, the others are set aside again
Attempt = Callable[[Sequence[Fragment]], Refusal | None]
# splits candidates into groups, the one to be tried first at the end
InOrder = Callable[[Sequence[Fragment], Sequence[Fragment]], list[Sequence[Fragment]]]


@frozen
class Finding:
    """A fragment that is refused beside all that is taken, and with which words."""

    fragment: Fragment
    refused: Refusal


@frozen
class _Task:
    """Candidates to be tried. `refused` is what is said to them beside the fragments of the keys `beside`.

    A `certain` one is a single fragment that the words point at; `since` counts the refusals that came before it.
    """

    group: tuple[Fragment, ...]
    refused: Refusal | None = None
    beside: frozenset[str] = frozenset()
    is_certain: bool = False
    since: int = 0


@define
class Search:
    """One search among candidates that are set aside. `is_over` tells that fragments has waited long enough."""

    attempt: Attempt
    in_order: InOrder
    is_over: Callable[[], bool] = lambda: False
    found: list[Finding] = field(factory=list)
    untried: list[Fragment] = field(factory=list)
    rejected_kinds: dict[Hashable, Refusal] = field(factory=dict)
    _taken: set[str] = field(factory=set)
    _tried_alone: int = 0
    _refusals: int = 0
    _tries: int = 0
    _last_heard: dict[Hashable, int] = field(factory=dict)
    _taken_kinds: set[Hashable] = field(factory=set)
    _refused_alone: set[Hashable] = field(factory=set)

    def run(self, group: Sequence[Fragment], refused: Refusal | None = None) -> None:
        """Have those of a group taken that can be; `refused` is what is said to all of them, where that is known.

        What `found` has afterwards is to blame if the rest is taken; for what is `untried` there was no time.
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
        """Why a group is refused; None where it is taken, or is left untried."""
        if task.refused is not None and self._is_proven(task, task.refused):
            return task.refused
        if self._tries and self.is_over():
            self.untried += task.group
            return None
        self._tries += 1
        refused = self.attempt(task.group)
        if refused is None:
            self._taken |= {each.key for each in task.group}
            self._taken_kinds |= {each.kind for each in task.group}
        else:
            self._refusals += 1
            self._last_heard[refused.cause] = self._refusals
            if len(task.group) == 1:
                self._refused_alone.add(_kind_and_words(task.group[0], refused))
        return refused

    def _is_proven(self, task: _Task, refused: Refusal) -> bool:
        """Whether another try would tell nothing new: everything else is taken, or the words came and went with it."""
        if task.beside <= self._taken:
            return True
        if task.is_certain and self._last_heard.get(refused.cause, 0) <= task.since:
            return True
        return self._is_rejected_kind(task.group, refused) and refused.names_file_of(task.group)

    def _is_rejected_kind(self, group: Sequence[Fragment], refused: Refusal) -> bool:
        """Whether all of a group are like one that was refused by itself, and nobody like it is taken."""
        return (
            _kind_and_words(group[0], refused) in self._refused_alone
            and group[0].kind not in self._taken_kinds
            and refused.is_about_kind(group)
        )

    def _divided(self, group: tuple[Fragment, ...], refused: Refusal) -> list[_Task]:
        """What is to be tried of a refused group, the last first: those that it is not about, then the others."""
        if self._is_rejected_kind(group, refused):
            self.rejected_kinds[group[0].kind] = refused
            self.found += [Finding(each, refused) for each in group]
            return []
        guess = refused.guess(group)
        if group[0].kind not in self._taken_kinds and refused.is_about_kind(group):
            # one for all of them: if it is refused by itself, and the others too, each of them would be
            return self._tasks(_without(group, (guess or group)[-1:]), [(guess or group)[-1:]], refused)
        if not guess:
            ordered = self._ordered(group)
            middle = len(group) // 2
            halves: list[Sequence[Fragment]] = [group[middle:], group[:middle]]
            last, *first = ordered if len(ordered) > 1 else halves
            return self._tasks(last, first, refused)
        others = _without(group, guess)
        if not refused.at_load and refused.named(guess) and self._tried_alone < limits.MAX_TRIED_ALONE:
            # what is only read costs nobody a load: who stands at the line may be another one's victim
            self._tried_alone += 1
            return self._tasks(others, [guess], refused)
        if len(guess) == 1 and refused.is_certain(guess[0], group):
            return self._beside_its_kind(guess[0], others, refused)
        return self._tasks(guess, self._ordered(others, guess), refused)

    def _beside_its_kind(self, fragment: Fragment, others: Sequence[Fragment], refused: Refusal) -> list[_Task]:
        """Those that are unlike the one at fault, then those of its kind: if they are refused too, they are as it is."""
        self._refused_alone.add(_kind_and_words(fragment, refused))
        mates = [each for each in others if each.kind == fragment.kind]
        ordered = self._ordered(_without(others, mates), (fragment,))
        return self._tasks((fragment,), [mates, *ordered] if mates else ordered, refused, is_certain=True)

    def _tasks(
        self, last: Sequence[Fragment], first: list[Sequence[Fragment]], refused: Refusal, *, is_certain: bool = False
    ) -> list[_Task]:
        """Those who are `last` to be tried need not be where all the others are taken: they are who is refused."""
        beside = frozenset(each.key for group in first for each in group)
        late = _Task(tuple(last), refused, beside, is_certain, self._refusals)
        return [late, *(_Task(tuple(group)) for group in first)]

    def _ordered(self, group: Sequence[Fragment], guess: Sequence[Fragment] = ()) -> list[Sequence[Fragment]]:
        candidate_keys = [each.fragment for each in self.found] + list(guess)
        return self.in_order(group, candidate_keys)


def _without(group: Sequence[Fragment], some: Sequence[Fragment]) -> tuple[Fragment, ...]:
    return tuple(each for each in group if each not in some)


def _kind_and_words(fragment: Fragment, refused: Refusal) -> Hashable:
    return fragment.kind, refused.said
