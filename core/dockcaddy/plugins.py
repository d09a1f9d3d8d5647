"""Finding plugins and freezing what they contribute. The only place where pluggy is called.

Sources in this order: bundled, entry points (group `dockcaddy`), site files. A later source may replace a function
only where the settings say so.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import attrs
import pluggy
from attrs import define, field, frozen

from dockcaddy import hookspecs
from dockcaddy.errors import PluginError
from dockcaddy.hookspecs import Gate, Guard, LabelTransformer, SettingsSection, SiteTransformer
from dockcaddy.registry import FunctionEntry, OutputEntry, PluginEntry, Registry

ENTRY_POINT_GROUP = "dockcaddy"

BUNDLED = (
    "dockcaddy_env",
    "dockcaddy_health",
    "dockcaddy_volumes",
    "dockcaddy_upstreams",
    "dockcaddy_metadata",
    "dockcaddy_idioms",
    "dockcaddy_policy",
    "dockcaddy_caddyfile",
    "dockcaddy_json",
    "dockcaddy_admin",
)

HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("dockcaddy_"))


@frozen
class _Found:
    """A plugin that was found but not yet imported."""

    name: str
    source: str
    load: Callable[[], Any]


@define
class _Collection:
    """What has been gathered so far; becomes a Registry."""

    replaceable: frozenset[str]
    plugins: list[PluginEntry] = field(factory=list)
    functions: dict[str, FunctionEntry] = field(factory=dict)
    transformers: dict[str, tuple[LabelTransformer, str]] = field(factory=dict)
    site_transformers: dict[str, tuple[SiteTransformer, str]] = field(factory=dict)
    gates: dict[str, tuple[Gate, str]] = field(factory=dict)
    guards: dict[str, tuple[Guard, str]] = field(factory=dict)
    outputs: dict[str, OutputEntry] = field(factory=dict)
    sections: dict[str, tuple[SettingsSection, str]] = field(factory=dict)

    def freeze(self) -> Registry:
        """The registry; transformers sorted by explicit keys, never by load order."""
        return Registry(
            plugins=tuple(self.plugins),
            functions=dict(sorted(self.functions.items())),
            transformers=tuple(sorted((t for t, _ in self.transformers.values()), key=lambda t: (t.order, t.name))),
            site_transformers=tuple(
                sorted((t for t, _ in self.site_transformers.values()), key=lambda t: (t.order, t.name))
            ),
            gates=tuple(gate for gate, _ in self.gates.values()),
            guards=tuple(guard for guard, _ in self.guards.values()),
            outputs=dict(sorted(self.outputs.items())),
            sections=tuple(section for section, _ in self.sections.values()),
        )


def load(
    site_files: Iterable[str] = (),
    *,
    disabled: Iterable[str] = (),
    replace: Iterable[str] = (),
    skip_failed: bool = False,
    modules: Iterable[object] = (),
    report: Callable[[str], None] = lambda message: None,
) -> Registry:
    """Import every plugin, call its hooks once and freeze the result.

    `site_files` are paths of Python files, `disabled` names of plugins to leave out, `replace` names of functions that
    a later source may replace, `modules` plugins that are imported already (for tests). Raises PluginError listing every failure, one a line; with `skip_failed` a plugin that
    fails is left out whole and its failure handed to `report`.
    """
    left_out = frozenset(disabled)
    collection = _Collection(frozenset(replace))
    failures = []
    for found in (*_sources(site_files), *map(_imported, modules)):
        if found.name in left_out:
            continue
        trial = attrs.evolve(
            collection, **{slot.name: _copied(getattr(collection, slot.name)) for slot in attrs.fields(_Collection)}
        )
        try:
            _add(found, trial)
        except PluginError as error:
            failures.append(str(error))
        else:
            collection = trial
    if failures and not skip_failed:
        raise PluginError("\n".join(failures))
    for failure in failures:
        report(failure)
    return collection.freeze()


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, list | dict) else value


def _sources(site_files: Iterable[str]) -> Iterator[_Found]:
    for module in BUNDLED:
        yield _Found(module.removeprefix("dockcaddy_"), "bundled", partial(importlib.import_module, module))
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        yield _Found(point.name, _distribution(point), point.load)
    for path in site_files:
        yield _Found(Path(path).stem, f"file {path}", partial(_import_file, Path(path)))


def _imported(module: object) -> _Found:
    name = getattr(module, "__name__", type(module).__name__)
    return _Found(name.removeprefix("dockcaddy_"), f"module {name}", lambda: module)


def _distribution(point: EntryPoint) -> str:
    owner = point.dist
    return f"entry point of {owner.name} {owner.version}" if owner else f"entry point {point.value}"


def _import_file(path: Path) -> types.ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    name = f"dockcaddy_site_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"not a Python file: {path}")
    module = importlib.util.module_from_spec(spec)
    # attrs and dataclasses look their module up by name while the file is being executed
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _add(found: _Found, collection: _Collection) -> None:
    try:
        plugin = found.load()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise PluginError(f"plugin {found.name} ({found.source}): cannot be imported: {_cause(error)}") from error
    implemented = _implemented(plugin, found)
    phrases = []
    for hook_name, hook_function in implemented.items():
        try:
            contributed = hook_function()
        except Exception as error:
            raise PluginError(f"plugin {found.name} ({found.source}): {hook_name} failed: {_cause(error)}") from error
        phrases.append(_ACCEPT[hook_name](collection, found, contributed))
    collection.plugins.append(PluginEntry(found.name, found.source, tuple(filter(None, phrases))))


def _cause(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _implemented(plugin: Any, found: _Found) -> dict[str, Callable[[], Any]]:
    pluggy_manager = pluggy.PluginManager("dockcaddy")
    pluggy_manager.add_hookspecs(hookspecs)
    try:
        pluggy_manager.register(plugin, found.name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"plugin {found.name} ({found.source}): {_cause(error)}") from error
    callers = pluggy_manager.get_hookcallers(plugin) or []
    for caller in callers:
        if caller.name not in HOOKS:
            raise PluginError(
                f'plugin {found.name} ({found.source}): no hook "{caller.name}"{_nearest(caller.name, HOOKS)}'
            )
    names = {caller.name for caller in callers}
    for name in HOOKS:
        if name not in names and callable(getattr(plugin, name, None)):
            raise PluginError(f"plugin {found.name} ({found.source}): {name} is not marked with @dockcaddy.hook")
    if not names:
        raise PluginError(
            f"plugin {found.name} ({found.source}): implements no hook, expected one of {', '.join(HOOKS)}"
        )
    return {caller.name: caller.get_hookimpls()[0].function for caller in callers}


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f', did you mean "{close[0]}"' if close else ""


def _refuse(found: _Found, message: str) -> PluginError:
    return PluginError(f"plugin {found.name} ({found.source}): {message}")


def _clash(found: _Found, what: str, name: str, owner: str, mend: str = "") -> PluginError:
    return _refuse(found, f'{what} "{name}" is already given by plugin {owner}{mend}')


def _accept_functions(collection: _Collection, found: _Found, contributed: Any) -> str:
    if not isinstance(contributed, dict):
        raise _refuse(found, f"dockcaddy_functions must return a dict, not {type(contributed).__name__}")
    for name, call in contributed.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise _refuse(found, f"{name!r} is not a name a template can call")
        if not callable(call):
            raise _refuse(found, f'template function "{name}" is not callable')
        owner = collection.functions.get(name)
        if owner and name not in collection.replaceable:
            mend = f', to replace it set replace = ["{name}"]'
            raise _clash(found, "template function", name, f"{owner.plugin} ({owner.source})", mend)
        collection.functions[name] = FunctionEntry(name, call, found.name, found.source)
    return f"functions {', '.join(sorted(contributed))}" if contributed else ""


def _accept_outputs(collection: _Collection, found: _Found, contributed: Any) -> str:
    if not isinstance(contributed, dict):
        raise _refuse(found, f"dockcaddy_outputs must return a dict, not {type(contributed).__name__}")
    for name, factory in contributed.items():
        owner = collection.outputs.get(name)
        if owner:
            raise _clash(found, "output", name, f"{owner.plugin} ({owner.source})")
        collection.outputs[name] = OutputEntry(name, factory, found.name, found.source)
    return f"outputs {', '.join(sorted(contributed))}" if contributed else ""


def _accept_each(slot: str, kind: type[Any], what: str) -> Callable[[_Collection, _Found, Any], str]:
    def accept(collection: _Collection, found: _Found, contributed: Any) -> str:
        items = [contributed] if isinstance(contributed, kind) else list(contributed or ())
        known: dict[str, tuple[Any, str]] = getattr(collection, slot)
        for item in items:
            if not isinstance(item, kind):
                raise _refuse(found, f"expected a {kind.__name__}, not {type(item).__name__}")
            if item.name in known:
                raise _clash(found, what, item.name, known[item.name][1])
            known[item.name] = (item, f"{found.name} ({found.source})")
        return f"{what}s {', '.join(item.name for item in items)}" if items else ""

    return accept


_ACCEPT: dict[str, Callable[[_Collection, _Found, Any], str]] = {
    "dockcaddy_functions": _accept_functions,
    "dockcaddy_label_transformers": _accept_each("transformers", LabelTransformer, "label transformer"),
    "dockcaddy_site_transformers": _accept_each("site_transformers", SiteTransformer, "site transformer"),
    "dockcaddy_gates": _accept_each("gates", Gate, "gate"),
    "dockcaddy_guards": _accept_each("guards", Guard, "guard"),
    "dockcaddy_outputs": _accept_outputs,
    "dockcaddy_settings": _accept_each("sections", SettingsSection, "settings section"),
}
