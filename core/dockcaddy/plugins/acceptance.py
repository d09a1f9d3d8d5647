"""The check of contributions at start: what would fail later is refused here, with a remedy."""

import inspect
import keyword
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from attrs import define, evolve, field, frozen

from dockcaddy.errors import PluginError
from dockcaddy.gotemplate import RESERVED
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
)
from dockcaddy.plugins.guard import BUNDLED_SOURCE, CallTimer, Contribution
from dockcaddy.plugins.registry import FunctionEntry, PluginEntry, Registry
from dockcaddy.plugins.results import named

# what functions call what they are given first
_CONTEXTS = frozenset(("", "c", "ctx", "context"))


@frozen
class Owner:
    """A plugin, and where it comes from."""

    name: str
    source: str

    def __str__(self) -> str:
        """As errors name it."""
        return f"{self.name} ({self.source})"

    def refuse(self, message: str) -> PluginError:
        """The error about this plugin."""
        return PluginError(f"plugin {self}: {message}")


@define
class Collection:
    """The contributions of the plugins loaded so far; becomes a Registry."""

    replaceable: frozenset[str]
    timer: CallTimer
    plugins: list[PluginEntry] = field(factory=list)
    functions: dict[str, FunctionEntry] = field(factory=dict)
    transformers: dict[str, Contribution[LabelTransformer]] = field(factory=dict)
    site_transformers: dict[str, Contribution[SiteTransformer]] = field(factory=dict)
    gates: dict[str, Contribution[Gate]] = field(factory=dict)
    admission_rules: dict[str, Contribution[AdmissionRule]] = field(factory=dict)
    document_rules: dict[str, Contribution[DocumentRule]] = field(factory=dict)
    outputs: dict[str, Contribution[OutputType]] = field(factory=dict)
    services: dict[str, Contribution[ServiceType]] = field(factory=dict)
    listeners: dict[str, Contribution[EventListener]] = field(factory=dict)
    sections: dict[str, Contribution[SettingsSection]] = field(factory=dict)

    def copy(self) -> "Collection":
        """A copy."""
        other = Collection(self.replaceable, self.timer, self.plugins.copy())
        for slot in attrs.fields(Collection):
            if isinstance(kept := getattr(self, slot.name), dict):
                setattr(other, slot.name, kept.copy())
        return other

    def add(self, owner: Owner, contributed: Mapping[str, object]) -> None:
        """Add the results of a plugin's hooks, by hook name. Raises PluginError, and what the plugin's objects raise."""
        phrases = [_ACCEPT[hook](self, owner, given) for hook, given in contributed.items()]
        self.plugins.append(PluginEntry(owner.name, owner.source, tuple(filter(None, phrases))))

    def freeze(self) -> Registry:
        """The registry. Transformers are sorted by order and name, not by load order."""
        return Registry(
            plugins=tuple(self.plugins),
            functions=dict(sorted(self.functions.items())),
            transformers=sorted(self.transformers.values(), key=_place),
            site_transformers=sorted(self.site_transformers.values(), key=_place),
            gates=tuple(self.gates.values()),
            admission_rules=tuple(self.admission_rules.values()),
            document_rules=tuple(self.document_rules.values()),
            outputs=dict(sorted(self.outputs.items())),
            services=tuple(self.services.values()),
            listeners=tuple(self.listeners.values()),
            sections=tuple(each.item for each in self.sections.values()),
            timer=self.timer,
        )


def _place(transformer: Contribution[Any]) -> tuple[int, str]:
    return transformer.item.order, transformer.name


def _must_be_new(owner: Owner, kind: str, name: str, known: Mapping[str, Contribution[Any]], remedy: str = "") -> None:
    before = known.get(name)
    if before is not None:
        raise owner.refuse(f'{kind} "{name}" is already given by plugin {before.plugin} ({before.source}){remedy}')


# --- calls that can be made


def _must_take(owner: Owner, what: str, call: object, arguments: Sequence[str]) -> None:
    """Refuse what cannot be called with these arguments, as far as Python knows its signature."""
    spelled = f"({', '.join(arguments)})"
    if not callable(call):
        raise owner.refuse(f"{what} is {named(call)}, expected a function of {spelled}")
    if inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        raise owner.refuse(f"{what} is async, expected a plain function of {spelled}")
    signature = _signature(call)
    if signature is None:
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise owner.refuse(f"{what} takes {signature}, expected {spelled}") from None


