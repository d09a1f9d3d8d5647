"""A fragment that Caddy refuses is quarantined: it is left out, reported and retried; all others are served.

Each new fragment is adapted alone first: what Caddy refuses then is the fragment's own. The rest is tried as a whole. Only where
Caddy refuses that, the fragments at fault are searched for among those that changed since the last accepted configuration: who
made the line or the part that Caddy names, and where that is not known by halving. Rejections are remembered by content; what was
rejected before does not delay what is new.

`trial.py` tries one set of fragments, `search.py` finds which of them are refused, `makers.py` knows who made what,
`refusal.py` reads Caddy's message, `memory.py` is what is remembered between passes, `explanation.py` says what to do,
`ports.py` is about ports that are not available.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from attrs import define, field

from dockcaddy.admission.conflicts.adapted import SiteAdapter
from dockcaddy.admission.conflicts.shared_sites import SharedSites
from dockcaddy.admission.document_rules import DocumentRules
from dockcaddy.caddyjson import Document, FragmentDocuments
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, TooLargeError
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Chosen
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.quarantine.document_check import DocumentCheck
from dockcaddy.quarantine.endless import Ending
from dockcaddy.quarantine.explanation import Explainer
from dockcaddy.quarantine.memory import Memory, Rejection
from dockcaddy.quarantine.ports import Elsewhere, Machine, Ports, PortUnavailable
from dockcaddy.quarantine.served import Holds, holds_nothing
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.quarantine.trial import Build, Deliver, Trial

__all__ = ["Elsewhere", "Machine", "Quarantine"]


@define
class Quarantine:
    """Decides which fragments make up the configuration. `adapt` is Caddy's; `clock` gives seconds.

    Without `isolates`, one refusal costs the whole configuration. `modules` are those of the Caddy program, `machine` is
    where Caddy listens. `document` makes the document of a configuration, `documents` those of fragments alone; `rules` check
    them. With `allow_shadowing` newer resources may take requests from older ones of the same site.
    """

    adapt: Callable[[str], bytes]
    clock: Callable[[], float]
    isolates: bool
    modules: Callable[[], frozenset[str]]
    machine: Machine
    transforms: Transforms
    document: Callable[[Configuration], Document]
    documents: FragmentDocuments
    rules: Callable[[], DocumentRules]
    allow_shadowing: bool
    _shared_sites: SharedSites = field(init=False)
    _memory: Memory = field(init=False)
    _document_check: DocumentCheck = field(init=False)
    _ports: Ports = field(init=False)
    _fragments: tuple[Fragment, ...] = ()
    _parts: tuple[Fragment, ...] = ()
    _admitted: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: not each.refused))
    _empty: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: not each.blocks))
    # the last report and what it was made of: to explain a hundred refusals takes time
    _explained: tuple[object, tuple[Problem, ...]] | None = None

    def __attrs_post_init__(self) -> None:
        self._shared_sites = SharedSites(
            SiteAdapter(self._adapted_part), self.documents.route_order, self.allow_shadowing
        )
        self._memory = Memory(self.clock)
        self._document_check = DocumentCheck(self.rules, Ending(self.adapt), self.documents.route_order)
        self._ports = Ports(self.clock, self.machine)

    def remember(self, fragments: Mapping[str, Fragment], held: bytes = b"") -> None:
        """Start with what an earlier run had accepted, and Caddy's JSON of it; a refusal is searched for in what is new first."""
        self._memory.remember(fragments, held)

    def caddy_crashed(self) -> None:
        """Caddy crashed: where it does so repeatedly, the newest fragments are left out for a while."""
        self._memory.reject_newest()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why fragments are left out at present, which ports are not available, and what no request comes to."""
        return (*self._ports.problems, *self._refusals, *self._shared_sites.warnings)

    @property
    def _refusals(self) -> tuple[Problem, ...]:
        rejections = self._memory.rejections
        if not rejections:
            return ()
        reasons = {
            each.key: each.problems[0] for each in self._fragments if each.problems and (each.refused or each.failed)
        }
        reasons |= {key: rejection.problem for key, rejection in rejections.items()}
        defined = frozenset(name for each in self._fragments for name in each.definitions)
        known = (reasons, defined, self._memory.causes)
        if self._explained is None or self._explained[0] != known:
            self._explained = known, self._explain(Explainer(self._fragments, reasons, self.modules))
        return self._explained[1]

    def _explain(self, explainer: Explainer) -> tuple[Problem, ...]:
        by_key = {each.key: each for each in self._fragments}
        by_owner = {each.owner: each for each in self._fragments}
        problems = [
            explainer.explain(rejection.problem, by_key[key]) if key in by_key else rejection.problem
            for key, rejection in self._memory.rejections.items()
        ]
        causes = {(each.resource, each.label): each for each in reversed(self._memory.causes)}
        problems += [
            explainer.explain(each, by_owner[each.resource]) for each in causes.values() if each.resource in by_owner
        ]
        return tuple(problems)

    @property
    def next_retry(self) -> float | None:
        """When the next fragment that is left out is retried, in seconds of the clock."""
        due = (self._memory.next_retry, self._ports.next_retry)
        return min((each for each in due if each is not None), default=None)

    @property
    def last_good(self) -> Mapping[str, Fragment]:
        """By key, each fragment as Caddy accepted it last."""
        return self._memory.last_good

    @property
    def served(self) -> Mapping[str, Fragment]:
        """The same, and those of the last configuration that no Caddy was asked about yet."""
        return {
            **self._memory.last_good,
            **{each.key: each for each in self._memory.beyond(self._parts) if each.blocks},
        }

    @property
    def left_out(self) -> Mapping[str, Rejection]:
        """By key, why each fragment is left out, or an earlier version of it served instead."""
        return self._memory.rejections.copy()

    @property
    def parts(self) -> tuple[Fragment, ...]:
        """The fragments that the last configuration is made of, without those that are left out."""
        return self._parts

    def begin(self, fragments: Sequence[Fragment]) -> None:
        """At a start, have Caddy begin to adapt some of the fragments that `resolve` will get."""
        # whatever Caddy says to that, `resolve` hears it too
        with suppress(CaddyUnreachable, CaddyRefusal):
            self.documents.begin([each for each in fragments if not each.refused])

    def resolve(
        self, fragments: Sequence[Fragment], build: Build, deliver: Deliver, still_holds: Holds = holds_nothing
    ) -> Configuration:
        """The largest configuration that Caddy accepts, adapted and delivered.

        Fragments that an admission rule refused are never delivered; they only explain what is missing. `build`
        assembles fragments; `deliver` hands a configuration to the live outputs, and
        `still_holds` says whether they run it. All may be called several times. Raises CaddyUnreachable where no Caddy
        can adapt, CaddyRefusal where Caddy refuses even what it accepted before.
        """
        self._fragments = tuple(fragments)
        resolved = partial(self._resolved, build=build, still_holds=still_holds)
        fragments = self._admitted.of(self._fragments)
        self._ports.look()
        while True:
            try:
                configuration = resolved(self._ports.without_blocked(fragments), deliver=self._ports.watched(deliver))
            except PortUnavailable as unavailable:
                if not self._ports.block(unavailable.fault, fragments):
                    return resolved(self._ports.without_blocked(fragments), deliver=deliver)
            else:
                self._ports.accepted()
                return configuration

    def _adapted_part(self, text: str) -> bytes:
        """What Caddy makes of some sites. The one that serves them reads files, and may have other modules."""
        try:
            return self.documents.adapt(text)
        except TooLargeError:
            raise
        except CaddyRefusal:
            return self.adapt(text)

    def _resolved(
        self, fragments: Sequence[Fragment], build: Build, deliver: Deliver, still_holds: Holds
    ) -> Configuration:
        memory, fragments = self._memory, tuple(fragments)
        memory.forget_outdated(fragments)
        before = memory.rejections.copy()
        trial = Trial(
            document=self.document,
            documents=self.documents,
            adapt=self.adapt,
            memory=memory,
            fragments=fragments,
            build=build,
            deliver=deliver,
            shared_sites=self._shared_sites,
            still_holds=still_holds,
            isolates=self.isolates,
            transforms=self.transforms,
            document_check=self._document_check,
            empty=self._empty,
        )
        try:
            configuration = trial.resolve()
        except (CaddyRefusal, PortUnavailable):
            # also refused without any of them: none of them is the cause
            memory.rejections = before
            self.documents.forget()
            raise
        self._parts = trial.parts
        if trial.is_delivered:
            left_out = frozenset(key for key, fallback in trial.instead.items() if fallback is None)
            memory.accept(configuration, trial.parts, left_out)
        else:
            # no Caddy has accepted it yet; it need not be adapted again
            memory.last = configuration
        memory.clear(trial.instead.keys())
        return configuration
