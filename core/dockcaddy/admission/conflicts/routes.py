"""Who answers which requests of a site: a newer resource must not take from an older one what that one answers.

See https://caddyserver.com/docs/caddyfile/directives#sorting-algorithm for who comes first.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from attrs import define, evolve, field, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.arguments import IMPORTED
from dockcaddy.admission.conflicts.conditions import (
    EVERYTHING,
    Condition,
    Conditions,
    conditions_of,
    is_covered,
    path_condition,
    visits_of,
)
from dockcaddy.admission.conflicts.conflict import Conflict, Member, conflict_between, label_of, text_of
from dockcaddy.admission.conflicts.paths import covers, literal_beginning
from dockcaddy.admission.conflicts.requests import Visit
from dockcaddy.admission.replicas import gives_way, serves_all
from dockcaddy.caddyfile import PROXIES, REWRITING, SUBROUTES, TERMINAL, Block
from dockcaddy.settings import limits

# nothing behind these is asked for what they match, or it is asked for something else
_ANSWERING = TERMINAL | REWRITING | {"intercept", "forward_auth"}
# what these find depends on where they look
_SERVING_FILES = frozenset(("file_server", "php_fastcgi", "try_files"))
_ROOTS = frozenset(("root", "fs"))
# how to tell what they would do to an older one
_VERBS = {
    "root": "would change the files of",
    "fs": "would change the files of",
    # of files that only Caddy reads
    "import": "may answer what is answered by",
}
_HANDLES = frozenset(("handle", "handle_path"))
# options by which a proxy answers something else than its upstreams would
_OWN_ANSWERS = frozenset(
    ("handle_response", "replace_status", "rewrite", "method", "dynamic", "root", "split", "index", "try_files")
)


@frozen(slots=False)
class _Step:
    """A directive on the way to an answer: its place among the others, for which requests, and its tokens."""

    place: tuple[int, ...]
    conditions: Conditions
    keys: tuple[str, ...]

    @cached_property
    def joined_by(self) -> tuple[str, ...]:
        """Two with the same become one block."""
        return caddyfile.merge_key(self.keys)

    def may_precede(self, other: "_Step") -> bool:
        """Whether Caddy may ask this one before the other: longer paths first, then other conditions, then none."""
        if self.place != other.place:
            return self.place < other.place
        if self.path_length is not None and other.path_length is not None:
            return self.path_length >= other.path_length
        return self.is_matched or not other.is_matched

    @property
    def is_matched(self) -> bool:
        """Whether it has a matcher, be it one for every path."""
        return bool(self.conditions) or self._matcher not in ("", "*")

    @cached_property
    def _matcher(self) -> str:
        return caddyfile.matcher(Block(self.keys))

    @property
    def path_length(self) -> int | None:
        """The length of the only path that it is for, None where there is none or are several."""
        paths = [wanted for each in self.conditions if each.is_path for wanted in each.wanted]
        if not self.conditions and self._matcher.startswith("/"):
            # one for every path, which comes last of them
            paths = [self._matcher]
        return len(paths[0].removesuffix("*")) if len(paths) == 1 else None


@frozen(slots=False)
class Answer:
    """A directive that answers, and those that it stands in, from the outermost on; the last step is its own.

    A `handle` that answers nothing is one too: it takes its requests from every `handle` behind it. A `root` is one by
    what serves its files. `hosts` are the site's.
    """

    steps: tuple[_Step, ...]
    block: Block
    hosts: frozenset[str] = frozenset()

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """Usual visits that it answers."""
        return tuple(visits_of(self.conditions, self.hosts))

    @cached_property
    def conditions(self) -> Conditions:
        """What requests must be like to be answered."""
        return EVERYTHING.union(*(step.conditions for step in self.steps))

    @cached_property
    def effort(self) -> int:
        """How much is to be read where visits tell what it answers."""
        return sum(each.effort for each in self.conditions)

    def takes_from(self, older: "Answer") -> bool:
        """Whether this one answers everything that `older` would at one of its paths or hosts, and may be asked first."""
        return self.comes_before(older) and is_covered(older.conditions, self.conditions, any, lambda: older.visits)

    def comes_before(self, older: "Answer") -> bool:
        """Whether it may be asked before `older`."""
        for mine, theirs in zip(self.steps, older.steps, strict=False):
            if mine.joined_by != theirs.joined_by:
                is_a_handles = self.block.keys[0] != "handle" or theirs.keys[0] in _HANDLES
                return is_a_handles and mine.may_precede(theirs)
        return len(self.steps) == len(older.steps)

    @property
    def is_root(self) -> bool:
        """Whether it only says where others find their files."""
        return self.block.keys[0] in _ROOTS

    def is_for(self, other: "Answer") -> bool:
        """Whether this root holds for all files that another one serves."""
        above = zip(self.steps[:-1], other.steps, strict=False)
        is_above = len(self.steps) <= len(other.steps) and all(a.joined_by == b.joined_by for a, b in above)
        return is_above and is_covered(other.conditions, self.conditions)

    @property
    def nearness(self) -> tuple[int, int, int]:
        """Of several roots for one file the last one holds: that of the innermost block, of the longest path."""
        matcher = caddyfile.matcher(self.block)
        is_path = matcher.startswith("/")
        return len(self.steps), is_path + (matcher not in ("", "*")), len(matcher.removesuffix("*")) if is_path else 0

    @cached_property
    def meaning(self) -> Hashable:
        """What two answers that are the same have in common: they become one, with all upstreams."""
        said = "" if self.block.keys[0] in PROXIES else text_of(self.block)
        return tuple(step.joined_by for step in self.steps), said

    @cached_property
    def own_answers(self) -> frozenset[str]:
        """What it answers itself where it is a proxy."""
        options = self.block.children if self.block.keys[0] in PROXIES else ()
        return frozenset(text_of(each) for each in options if each.keys and each.keys[0] in _OWN_ANSWERS)


@frozen
class Reader:
    """Reads the answers of one site out of its members' blocks, written out. `hosts` are the site's own.

    The fields of requests that are `changed` on the way are not the visitors'.
    """

    hosts: frozenset[str]
    changed: frozenset[str] = frozenset()

    def answers(self, member: Member, names: dict[str, Conditions]) -> Iterator[Answer]:
        """All answers of one member; `names` are the matchers of older ones, and the member's are put to them."""
        lines = [line for block in member.blocks for line in block.children if line.keys]
        reader = evolve(self, changed=frozenset(_changed_fields(lines)))
        for name, conditions in reader._defined(lines):
            names.setdefault(name, conditions)
        yield from reader._within(lines, (), names)

    def _within(
        self, lines: Iterable[Block], steps: tuple[_Step, ...], names: Mapping[str, Conditions], folder: str = ""
    ) -> Iterator[Answer]:
        """The answers among lines under `steps`, where paths begin behind the `folder`."""
        for line in lines:
            name = line.keys[0]
            if name == "handle_errors":
                step = _Step((-1,), frozenset((Condition(name, frozenset(line.keys[1:])),)), line.keys)
            elif name in _ANSWERING or name in SUBROUTES or name in _ROOTS or caddyfile.imports_files(line):
                conditions = frozenset(each.below(folder) for each in _matched(line, names))
                step = _Step(_place(line, steps), conditions, line.keys)
            else:
                continue
            if name not in SUBROUTES:
                yield Answer((*steps, step), line, self.hosts)
                continue
            if name in _HANDLES:
                # what handle_path does not answer goes on as another path
                yield Answer((*steps, step), Block(line.keys, (), line.order, line.origins), self.hosts)
            inside = [each for each in line.children if each.keys]
            deeper = caddyfile.matcher(line).lower().rstrip("*").rstrip("/") if name == "handle_path" else ""
            known = {**names, **dict(self._defined(inside))}
            yield from self._within(inside, (*steps, step), known, folder + deeper)

    def _defined(self, lines: Iterable[Block]) -> Iterator[tuple[str, Conditions]]:
        """The matchers that are defined among the lines."""
        for line in lines:
            if line.keys[0].startswith("@"):
                yield line.keys[0], conditions_of(line, self.hosts, self.changed)


