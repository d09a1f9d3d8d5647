"""Whose labels led to what document rules find in a configuration.

What a route does comes from the fragments of its hosts. Where several can be meant, Caddy adapts each of them alone, with
what it imports: who leads to the finding alone is at fault.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from attrs import define, evolve, field

from dockcaddy.admission.document_rules import DocumentRules, Found
from dockcaddy.caddyfile import Block, all_blocks, plain_host
from dockcaddy.caddyjson import Document
from dockcaddy.caddyjson.definitions import Definitions, used_key
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment, Section
from dockcaddy.incremental import Chosen
from dockcaddy.merge.assembly import Assembler
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.settings import limits


@define(eq=False)
class DocumentCheck:
    """Checks documents by the rules. `adapt` is Caddy's."""

    rules: Callable[[], DocumentRules]
    adapt: Callable[[str], bytes]
    route_order: str
    _known: dict[str, frozenset[Found]] = field(factory=dict)
    # the fragments of the last document in which all was explained
    clean: tuple[Fragment, ...] = ()
    _without_resource: Chosen[Fragment] = field(factory=lambda: Chosen(lambda each: each.resource is None))
    _state: Hashable = None

    def is_current(self, fragments: tuple[Fragment, ...]) -> bool:
        """Whether the same would be found in the document that was checked last, if it is made of these fragments."""
        return self._state == self.rules().state(self._without_resource.of(fragments))

    def checked(self, document: Document, fragments: tuple[Fragment, ...]) -> "Checked":
        """What is found in the document of these fragments."""
        rules = self.rules()
        self._state = rules.state(self._without_resource.of(fragments))
        found = list(dict.fromkeys(rules.found(document)))
        if not found:
            self.clean = fragments
            return Checked()
        search = _Search.of(self, rules, fragments, _probes(document))
        tolerated = search.tolerated()
        made = Checked()
        for each in found:
            if each not in tolerated and not search.explains(each, made):
                made.unattributed.append(each)
        if not made.at_fault and not made.unattributed:
            self.clean = fragments
        return made

    def found_in(self, fragments: Sequence[Fragment], probes: str) -> frozenset[Found]:
        """What is found where these fragments are alone; nothing where Caddy refuses that.

        `probes` are sites that are served as global options say.
        """
        has_options = any(not block.keys for each in fragments for block in each.blocks)
        text = Assembler(self.route_order).assemble(fragments).text if fragments else ""
        text += probes if has_options else ""
        key = f"{id(self.rules().look)} {text}"
        if key not in self._known:
            if len(self._known) >= limits.MAX_KNOWN_FINDINGS:
                self._known.clear()
            self._known[key] = frozenset()
            with contextlib.suppress(CaddyRefusal):
                self._known[key] = frozenset(self.rules().found(Document.decode(self.adapt(text) if text else b"")))
        return self._known[key]


@define
class Checked:
    """The fragments at fault, each with its problem, and what is nobody's as far as is known."""

    at_fault: list[tuple[Fragment, Problem]] = field(factory=list)
    unattributed: list[Found] = field(factory=list)

    def refusal(self, configuration: Configuration) -> Refusal | None:
        """The refusal of the configuration for what nobody leads to alone."""
        if not self.unattributed:
            return None
        found = self.unattributed[0]
        words = f"{found.rule.name}: {found.finding.reason}"
        hosts = frozenset(map(plain_host, found.hosts or ()))
        return Refusal(words, configuration, at_load=True, is_unsafe=True, hosts=(hosts,) if hosts else ())


@define(eq=False)
class _Search:
    """Searches for who leads to findings. `definitions` are those of all labels, `trusted` what the operator wrote."""

    check: DocumentCheck
    rules: DocumentRules
    fragments: Sequence[Fragment]
    trusted: Sequence[Fragment]
    definitions: Definitions
    probes: str

    @classmethod
    def of(cls, check: DocumentCheck, rules: DocumentRules, fragments: Sequence[Fragment], probes: str) -> "_Search":
        """The search among these fragments."""
        trusted = [each for each in fragments if each.resource is None]
        defined = (block for each in fragments if each.resource is not None for block in each.blocks)
        definitions = Definitions(tuple([Section.of(block) for block in defined if block.is_definition]))
        return cls(check, rules, fragments, trusted, definitions, probes)

    def tolerated(self) -> frozenset[Found]:
        """What the operator's text leads to, with empty definitions in place of those that it imports from labels."""
        used = self.definitions.used_by(block for each in self.trusted for block in each.blocks)
        stubs = (evolve(block, children=()) for block in self.definitions.blocks(used))
        return self.check.found_in([*self.trusted, _of("stubs", stubs)], self.probes)

    def explains(self, found: Found, made: Checked) -> bool:
        """Add those at fault for a finding. Returns whether it is explained."""
        candidates = self._candidates(found)
        is_alone = len(candidates) == 1 and not any(map(used_key, all_blocks(candidates[0].blocks)))
        is_clear = bool(found.hosts) and is_alone
        is_explained = False
        for each in candidates:
            if each.resource is None:
                continue
            if is_clear or found in self._alone(each):
                is_explained = True
                problem = self.rules.refusal(each, found)
                if problem is not None:
                    made.at_fault.append((each, problem))
        return is_explained

    def _candidates(self, found: Found) -> list[Fragment]:
        """The fragments that a finding may come from."""
        if found.hosts:
            hosts = frozenset(map(plain_host, found.hosts))
            mates = [each for each in self.fragments if not hosts.isdisjoint(each.plain_hosts)]
            if any(each.resource is not None for each in mates):
                return mates
        others = [each for each in self.fragments if each.resource is not None]
        for text in sorted(filter(None, found.finding.texts), key=len, reverse=True):
            mates = [each for each in others if text in each.content]
            if mates:
                return [*mates, *self._importers(mates)]
        # where they are many, they are searched by halves
        clean = frozenset(self.check.clean)
        new = [each for each in others if each not in clean]
        return new if len(new) <= limits.MAX_ADAPTED_ALONE else []

    def _importers(self, definers: Sequence[Fragment]) -> Iterator[Fragment]:
        """The fragments that use definitions of these."""
        keys = _keys(definers)
        for each in self.fragments if keys else ():
            is_other = each.resource is not None and each not in definers
            if is_other and not keys.isdisjoint(self.definitions.used_by(each.blocks)):
                yield each

    def _alone(self, fragment: Fragment) -> frozenset[Found]:
        """What is found where a fragment is alone, with what it imports, and with the operator's options."""
        options = (block for each in self.trusted for block in each.blocks if not block.keys or block.is_definition)
        trusted = self.trusted if fragment.definitions else [_of("operator", options)]
        used = self.definitions.blocks(self.definitions.used_by(fragment.blocks) - _keys([fragment]))
        return self.check.found_in([*trusted, _of("used", used), fragment], self.probes)


def _probes(document: Document) -> str:
    """A site at each port of a document, with or without TLS as the sites there."""
    sites = []
    for server in document.servers.values():
        for port in sorted(filter(str.isdecimal, server.ports)):
            is_plain = port == str(document.http_port) or server.automatic_https.get("skip")
            sites.append(f"{'http' if is_plain else 'https'}://probe.invalid:{port} {{\n\trespond ok\n}}\n")
    return "".join(dict.fromkeys(sites))


def _keys(fragments: Iterable[Fragment]) -> frozenset[str]:
    """The keys of the snippets and named routes that these define."""
    return frozenset(block.keys[0] for each in fragments for block in each.blocks if block.is_definition)


def _of(key: str, blocks: Iterable[Block]) -> Fragment:
    return Fragment(key, key, 0, tuple(blocks))