def _signature(call: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(call)
    except (TypeError, ValueError):
        return None


def _check_function(owner: Owner, name: object, call: object) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise owner.refuse(f"{name!r} is not a name a template can call, expected letters, digits and _")
    what = f'template function "{name}"'
    # sprig has a slice of its own, and there it replaces Go's
    if name in RESERVED and owner.source != BUNDLED_SOURCE:
        raise owner.refuse(f"{what} would never be called: templates have their own {name}, give it another name")
    if not callable(call):
        raise owner.refuse(f"{what} is not callable: it is {named(call)}")
    if inspect.iscoroutinefunction(call) or inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        raise owner.refuse(f"{what} is async or a generator, expected a plain function that returns its result")
    signature = _signature(call)
    if signature is None:
        raise owner.refuse(f"{what}: its parameters cannot be read, wrap it: def {name}(context, ...)")
    parameters = list(signature.parameters.values())
    needed = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    if needed:
        raise owner.refuse(f"{what}: templates cannot give {needed[0]} by name, leave out the * before it")
    if not parameters or not _is_context(parameters[0]):
        wanted = ", ".join(["context", *(each.name for each in parameters)])
        raise owner.refuse(f"{what} takes {signature}: its first parameter is the context, def {name}({wanted})")


def _is_context(parameter: inspect.Parameter) -> bool:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return True
    if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
        return False
    annotation = parameter.annotation
    if annotation is not parameter.empty:
        spelled = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
        if spelled.rpartition(".")[2].strip("'\"") == "Context":
            return True
        if annotation in (str, int, float, bool) or spelled in ("str", "int", "float", "bool"):
            return False
    bare = parameter.name.strip("_").lower()
    return bare in _CONTEXTS or bare.endswith("context")


# --- what the hooks give


def _mapping(owner: Owner, hook: str, given: object) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise owner.refuse(f"{hook} must return a dict, not {type(given).__name__}")
    return given


def _accept_functions(collection: Collection, owner: Owner, given: object) -> str:
    functions = dict(_mapping(owner, "dockcaddy_functions", given))
    for name, call in functions.items():
        _check_function(owner, name, call)
        if name not in collection.replaceable:
            remedy = f', to replace it set replace = ["{name}"]'
            _must_be_new(owner, "template function", name, collection.functions, remedy)
        entry = FunctionEntry("function", name, call, owner.name, owner.source, collection.timer)
        collection.functions[name] = entry
    return f"functions {', '.join(sorted(functions))}" if functions else ""


def _accept_outputs(collection: Collection, owner: Owner, given: object) -> str:
    outputs = dict(_mapping(owner, "dockcaddy_outputs", given))
    for name, item in outputs.items():
        if not isinstance(name, str) or not name or "=" in name:
            raise owner.refuse(f"{name!r} is not a name of an output, expected text without =")
        if not isinstance(item, OutputType):
            raise owner.refuse(f'output "{name}" is {named(item)}, expected an OutputType of dockcaddy')
        if not isinstance(item.live, bool):
            raise owner.refuse(f'output "{name}": live is {item.live!r}, expected True or False')
        _must_take(owner, f'output "{name}": create', item.create, ["context"])
        _must_be_new(owner, "output", name, collection.outputs)
        made = Contribution("output", name, item, owner.name, owner.source, collection.timer)
        collection.outputs[name] = made
    return f"outputs {', '.join(sorted(outputs))}" if outputs else ""


Check = Callable[[Owner, str, Any], Any]


def _accept_each(slot: str, kind: type[Any], word: str, check: Check) -> Callable[[Collection, Owner, Any], str]:
    def accept(collection: Collection, owner: Owner, given: Any) -> str:
        items = _items(owner, kind, given)
        known: dict[str, Contribution[Any]] = getattr(collection, slot)
        for item in items:
            if not isinstance(item, kind):
                raise owner.refuse(f"expected a {kind.__name__}, not {type(item).__name__}")
            if not isinstance(item.name, str) or not item.name:
                raise owner.refuse(f"a {word} is called {item.name!r}, expected text")
            _must_be_new(owner, word, item.name, known)
            checked = check(owner, f'{word} "{item.name}"', item) or item
            known[item.name] = Contribution(word, item.name, checked, owner.name, owner.source, collection.timer)
        return f"{word}s {', '.join(item.name for item in items)}" if items else ""

    return accept


def _items(owner: Owner, kind: type[Any], given: Any) -> list[Any]:
    if given is None or isinstance(given, kind):
        return [] if given is None else [given]
    if isinstance(given, str | Mapping) or not hasattr(given, "__iter__"):
        raise owner.refuse(f"expected a list of {kind.__name__}, not {type(given).__name__}")
    return list(given)


def _check_label_transformer(owner: Owner, what: str, item: LabelTransformer) -> None:
    if not isinstance(item.stage, Stage):
        raise owner.refuse(f"{what}: its stage is {item.stage!r}, expected Stage.RAW or Stage.RENDERED of dockcaddy")
    _check_order(owner, what, item.order)
    _must_take(owner, f"{what}: apply", item.apply, ["context", "labels"])


def _check_site_transformer(owner: Owner, what: str, item: SiteTransformer) -> None:
    _check_order(owner, what, item.order)
    _must_take(owner, f"{what}: apply", item.apply, ["context", "site"])


def _check_order(owner: Owner, what: str, order: object) -> None:
    if not isinstance(order, int):
        raise owner.refuse(f"{what}: its order is {order!r}, expected an int")


def _check_gate(owner: Owner, what: str, item: Gate) -> None:
    _must_take(owner, f"{what}: admits", item.admits, ["context"])


def _check_admission_rule(owner: Owner, what: str, item: AdmissionRule) -> None:
    if not isinstance(item.shows_refused, bool):
        raise owner.refuse(f"{what}: shows_refused is {item.shows_refused!r}, expected True or False")
    _must_take(owner, f"{what}: check", item.check, ["context", "blocks"])


def _check_document_rule(owner: Owner, what: str, item: DocumentRule) -> None:
    _must_take(owner, f"{what}: find", item.find, ["context", "part", "hosts"])
    _must_take(owner, f"{what}: check", item.check, ["context", "blocks", "finding"])
    _must_take(owner, f"{what}: applies", item.applies, ["context"])


def _check_service(owner: Owner, what: str, item: ServiceType) -> None:
    _must_take(owner, f"{what}: create", item.create, ["context"])


def _check_listener(owner: Owner, what: str, item: Any) -> None:
    _must_take(owner, f"{what}: create", item.create, ["context"])


def _check_section(owner: Owner, what: str, item: SettingsSection) -> SettingsSection:
    schema = item.schema
    if not item.name.replace("-", "_").isidentifier() or keyword.iskeyword(item.name):
        raise owner.refuse(f"{what}: not a name for a section, expected letters, digits and _")
    if not inspect.isclass(schema) or not attrs.has(schema):
        raise owner.refuse(f"{what}: its schema is no attrs class: @attrs.frozen class ...")
    for each in attrs.fields(schema):
        if each.init and each.default is attrs.NOTHING:
            raise owner.refuse(f"{what}: {each.name} has no default")
        if not isinstance(each.metadata.get("help", ""), str):
            raise owner.refuse(f"{what}: the help of {each.name} is no text")
    # a default that its own validator refuses
    schema()
    return evolve(item, owner=str(owner))


_ACCEPT: dict[str, Callable[[Collection, Owner, Any], str]] = {
    "dockcaddy_functions": _accept_functions,
    "dockcaddy_label_transformers": _accept_each(
        "transformers", LabelTransformer, "label transformer", _check_label_transformer
    ),
    "dockcaddy_site_transformers": _accept_each(
        "site_transformers", SiteTransformer, "site transformer", _check_site_transformer
    ),
    "dockcaddy_gates": _accept_each("gates", Gate, "gate", _check_gate),
    "dockcaddy_admission_rules": _accept_each(
        "admission_rules", AdmissionRule, "admission rule", _check_admission_rule
    ),
    "dockcaddy_document_rules": _accept_each("document_rules", DocumentRule, "document rule", _check_document_rule),
    "dockcaddy_outputs": _accept_outputs,
    "dockcaddy_services": _accept_each("services", ServiceType, "service", _check_service),
    "dockcaddy_events": _accept_each("listeners", EventListener, "event listener", _check_listener),
    "dockcaddy_settings": _accept_each("sections", SettingsSection, "settings section", _check_section),
}
