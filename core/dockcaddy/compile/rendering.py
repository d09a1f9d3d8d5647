"""One resource's labels become its fragment: transform, render, transform, build. Pure."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from attrs import define, field

from dockcaddy import caddyfile, gotemplate
from dockcaddy.caddyfile import Block, Origin
from dockcaddy.compile import labels, lint, template_hints
from dockcaddy.compile.kept_values import KeptOfResources, KeptValues
from dockcaddy.errors import LabelError, PluginFault, one_line
from dockcaddy.fragment import NOTHING, Fragment
from dockcaddy.hookspecs import Label, Stage
from dockcaddy.model import EngineInventory, Inventory, Problem, Proxy, Resource
from dockcaddy.plugins.calls import admits, transformed
from dockcaddy.plugins.registry import Registry
from dockcaddy.settings import limits

T = TypeVar("T")

_NEWER_THAN_ANY = 10**12
_DEFINITION = re.compile(r"&?\([^()\s{}]+\)")
_EXECUTING = re.compile(r'template: [^:]*:\d+:\d+: executing "[^"]*" at (<.*>): ', re.DOTALL)
_ADDRESS = re.compile(r"(?:^|//)(?:\.|[^/:{}]*\.(?=[:/,]|$)|[^/:{}]*\.\.)|^,?$|//$|//[:,]")


@define
class ResourceContext:
    """What the functions and transformers of one resource see (`dockcaddy.Context`)."""

    resource: Resource
    engine: EngineInventory
    registry: Registry
    sections: Mapping[type, Any]
    surroundings: Inventory
    proxy: Proxy = field(factory=Proxy)
    label: str = ""
    warnings: list[Problem] = field(factory=list)
    read_inventory: bool = False
    grace_period: float = 0.0
    conditional: set[tuple[str, str]] = field(factory=set)
    fault: PluginFault | None = None
    usage: gotemplate.Usage = field(factory=gotemplate.Usage)
    kept: KeptValues = field(factory=KeptValues)

    def __str__(self) -> str:
        """The resource and label at hand, as errors name them: `container web-1: label caddy.respond`."""
        return f"{self.resource}: label {self.label}" if self.label else str(self.resource)

    @property
    def inventory(self) -> Inventory:
        """The whole inventory. Reading it is noted, because the fragment then depends on all of it."""
        self.read_inventory = True
        return self.surroundings

    @property
    def admitted(self) -> bool:
        """Whether traffic may be sent to the resource. Raises PluginFault where a gate does not know."""
        try:
            return not self.resource.stopping and all(admits(gate, self) for gate in self.registry.gates)
        except PluginFault as fault:
            # a template function that asked may swallow the error
            self.fault = fault
            raise

    def settings(self, section: type[Any]) -> Any:
        """The frozen settings instance of a declared section class; its defaults where nothing was set."""
        return self.sections[section] if section in self.sections else section()

    def warn(self, message: str, label: str = "") -> None:
        """Keep a warning, named with the resource and this label, or the one being rendered.

        A warning that several labels have, like one about the resource's networks, is kept for the first one.
        """
        problem = Problem(str(self.resource), one_line(label or self.label), one_line(message), "warning")
        is_new = all(each.message != problem.message for each in self.warnings)
        if is_new and len(self.warnings) < limits.MAX_LABEL_WARNINGS:
            self.warnings.append(problem)

    def spend(self, steps: int) -> None:
        """Count work of a function beyond that of a plain call. Raises FunctionError where the limit is reached."""
        self.usage.steps += steps
        if self.usage.steps > gotemplate.DEFAULT.steps:
            raise gotemplate.FunctionError(f"the template exceeds the limit of {gotemplate.DEFAULT.steps} steps")

    def keep(self, make: Callable[[], T], *inputs: Hashable) -> T:
        """What `make` gave with these inputs in this place of the label when it was rendered first."""
        return self.kept.get(self.label, self.resource.labels.get(self.label, ""), make, inputs)

    def linger(self, seconds: float) -> None:
        """Keep the fragment for this many seconds after the resource is gone."""
        self.grace_period = max(self.grace_period, seconds)


class Renderer:
    """Renders resources to fragments with one registry's functions and transformers."""

    def __init__(self, registry: Registry, prefix: str, *, suffix_names: bool = False) -> None:
        """`prefix` is the label prefix; `suffix_names` cuts `_N` off matcher and header names, as CDP does."""
        self._prefix = prefix
        self._suffix_names = suffix_names
        self._functions = gotemplate.FunctionTable(registry.callables())
        self._transformers = {stage: registry.transformers_of(stage) for stage in Stage}
        self._signatures = {name: entry.signature for name, entry in registry.functions.items()}
        self._templates: dict[str, gotemplate.Template] = {}
        self._template_text = 0
        self._kept = KeptOfResources()

    def render(self, context: ResourceContext) -> Fragment:
        """The fragment of `context.resource`. A wrong label costs the whole resource: its blocks stay empty."""
        resource, owner = context.resource, str(context.resource)
        blocks: tuple[Block, ...] = ()
        problems: list[Problem] = []
        context.kept = self._kept.of(resource.key)
        try:
            blocks = self._blocks(context, owner)
            # after an error some labels were not rendered: their values stay for the next time
            self._kept.put(resource.key, context.kept)
        except LabelError as error:
            problems = [Problem(owner, one_line(error.label), one_line(error.message))]
        except PluginFault as fault:
            problems = [Problem(owner, one_line(context.label), one_line(str(fault)))]
        problems += [*context.warnings, *self._hints(context, owner)]
        sites = lint.sites(tuple(resource.labels), self._prefix)
        return Fragment(
            resource.key,
            owner,
            seniority_of(resource),
            blocks,
            tuple(problems),
            addresses=_addresses_of(resource),
            grace_period=context.grace_period,
            is_stopped=resource.has_stopped,
            conditional=frozenset(context.conditional) or NOTHING,
            intended=_intended(resource.labels.values()),
            bare=frozenset([Origin(owner, each.head) for each in sites if each.is_bare]) or NOTHING,
            resource=resource,
            caddy=context.engine.caddy,
        )

    def _hints(self, context: ResourceContext, owner: str) -> Iterator[Problem]:
        given = context.resource
        every = lint.in_labels(given.labels, self._prefix, self._signatures, beside_caddy=_is_beside_caddy(context))
        for found in islice(every, limits.MAX_LABEL_WARNINGS):
            yield Problem(owner, one_line(found.label), one_line(found.message), "warning")

    def _blocks(self, context: ResourceContext, owner: str) -> tuple[Block, ...]:
        chosen = labels.select(context.resource.labels, self._prefix)
        # also without any: a label of a plugin's own may become some
        chosen = self._transformed(context, chosen, Stage.RAW)
        if not chosen:
            return ()
        chosen = self._rendered(context, chosen)
        if context.fault is not None:
            raise context.fault
        chosen = self._transformed(context, chosen, Stage.RENDERED)
        blocks = labels.build(chosen, owner, suffix_names=self._suffix_names)
        if context.proxy.base_folder:
            blocks = caddyfile.with_absolute_imports_of_labels(blocks, context.proxy.base_folder)
        return blocks

    def _transformed(self, context: ResourceContext, chosen: tuple[Label, ...], stage: Stage) -> tuple[Label, ...]:
        for transformer in self._transformers[stage]:
            context.label = ""
            chosen = transformed(transformer, context, chosen)
        return chosen

    def _rendered(self, context: ResourceContext, chosen: Iterable[Label]) -> tuple[Label, ...]:
        rendered: list[Label] = []
        dropped: list[str] = []
        unread = limits.MAX_TEMPLATE_TEXT
        for label in chosen:
            if "{{" not in label.value:
                if "{" in label.value:
                    self._check_braces(label)
                rendered.append(label)
                continue
            context.label = label.origin
            unread -= len(label.value)
            if unread < 0:
                raise LabelError(
                    label.origin, f"the templates are longer than {limits.MAX_TEMPLATE_TEXT} characters together"
                )
            text, conditional = self._execute(context, label)
            if conditional:
                context.conditional.add((label.origin, label.value))
            if text.strip():
                _check_site_address(label, text, context)
            elif conditional:
                dropped.append(label.key)
                continue
            elif "." not in label.key:
                message = f"the site address renders to nothing: {_shown(label.value)}"
                raise LabelError(label.origin, f"{message}{_because(context)}")
            rendered.append(Label(label.key, text, label.origin, conditional))
        if not dropped:
            return tuple(rendered)
        beneath = tuple(key + "." for key in dropped)
        return tuple(label for label in rendered if not label.key.startswith(beneath))

    def _check_braces(self, label: Label) -> None:
        if meant := template_hints.single_braces(label.value, self._signatures):
            raise LabelError(label.origin, f"{one_line(label.value, 100)} is no template, write two braces: {meant}")

    def _execute(self, context: ResourceContext, label: Label) -> tuple[str, bool]:
        try:
            template = self._compiled(label.value)
            return template.execute(context.resource.record, context, usage=context.usage), template.has_control_flow
        except gotemplate.TemplateError as error:
            raise LabelError(label.origin, self._explained(error, label.value)) from error

    def _compiled(self, text: str) -> gotemplate.Template:
        template = self._templates.get(text)
        if template is None:
            template = gotemplate.compile(text, self._functions)
            self._template_text += len(text)
            if self._template_text > limits.MAX_KEPT_TEMPLATES:
                self._templates.clear()
                self._template_text = len(text)
            self._templates[text] = template
        return template

    def _explained(self, error: gotemplate.TemplateError, template: str) -> str:
        if isinstance(error.__cause__, PluginFault):
            return str(error.__cause__)
        remedy = template_hints.remedy(error.reason, template, self._signatures, getattr(error, "suggestion", ""))
        reason = re.sub(r'^(function ".*") not defined$', r"\1 is not defined", error.reason, flags=re.DOTALL)
        where = _EXECUTING.match(error.message)
        message = f"at {where[1]}: {reason}" if where else reason
        return f"{message}, {remedy}" if remedy else message


