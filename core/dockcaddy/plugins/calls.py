"""Calls of contributions: the arguments of each kind, and the check of what it returns."""

import functools
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from attrs import define

from dockcaddy import caddyfile
from dockcaddy.caddyfile import MAX_DEPTH, Block, Origin
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, LabelError, OutputError, SettingsError
from dockcaddy.gotemplate import FunctionError
from dockcaddy.hookspecs import (
    AdmissionRule,
    Configuration,
    Context,
    DocumentContext,
    DocumentRule,
    Finding,
    Gate,
    Label,
    LabelTransformer,
    Output,
    OutputContext,
    OutputType,
    SiteContext,
    SiteTransformer,
    TemplateFunction,
)
from dockcaddy.plugins.guard import Contribution, Unfit
from dockcaddy.plugins.results import named, result_of
from dockcaddy.settings import limits

R = TypeVar("R")
Json = Mapping[str, Any]
_OUTPUT_ERRORS = (CaddyRefusal, CaddyUnreachable, OutputError)


def as_template_function(function: Contribution[TemplateFunction]) -> TemplateFunction:
    """The function as templates call it: it raises PluginFault for any error but a FunctionError of its own."""
    check = result_of(function.item)

    @functools.wraps(function.item)
    def call(context: object, *arguments: object) -> object:
        own = map(_own_copy, arguments)
        return function.run(function.item, context, *own, about=context, check=check, passing=(FunctionError,))

    return call


def _own_copy(argument: object) -> object:
    """A copy that the function may change: templates pass the engine's own records."""
    if isinstance(argument, dict):
        return {key: _own_copy(value) for key, value in argument.items()}
    return [_own_copy(each) for each in argument] if isinstance(argument, list) else argument


def admits(gate: Contribution[Gate], context: Context) -> bool:
    """Whether the gate lets traffic through. Raises PluginFault."""
    return gate.run(gate.item.admits, context, about=context, check=true_or_false)


def true_or_false(given: object) -> bool:
    """The same, if it is True or False. Raises Unfit."""
    if isinstance(given, bool):
        return given
    raise Unfit(f"returns {named(given)}, expected True or False")


def transformed(
    transformer: Contribution[LabelTransformer], context: Context, labels: tuple[Label, ...]
) -> tuple[Label, ...]:
    """The labels that the transformer returns. Raises PluginFault, and the transformer's LabelError."""

    def check(given: object) -> tuple[Label, ...]:
        return labels if given is labels else _labels(given, labels)

    return transformer.run(transformer.item.apply, context, labels, about=context, check=check, promised=(LabelError,))


def _labels(given: Any, before: tuple[Label, ...]) -> tuple[Label, ...]:
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise Unfit(f"returns {named(given)}, expected labels")
    made = tuple(islice(given, limits.MAX_TRANSFORMED_LABELS + 1))
    if len(made) > limits.MAX_TRANSFORMED_LABELS:
        raise Unfit(f"returns more than {limits.MAX_TRANSFORMED_LABELS} labels")
    # most transformers leave most labels as they are
    changed = [each for place, each in enumerate(made) if place >= len(before) or each is not before[place]]
    for label in changed:
        _check_label(label)
    return made if changed or len(made) != len(before) else before


def _check_label(label: object) -> None:
    if not isinstance(label, Label):
        raise Unfit(f"returns {named(label)} among the labels, expected a dockcaddy.Label")
    for word, value in (("key", label.key), ("value", label.value), ("origin", label.origin)):
        # a text of the plugin's own kind may do anything when it is looked at
        if type(value) is not str:
            raise Unfit(f"returns a label whose {word} is {named(value)}, expected a str")
    if not isinstance(label.conditional, bool):
        raise Unfit("returns a label whose conditional is neither True nor False")


def check_blocks(rule: Contribution[AdmissionRule], context: Context, blocks: tuple[Block, ...]) -> None:
    """Have the rule check blocks. Raises PluginFault, and the LabelError with which it refuses them."""
    rule.run(rule.item.check, context, blocks, about=context, check=_nothing, promised=(LabelError,))


def applies(rule: Contribution[DocumentRule], context: DocumentContext) -> bool:
    """Whether the rule has anything to check. Raises PluginFault."""
    return rule.run(rule.item.applies, context, check=true_or_false)