def _changed_fields(lines: Iterable[Block]) -> Iterator[str]:
    """The fields of requests that lines say something else of."""
    for line in lines:
        if line.keys[:1] == ("request_header",):
            yield from (key.lstrip("+-?>").lower() for key in line.keys[1:3])
        yield from _changed_fields(line.children)


def _place(line: Block, steps: tuple[_Step, ...]) -> tuple[int, ...]:
    """The place of a line among its siblings: in a `route` the written order is kept."""
    if not steps or steps[-1].keys[0] != "route":
        return (caddyfile.position(line.keys[0]),)
    return line.order, caddyfile.position("import" if line.suffix == IMPORTED else line.keys[0])


def _matched(line: Block, names: Mapping[str, Conditions]) -> Conditions:
    matcher = caddyfile.matcher(line)
    if matcher.startswith("@"):
        return names.get(matcher, frozenset((Condition(matcher, frozenset()),)))
    if not matcher and line.keys[:2] == ("uri", "strip_prefix"):
        return path_condition(f"{prefix}*" for prefix in line.keys[2:])
    return path_condition((matcher,)) if matcher else EVERYTHING


Held = tuple[Member, Answer]


@define
class _Held:
    """The answers of older members, found by what a newer one could take."""

    _own_answers: dict[Hashable, frozenset[str]] = field(factory=dict)
    _by_place: dict[tuple[int, ...], list[Held]] = field(factory=lambda: defaultdict(list))
    _by_wanted: dict[tuple[str, str], list[Held]] = field(factory=lambda: defaultdict(list))
    _patterns: dict[str, list[str]] = field(factory=lambda: defaultdict(list))
    _files: list[Held] = field(factory=list)
    _roots: list[Answer] = field(factory=list)
    _asking: dict[tuple[int, ...], list[Held]] = field(factory=lambda: defaultdict(list))
    _covered_before: dict[tuple[Conditions, Conditions], bool] = field(factory=dict)
    _read: int = 0
    is_proxied: bool = False

    def add(self, member: Member, answer: Answer) -> None:
        """Keep an answer; of replicas' the oldest one's is enough."""
        known = self._own_answers.get(answer.meaning)
        self._own_answers[answer.meaning] = answer.own_answers | (known or frozenset())
        if known is not None:
            return
        if answer.is_root:
            self._roots.append(answer)
            return
        if answer.block.keys[0] == "forward_auth":
            # what it lets through is answered by others
            return
        if answer.block.keys[0] in _SERVING_FILES:
            self._files.append((member, answer))
        self.is_proxied |= len(answer.steps) == 1 and serves_all(answer.block)
        if answer.effort:
            self._asking[answer.steps[0].place].append((member, answer))
        self._by_place[answer.steps[0].place].append((member, answer))
        for condition in answer.conditions:
            for wanted in condition.wanted or ("",):
                if condition.is_path and (condition.kind, wanted) not in self._by_wanted:
                    insort(self._patterns[condition.kind], wanted)
                self._by_wanted[condition.kind, wanted].append((member, answer))

    def taken_by(self, answer: Answer, taker: Member) -> Held | None:
        """An older answer that this one would take: none where it becomes one with an older that is the same."""
        known = self._own_answers.get(answer.meaning)
        if known is not None and answer.own_answers <= known:
            return None
        if answer.is_root:
            return next((held for held in self._files if self._loses_its_root(held[1], answer)), None)
        return next(
            (
                (owner, older)
                for owner, older in self._candidates(answer)
                if self._loses_to(older, answer) and not _is_of_a_replica(answer, taker, owner)
            ),
            None,
        )

    @property
    def is_beyond_measure(self) -> bool:
        """Whether there is more to be read than anybody has time for."""
        return self._read > limits.MAX_TRIED_MATCHERS

    def _loses_to(self, older: Answer, answer: Answer) -> bool:
        """Whether the newer answer takes all from an older one; where nobody could tell in time it counts as that."""
        if not answer.effort + older.effort:
            return answer.takes_from(older)
        compared = older.conditions, answer.conditions
        if compared not in self._covered_before:
            self._read += max(answer.effort, 1)
            covered = self.is_beyond_measure or is_covered(*compared, any, lambda: older.visits)
            self._covered_before[compared] = covered
        return self._covered_before[compared] and answer.comes_before(older)

    def _loses_its_root(self, older: Answer, root: Answer) -> bool:
        """Whether files are served from that root from now on, as no other one is nearer to them."""
        return root.is_for(older) and not any(
            each.nearness >= root.nearness for each in self._roots if each.is_for(older)
        )

    def _candidates(self, answer: Answer) -> Iterator[Held]:
        condition, place = next((each for each in answer.conditions if each.is_exact), None), answer.steps[0].place
        known = self._by_place if condition is None else self._asking
        behind = chain.from_iterable(held for each, held in known.items() if each >= place)
        return behind if condition is None else chain(self._like(condition), behind)

    def _like(self, condition: Condition) -> Iterator[Held]:
        wanted: Iterable[str] = condition.wanted or ("",)
        if condition.is_path:
            wanted = {each for pattern in wanted for each in self._covered(condition.kind, pattern)}
        return chain.from_iterable(self._by_wanted.get((condition.kind, each), ()) for each in wanted)

    def _covered(self, kind: str, pattern: str) -> Iterator[str]:
        """The known patterns that a pattern covers, or whose first page it is."""
        patterns = self._patterns.get(kind, [])
        if pattern.endswith("/"):
            yield f"{pattern}*"
        beginning = literal_beginning(pattern)
        for known in patterns[bisect_left(patterns, beginning) :]:
            if not known.startswith(beginning):
                return
            if covers(pattern, known):
                yield known