def _is_beside_caddy(context: ResourceContext) -> bool:
    """Whether the resource is known to have another `localhost` than Caddy.

    A Caddy that was there before may be on the host, unless the operator has named its container.
    """
    given, engine, proxy = context.resource, context.engine, context.proxy
    caddy = engine.caddy if proxy.container or not proxy.admin_endpoints else None
    if caddy is None or given.id in (caddy.id, *engine.operators):
        return False
    return not (caddy.shares_network or given.shares_network)


def seniority_of(resource: Resource) -> int:
    """A resource's age for conflicts, in the engine's time; the operator's own text is older than any resource.

    One that has stopped counts as newer than any that runs.
    """
    return max(resource.created, 0) + (_NEWER_THAN_ANY if resource.has_stopped else 0)


def _intended(values: Iterable[str]) -> tuple[str, ...]:
    """The names of snippets and named routes among labels' values."""
    return tuple(value.strip() for value in values if "(" in value and _DEFINITION.fullmatch(value.strip()))


def _addresses_of(resource: Resource) -> tuple[str, ...]:
    if resource.stopping or not resource.running:
        return ()
    addresses = [address for each in resource.attachments for address in (each.ipv4, each.ipv6) if address]
    addresses += resource.published_addresses
    return (*addresses, *(target for target in resource.targets if target not in addresses))


def _because(context: ResourceContext) -> str:
    """The warnings about the current label: they explain an error in it, which is reported instead of them."""
    return "".join(f", {each.message}" for each in context.warnings if each.label == one_line(context.label))


def _check_site_address(label: Label, text: str, context: ResourceContext) -> None:
    """Refuse an address that lost a part in rendering (`static.` without its domain)."""
    if "." in label.key:
        return
    for address in text.split():
        if _ADDRESS.search(address.rstrip(",")):
            message = f'the site address "{address}" is incomplete: {_shown(label.value)}'
            raise LabelError(label.origin, f"{message}{_because(context)}")


def _shown(template: str) -> str:
    return one_line(template, 100)
