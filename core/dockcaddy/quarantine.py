"""One bad fragment never harms another: find what Caddy refuses, leave it out, say why, try it again.

A configuration is tried whole. Only where Caddy refuses it are single fragments looked for, among those that changed
since the last accepted configuration: by the line that Caddy names, by the site and the words of its message, at last
by halves. Verdicts are remembered by content; what was refused before never holds up what is new.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from dockcaddy.assembly import EMPTY, Assembler
from dockcaddy.certificates import with_own_certificates
from dockcaddy.error_pages import with_own_errors
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.hazards import hazards, with_patience
from dockcaddy.model import Problem
from dockcaddy.pipeline import Configuration
from dockcaddy.refusal import Refused

FIRST_PAUSE = 10.0
LONGEST_PAUSE = 600.0
SCREENED_TOGETHER = 64
TRIED_TOGETHER = 128
# so long is looked for what does not load before everything else has its turn again
PATIENCE = 1.0

Build = Callable[[Sequence[Fragment], frozenset[str]], Configuration]
Deliver = Callable[[Configuration], None]


@frozen
class Verdict:
    """Why a fragment with this content is left out, and when (seconds of the clock) it is tried again."""

    content: str
    problem: Problem
    retry_at: float
    pause: float
    # it was not left out for what it says, there was only no time to try it
    is_untried: bool = False


@define
class Quarantine:
    """Settles which fragments make up the configuration. `adapt` is Caddy's; `clock` gives seconds."""

    adapt: Callable[[str], bytes]
    clock: Callable[[], float]
    route_order: str = "caddy"
    last_good: dict[str, Fragment] = field(init=False, factory=dict)
    tried_together: int = TRIED_TOGETHER
    _verdicts: dict[str, Verdict] = field(factory=dict)
    _accepted: dict[str, Fragment] = field(factory=dict)
    _configuration: Configuration | None = None

    def remember(self, fragments: Mapping[str, Fragment]) -> None:
        """Take over what an earlier run had accepted: none of it is suspected before what is new."""
        self.last_good = dict(fragments)
        self._accepted = dict(fragments)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why fragments are left out at present."""
        return tuple(verdict.problem for verdict in self._verdicts.values())

    @property
    def next_retry(self) -> float | None:
        """When the next left-out fragment is to be tried again, in seconds of the clock."""
        return min((verdict.retry_at for verdict in self._verdicts.values()), default=None)

    def settle(self, fragments: Sequence[Fragment], build: Build, deliver: Deliver) -> Configuration:
        """The largest configuration that Caddy accepts, adapted and delivered.

        `build` assembles fragments without those of the given keys; `deliver` hands a configuration to the outputs.
        Both may be called several times. Raises CaddyUnreachable where nobody can adapt, CaddyRefusal where Caddy
        refuses even what it took before.
        """
        self._forget_settled(fragments)
        before = dict(self._verdicts)
        trial = _Trial(self, list(fragments), build, deliver)
        try:
            self._configuration = trial.settle()
        except CaddyRefusal:
            # refused without any of them too, so that none of them is to blame
            self._verdicts = before
            raise
        left_out = trial.left_out
        self._accepted = {each.key: each for each in trial.fragments if each.key not in left_out}
        kept = {key: self.last_good[key] for key in left_out - trial.standing_in if key in self.last_good}
        self.last_good = kept | {key: each for key, each in self._accepted.items() if each.blocks}
        self._verdicts = {
            key: verdict for key, verdict in self._verdicts.items() if key in left_out | trial.standing_in
        }
        return self._configuration

    def verdict(self, fragment: Fragment) -> Verdict | None:
        """Why it is left out, None where nothing is against it."""
        return self._verdicts.get(fragment.key)

    def stand_in(self, fragment: Fragment) -> Fragment | None:
        """What may be put in the place of a fragment that is refused or cannot be made: its last good version.

        Not where the resource has other addresses by now, as the old ones may be another's.
        """
        before = self.last_good.get(fragment.key)
        if before is None or before.addresses != fragment.addresses or before.content == fragment.content:
            return None
        return before

    def try_again(self) -> None:
        """Make every left-out fragment due: something that may have been the reason has changed."""
        now = self.clock()
        self._verdicts = {key: evolve(verdict, retry_at=now) for key, verdict in self._verdicts.items()}

    def _forget_settled(self, fragments: Sequence[Fragment]) -> None:
        """Drop verdicts about content that is gone; what shared a site with something that changed is due again."""
        current = {fragment.key: fragment for fragment in fragments}
        self._verdicts = {
            key: verdict
            for key, verdict in self._verdicts.items()
            if key in current and current[key].content == verdict.content
        }
        if not self._verdicts:
            return
        changed: set[Hashable] = set()
        for key, fragment in self._accepted.items():
            if current.get(key) is not fragment:
                changed |= fragment.groups
        changed |= {group for key in current.keys() - self._accepted.keys() for group in _definitions(current[key])}
        now = self.clock()
        for key, verdict in self._verdicts.items():
            if changed & current[key].groups or any(_is_definition(group) for group in changed):
                self._verdicts[key] = evolve(verdict, retry_at=now)

    def condemn(self, fragment: Fragment, problem: Problem) -> None:
        """Leave a fragment out; the pause until the next try doubles each time the same content is refused."""
        before = self._verdicts.get(fragment.key)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        verdict = Verdict(fragment.content, problem, self.clock() + pause, pause)
        self._verdicts[fragment.key] = verdict

    def postpone(self, fragment: Fragment) -> None:
        """Leave a fragment out for this time: nothing is known against it yet, and others are not to wait for that."""
        before = self._verdicts.get(fragment.key)
        problem = Problem(fragment.owner, "", "waits until caddy has refused or taken others", "warning")
        pause = before.pause if before else FIRST_PAUSE / 2
        untried = before is None or before.is_untried
        self._verdicts[fragment.key] = Verdict(
            fragment.content, before.problem if before else problem, self.clock(), pause, untried
        )

    def urgency(self, fragment: Fragment) -> tuple[bool, int]:
        """The order in which what is left out has its turn again: first what was never tried, of that the oldest."""
        verdict = self._verdicts.get(fragment.key)
        return verdict is not None and not verdict.is_untried, fragment.seniority

    def shapes(self, fragments: Iterable[Fragment]) -> tuple[set[Hashable], set[Hashable]]:
        """The shapes of what Caddy has, and of those of `fragments` that it refused."""
        refused = (each for each in fragments if each.key in self._verdicts and self.urgency(each)[0])
        return {each.shape for each in self._accepted.values()}, {each.shape for each in refused}

    def suspects(self, fragments: Iterable[Fragment]) -> list[Fragment]:
        """The fragments that were not part of the last accepted configuration, the most trusted first."""
        changed = [each for each in fragments if not self._was_accepted(each)]
        return sorted(changed, key=lambda each: each.seniority)

    def _was_accepted(self, fragment: Fragment) -> bool:
        before = self._accepted.get(fragment.key)
        return before is fragment or (before is not None and before.content == fragment.content)

    @property
    def last(self) -> Configuration | None:
        """The last configuration that was accepted."""
        return self._configuration


@define
class _Trial:
    """One settling: what is left out so far, and how Caddy answers to the rest."""

    quarantine: Quarantine
    fragments: list[Fragment]
    build: Build
    deliver: Deliver
    left_out: frozenset[str] = frozenset()
    standing_in: set[str] = field(factory=set)
    condemned: set[str] = field(factory=set)
    accepted: Configuration | None = None
    _accepted_parts: tuple[Fragment, ...] = ()
    _deadline: float | None = None
    _tolerated: frozenset[str] | None = None
    _shapes: tuple[set[Hashable], set[Hashable]] | None = None

    def settle(self) -> Configuration:
        """Find the largest accepted configuration: first without what was refused before, then with what is due."""
        due = []
        for each in tuple(self.fragments):
            verdict = self.quarantine.verdict(each)
            if each.failed or verdict is not None:
                self._replace(each)
            if verdict is not None and not each.failed and verdict.retry_at <= self.quarantine.clock():
                due.append(each)
        refused = self._attempt()
        if refused is not None:
            self._isolate(refused)
        if self.accepted is not None:
            self._try_again(sorted(due, key=self.quarantine.urgency))
        if self._parts() != self._accepted_parts:
            refused = self._attempt_without_stand_ins() or refused
        if self.accepted is None:
            raise CaddyRefusal(refused.words if refused else "nothing was accepted")
        return self.accepted

    def _try_again(self, due: Sequence[Fragment]) -> None:
        """Admit what is due, some at a time: fewer where there was not even time for them."""
        size = self.quarantine.tried_together
        for start in range(0, len(due), size):
            self._admit(due[start : start + size])
        self.quarantine.tried_together = max(size // 2, 1) if self._is_over() else TRIED_TOGETHER

    def _parts(self) -> tuple[Fragment, ...]:
        return tuple(each for each in self.fragments if each.key not in self.left_out)

    def _attempt(self) -> Refused | None:
        """Try everything that is not left out; gives the refusal, or None where it was accepted."""
        configuration = self._without_clashes()
        last = self.quarantine.last
        refused: Refused | None
        try:
            if last is not None and last.adapted is not None and last.text == configuration.text:
                configuration = evolve(configuration, adapted=last.adapted)
            else:
                adapted = self._made_safe(self.quarantine.adapt(configuration.text))
                configuration = evolve(configuration, adapted=adapted)
            refused = self._hazard(configuration)
            if refused is None:
                self.deliver(configuration)
        except CaddyRefusal as refusal:
            refused = Refused(str(refusal), configuration, at_load=configuration.adapted is not None)
        except CaddyUnreachable as error:
            if not self._is_too_slow(error):
                raise
            refused = Refused("it comes to no end with it", configuration, at_load=True)
        if refused is None:
            self.accepted, self._accepted_parts = configuration, self._parts()
        elif refused.at_load:
            self._deadline = self._deadline or self.quarantine.clock() + PATIENCE
        return refused

    def _made_safe(self, config: bytes) -> bytes:
        everybodys = {host for each in self.fragments if each.is_operators for host in each.hosts}
        return with_own_errors(with_own_certificates(with_patience(config)), everybodys)

    def _is_too_slow(self, error: CaddyUnreachable) -> bool:
        """Whether it is what was asked that takes too long, not Caddy that is away."""
        if not isinstance(error.__cause__, TimeoutError):
            return False
        with contextlib.suppress(CaddyUnreachable):
            self.quarantine.adapt(EMPTY)
            return True
        return False

    def _attempt_without_stand_ins(self) -> Refused | None:
        """Try what was found; what stands in for others is no longer sure to be good."""
        refused = self._attempt()
        if refused is not None:
            self.left_out |= self.standing_in
            refused = self._attempt()
        return refused

    def _hazard(self, configuration: Configuration) -> Refused | None:
        """A hazard that is not the operator's own."""
        assert configuration.adapted is not None
        for hazard in hazards(configuration.adapted):
            if hazard.words not in self._tolerated_hazards():
                return Refused(hazard.words, configuration, at_load=True, is_hazard=True, hosts=hazard.hosts)
        return None

    def _tolerated_hazards(self) -> frozenset[str]:
        if self._tolerated is None:
            self._tolerated = frozenset()
            own = Assembler(self.quarantine.route_order).assemble(
                [each for each in self.fragments if each.is_operators]
            )
            if own.sections:
                # where Caddy refuses it, it is left out itself
                with contextlib.suppress(CaddyRefusal):
                    self._tolerated = frozenset(each.words for each in hazards(self.quarantine.adapt(own.text)))
        return self._tolerated

    def _without_clashes(self) -> Configuration:
        """What is not left out, put together; of two that contradict each other the newer is condemned."""
        configuration = self.build(self.fragments, self.left_out)
        while configuration.assembly.clashes:
            by_key = {each.key: each for each in self.fragments}
            for clash in configuration.assembly.clashes:
                self._condemn(by_key[clash.fragment], clash.problem)
            configuration = self.build(self.fragments, self.left_out)
        return configuration

    def _isolate(self, refused: Refused) -> None:
        # what fails at loading has a cause outside (a port that is taken); the operator's own text is not left out for it
        present = [each for each in self._parts() if not (refused.at_load and each.is_operators)]
        suspects = self.quarantine.suspects(present)
        if 0 < len(suspects) < len(present):
            self._sift(suspects, refused)
            if self.accepted is not None or self._attempt() is None:
                return
        # not even what was accepted before is accepted now: Caddy itself or something outside has changed
        everything = sorted((e for e in present if e.key not in self.left_out), key=lambda e: e.seniority)
        if everything:
            self._sift(everything, refused)

    def _sift(self, suspects: list[Fragment], refused: Refused) -> None:
        """Admit of `suspects` what Caddy accepts beside the rest; the others are condemned."""
        if len(suspects) == 1:
            self._condemn(suspects[0], refused.problem(suspects[0]))
            self._attempt()
            return
        remaining = suspects if refused.at_load else self._screened(suspects)
        self.left_out |= {each.key for each in remaining}
        self._admit(remaining, refused if len(remaining) == len(suspects) else None)

    def _admit(self, group: Sequence[Fragment], refused: Refused | None = None) -> None:
        """Have those of a group that Caddy takes; `refused` is what it says to all of them, where that is known."""
        waiting = [group] if refused else self._by_promise(group)
        while waiting:
            group = waiting.pop()
            if self._is_over():
                self._postpone(group)
                continue
            if group and refused is None:
                self._put_back(group)
                refused = self._attempt()
            if refused is not None:
                self.left_out |= {each.key for each in group}
                waiting += self._judged(group, refused)
            refused = None
        if self.accepted is None:
            self._attempt()

    def _judged(self, group: Sequence[Fragment], refused: Refused) -> list[Sequence[Fragment]]:
        """Condemn whom the refusal points at; gives what is to be tried of the others, the last first."""
        old = [each for each in self.fragments if each.key in self.standing_in]
        blamed = refused.named(old) or refused.blamed(group)
        for each in blamed:
            self._condemn(each, refused.problem(each))
        by_promise = self._by_promise([each for each in group if each not in blamed])
        if blamed or len(by_promise) > 1:
            return by_promise
        first, second = refused.parts(group)
        return [second, first]

    def _by_promise(self, group: Sequence[Fragment]) -> list[Sequence[Fragment]]:
        """What is like what Caddy has is tried before the others, what is like what it refused after them.

        So of hundreds that come together the good ones do not wait until each of the others is found out. The first to
        be tried stand last.
        """
        if self._shapes is None:
            self._shapes = self.quarantine.shapes(self.fragments)
        taken, refused = self._shapes
        refused |= {each.shape for each in self.fragments if each.key in self.condemned}
        by_promise: dict[int, list[Fragment]] = defaultdict(list)
        for each in group:
            by_promise[(each.shape in refused) - (each.shape in taken)].append(each)
        return [by_promise[promise] for promise in sorted(by_promise, reverse=True)] or [()]

    def _is_over(self) -> bool:
        return self._deadline is not None and self.quarantine.clock() > self._deadline

    def _postpone(self, group: Iterable[Fragment]) -> None:
        for each in group:
            self.quarantine.postpone(each)
            self._put_back((each,))
            self._replace(each)

    def _put_back(self, group: Iterable[Fragment]) -> None:
        """Have the fragments themselves in their places again, whatever stands in for them."""
        keys = {each.key: each for each in group}
        self.fragments = [keys.get(each.key, each) for each in self.fragments]
        self.standing_in -= keys.keys()
        self.left_out -= keys.keys()

    def _condemn(self, fragment: Fragment, problem: Problem) -> None:
        if fragment.key not in self.condemned:
            self.condemned.add(fragment.key)
            self.quarantine.condemn(fragment, problem)
        self._replace(fragment)

    def _replace(self, fragment: Fragment) -> None:
        """Have a fragment's last good version stand in for it; leave it out where there is none."""
        before = None if fragment.key in self.standing_in else self.quarantine.stand_in(fragment)
        if before is None:
            self.left_out |= {fragment.key}
        else:
            self.standing_in.add(fragment.key)
            self.left_out -= {fragment.key}
            self.fragments = [before if each.key == fragment.key else each for each in self.fragments]

    def _screened(self, suspects: list[Fragment]) -> list[Fragment]:
        """Condemn what Caddy cannot adapt even among its own site's fragments: small texts instead of whole ones.

        What others may refer to comes first: while that is refused, nothing can be said of the others.
        """
        shared = [each for each in self.fragments if _is_defining(each) and each.key not in self.left_out]
        suspected = {each.key for each in suspects}
        if self._screen(shared, [each for each in shared if each.key in suspected]):
            shared = [each for each in shared if each.key not in self.condemned]
            for batch in _batches([each for each in suspects if not _is_defining(each)]):
                self._screen([*shared, *self._site_mates(batch)], batch)
        return [each for each in suspects if each.key not in self.condemned]

    def _screen(self, others: list[Fragment], batch: list[Fragment]) -> bool:
        """Condemn those of a batch that Caddy refuses beside the others; gives whether it adapts what is left."""
        group = batch
        while group:
            chosen = {each.key for each in (*others, *group)} - self.condemned
            assembly = Assembler(self.quarantine.route_order).assemble(
                [each for each in self.fragments if each.key in chosen]
            )
            try:
                self.quarantine.adapt(assembly.text)
                return True
            except CaddyRefusal as refusal:
                refused = Refused(str(refusal), Configuration(assembly.text, (), None, assembly))
            blamed = () if refused.is_about_others(group) else refused.blamed(group)
            if not blamed:
                return False
            for each in blamed:
                self._condemn(each, refused.problem(each))
            group = [each for each in group if each.key not in self.condemned]
        return True

    def _site_mates(self, batch: Sequence[Fragment]) -> list[Fragment]:
        keys = {each.key for each in batch} | self.left_out
        groups = {group for each in batch for group in each.groups}
        return [each for each in self.fragments if each.key not in keys and groups & each.groups]


def _batches(suspects: list[Fragment]) -> Iterator[list[Fragment]]:
    """Parts of about equal size that keep fragments of one site together."""
    by_site: dict[Hashable, list[Fragment]] = defaultdict(list)
    for each in suspects:
        by_site[min(each.groups, key=str, default="")].append(each)
    batch: list[Fragment] = []
    for members in by_site.values():
        if batch and len(batch) + len(members) > SCREENED_TOGETHER:
            yield batch
            batch = []
        batch += members
    if batch:
        yield batch


def _definitions(fragment: Fragment) -> set[Hashable]:
    return {group for group in fragment.groups if _is_definition(group)}


def _is_defining(fragment: Fragment) -> bool:
    return any(_is_definition(group) for group in fragment.groups)


def _is_definition(group: Hashable) -> bool:
    """Whether blocks of this group are meant for others: global options and snippets."""
    return group in ((), "") or str(group).startswith("(")