def found_in(
    rule: Contribution[DocumentRule], context: DocumentContext, part: Json, hosts: tuple[str, ...] | None
) -> tuple[Finding, ...]:
    """What the rule finds in a part of a document. Raises PluginFault."""

    def check(given: Any) -> tuple[Finding, ...]:
        found = tuple(given)
        for each in found:
            if not isinstance(each, Finding):
                raise Unfit(f"returns {named(each)} among the findings, expected a dockcaddy.Finding")
        return found

    return rule.run(rule.item.find, context, part, hosts, about=", ".join((hosts or ())[:1]), check=check)


def check_finding(
    rule: Contribution[DocumentRule], context: Context, blocks: tuple[Block, ...], finding: Finding
) -> None:
    """Have the rule check a finding. Raises PluginFault, and the LabelError with which it refuses the resource."""
    rule.run(rule.item.check, context, blocks, finding, about=context, check=_nothing, promised=(LabelError,))


def _nothing(given: object) -> None:
    if given is not None:
        raise Unfit(f"returns {named(given)}, expected nothing: it refuses by raising dockcaddy.LabelError")


def finished(transformer: Contribution[SiteTransformer], context: SiteContext, site: Block, about: str) -> Block:
    """The site that the transformer returns. Raises PluginFault."""

    def check(given: object) -> Block:
        if not isinstance(given, Block):
            raise Unfit(f"returns {named(given)}, expected the site as a dockcaddy.Block")
        if given is not site:
            _check_block(given)
            try:
                caddyfile.write_block(given)
            except caddyfile.CaddyfileError as error:
                raise Unfit(f"returns a site that cannot be written: {error}") from error
        return given

    return transformer.run(transformer.item.apply, context, site, about=about, check=check)


def _check_block(block: object, depth: int = 0) -> None:
    if not isinstance(block, Block):
        raise Unfit(f"returns a site with {named(block)} in it, expected blocks")
    if depth > MAX_DEPTH:
        raise Unfit(f"returns a site that is nested deeper than {MAX_DEPTH} levels")
    for word, values, kind in (
        ("keys", block.keys, str),
        ("children", block.children, Block),
        ("origins", block.origins, Origin),
    ):
        if not isinstance(values, tuple) or not all(isinstance(each, kind) for each in values):
            raise Unfit(f"returns a block whose {word} are no tuple of {kind.__name__}")
    if type(block.order) is not int or type(block.suffix) is not int:
        raise Unfit("returns a block whose order or suffix is no int")
    for child in block.children:
        _check_block(child, depth + 1)


@define(eq=False)
class GuardedOutput:
    """An output of a plugin, created when it is first needed and again after a failure."""

    type: Contribution[OutputType]
    context: OutputContext
    _made: Output | None = None

    def make(self) -> Output:
        """Create it unless it exists. Raises PluginFault, OutputError, and SettingsError for wrong settings."""
        if self._made is None:
            promised = (*_OUTPUT_ERRORS, SettingsError)
            self._made = self.type.run(self.type.item.create, self.context, check=_whole_output, promised=promised)
        return self._made

    def write(self, configuration: Configuration) -> None:
        """Deliver. Raises CaddyRefusal, CaddyUnreachable, OutputError, PluginFault."""
        output = self.make()
        self._run(lambda: output.write(configuration), lambda given: None)

    def holds(self, configuration: Configuration) -> bool:
        """Whether the configuration is in force. Raises CaddyUnreachable, OutputError, PluginFault."""
        output = self.make()
        return self._run(lambda: output.holds(configuration), true_or_false)

    def close(self) -> None:
        """Release its connections and files, if it was created. Raises OutputError, PluginFault."""
        output = self._made
        if output is not None:
            self._run(lambda: output.close(), lambda given: None)  # noqa: PLW0108  also to ask for it is the plugin's code

    def _run(self, call: Callable[[], object], check: Callable[[Any], R]) -> R:
        return self.type.run(call, check=check, promised=_OUTPUT_ERRORS)


def _whole_output(given: Any) -> Output:
    for name in ("write", "holds", "close"):
        if not callable(getattr(given, name, None)):
            raise Unfit(f"returns {named(given)} without {name}(): an output has write, holds and close")
    output: Output = given
    return output
