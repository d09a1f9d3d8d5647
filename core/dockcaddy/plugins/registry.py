"""All contributions of plugins, checked and frozen at start. Passes read the registry; no hook is called again."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from dockcaddy.hookspecs import (
    AdmissionRule,
    DocumentRule,
    EventListener,
    Gate,
    LabelTransformer,
    OutputType,
    ServiceType,
    SettingsSection,
    SiteTransformer,
    Stage,
    TemplateFunction,
)
from dockcaddy.plugins.calls import as_template_function
from dockcaddy.plugins.guard import CallTimer, Contribution


@frozen(eq=False)
class FunctionEntry(Contribution[TemplateFunction]):
    """A template function of a plugin."""

    @property
    def help(self) -> str:
        """Its docstring, `""` if it has none."""
        return inspect.getdoc(self.item) or ""

    @property
    def signature(self) -> str:
        """How a label calls it: `env KEY`, `label KEY`, `greet [WHOM...]`.

        A parameter whose annotation is `Annotated[..., "[http|https] [PORT...]"]` is shown so.
        """
        parameters = list(inspect.signature(self.item).parameters.values())
        # *args takes the context too
        variadic = [each for each in parameters[:1] if each.kind is inspect.Parameter.VAR_POSITIONAL]
        return " ".join([self.name, *map(_spelled, variadic + parameters[1:])])


def _spelled(parameter: inspect.Parameter) -> str:
    usage = [each for each in getattr(parameter.annotation, "__metadata__", ()) if isinstance(each, str)]
    if usage:
        return usage[0]
    word = parameter.name.upper()
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"[{word}...]"
    return word if parameter.default is inspect.Parameter.empty else f"[{word}]"


@frozen
class PluginEntry:
    """A loaded plugin: where it comes from (`bundled`, `entry point of NAME VERSION`, `file PATH`), and what it contributes.

    `contributes` are short phrases: `functions env, hasEnv`.
    """

    name: str
    source: str
    contributes: tuple[str, ...] = ()


def _owned(kind: str, items: Iterable[Any]) -> tuple[Contribution[Any], ...]:
    """The items as contributions; items that tests pass without an owner get none."""
    return tuple(each if isinstance(each, Contribution) else Contribution(kind, each.name, each) for each in items)


def _label_transformers(items: Iterable[Any]) -> tuple[Contribution[LabelTransformer], ...]:
    return _owned("label transformer", items)


def _site_transformers(items: Iterable[Any]) -> tuple[Contribution[SiteTransformer], ...]:
    return _owned("site transformer", items)


def _gates(items: Iterable[Any]) -> tuple[Contribution[Gate], ...]:
    return _owned("gate", items)


def _admission_rules(items: Iterable[Any]) -> tuple[Contribution[AdmissionRule], ...]:
    """In the order of their calls: a rule that shows what it refuses comes after those that do not."""
    return tuple(sorted(_owned("admission rule", items), key=lambda each: each.item.shows_refused))


def _document_rules(items: Iterable[Any]) -> tuple[Contribution[DocumentRule], ...]:
    return _owned("document rule", items)


def _services(items: Iterable[Any]) -> tuple[Contribution[ServiceType], ...]:
    return _owned("service", items)


def _listeners(items: Iterable[Any]) -> tuple[Contribution[EventListener], ...]:
    return _owned("event listener", items)


@frozen(repr=False)
class Registry:
    """All contributions, in the order of their calls, which the `timer` times."""

    plugins: tuple[PluginEntry, ...] = ()
    functions: Mapping[str, FunctionEntry] = field(factory=dict)
    transformers: tuple[Contribution[LabelTransformer], ...] = field(default=(), converter=_label_transformers)
    site_transformers: tuple[Contribution[SiteTransformer], ...] = field(default=(), converter=_site_transformers)
    gates: tuple[Contribution[Gate], ...] = field(default=(), converter=_gates)
    admission_rules: tuple[Contribution[AdmissionRule], ...] = field(default=(), converter=_admission_rules)
    document_rules: tuple[Contribution[DocumentRule], ...] = field(default=(), converter=_document_rules)
    outputs: Mapping[str, Contribution[OutputType]] = field(factory=dict)
    services: tuple[Contribution[ServiceType], ...] = field(default=(), converter=_services)
    listeners: tuple[Contribution[EventListener], ...] = field(default=(), converter=_listeners)
    sections: tuple[SettingsSection, ...] = ()
    timer: CallTimer = field(factory=CallTimer)

    def callables(self) -> dict[str, TemplateFunction]:
        """The functions by name, for the template engine. Each raises PluginFault for any error."""
        return {name: as_template_function(entry) for name, entry in self.functions.items()}

    def transformers_of(self, stage: Stage) -> tuple[Contribution[LabelTransformer], ...]:
        """The transformers of one stage, in their order."""
        return tuple(each for each in self.transformers if each.item.stage is stage)