def _is_of_a_replica(answer: Answer, taker: Member, owner: Member) -> bool:
    """Whether it is a proxy that the owner has too, by the same label, but for being out of order at present."""
    labels = {origin.label for origin in answer.block.origins}
    said = {(label, template) for label, template in taker.fragment.conditional if label in labels}
    return answer.block.keys[0] in PROXIES and bool(said) and said <= owner.fragment.conditional


def _gives_way(answer: Answer) -> bool:
    return len(answer.steps) == 1 and gives_way(answer.block)


def takeovers(members: Sequence[Member], reader: Reader) -> Iterator[Conflict]:
    """Where newer members of a site, from the oldest on, answer what an older one answers."""
    held = _Held()
    names: dict[str, Conditions] = {}
    for member in members:
        answers = tuple(reader.answers(member, names))
        counting = (each for each in answers if not (held.is_proxied and _gives_way(each)))
        found = next(((each, taken) for each in counting if (taken := held.taken_by(each, member))), None)
        if found is None:
            for answer in answers:
                held.add(member, answer)
            continue
        answer, (older, theirs) = found
        verb = _VERBS.get(answer.block.keys[0], "would answer what is answered by")
        if held.is_beyond_measure:
            verb = "is one of too many to be compared, it may answer what is answered by"
        what = f"{answer.block.keys[0]} {verb}"
        yield conflict_between(
            member.fragment, what, older.fragment, label=label_of(answer.block), their_label=label_of(theirs.block)
        )
