"""What Caddy's message leaves out: why a snippet is missing, which name was meant, which plugin Caddy has to be built with.

Pure. Caddy's own message stays in front, so that people can search for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from dockcaddy.caddy.modules import noun_for, package_of
from dockcaddy.caddyfile import DIRECTIVE_NAMES, GLOBAL_OPTIONS, Block, all_blocks
from dockcaddy.caddyfile.subdirectives import SUBDIRECTIVES
from dockcaddy.engine.records.ignored_labels import PLAIN_KEY
from dockcaddy.errors import one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.quarantine.first_mistakes import further_remedy
from dockcaddy.quarantine.refusal import BY_CADDY
from dockcaddy.settings import limits
from dockcaddy.settings.table import guess

_IMPORT = re.compile(r"File to import not found: ([^\s,]+)")
_INVOKED = re.compile(r"cannot invoke named route '([^']+)'")
_MATCHER = re.compile(r"unrecognized matcher name: (@[^\s,]+)")
_DIRECTIVE = re.compile(r"unrecognized directive: ([^\s,]+)")
_SUBDIRECTIVE = re.compile(r"tokens for '(\w+)': .*?(?:unrecognized|unknown) (?:subdirective|property):? '?([^\s,']+)")
_OPTION = re.compile(r"unrecognized global option: ([^\s,]+)")
_ORDERED = re.compile(r"tokens for 'order': ([^\s,]+) is not a registered directive")
_MODULE = re.compile(r"(?:module not registered|unknown module): ([a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+)")
_ARGUMENTS = re.compile(r"wrong argument count|matching opening brace")
# a placeholder or a variable, whose braces are none of a block
_PLACEHOLDER = re.compile(r"\{[^\s{}\"]+\}")
_WHAT_TO_DO = re.compile(r"(?:; if Caddy runs in this container: |; to allow it: |: build one with: ).*", re.DOTALL)


@frozen
class Explainer:
    """Explains the refusals of one pass. `reasons` say by key why fragments are left out.

    `fragments` are all of them, left out or not; `modules` gives those of this Caddy, and is called only where needed.
    """

    fragments: Sequence[Fragment]
    reasons: Mapping[str, Problem]
    modules: Callable[[], frozenset[str]]

    def explain(self, problem: Problem, fragment: Fragment, depth: int = 0) -> Problem:
        """The problem of a fragment, with a remedy where one is known."""
        if not problem.message.startswith(BY_CADDY) or depth > limits.MAX_REASON_DEPTH:
            return problem
        more = next(filter(None, self._remedies(problem, fragment, depth)), "")
        return evolve(problem, message=one_line(f"{problem.message}{more}")) if more else problem

    def _remedies(self, problem: Problem, fragment: Fragment, depth: int) -> Iterator[str]:
        words = problem.message
        yield _whole_line(problem.label)
        yield _single_quotes(problem, fragment)
        if _ARGUMENTS.search(words):
            yield _unquoted_text(problem.label, fragment)
            yield _without_sign(problem.label, fragment)
        yield further_remedy(words, fragment.content)
        if found := _IMPORT.search(words):
            yield _without_site(fragment, ("import", found[1]))
            yield self._missing(f"({found[1]})", "snippet", fragment, depth)
        if found := _INVOKED.search(words):
            yield self._missing(f"&({found[1]})", "named route", fragment, depth)
        if found := _MATCHER.search(words):
            yield self._missing_matcher(found[1], fragment, depth)
        if found := _OPTION.search(words):
            if found[1] in DIRECTIVE_NAMES:
                yield _without_site(fragment, (found[1],))
            yield self._lacking(found[1], "global option", GLOBAL_OPTIONS)
        if found := _DIRECTIVE.search(words):
            if found[1] in GLOBAL_OPTIONS:
                yield f', it is a global option: it has a label without a site, like "{_prefix(fragment)}_1.{found[1]}"'
            yield self._elsewhere(found[1], fragment) + self._lacking(found[1], "directive", DIRECTIVE_NAMES)
        if found := _SUBDIRECTIVE.search(words):
            yield guess(found[2], SUBDIRECTIVES.get(found[1], ()))
        if found := _ORDERED.search(words):
            yield self._lacking(found[1], "directive", DIRECTIVE_NAMES)
        if found := _MODULE.search(words):
            yield self._lacking_module(found[1])
        yield self._in_snippet(words, fragment)

    def _directives(self) -> frozenset[str]:
        """Names of HTTP handlers; those of plugins are mostly the names of directives too."""
        return frozenset(name.rpartition(".")[2] for name in self.modules() if name.startswith("http.handlers."))

    def _lacking(self, name: str, noun: str, known: frozenset[str]) -> str:
        if package := package_of(name):
            return _built_with(name, package)
        meant = guess(name, sorted(known | self._directives()))
        # where the modules are unknown, it is not known that one is missing
        return meant or (_built_with(f"{noun} {name}") if self.modules() else "")

    def _lacking_module(self, module: str) -> str:
        namespace, _, name = module.rpartition(".")
        known = [each.rpartition(".")[2] for each in self.modules() if each.rpartition(".")[0] == namespace]
        package = package_of(module)
        meant = "" if package and namespace == "dns.providers" else guess(name, known)
        if meant:
            return meant
        there = f", it has {', '.join(sorted(known))}" if known else ""
        return f"{_built_with(noun_for(module), package)}{there if not package else ''}"

    def _missing(self, name: str, noun: str, fragment: Fragment, depth: int) -> str:
        """Why a snippet or named route is missing: its fragment is left out, or none defines it."""
        for definer in (each for each in self.fragments if name in _names(each)):
            reason = self._reason(definer, depth)
            if reason and definer is not fragment:
                return f", {noun} {name} is defined by {definer.owner}, which is left out: {reason}"
        if "/" in name:
            # a file, not a snippet
            return ""
        known = [each for other in self.fragments for each in _names(other) if each[0] == name[0]]
        return f", no label defines {noun} {name}{guess(name, known)}"

    def _missing_matcher(self, name: str, fragment: Fragment, depth: int) -> str:
        """Which fragment defines the matcher, for this site or for another one."""
        definers = [each for each in self.fragments if each is not fragment and name in _matchers(each.blocks)]
        for definer in definers:
            reason = self._reason(definer, depth)
            if reason and definer.groups & fragment.groups:
                return f", {name} is defined by {definer.owner}, which is left out: {reason}"
        snippets = [each for each in self.fragments if any(_matchers(_snippets(each)))]
        for definer in [each for each in definers if each not in snippets]:
            return f", {name} is defined by {definer.owner} for another site, each site needs its own"
        for definer in [each for each in definers if each in snippets]:
            return f", {name} is defined in a snippet of {definer.owner}, which this site does not import"
        meant = guess(name, _matchers(fragment.blocks))
        prefix = _prefix(fragment)
        return meant or f', define it: label "{prefix}.{name}", or "{prefix}.{name}.path" for a path'

    def _elsewhere(self, directive: str, fragment: Fragment) -> str:
        """The imported snippet that has the directive, where the fragment does not have it itself."""
        if any(line.keys[0] == directive for line in _lines(fragment.blocks)):
            return ""
        return next((where for where, line in self._imported(fragment) if line.keys[0] == directive), "")

    def _in_snippet(self, words: str, fragment: Fragment) -> str:
        """The imported snippet that contains a word of the message, where the fragment does not contain it itself."""
        for where, line in self._imported(fragment):
            if any(len(key) > 1 and key in words and key not in fragment.content for key in line.keys[1:]):
                return where + (f", label {line.origins[0].label}" if line.origins else "")
        return ""

    def _imported(self, fragment: Fragment) -> Iterator[tuple[str, Block]]:
        """The lines of the snippets that a fragment imports, each after where it is."""
        imported = {f"({line.keys[1]})" for line in _lines(fragment.blocks) if _is_import(line)}
        for other in self.fragments if imported else ():
            for block in other.blocks:
                if block.keys and block.keys[0] in imported:
                    where = f", in snippet {block.keys[0]} of {other.owner}"
                    yield from ((where, line) for line in _lines(block.children))

    def _reason(self, definer: Fragment, depth: int) -> str:
        reason = self.reasons.get(definer.key)
        if reason is None:
            return ""
        explained = self.explain(reason, definer, depth + 1)
        # what to do about it is in the error of that resource
        message = _WHAT_TO_DO.sub("", explained.message).removeprefix(BY_CADDY)
        return (f"label {explained.label}: " if explained.label else "") + message


def _built_with(what: str, package: str = "") -> str:
    if package:
        return f", this Caddy has no {what}: build one with: xcaddy build --with {package}"
    return f", this Caddy has no {what}: if a plugin brings it, build one with xcaddy"


def _without_site(fragment: Fragment, tokens: tuple[str, ...]) -> str:
    """Where a line is among the global options because its site has no address."""
    for block in fragment.blocks:
        for line in block.children if not block.keys else ():
            if line.keys[: len(tokens)] == tokens and line.origins:
                label = line.origins[0].label
                site = label.partition(".")[0]
                is_there = any(origin.label == site for origin in block.origins)
                why = f'label "{site}" is empty' if is_there else f'there is no label "{site}"'
                return f", label {label} is in the global options as {why}, name the site: {site}: example.org"
    return ""


def _whole_line(label: str) -> str:
    """Where the key of a label is `KEY: VALUE`."""
    key, colon, value = label.partition(": ")
    is_meant = colon and PLAIN_KEY.fullmatch(key)
    return f", a label is KEY=VALUE on the command line: write {key}={value.strip()}" if is_meant else ""


def _single_quotes(problem: Problem, fragment: Fragment) -> str:
    """Where single quotes are part of a value: Caddy knows double quotes and backticks only."""
    for block in _lines(fragment.blocks):
        label = block.origins[0].label if block.origins else ""
        is_meant = any(key.rpartition(":")[2] in problem.message for key in block.keys if "'" in key)
        if label != problem.label if problem.label else not is_meant:
            continue
        if any(key.startswith("'") for key in block.keys) and any(key.endswith("'") for key in block.keys):
            return f", the single quotes of label {label} are part of its value: write {label}=value without them"
    return ""


def _unquoted_text(label: str, fragment: Fragment) -> str:
    """Where JSON or another text with braces is read as several arguments, or as a block."""
    for block in _lines(fragment.blocks):
        words = block.keys[1:] if any(origin.label == label for origin in block.origins) else ()
        if len(words) > 1 and any(set("{}") & set(_PLACEHOLDER.sub("", each)) for each in words):
            return f", a text with spaces is one argument between backticks: write {label}=`...`"
    return ""


def _without_sign(label: str, fragment: Fragment) -> str:
    """Where the name of a matcher stands without its `@`."""
    known = _matchers(fragment.blocks)
    for block in _lines(fragment.blocks):
        if len(block.keys) > 1 and f"@{block.keys[1]}" in known and any(each.label == label for each in block.origins):
            return f', did you mean "@{block.keys[1]}"'
    return ""


def _names(fragment: Fragment) -> tuple[str, ...]:
    """The snippets and named routes that a fragment defines, or would if it could be rendered."""
    made = [block.keys[0] for block in fragment.blocks if block.is_definition]
    return tuple(made) if fragment.blocks else fragment.intended


def _snippets(fragment: Fragment) -> list[Block]:
    return [block for block in fragment.blocks if block.keys and block.keys[0].startswith("(")]


def _matchers(blocks: Iterable[Block]) -> list[str]:
    return [block.keys[0] for each in blocks for block in _lines(each.children) if block.keys[0][:1] == "@"]


def _lines(blocks: Iterable[Block]) -> Iterator[Block]:
    return (block for block in all_blocks(blocks) if block.keys)


def _is_import(block: Block) -> bool:
    return block.keys[0] == "import" and len(block.keys) > 1


def _prefix(fragment: Fragment) -> str:
    """The prefix of its first label."""
    labels = [origin.label for block in fragment.blocks for origin in block.origins]
    return labels[0].partition(".")[0] if labels else "caddy"
