"""One trial of a set of fragments: which of them are left out, and what Caddy says to the rest."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache, cached_property, partial

from attrs import define, evolve, field

from dockcaddy.admission.conflicts import Conflict
from dockcaddy.admission.conflicts.listeners import protocol_conflicts
from dockcaddy.admission.conflicts.shared_sites import SharedSites
from dockcaddy.admission.conflicts.size import grown
from dockcaddy.admission.own_addresses import is_loopback_of_another
from dockcaddy.admission.unsafe import unsafe_settings
from dockcaddy.caddy.words import without_values
from dockcaddy.caddyfile import plain_host
from dockcaddy.caddyjson import Document, FragmentDocuments
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.quarantine.document_check import DocumentCheck
from dockcaddy.quarantine.endless import Ending
from dockcaddy.quarantine.makers import Makers
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.refusal import Refusal, refusal_of
from dockcaddy.quarantine.search import Finding, Search
from dockcaddy.quarantine.served import Holds, Served
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.settings import limits

Build = Callable[[Sequence[Fragment]], Configuration]
# whether Caddy runs it now; not where it does not answer
Deliver = Callable[[Configuration], bool]


@define
class Trial:
    """Finds the largest configuration of `fragments` that Caddy accepts.

    `document` is Caddy's of a configuration, `documents` are those of fragments alone, `adapt` is for small texts. `build`
    assembles fragments, `deliver` hands the result to the live outputs, `still_holds` says whether they run it,
    `shared_sites` finds who takes requests from whom, `empty` chooses those without blocks.

    During the trial, `instead` has, by key, what stands in the place of fragments that are set aside or rejected: the last
    good version, or nothing. `rejected` are the keys of those that were rejected in this trial.
    """

    document: Callable[[Configuration], Document]
    documents: FragmentDocuments
    adapt: Callable[[str], bytes]
    memory: Memory
    fragments: tuple[Fragment, ...]
    build: Build
    deliver: Deliver
    shared_sites: SharedSites
    still_holds: Holds
    isolates: bool
    transforms: Transforms
    document_check: DocumentCheck
    empty: Chosen[Fragment]
    instead: dict[str, Fragment | None] = field(factory=dict)
    rejected: set[str] = field(factory=set)
    accepted: Configuration | None = None
    is_delivered: bool = False
    _accepted_parts: tuple[Fragment, ...] = ()
    _deadline: float | None = None
    _stale: set[str] = field(factory=set)
    _tolerated: frozenset[str] | None = None
    _shapes: tuple[set[Hashable], set[Hashable]] | None = None
    _makers: Makers = field(factory=Makers)
    # of these parts the configuration has no conflicts
    _built: tuple[tuple[Fragment, ...], Configuration] | None = None
    _parts: tuple[Fragment, ...] | None = None

    def resolve(self) -> Configuration:
        """The accepted configuration: first without what was rejected before, then with what is due for a retry."""
        due = []
        rejections, empty = self.memory.rejections, self.empty.of(self.fragments)
        known = [each for each in self.fragments if each.key in rejections and each.blocks] if rejections else []
        for each in (*empty, *known):
            rejection = rejections.get(each.key)
            if each.failed or rejection is not None:
                self._replace(each)
            if rejection is not None and not each.failed and rejection.retry_at <= self.memory.clock():
                due.append(each)
        if self.isolates:
            self.documents.forget(due)
        # Caddy is busy with that while we look for conflicts
        self.documents.begin(self.parts)
        self._reject_refused_alone()
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
            self._admit(self._unrefused(due[start : start + size]))
        self.memory.tried_together = max(size // 2, 1) if self._is_over() else limits.MAX_RETRIED_TOGETHER

    def _reject_refused_alone(self) -> None:
        """Reject each new fragment that Caddy refuses by itself, as nobody else can be the cause, and the newer of those
        that need different protocols at one listener.

        What was accepted before is not rejected for a definition of another one that is new.
        """
        while True:
            # what is left out for a conflict, or for its size, is not asked about
            self._without_conflicts()
            alone = self.documents.of(self.parts)
            self._makers = Makers(alone)
            new = self.memory.candidates(self.parts) if self.isolates else ()
            if conflicts := [*protocol_conflicts(alone), *grown(self.documents.too_large, new)]:
                self._reject_newer(conflicts)
                continue
            refusals = [(each, alone[each]) for each in new if alone[each].refusal is not None]
            for fragment, each in refusals:
                self._reject_finding(Finding(fragment, Refusal(str(each.refusal), each)))
            if not refusals:
                return

    def _unrefused(self, group: Sequence[Fragment]) -> list[Fragment]:
        """Those of a group that are set aside which Caddy does not refuse by themselves. The others are rejected."""
        self._put_back(group)
        self._reject_refused_alone()
        left = [each for each in group if each.key not in self.rejected]
        self._set_aside(left)
        return left

    @property
    def parts(self) -> tuple[Fragment, ...]:
        """The fragments that are not left out, and what stands in the place of others."""
        if not self.instead:
            return self.fragments
        if self._parts is None:
            standing = (self.instead.get(each.key, each) for each in self.fragments)
            self._parts = tuple([each for each in standing if each is not None])
        return self._parts

    @cached_property
    def by_key(self) -> Mapping[str, Fragment]:
        """The fragments by key."""
        return {each.key: each for each in self.fragments}

    def _attempt(self) -> Refusal | None:
        """Try everything that is not left out. Returns the refusal, None where Caddy accepted it."""
        configuration = self._without_conflicts()
        last = self.memory.last
        refused: Refusal | None
        try:
            is_known = last is not None and last.document is not None and last.says_the_same_as(configuration)
            if last is not None and is_known and self.document_check.is_current(self.parts):
                configuration = configuration.adapted_as(last)
                refused = None
            else:
                document = self.document(configuration)
                checked = self.document_check.checked(document, self.parts)
                if checked.at_fault:
                    for fragment, problem in checked.at_fault:
                        self._reject(fragment, problem, is_by_rule=True)
                    return self._attempt()
                document = self.transforms.applied(document, configuration, self.parts)
                adapted = cache(partial(self.transforms.encoded, document))
                configuration = evolve(configuration, adapted=adapted, document=document)
                refused = checked.refusal(configuration) or self._unsafe_setting(document, configuration)
            if refused is None:
                self.is_delivered = self.deliver(configuration)
        except CaddyRefusal as refusal:
            words = [without_values(each, configuration.text) for each in (str(refusal), *refusal.further)]
            refused = refusal_of(words, configuration)
        except CaddyUnreachable as error:
            if not Ending(self.adapt).is_the_cause(error):
                raise
            refused = Refusal("loading it does not finish", configuration, at_load=True)
        if refused is None:
            self.accepted, self._accepted_parts = configuration, self.parts
        elif refused.at_load:
            self._deadline = self._deadline or self.memory.clock() + limits.MAX_SEARCH_TIME
        return refused

    def _attempt_without_fallbacks(self) -> Refusal | None:
        """Try the result; where it is refused, try it again without fallbacks, which may no longer be good."""
        refused = self._attempt()
        if refused is not None and (fallbacks := self._fallbacks()):
            self._drop(fallbacks)
            refused = self._attempt()
        return refused

    def _fallbacks(self) -> list[Fragment]:
        """What stands in the place of others."""
        return [each for each in self.instead.values() if each is not None]

    def _drop(self, fallbacks: Iterable[Fragment]) -> None:
        """Leave out what stands in the place of others."""
        keys = [each.key for each in fallbacks]
        self._stale.update(keys)
        self.instead.update(dict.fromkeys(keys))
        self._parts = None

    def _unsafe_setting(self, document: Document, configuration: Configuration) -> Refusal | None:
        """An unsafe setting that is not the operator's own."""
        containers = (
            address for each in self.fragments for address in each.addresses if is_loopback_of_another(address)
        )
        for found in unsafe_settings(document, containers):
            if found.message not in self._tolerated_settings():
                hosts = frozenset(map(plain_host, found.hosts))
                return Refusal(found.message, configuration, at_load=True, is_unsafe=True, hosts=(hosts,))
        return None

    def _tolerated_settings(self) -> frozenset[str]:
        if self._tolerated is None:
            alone = self.documents.of(self.parts)
            operators = [each.document for fragment, each in alone.items() if fragment.is_operators]
            found = (unsafe_settings(document) for document in operators if document is not None)
            self._tolerated = frozenset(each.message for some in found for each in some)
        return self._tolerated

    def _without_conflicts(self) -> Configuration:
        """Everything that is not left out, assembled. The newer fragment of each conflict is rejected."""
        if self._built is None or self._built[0] is not self.parts:
            while conflicts := self.shared_sites.conflicts_in((built := self.build(self.parts)).assembly):
                self._reject_newer(conflicts)
            self._built = self.parts, built
        return self._built[1]

    def _reject_newer(self, conflicts: Sequence[Conflict]) -> None:
        for conflict in conflicts:
            newer = self.by_key[conflict.fragment]
            self._reject(self.instead.get(newer.key) or newer, conflict.problem, conflict.older)

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
            search = Served(self._attempt, self._set_aside, self._put_back, self._is_over, self._makers.made_by)
            candidates = [*search.without(served, refused, self.memory), *candidates]
        self._admit(candidates)

    def _separate(self, candidates: Sequence[Fragment], refused: Refusal) -> bool:
        """Reject those of `candidates` that Caddy refuses beside the rest. Returns whether it accepts the rest at all."""
        self._set_aside(candidates)
        last = self.memory.last
        # what Caddy already has is tried without a load
        if last is not None and last.says_the_same_as(self._without_conflicts()) and self._attempt() is not None:
            return False
        return self._admit(candidates, refused)

    def _admit(self, group: Sequence[Fragment], refused: Refusal | None = None) -> bool:
        """Add those of a group that Caddy accepts, and reject the others. Returns whether Caddy accepts the rest.

        `refused` is its refusal of the whole group, where that is known.
        """
        search = Search(self._try, self._by_likelihood, self._makers.made_by, self._is_over)
        search.run(group, refused)
        if not self._is_accepted() and self._attempt() is not None:
            return False
        for finding in search.found:
            self._reject_finding(finding)
        for each in search.untried:
            self.memory.postpone(each)
        return True

    def _try(self, group: Sequence[Fragment]) -> Refusal | None:
        """Try a group beside what is accepted, and set it aside again where it is refused."""
        self._put_back(group)
        refused = self._attempt()
        if refused is not None:
            stale = refused.named(self._fallbacks())
            if stale:
                self._drop(stale)
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

    def _put_back(self, group: Iterable[Fragment]) -> None:
        """Have the fragments themselves in their places again."""
        for each in group:
            if self.by_key[each.key] is each:
                self.instead.pop(each.key, None)
            else:
                self.instead[each.key] = each
        self._parts = None

    def _reject_finding(self, finding: Finding) -> None:
        fragment, refused = finding.fragment, finding.refused
        self._reject(fragment, refused.problem(fragment), cause=refused.cause_elsewhere(fragment))

    def _reject(
        self,
        fragment: Fragment,
        problem: Problem,
        older: str = "",
        cause: Problem | None = None,
        *,
        is_by_rule: bool = False,
    ) -> None:
        if fragment.key not in self.rejected:
            self.rejected.add(fragment.key)
            self.memory.reject(fragment, problem, older, cause, is_by_rule=is_by_rule)
        # where its fallback is in its place already, that one may still be good
        if self.instead.get(fragment.key, fragment) is fragment:
            self._replace(fragment)

    def _replace(self, fragment: Fragment) -> None:
        """Put a fragment's fallback in its place; leave it out where there is none."""
        is_stale = self.instead.get(fragment.key) is not None or fragment.key in self._stale
        self.instead[fragment.key] = None if is_stale else self.memory.fallback(fragment)
        self._parts = None
