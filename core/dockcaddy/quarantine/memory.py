"""What is remembered between passes: the fragments that Caddy accepted, and why others are left out."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from dockcaddy.backoff import pause_after
from dockcaddy.fragment import Fragment, is_definition
from dockcaddy.incremental import Difference
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Pending, Problem
from dockcaddy.quarantine.moved import moved
from dockcaddy.quarantine.refusal import without_numbers
from dockcaddy.settings import limits

FIRST_PAUSE = 10.0
LONGEST_PAUSE = 600.0
# so many crashes within so many seconds, before fragments are left out for them
CRASHES, CRASHES_WITHIN = 3, 60.0
# what Caddy has had for so many seconds is not left out for a crash
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
    # there was no time to try it
    is_untried: bool = False
    # the key of the older fragment that it conflicts with
    older: str = ""
    # the problem of the fragment whose lines this one imports
    cause: Problem | None = None
    # a rule of a plugin refuses what Caddy makes of it
    is_by_rule: bool = False


@define
class Memory:
    """Rejections by key, and what was accepted last. `clock` gives seconds.

    `last_good` has, by key, each fragment as Caddy accepted it last; `last` is the last accepted configuration.
    """

    clock: Callable[[], float]
    rejections: dict[str, Rejection] = field(factory=dict)
    accepted: dict[str, Fragment] = field(factory=dict)
    last_good: dict[str, Fragment] = field(factory=dict)
    last: Configuration | None = None
    # Caddy's JSON of what it accepted last; since when, and how often, it refuses even that
    held: bytes = b""
    refused_since: float | None = None
    refused_times: int = 0
    tried_together: int = limits.MAX_RETRIED_TOGETHER
    # what was accepted last, in its order, and the keys of which only the last good version stays known
    _parts: tuple[Fragment, ...] = ()
    _kept: frozenset[str] = frozenset()
    _accepted_at: dict[str, float] = field(factory=dict)
    _crashes: list[float] = field(factory=list)
    _rejected_after_crash: dict[str, Rejection] = field(factory=dict)

    def remember(self, fragments: Mapping[str, Fragment], held: bytes = b"") -> None:
        """Start with what an earlier run had accepted, and Caddy's JSON of it."""
        self.held = held
        self.last_good = dict(fragments)
        self.accepted = dict(fragments)
        self._parts = tuple(fragments.values())
        self._accepted_at = dict.fromkeys(fragments, float("-inf"))

    def accept(self, configuration: Configuration, parts: tuple[Fragment, ...], kept: frozenset[str]) -> None:
        """Caddy accepted a configuration of these parts; the last good versions of the keys in `kept` stay known."""
        self.last, self.held = configuration, configuration.adapted or b""
        self.refused_since, self.refused_times = None, 0
        now, difference = self.clock(), Difference.of(self._parts, parts)
        new = {each.key: each for each in difference.new}
        for each in new.values():
            if not self._was_accepted(each):
                self._accepted_at[each.key] = now
        for each in difference.gone:
            if each.key not in new:
                self.accepted.pop(each.key, None)
                self._accepted_at.pop(each.key, None)
        self.accepted.update(new)
        for key in (*(each.key for each in difference.gone), *new, *(kept ^ self._kept)):
            self._note_last_good(key, is_kept=key in kept)
        self._parts, self._kept = parts, kept

    def _note_last_good(self, key: str, *, is_kept: bool) -> None:
        accepted = self.accepted.get(key)
        if accepted is not None and accepted.blocks:
            self.last_good[key] = accepted
        elif not is_kept:
            self.last_good.pop(key, None)

    def refuses_what_it_serves(self) -> None:
        """Caddy refuses what it accepted before, for a reason that is not known."""
        self.refused_since = self.clock() if self.refused_since is None else self.refused_since
        self.refused_times += 1

    @property
    def may_wait(self) -> bool:
        """Whether such a refusal may still end by itself."""
        return self.refused_since is None or self.clock() < self.refused_since + limits.MAX_SERVED_FIRST

    def forget_outdated(self, fragments: tuple[Fragment, ...]) -> None:
        """Drop rejections of content that has changed or is gone, and of conflicts whose older fragment is gone.

        A rejected fragment that shares a site with one that changed is retried at once.
        """
        if not self.rejections:
            return
        current = {each.key: each for each in fragments if each.key in self.rejections}
        difference = Difference.of(self._parts, fragments)
        moved = {each.key for each in difference.gone}
        self.rejections = {
            key: rejection
            for key, rejection in self.rejections.items()
            if key in current and current[key].content == rejection.content and rejection.older not in moved
        }
        if not self.rejections:
            return
        changed: set[Hashable] = set()
        for each in difference.gone:
            changed |= each.groups
        for each in difference.new:
            if each.key not in self.accepted:
                changed |= each.definitions
        now = self.clock()
        for key, rejection in self.rejections.items():
            if changed & current[key].groups or any(is_definition(group) for group in changed):
                self.rejections[key] = evolve(rejection, retry_at=now)

    def clear(self, rejected: Collection[str]) -> None:
        """Drop every rejection but those of these keys."""
        self.rejections = {key: rejection for key, rejection in self.rejections.items() if key in rejected}

    @property
    def next_retry(self) -> float | None:
        """When the next fragment that is left out is retried, in seconds of the clock."""
        return min((rejection.retry_at for rejection in self.rejections.values()), default=None)

    def fallback(self, fragment: Fragment) -> Fragment | None:
        """The last good version of a fragment, to be served in place of one that is refused or cannot be rendered.

        None where a container has other addresses now: the old ones may belong to another one.
        """
        before = self.last_good.get(fragment.key)
        if before is None or before.content == fragment.content:
            return None
        return before if before.addresses == fragment.addresses else moved(before, fragment)

    @property
    def causes(self) -> tuple[Problem, ...]:
        """Problems of fragments that stay, but whose lines make those that import them refused."""
        return tuple(rejection.cause for rejection in self.rejections.values() if rejection.cause is not None)

    def reject(
        self, fragment: Fragment, problem: Problem, older: str, cause: Problem | None, *, is_by_rule: bool
    ) -> None:
        """Leave a fragment out; it is retried with backoff as long as its content stays the same."""
        before = self.rejections.get(fragment.key)
        refusals = before.refusals + 1 if before else 1
        # what Caddy crashed of is not tried more often because Caddy refuses it as well
        first = CRASHES_WITHIN if self._crash_of(fragment) else FIRST_PAUSE
        retry_at = self.clock() + pause_after(refusals, first, LONGEST_PAUSE)
        if before and _is_same(before.problem, problem):
            # it is no news that others have changed the numbers in it
            problem = before.problem
        self.rejections[fragment.key] = Rejection(
            fragment.content, problem, retry_at, refusals, older=older, cause=cause, is_by_rule=is_by_rule
        )

    def postpone(self, fragment: Fragment) -> None:
        """Leave a fragment out of this pass: there was no time to try it, and others do not wait for it."""
        before = self.rejections.get(fragment.key)
        if before is None:
            problem = Pending(fragment.owner, "", "waits until caddy has accepted or refused others", "warning")
            before = Rejection(fragment.content, problem, self.clock(), 0, is_untried=True)
        # why it was refused before stays
        self.rejections[fragment.key] = evolve(before, content=fragment.content, retry_at=self.clock())

    def reject_newest(self) -> None:
        """Caddy crashed: after several crashes leave out the newest fragments, twice as many each time.

        They are retried one at a time, so that the one at fault is the newest when Caddy crashes again.
        """
        now = self.clock()
        self._crashes = [at for at in self._crashes if at > now - CRASHES_WITHIN] + [now]
        times = len(self._crashes) - CRASHES
        if times >= 0:
            for place, fragment in enumerate(self._newest(now)[: 2**times], start=1):
                self._reject_after_crash(fragment, place)

    def _newest(self, now: float) -> list[Fragment]:
        """The fragments that Caddy has had for a short time only, the newest first."""
        ages = {key: now - at for key, at in self._accepted_at.items()}
        young = [each for key, each in self.accepted.items() if ages[key] < PROVEN_AFTER and not each.is_operators]
        return sorted(young, key=lambda each: (ages[each.key], -each.seniority))

    def _reject_after_crash(self, fragment: Fragment, place: int) -> None:
        before = self._crash_of(fragment)
        crashes = before.refusals + 1 if before is not None else 1
        pause = pause_after(crashes, CRASHES_WITHIN, LONGEST_PAUSE)
        problem = Problem(
            fragment.owner, "", "caddy crashes repeatedly since it was added, so it is left out for a while"
        )
        rejection = Rejection(fragment.content, problem, self.clock() + place * pause, crashes)
        self.rejections[fragment.key] = self._rejected_after_crash[fragment.key] = rejection

    def _crash_of(self, fragment: Fragment) -> Rejection | None:
        """Its rejection for a crash, if it had the same content then."""
        before = self._rejected_after_crash.get(fragment.key)
        return before if before is not None and before.content == fragment.content else None

    def retry_order(self, fragment: Fragment) -> tuple[bool, int]:
        """The sort key of retries: first what was never tried, then by age."""
        rejection = self.rejections.get(fragment.key)
        return rejection is not None and not rejection.is_untried, fragment.seniority

    def shapes(self, fragments: Iterable[Fragment]) -> tuple[set[Hashable], set[Hashable]]:
        """The shapes of the fragments that Caddy has, and of those of `fragments` that it refused."""
        refused = (each for each in fragments if each.key in self.rejections and self.retry_order(each)[0])
        return {each.shape for each in self.accepted.values()}, {each.shape for each in refused}

    def candidates(self, fragments: Sequence[Fragment]) -> list[Fragment]:
        """The fragments that are not part of the last accepted configuration, the oldest first."""
        changed = [each for each in self.beyond(tuple(fragments)) if not self._was_accepted(each)]
        return sorted(changed, key=lambda each: each.seniority)

    def beyond(self, fragments: tuple[Fragment, ...]) -> tuple[Fragment, ...]:
        """The fragments that are not the very same as in the last accepted configuration."""
        return Difference.of(self._parts, fragments).new

    def _was_accepted(self, fragment: Fragment) -> bool:
        before = self.accepted.get(fragment.key)
        return before is fragment or (before is not None and before.content == fragment.content)


def _is_same(before: Problem, now: Problem) -> bool:
    """Whether two problems differ in Caddy's numbers only."""
    return evolve(before, message=without_numbers(before.message)) == evolve(now, message=without_numbers(now.message))
