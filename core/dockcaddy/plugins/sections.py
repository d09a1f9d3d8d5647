"""The settings of plugins. A plugin declares a section as an attrs class and gets an instance of it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import attrs
from attrs import frozen

from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import SettingsSection
from dockcaddy.plugins.guard import comes_from_outside, reason_of
from dockcaddy.settings import limits
from dockcaddy.settings.table import CORE_SECTIONS, OPTIONS, PREFIX, Settings, guess, nearest
from dockcaddy.settings.values import checked_seconds, parse_boolean, parse_list, parse_seconds, written

PEERS_PREFIX = "CADDY_DOCKER_"
# the variable that names the settings file, and those of the test suite
_NO_OPTION = re.compile(rf"{PREFIX}(CONFIG$|TESTS_)")


@frozen
class _Section:
    """A declared section. `fields` are its settings by name."""

    name: str
    schema: type[Any]
    fields: Mapping[str, "attrs.Attribute[Any]"]
    owner: str = ""

    def variable(self, key: str) -> str:
        """`DOCKCADDY_HEALTH_GATE`."""
        return f"{PREFIX}{self.name}_{key}".upper()


@frozen
class _Given:
    """A value from one source. `where` names the source and is the beginning of errors about the value."""

    section: str
    key: str
    value: Any
    where: str


@frozen
class _Unknown:
    """A section or variable that no plugin declared: the error about it, its name, and the known names."""

    message: str
    name: str
    known: Sequence[str]


def load_sections(
    settings: Settings,
    declared: Sequence[SettingsSection],
    environment: Mapping[str, str],
    report: Callable[[str], None] | None = None,
) -> dict[type, Any]:
    """An instance of every declared section, by its class. Precedence: `--set`, environment, file, default.

    Raises SettingsError for settings that no plugin declared; with `skip_failed_plugins`, these go to `report`. Settings
    of a plugin that is disabled by name are ignored.
    """
    sections = {section.name: section for section in map(_read_schema, declared)}
    for unknown in _unknown(settings, sections, environment):
        if report is None or not settings.skip_failed_plugins:
            raise SettingsError(f"{unknown.message}{nearest(unknown.name, unknown.known)}")
        report(f"{unknown.message}{guess(unknown.name, unknown.known)}")
    if report is not None:
        for message in _unknown_to_peer(environment):
            report(message)
    values: dict[str, dict[str, _Given]] = {name: {} for name in sections}
    for given in _given(settings, sections, environment):
        if given.section in sections:
            read = _value(sections[given.section], given)
            values[given.section][given.key] = attrs.evolve(given, value=read)
    return {section.schema: _instance(settings, section, values[name]) for name, section in sections.items()}


def _normal(name: str) -> str:
    return name.replace("-", "_")


def _read_schema(section: SettingsSection) -> _Section:
    name = _normal(section.name)
    if name in CORE_SECTIONS:
        raise SettingsError(f'section "{name}" of a plugin: the core has a section of this name')
    try:
        # types are texts if the plugin's module postpones the evaluation of annotations
        fields = attrs.fields(attrs.resolve_types(section.schema))
    except (NameError, TypeError, attrs.exceptions.NotAnAttrsClassError) as error:
        raise SettingsError(f'section "{name}" of a plugin: its class cannot be read: {error}') from error
    named = {each.alias or each.name: each for each in fields if each.init}
    return _Section(name, section.schema, named, section.owner)


def _unknown(
    settings: Settings, sections: Mapping[str, _Section], environment: Mapping[str, str]
) -> Iterator[_Unknown]:
    """The settings of sections that no plugin declared."""
    ignored = {_normal(name) for name in settings.disable_plugin}
    known = [*sections, *CORE_SECTIONS]
    for name in settings.sections:
        if _normal(name) not in sections and _normal(name) not in ignored:
            yield _Unknown(f'{settings.source}: unknown section "{name}"', name, known)
    for override in settings.overrides:
        name = override.partition("=")[0].rpartition(".")[0]
        if _normal(name) not in sections and _normal(name) not in ignored:
            yield _Unknown(f'--set {override}: unknown section "{name}"', name, known)
    variables = {option.variable for option in OPTIONS}
    variables |= {section.variable(key) for section in sections.values() for key in section.fields}
    others = tuple(f"{PREFIX}{name}_".upper() for name in ignored)
    for name in environment:
        if name.startswith(PREFIX) and name not in variables and not _NO_OPTION.match(name):
            if not name.startswith(others):
                yield _Unknown(f"environment variable {name} is not known", name, sorted(variables))


def _unknown_to_peer(environment: Mapping[str, str]) -> Iterator[str]:
    """Misspelt variables of caddy-docker-proxy, which ignores them in silence."""
    peers = {option.peer.removeprefix(PEERS_PREFIX).removeprefix("CADDY_"): option.peer for option in OPTIONS}
    for name in sorted(each for each in environment if each.startswith(PEERS_PREFIX)):
        end = name.removeprefix(PEERS_PREFIX)
        begun = [each for each in peers if end and each.startswith(f"{end}_")]
        similar = begun or get_close_matches(end, peers, n=1, cutoff=limits.MIN_SIMILARITY)
        if similar and name not in peers.values():
            yield f'environment variable {name} is not known, did you mean "{peers[similar[0]]}"'


def _given(settings: Settings, sections: Mapping[str, _Section], environment: Mapping[str, str]) -> Iterator[_Given]:
    """The values of all sources, in ascending precedence."""
    for name, table in settings.sections.items():
        for key, value in table.items():
            yield _Given(_normal(name), _normal(key), value, f"{settings.source}: {name}.{key} = {written(value)}")
    for section in sections.values():
        for key in section.fields:
            variable = section.variable(key)
            if environment.get(variable):
                text = environment[variable]
                yield _Given(section.name, key, text, f"environment variable {variable}={text!r}")
    for override in settings.overrides:
        spelled, _, text = override.partition("=")
        name, _, key = spelled.strip().rpartition(".")
        yield _Given(_normal(name), _normal(key), text, f"--set {override}")


def _value(section: _Section, given: _Given) -> Any:
    attribute = section.fields.get(given.key)
    if attribute is None:
        source = given.where.partition(": ")[0]
        spelled = f'unknown key "{section.name}.{given.key}"'
        raise SettingsError(f"{source}: {spelled}{nearest(given.key.lower(), section.fields)}")
    read = _READERS.get(attribute.type)
    if read is None:
        known = "bool, int, float, str or tuple[str, ...]"
        raise SettingsError(f'section "{section.name}" of a plugin: the type of {given.key} is not {known}')
    try:
        return read(given.value)
    except ValueError as error:
        raise SettingsError(f"{given.where}: {error}") from None


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else parse_boolean(_text(value, "true or false"))


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value, "a whole number").strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError("expected a whole number")
    return int(text)


def _duration(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return checked_seconds(float(value))
    return parse_seconds(_text(value, "a duration"))


def _text(value: Any, wanted: str = "a text") -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"expected {wanted}")


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(each, "a list of texts") for each in value)
    return parse_list(_text(value, "a list of texts"))


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    bool: _boolean,
    int: _integer,
    float: _duration,
    str: _text,
    tuple[str, ...]: _list,
}


def _instance(settings: Settings, section: _Section, values: Mapping[str, _Given]) -> Any:
    try:
        return section.schema(**{key: given.value for key, given in values.items()})
    except (TypeError, ValueError) as error:
        where = next(_refused_alone(section, values), settings.source or "settings")
        raise SettingsError(f"{where}: {_message(error, section)}") from error
    except BaseException as error:
        if comes_from_outside(error):
            raise
        whose = f"section {section.name} of plugin {section.owner}"
        raise SettingsError(f"{settings.source or 'settings'}: {whose} failed: {reason_of(error)}") from error


def _refused_alone(section: _Section, values: Mapping[str, _Given]) -> Iterator[str]:
    """The sources of values that the section's class refuses on their own."""
    for key, given in values.items():
        try:
            section.schema(**{key: given.value})
        except (TypeError, ValueError):
            yield given.where


def _message(error: TypeError | ValueError, section: _Section) -> str:
    """The message of a validator's error: its first argument. Errors of attrs' validators contain the expected values."""
    if len(error.args) > 2 and isinstance(error.args[1], attrs.Attribute):
        expected = error.args[2]
        if isinstance(expected, tuple | list | set | frozenset):
            return f"expected one of {', '.join(map(str, expected))}"
        return str(error.args[0]).replace("'", '"')
    return f"section {section.name}: {error.args[0] if error.args else error}"
