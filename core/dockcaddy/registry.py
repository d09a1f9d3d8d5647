"""What the plugins contribute, checked and frozen at start. A cycle reads it and never asks a plugin again."""

import inspect
from collections.abc import Callable, Mapping

from attrs import field, frozen

from dockcaddy.hookspecs import (
    Gate,
    Guard,
    LabelTransformer,
    OutputFactory,
    SettingsSection,
    SiteTransformer,
    Stage,
    TemplateFunction,
)


@frozen
class FunctionEntry:
    """A template function and whose it is."""

    name: str
    call: TemplateFunction
    plugin: str
    source: str

    @property
    def help(self) -> str:
        """Its docstring, `""` where there is none."""
        return inspect.getdoc(self.call) or ""

    @property
    def signature(self) -> str:
        """How a label calls it: `env KEY`, `upstreams [ARGUMENT ...]`."""
        parameters = list(inspect.signature(self.call).parameters.values())[1:]
        return " ".join([self.name, *(_spelled(parameter) for parameter in parameters)])


def _spelled(parameter: inspect.Parameter) -> str:
    word = parameter.name.upper()
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"[{word} ...]"
    return word if parameter.default is inspect.Parameter.empty else f"[{word}]"


@frozen
class OutputEntry:
    """An output backend and whose it is."""

    name: str
    factory: OutputFactory
    plugin: str
    source: str


@frozen
class PluginEntry:
    """A loaded plugin: where it comes from (`bundled`, `entry point of NAME VERSION`, `file PATH`), what it gives.

    `contributes` are short phrases: `functions env, hasEnv`.
    """

    name: str
    source: str
    contributes: tuple[str, ...] = ()


@frozen
class Registry:
    """All contributions, in the order in which they take part."""

    plugins: tuple[PluginEntry, ...] = ()
    functions: Mapping[str, FunctionEntry] = field(factory=dict)
    transformers: tuple[LabelTransformer, ...] = ()
    site_transformers: tuple[SiteTransformer, ...] = ()
    gates: tuple[Gate, ...] = ()
    guards: tuple[Guard, ...] = ()
    outputs: Mapping[str, OutputEntry] = field(factory=dict)
    sections: tuple[SettingsSection, ...] = ()

    def callables(self) -> dict[str, Callable[..., object]]:
        """Name -> callable, for the template engine."""
        return {name: entry.call for name, entry in self.functions.items()}

    def transformers_of(self, stage: Stage) -> tuple[LabelTransformer, ...]:
        """The transformers of one stage, in their order."""
        return tuple(each for each in self.transformers if each.stage is stage)
