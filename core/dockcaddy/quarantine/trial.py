"""One trial of a set of fragments: which of them are left out, and what Caddy says to the rest."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from attrs import define, evolve, field

from dockcaddy.admission.own_addresses import is_loopback_of_another
from dockcaddy.admission.unsafe import unsafe_settings
from dockcaddy.caddy import without_values
from dockcaddy.caddyjson import Document
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.merge.assembly import EMPTY, Assembler
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.quarantine.search import Finding, Search
from dockcaddy.quarantine.served import Holds, Served, holds_nothing
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.settings import limits

Build = Callable[[Sequence[Fragment], frozenset[str]], Configuration]
# whether Caddy runs it now; not where it does not answer
Deliver = Callable[[Configuration], bool]


@define
class Trial:
    """Finds the largest configuration of `fragments` that Caddy accepts.

    `document` is Caddy's of a configuration, `adapt` is for small texts. `build` assembles fragments without those of the
    given keys, `deliver` hands the result to the live outputs. During
    the trial, `left_out` are the keys of fragments that are set aside or rejected, `fallbacks` those in whose place the
    last good version stands in `fragments`, `rejected` those that were rejected in this trial.
    """

    document: Callable[[Configuration], Document]
    adapt: Callable[[str], bytes]
    route_order: str
    memory: Memory
    fragments: list[Fragment]
    build: Build
    deliver: Deliver
    still_holds: Holds = holds_nothing
    isolates: bool = True
    transforms: Transforms = field(factory=Transforms)
    left_out: frozenset[str] = frozenset()
    fallbacks: set[str] = field(factory=set)
    rejected: set[str] = field(factory=set)
    accepted: Configuration | None = None
    is_delivered: bool = False
    _accepted_parts: tuple[Fragment, ...] = ()
    _deadline: float | None = None
    _stale: set[str] = field(factory=set)
    _rejected_kinds: dict[Hashable, Refusal] = field(factory=dict)
    _tolerated: frozenset[str] | None = None
    _shapes: tuple[set[Hashable], set[Hashable]] | None = None

    def resolve(self) -> Configuration:
        """The accepted configuration: first without what was rejected before, then with what is due for a retry."""
        due = []
        for each in tuple(self.fragments):
            rejection = self.memory.rejection(each)
            if each.failed or rejection is not None:
                self._replace(each)
            if rejection is not None and not each.failed and rejection.retry_at <= self.memory.clock():
                due.append(each)
        refused = self._attempt()
        if refused is not None:
            if not self.isolates:
                raise CaddyRefusal(self._described(refused))
            self._isolate(refused)
        if self.accepted is not None:
            self._try_again(sorted(due, key=self.memory.retry_order))
        if not self._is_accepted():
            refused = self._attempt_without_fallbacks() or refused
        if self.accepted is None:
            raise CaddyRefusal(refused.words if refused else "nothing was accepted")
        return self.accepted

    def _described(self, refused: Refusal) -> str:
        """The refusal, with the resource that it is about where Caddy names its line."""
        named = refused.named(self.parts)
        return str(refused.problem(named[-1])) if named else refused.words

    def _try_again(self, due: Sequence[Fragment]) -> None:
        """Retry what is due, some at a time; fewer the next time where there was not enough time."""
        size = self.memory.tried_together
        for start in range(0, len(due), size):
            self._admit(due[start : start + size])
        self.memory.tried_together = max(size // 2, 1) if self._is_over() else limits.MAX_RETRIED_TOGETHER

    @property
    def parts(self) -> tuple[Fragment, ...]:
        """The fragments that are not left out."""
        return tuple(each for each in self.fragments if each.key not in self.left_out)

    def _attempt(self) -> Refusal | None:
        """Try everything that is not left out. Returns the refusal, None where Caddy accepted it."""
        configuration = self._without_conflicts()
        last = self.memory.last
        refused: Refusal | None
        try:
            if last is not None and last.adapted is not None and last.text == configuration.text:
                configuration = evolve(configuration, adapted=last.adapted, document=last.document)
                refused = None
            else:
                document = self.transforms.applied(self.document(configuration), configuration, self.fragments)
                adapted = self.transforms.finished(document).encode()
                configuration = evolve(configuration, adapted=adapted, document=document)
                refused = self._unsafe_setting(document, configuration)
            if refused is None:
                self.is_delivered = self.deliver(configuration)
        except CaddyRefusal as refusal:
            words = without_values(str(refusal), configuration.text)
            refused = Refusal(words, configuration, at_load=configuration.adapted is not None)
        except CaddyUnreachable as error:
            if not self._is_too_slow(error):
                raise
            refused = Refusal("loading it does not finish", configuration, at_load=True)
        if refused is None:
            self.accepted, self._accepted_parts = configuration, self.parts
        elif refused.at_load:
            self._deadline = self._deadline or self.memory.clock() + limits.MAX_SEARCH_TIME
        return refused

    def _is_too_slow(self, error: CaddyUnreachable) -> bool:
        """Whether this configuration takes too long, while Caddy itself answers."""
        if not isinstance(error.__cause__, TimeoutError):
            return False
        with contextlib.suppress(CaddyUnreachable):
            self.adapt(EMPTY)
            return True
        return False

    def _attempt_without_fallbacks(self) -> Refusal | None:
        """Try the result; where it is refused, try it again without fallbacks, which may no longer be good."""
        refused = self._attempt()
        if refused is not None and self.fallbacks:
            self._drop_fallbacks(self.fallbacks)
            refused = self._attempt()
        return refused

    def _drop_fallbacks(self, keys: Iterable[str]) -> None:
        self._stale |= set(keys)
        self.left_out |= self._stale
        self.fallbacks -= self._stale

    def _unsafe_setting(self, document: Document, configuration: Configuration) -> Refusal | None:
        """An unsafe setting that is not the operator's own."""
        containers = {
            address for each in self.fragments for address in each.addresses if is_loopback_of_another(address)
        }
        for found in unsafe_settings(document, containers):
            if found.message not in self._tolerated_settings():
                return Refusal(found.message, configuration, at_load=True, is_unsafe=True, hosts=found.hosts)
        return None

    def _tolerated_settings(self) -> frozenset[str]:
        if self._tolerated is None:
            self._tolerated = frozenset()
            own = Assembler(self.route_order).assemble([each for each in self.fragments if each.is_operators])
            if own.sections:
                # where Caddy refuses it, it is left out itself
                with contextlib.suppress(CaddyRefusal):
                    operators = Document.decode(self.adapt(own.text))
                    self._tolerated = frozenset(each.message for each in unsafe_settings(operators))
        return self._tolerated

    def _without_conflicts(self) -> Configuration:
        """Everything that is not left out, assembled. The newer fragment of each conflict is rejected."""
        configuration = self.build(self.fragments, self.left_out)
        while configuration.assembly.conflicts:
            by_key = {each.key: each for each in self.fragments}
            for conflict in configuration.assembly.conflicts:
                self._reject(by_key[conflict.fragment], conflict.problem, conflict.older)
            configuration = self.build(self.fragments, self.left_out)
        return configuration

    def _isolate(self, refused: Refusal) -> None:
        """Find the fragments that Caddy refuses: among those that changed, else among all."""
        # a failure at load may have a cause outside (a port in use); the operator's own text is not left out for it
        present = [each for each in self.parts if not (refused.at_load and each.is_operators)]
        candidates = self.memory.candidates(present)
        if 0 < len(candidates) < len(present):
            if self._separate(candidates, refused):
                return
            # what was accepted before is refused now: Caddy itself or something outside has changed
            self._put_back(candidates)
        if len(candidates) < len(present) and self._is_all_served():
            self._isolate_served(candidates, refused)
        elif present:
            self._separate(sorted(present, key=lambda each: each.seniority), refused)

    def _is_all_served(self) -> bool:
        """Whether Caddy, whatever it refuses now, still serves what it accepted before."""
        held = self.memory.held
        return bool(held) and self.memory.may_wait and self.still_holds(Configuration("", adapted=held))

    def _isolate_served(self, candidates: Sequence[Fragment], refused: Refusal | None) -> None:
        """Reject what can be found while the rest stays served. Raises CaddyRefusal where nothing is found like that."""
        if candidates:
            self._set_aside(candidates)
            refused = self._attempt()
        if refused is not None:
            served = [each for each in self.parts if not (refused.at_load and each.is_operators)]
            search = Served(self._attempt, self._set_aside, self._put_back, self._is_over)
            candidates = [*search.without(served, refused, self.memory), *candidates]
        self._admit(candidates)

    def _separate(self, candidates: Sequence[Fragment], refused: Refusal) -> bool:
        """Reject those of `candidates` that Caddy refuses beside the rest. Returns whether it accepts the rest at all."""
        self._set_aside(candidates)
        if self._is_what_caddy_has() and self._attempt() is not None:
            return False
        remaining = list(candidates) if refused.at_load or len(candidates) == 1 else self._screened(candidates)
        known: Refusal | None = refused
        if len(remaining) < len(candidates):
            # mostly that was all, and each try of a part would be another load
            self._put_back(remaining)
            known = self._attempt()
            if known is None:
                return True
            self._set_aside(remaining)
        return self._admit(remaining, known)

    def _is_what_caddy_has(self) -> bool:
        """Whether Caddy already has what is not set aside: no load is needed to try it."""
        last = self.memory.last
        return last is not None and last.text == self._without_conflicts().text

    def _admit(self, group: Sequence[Fragment], refused: Refusal | None = None) -> bool:
        """Add those of a group that Caddy accepts, and reject the others. Returns whether Caddy accepts the rest.

        `refused` is its refusal of the whole group, where that is known.
        """
        search = Search(self._try, self._by_likelihood, self._is_over)
        search.run(group, refused)
        if not self._is_accepted() and self._attempt() is not None:
            return False
        for finding in search.found:
            self._reject_finding(finding)
        self._postpone(search.untried)
        return True

    def _try(self, group: Sequence[Fragment]) -> Refusal | None:
        """Try a group beside what is accepted, and set it aside again where it is refused."""
        self._put_back(group)
        refused = self._attempt()
        if refused is not None:
            old = [each for each in self.fragments if each.key in self.fallbacks]
            stale = refused.named(old)
            if stale:
                self._drop_fallbacks(each.key for each in stale)
                refused = self._attempt()
        if refused is not None:
            self._set_aside(group)
        return refused

    def _is_accepted(self) -> bool:
        """Whether what is not left out is what Caddy accepted last."""
        return self.accepted is not None and self.parts == self._accepted_parts

    def _set_aside(self, group: Iterable[Fragment]) -> None:
        for each in group:
            self._replace(each)

    def _by_likelihood(
        self, group: Sequence[Fragment], refused_now: Sequence[Fragment] = ()
    ) -> list[Sequence[Fragment]]:
        """The group in parts, the last to be tried first: what resembles what Caddy refused comes after the others.

        So of hundreds of new fragments the good ones are not delayed by the search for the bad ones.
        """
        if self._shapes is None:
            self._shapes = self.memory.shapes(self.fragments)
        taken, refused = self._shapes
        refused = refused | {each.shape for each in refused_now}
        by_likelihood: dict[int, list[Fragment]] = defaultdict(list)
        for each in group:
            by_likelihood[(each.shape in refused) - (each.shape in taken)].append(each)
        return [by_likelihood[rank] for rank in sorted(by_likelihood, reverse=True)]

    def _is_over(self) -> bool:
        return self._deadline is not None and self.memory.clock() > self._deadline

    def _postpone(self, group: Iterable[Fragment]) -> None:
        for each in group:
            self.memory.postpone(each)

    def _put_back(self, group: Iterable[Fragment]) -> None:
        """Have the fragments themselves in their places again, instead of their fallbacks."""
        keys = {each.key: each for each in group}
        self.fragments = [keys.get(each.key, each) for each in self.fragments]
        self.fallbacks -= keys.keys()
        self.left_out -= keys.keys()

    def _reject_finding(self, finding: Finding) -> None:
        fragment, refused = finding.fragment, finding.refused
        self._reject(fragment, refused.problem(fragment), cause=refused.cause_elsewhere(fragment))

    def _reject(self, fragment: Fragment, problem: Problem, older: str = "", cause: Problem | None = None) -> None:
        if fragment.key not in self.rejected:
            self.rejected.add(fragment.key)
            self.memory.reject(fragment, problem, older, cause)
        # where its fallback is in its place already, that one may still be good
        if fragment.key not in self.left_out and fragment in self.fragments:
            self._replace(fragment)

    def _replace(self, fragment: Fragment) -> None:
        """Put a fragment's fallback in its place; leave it out where there is none."""
        is_stale = fragment.key in self.fallbacks or fragment.key in self._stale
        before = None if is_stale else self.memory.fallback(fragment)
        if before is None:
            self.left_out |= {fragment.key}
        else:
            self.fallbacks.add(fragment.key)
            self.left_out -= {fragment.key}
            self.fragments = [before if each.key == fragment.key else each for each in self.fragments]

    def _screened(self, candidates: Sequence[Fragment]) -> list[Fragment]:
        """Reject candidates that Caddy cannot adapt beside the fragments of their sites. Returns the other candidates.

        These are small texts instead of whole configurations. What others import comes first: while that is refused,
        nothing is known of the others.
        """
        candidate_keys = {each.key for each in candidates}
        shared = [each for each in self.fragments if each.definitions and self._is_there(each)]
        new = [each for each in candidates if each.definitions]
        if self._screen([*shared, *self._of_same_sites(new)], new):
            shared += [each for each in new if each.key not in self.rejected]
            for batch in _batches([each for each in candidates if not each.definitions]):
                others = [each for each in batch if not self._reject_by_kind(each)]
                if others:
                    self._screen([*shared, *self._of_same_sites(others)], others)
        return [each for each in candidates if each.key in candidate_keys - self.rejected]

    def _reject_by_kind(self, fragment: Fragment) -> bool:
        """Reject a fragment that differs only in its hosts from those that were refused. Returns whether it was."""
        refused = self._rejected_kinds.get(fragment.kind)
        if refused is None or not refused.is_about_kind((fragment,)):
            return False
        self._reject_finding(Finding(fragment, refused))
        return True

    def _is_there(self, fragment: Fragment) -> bool:
        return fragment.key not in self.left_out

    def _screen(self, others: Sequence[Fragment], batch: Sequence[Fragment]) -> bool:
        """Reject those of a batch that Caddy cannot adapt beside the others. Returns whether it adapts the others."""
        taken = list(others)

        def attempt(group: Sequence[Fragment]) -> Refusal | None:
            refused = self._adapted_alone([*taken, *group])
            if refused is None:
                taken.extend(group)
            return refused

        search = Search(attempt, self._by_likelihood)
        search.run(batch)
        if search.found and attempt(()) is not None:
            return False
        for finding in search.found:
            self._reject_finding(finding)
        self._rejected_kinds |= search.rejected_kinds
        return True

    def _adapted_alone(self, fragments: Iterable[Fragment]) -> Refusal | None:
        """Why Caddy refuses these fragments by themselves."""
        by_key = {each.key: each for each in fragments}
        in_order = [by_key[each.key] for each in self.fragments if each.key in by_key]
        assembly = Assembler(self.route_order).assemble(in_order)
        try:
            self.adapt(assembly.text)
        except CaddyRefusal as refusal:
            return Refusal(str(refusal), Configuration(assembly.text, (), None, assembly))
        return None

    def _of_same_sites(self, batch: Sequence[Fragment]) -> list[Fragment]:
        keys = {each.key for each in batch} | self.left_out
        groups = {group for each in batch for group in each.groups}
        return [each for each in self.fragments if each.key not in keys and groups & each.groups]


def _batches(candidates: list[Fragment]) -> Iterator[list[Fragment]]:
    """Batches of about equal size; fragments of one site are in the same batch."""
    by_site: dict[Hashable, list[Fragment]] = defaultdict(list)
    for each in candidates:
        by_site[min(each.groups, key=str, default="")].append(each)
    batch: list[Fragment] = []
    for members in by_site.values():
        if batch and len(batch) + len(members) > limits.MAX_VALIDATED_TOGETHER:
            yield batch
            batch = []
        batch += members
    if batch:
        yield batch
