"""Finds plugins and freezes what they contribute. The only place that calls pluggy.

Sources in this order: bundled, entry points (group `dockcaddy`), site files. A later source may replace a function
only if the settings allow it.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import time
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy
from attrs import frozen

from dockcaddy import hookspecs
from dockcaddy.errors import PluginError
from dockcaddy.files import is_file
from dockcaddy.plugins.acceptance import Collection, Owner
from dockcaddy.plugins.guard import BUNDLED_SOURCE, CallTimer, comes_from_outside, reason_of
from dockcaddy.plugins.registry import Registry
from dockcaddy.settings.table import nearest

__all__ = ["BUNDLED", "ENTRY_POINT_GROUP", "HOOKS", "Registry", "load"]

ENTRY_POINT_GROUP = "dockcaddy"

BUNDLED = (
    "dockcaddy_env",
    "dockcaddy_health",
    "dockcaddy_volumes",
    "dockcaddy_upstreams",
    "dockcaddy_metadata",
    "dockcaddy_sprig",
    "dockcaddy_idioms",
    "dockcaddy_policy",
    "dockcaddy_status",
    "dockcaddy_notify",
    "dockcaddy_caddyfile",
    "dockcaddy_json",
    "dockcaddy_admin",
)


HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("dockcaddy_"))

R = TypeVar("R")
Hooks = Mapping[str, Callable[[], object]]


@frozen
class _Found:
    """A plugin that was found but not yet imported."""

    owner: Owner
    load: Callable[[], Any]


def load(
    site_files: Iterable[str] = (),
    *,
    disabled: Iterable[str] = (),
    replace: Iterable[str] = (),
    skip_failed: bool = False,
    modules: Iterable[object] = (),
    report: Callable[[str], None] = lambda message: None,
    clock: Callable[[], float] = time.monotonic,
) -> Registry:
    """Import every plugin, call its hooks once and freeze the result.

    `site_files` are paths of Python files, `disabled` names of plugins to leave out, `replace` names of functions that
    a later source may replace, `modules` plugins that are imported already (for tests). `clock` gives seconds: calls
    are timed with it. Raises PluginError with every failure, one a line; with `skip_failed` a plugin that fails is left out
    and `report` gets the failure.
    """
    left_out = frozenset(disabled)
    there = set()
    collection = Collection(frozenset(replace), CallTimer(clock))
    failures = []
    with _as_it_was():
        given = list(map(_imported, modules))
        handed_over = [_names_of(each) for each in given]
        for found in (*_sources(site_files), *given):
            there.add(found.owner.name)
            if found.owner.name in left_out:
                continue
            try:
                hooks = _hooks_of(found)
                # the same plugin may be installed besides
                if found in given or frozenset(map(_name_of, hooks.values())) not in handed_over:
                    collection = _with(collection, found.owner, hooks)
            except PluginError as error:
                failures.append(str(error))
    failures += [
        f'disable_plugins: no plugin "{name}"{nearest(name, sorted(there))}' for name in sorted(left_out - there)
    ]
    if failures and not skip_failed:
        raise PluginError("\n".join(failures))
    for failure in failures:
        report(failure)
    return collection.freeze()


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Within, what plugins print goes to standard error; afterwards the working folder is the one before."""
    folder = os.open(".", os.O_PATH)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.fchdir(folder)
        os.close(folder)


def _sources(site_files: Iterable[str]) -> Iterator[_Found]:
    for module in BUNDLED:
        owner = Owner(module.removeprefix("dockcaddy_"), BUNDLED_SOURCE)
        yield _Found(owner, partial(importlib.import_module, module))
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        yield _Found(Owner(point.name, _distribution(point)), point.load)
    for path in site_files:
        owner = Owner(Path(path).stem, f"file {path}")
        yield _Found(owner, partial(_import_file, Path(path), owner))


def _imported(module: object) -> _Found:
    name = getattr(module, "__name__", type(module).__name__)
    return _Found(Owner(name.removeprefix("dockcaddy_"), f"module {name}"), lambda: module)


def _distribution(point: EntryPoint) -> str:
    owner = point.dist
    return f"entry point of {owner.name} {owner.version}" if owner else f"entry point {point.value}"


def _import_file(path: Path, owner: Owner) -> types.ModuleType:
    """The module in a file. Raises PluginError where there is none, and what its own code raises."""
    try:
        path.open("rb").close()
    except OSError as error:
        beside = Path(f"{path}.py")
        meant = f', did you mean "{beside}"' if is_file(beside) else ""
        why = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror).lower()
        raise owner.refuse(f"cannot be imported: {why}{meant}") from error
    name = f"dockcaddy_site_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise owner.refuse("cannot be imported: not a Python file, its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    # attrs and dataclasses look their module up by name while the file is being executed
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _guarded(owner: Owner, what: str, call: Callable[[], R], defined: Callable[..., Any] | None = None) -> R:
    """What the plugin's own code returns. Raises PluginError for any error; its reason begins with `what`."""
    try:
        return call()
    except PluginError:
        raise
    except BaseException as error:
        if comes_from_outside(error):
            raise
        raise owner.refuse(f"{what}{reason_of(error, defined)}") from error


def _hooks_of(found: _Found) -> Hooks:
    owner = found.owner
    plugin = _guarded(owner, "cannot be imported: ", found.load)
    return _guarded(owner, "cannot be looked at: ", lambda: _implemented(plugin, owner))


def _name_of(hook: Callable[[], object]) -> tuple[object, object]:
    """A hook's name and its module's: it is the same one wherever it was found."""
    return getattr(hook, "__module__", None), getattr(hook, "__qualname__", hook)


def _names_of(found: _Found) -> frozenset[tuple[object, object]]:
    with contextlib.suppress(PluginError):
        return frozenset(map(_name_of, _hooks_of(found).values()))
    return frozenset()


def _with(collection: Collection, owner: Owner, hooks: Hooks) -> Collection:
    """The collection with what the hooks give; the one before stays as it was."""
    contributed = {}
    for name, hook in hooks.items():
        given = _guarded(owner, f"{name} failed: ", hook, hook)
        # a generator does its work only now
        if isinstance(given, Iterator):
            given = _guarded(owner, f"{name} failed: ", partial(list, given), hook)
        contributed[name] = given
    longer = collection.copy()
    _guarded(owner, "what it contributes cannot be read: ", lambda: longer.add(owner, contributed))
    return longer


def _implemented(plugin: Any, owner: Owner) -> Hooks:
    manager = pluggy.PluginManager("dockcaddy")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, owner.name)
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
        if caller.name not in HOOKS:
            raise owner.refuse(f'no hook "{caller.name}"{nearest(caller.name, HOOKS)}')
    names = {caller.name for caller in callers}
    for name in HOOKS:
        if name not in names and callable(getattr(plugin, name, None)):
            raise owner.refuse(f"{name} is not marked with @dockcaddy.hook")
    if not names:
        raise owner.refuse(f"implements no hook, expected one of {', '.join(HOOKS)}")
    return {caller.name: caller.get_hookimpls()[0].function for caller in callers}
