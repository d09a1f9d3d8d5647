"""What is known from one settling to the next: what Caddy has, and why fragments are left out."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from dockcaddy.backoff import pause_after
from dockcaddy.fragment import Fragment, is_definition
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.settings import limits

FIRST_PAUSE = 10.0
LONGEST_PAUSE = 600.0
# so often Caddy may crash within so many seconds before anybody is blamed
CRASHES, CRASHES_WITHIN = 3, 60.0
# what Caddy has had for so many seconds is not blamed for a crash
PROVEN_AFTER = 600.0


@frozen
class Rejection:
    """Why a fragment with this content is left out, and when (seconds of the clock) it is tried again.

    `refusals` counts how often it was refused: each time the pause before the next try is longer.
    """

    content: str
    problem: Problem
    retry_at: float
    refusals: int
    # it was not left out for what it says, there was only no time to try it
    is_untried: bool = False
    # the older fragment that it was left out for, by its key
    older: str = ""
    # what is wrong with somebody else's lines, which this one has imported
    cause: Problem | None = None


@define
class Memory:
    """Verdicts by content, and what was accepted last. `clock` gives seconds."""

    clock: Callable[[], float]
    rejections: dict[str, Rejection] = field(factory=dict)
    accepted: dict[str, Fragment] = field(factory=dict)
    last_good: dict[str, Fragment] = field(factory=dict)
    last: Configuration | None = None
    tried_together: int = limits.MAX_RETRIED_TOGETHER
    _accepted_at: dict[str, float] = field(factory=dict)
    _crashes: list[float] = field(factory=list)
    _rejected_after_crash: dict[str, Rejection] = field(factory=dict)

    def remember(self, fragments: Mapping[str, Fragment]) -> None:
        """Take over what an earlier run had accepted: none of it is candidate_keys before what is new."""
        self.last_good = dict(fragments)
        self.accepted = dict(fragments)
        self._accepted_at = dict.fromkeys(fragments, float("-inf"))

    def accept(self, configuration: Configuration, parts: Iterable[Fragment], kept: Collection[str]) -> None:
        """Caddy has a configuration of these parts; of the fragments `kept` the last good versions stay known."""
        self.last = configuration
        now, accepted = self.clock(), {each.key: each for each in parts}
        self._accepted_at = {
            key: self._accepted_at[key] if self._was_accepted(each) else now for key, each in accepted.items()
        }
        self.accepted = accepted
        before = {key: self.last_good[key] for key in kept if key in self.last_good}
        self.last_good = before | {key: each for key, each in self.accepted.items() if each.blocks}

    def forget_outdated(self, fragments: Sequence[Fragment]) -> None:
        """Drop rejections about content that is gone, and those for a older that is: nothing is against the newer one then.

        What shared a site with something that changed is due again.
        """
        current = {fragment.key: fragment for fragment in fragments}
        moved = {key for key, fragment in self.accepted.items() if current.get(key) is not fragment}
        self.rejections = {
            key: rejection
            for key, rejection in self.rejections.items()
            if key in current and current[key].content == rejection.content and rejection.older not in moved
        }
        if not self.rejections:
            return
        changed: set[Hashable] = set()
        for key, fragment in self.accepted.items():
            if current.get(key) is not fragment:
                changed |= fragment.groups
        for key in current.keys() - self.accepted.keys():
            changed |= current[key].definitions
        now = self.clock()
        for key, rejection in self.rejections.items():
            if changed & current[key].groups or any(is_definition(group) for group in changed):
                self.rejections[key] = evolve(rejection, retry_at=now)

    def clear(self, rejected: Collection[str]) -> None:
        """Drop every rejection but those about the fragments of these keys."""
        self.rejections = {key: rejection for key, rejection in self.rejections.items() if key in rejected}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why fragments are left out at present."""
        return tuple(rejection.problem for rejection in self.rejections.values())

    @property
    def next_retry(self) -> float | None:
        """When the next left-out fragment is to be tried again, in seconds of the clock."""
        return min((rejection.retry_at for rejection in self.rejections.values()), default=None)

    def rejection(self, fragment: Fragment) -> Rejection | None:
        """Why it is left out, None where nothing is against it."""
        return self.rejections.get(fragment.key)

    def fallback(self, fragment: Fragment) -> Fragment | None:
        """What may be put in the place of a fragment that is refused or cannot be made: its last good version.

        Not where the resource has other addresses by now, as the old ones may be another's.
        """
        before = self.last_good.get(fragment.key)
        if before is None or before.addresses != fragment.addresses or before.content == fragment.content:
            return None
        return before

    @property
    def causes(self) -> tuple[Problem, ...]:
        """What is wrong with what is not left out itself, and leaves out those who import it."""
        return tuple(rejection.cause for rejection in self.rejections.values() if rejection.cause is not None)

    def reject(self, fragment: Fragment, problem: Problem, older: str = "", cause: Problem | None = None) -> None:
        """Leave a fragment out; the pause until the next try doubles each time the same content is refused."""
        before = self.rejections.get(fragment.key)
        refusals = before.refusals + 1 if before else 1
        retry_at = self.clock() + pause_after(refusals, FIRST_PAUSE, LONGEST_PAUSE)
        self.rejections[fragment.key] = Rejection(
            fragment.content, problem, retry_at, refusals, older=older, cause=cause
        )

    def postpone(self, fragment: Fragment) -> None:
        """Leave a fragment out for this time: nothing is known against it yet, and others are not to wait for that."""
        before = self.rejections.get(fragment.key)
        problem = Problem(fragment.owner, "", "waits until caddy has refused or taken others", "warning")
        refusals = before.refusals if before else 0
        untried = before is None or before.is_untried
        self.rejections[fragment.key] = Rejection(
            fragment.content, before.problem if before else problem, self.clock(), refusals, untried
        )

    def reject_newest(self) -> None:
        """Caddy has crashed: leave out what came last if it does so again and again, twice as much each time.

        What comes back does so one after the other, so that the one at fault is the newest then.
        """
        now = self.clock()
        self._crashes = [at for at in self._crashes if at > now - CRASHES_WITHIN] + [now]
        times = len(self._crashes) - CRASHES
        if times >= 0:
            for place, fragment in enumerate(self._newest(now)[: 2**times], start=1):
                self._reject_after_crash(fragment, place)

    def _newest(self, now: float) -> list[Fragment]:
        """What is not proven yet, the newest first."""
        ages = {key: now - at for key, at in self._accepted_at.items()}
        young = [each for key, each in self.accepted.items() if ages[key] < PROVEN_AFTER and not each.is_operators]
        return sorted(young, key=lambda each: (ages[each.key], -each.seniority))

    def _reject_after_crash(self, fragment: Fragment, place: int) -> None:
        before = self._rejected_after_crash.get(fragment.key)
        known = before is not None and before.content == fragment.content
        crashes = before.refusals + 1 if before is not None and known else 1
        pause = pause_after(crashes, CRASHES_WITHIN, LONGEST_PAUSE)
        problem = Problem(fragment.owner, "", "caddy crashes again and again since it is there")
        rejection = Rejection(fragment.content, problem, self.clock() + place * pause, crashes)
        self.rejections[fragment.key] = self._rejected_after_crash[fragment.key] = rejection

    def retry_order(self, fragment: Fragment) -> tuple[bool, int]:
        """The order in which what is left out has its turn again: first what was never tried, of that the oldest."""
        rejection = self.rejections.get(fragment.key)
        return rejection is not None and not rejection.is_untried, fragment.seniority

    def shapes(self, fragments: Iterable[Fragment]) -> tuple[set[Hashable], set[Hashable]]:
        """The shapes of what Caddy has, and of those of `fragments` that it refused."""
        refused = (each for each in fragments if each.key in self.rejections and self.retry_order(each)[0])
        return {each.shape for each in self.accepted.values()}, {each.shape for each in refused}

    def candidates(self, fragments: Iterable[Fragment]) -> list[Fragment]:
        """The fragments that were not part of the last accepted configuration, the most trusted first."""
        changed = [each for each in fragments if not self._was_accepted(each)]
        return sorted(changed, key=lambda each: each.seniority)

    def _was_accepted(self, fragment: Fragment) -> bool:
        before = self.accepted.get(fragment.key)
        return before is fragment or (before is not None and before.content == fragment.content)
