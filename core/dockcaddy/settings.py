"""Settings: one table of options drives flags, environment, dockcaddy.toml, the help and the docs.

Precedence: flag, `DOCKCADDY_*`, caddy-docker-proxy's variable, dockcaddy.toml, default. An empty variable is unset.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs
import tomli
from attrs import field, frozen

from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import SettingsSection

CONFIG_FILES = ("dockcaddy.toml", "/etc/dockcaddy/dockcaddy.toml")
PREFIX = "DOCKCADDY_"

_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TRUE, _FALSE = frozenset(("true", "yes", "1", "on")), frozenset(("false", "no", "0", "off"))


def parse_duration(text: str) -> float:
    """Seconds of a duration in Go's syntax (`100ms`, `1m30s`, `0`). Raises ValueError."""
    stripped = text.strip()
    if stripped in ("0", "+0", "-0"):
        return 0.0
    parts = _DURATION_PART.findall(stripped)
    if not parts or "".join(number + unit for number, unit in parts) != stripped.removeprefix("+"):
        raise ValueError('expected a duration like "30s", "100ms" or "1m30s"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def parse_boolean(text: str) -> bool:
    """A truth value. Raises ValueError."""
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("expected true or false")


def parse_list(text: str) -> tuple[str, ...]:
    """The items between commas, trimmed; empty ones are kept only where something follows them."""
    items = [item.strip() for item in text.split(",")]
    while items and not items[-1]:
        items.pop()
    return tuple(items)


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "boolean": parse_boolean,
    "duration": parse_duration,
    "list": parse_list,
}


@frozen
class Option:
    """One setting. `peer` is caddy-docker-proxy's variable; `choices` are the only values it takes."""

    name: str
    kind: str
    default: Any
    help: str
    peer: str = ""
    choices: tuple[str, ...] = ()
    section: str = ""

    @property
    def flag(self) -> str:
        """`--ingress-networks`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """`DOCKCADDY_INGRESS_NETWORKS`."""
        return PREFIX + self.name.upper()

    def parse(self, text: str) -> Any:
        """The value of a text. Raises ValueError."""
        value = _PARSERS[self.kind](text)
        if self.choices and value not in self.choices:
            raise ValueError(
                f"expected one of {', '.join(filter(None, self.choices))}{nearest(str(value), self.choices)}"
            )
        return value

    def from_toml(self, value: Any) -> Any:
        """The value of a TOML value. Raises ValueError."""
        if self.kind == "boolean" and isinstance(value, bool):
            return value
        if self.kind == "list" and isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        if isinstance(value, str):
            return self.parse(value)
        if self.kind == "duration" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise ValueError(f"expected a {self.kind}")


def _levels() -> tuple[str, ...]:
    return ("", "debug", "info", "warn", "error", "panic", "fatal")


OPTIONS: tuple[Option, ...] = (
    Option("mode", "text", "standalone", "standalone runs a Caddy too, controller and server split the two", "CADDY_DOCKER_MODE", ("standalone", "controller", "server")),
    Option("docker_sockets", "list", (), "engines to watch, as DOCKER_HOST values; empty: DOCKER_HOST or the default socket", "CADDY_DOCKER_SOCKETS"),
    Option("docker_certs_path", "list", (), "folders of TLS certificates, one for each socket", "CADDY_DOCKER_CERTS_PATH"),
    Option("docker_apis_version", "list", (), "API versions, one for each socket; empty: negotiated", "CADDY_DOCKER_APIS_VERSION"),
    Option("controller_network", "text", "", "network (CIDR) from which servers are configured", "CADDY_CONTROLLER_NETWORK"),
    Option("ingress_networks", "list", (), "names of the networks over which Caddy reaches containers; empty: those of its own container", "CADDY_INGRESS_NETWORKS"),
    Option("caddyfile_path", "text", "", "a base Caddyfile, merged in front of everything else", "CADDY_DOCKER_CADDYFILE_PATH"),
    Option("envfile", "text", "", "a file of KEY=VALUE lines for Caddy's environment", "CADDY_DOCKER_ENVFILE"),
    Option("label_prefix", "text", "caddy", "prefix of the labels that are ours", "CADDY_DOCKER_LABEL_PREFIX"),
    Option("proxy_service_tasks", "boolean", True, "upstreams of a Swarm service are its tasks, else its name", "CADDY_DOCKER_PROXY_SERVICE_TASKS"),
    Option("process_caddyfile", "boolean", True, "leave out what Caddy refuses, else one refusal keeps the old configuration", "CADDY_DOCKER_PROCESS_CADDYFILE"),
    Option("scan_stopped_containers", "boolean", False, "read the labels of stopped containers too", "CADDY_DOCKER_SCAN_STOPPED_CONTAINERS"),
    Option("polling_interval", "duration", 30.0, "how often everything is listed anew without an event; 0: never", "CADDY_DOCKER_POLLING_INTERVAL"),
    Option("event_throttle_interval", "duration", 0.1, "least time between two changes; the first one is never delayed", "CADDY_DOCKER_EVENT_THROTTLE_INTERVAL"),
    Option("log_level", "text", "info", "debug, info, warn or error", "CADDY_DOCKER_LOG_LEVEL", _levels()),
    Option("log_format", "text", "console", "console or json", "CADDY_DOCKER_LOG_FORMAT", ("", "console", "json")),
    Option("admin", "text", "localhost:2019", "where the own Caddy's admin endpoint listens; off: a private socket", "CADDY_ADMIN"),
    Option("caddy", "text", "", "the Caddy program to run; empty: the one on PATH, else the bundled one"),
    Option("caddy_admin", "text", "", "admin URL of a Caddy that runs already; none of our own is started"),
    Option("output", "list", ("admin",), "where configurations go: admin, admin=URL, caddyfile=PATH, json=PATH"),
    Option("plugin", "list", (), "site files of plugins"),
    Option("disable_plugin", "list", (), "plugins to leave out, by name"),
    Option("replace", "list", (), "functions that a later plugin may replace"),
    Option("skip_failed_plugins", "boolean", False, "go on without plugins that cannot be loaded"),
    Option("state_directory", "text", "", "folder for what must survive a restart"),
    Option("route_order", "text", "caddy", "order of equal siblings inside route: caddy, or alphabetical as caddy-docker-proxy has it", "", ("caddy", "alphabetical"), "labels"),
    Option("suffix_names", "boolean", False, "cut _N off matcher and header names, as caddy-docker-proxy does", section="labels"),
)  # fmt: skip
_BY_NAME = {option.name: option for option in OPTIONS}
# `plugins` and `outputs` read better in a file than their flags' singular
_ALIASES = {"plugins": "plugin", "outputs": "output", "disable_plugins": "disable_plugin"}


@frozen
class Settings:
    """The core's settings; the names are those of the options. Durations are in seconds."""

    mode: str = "standalone"
    docker_sockets: tuple[str, ...] = ()
    docker_certs_path: tuple[str, ...] = ()
    docker_apis_version: tuple[str, ...] = ()
    controller_network: str = ""
    ingress_networks: tuple[str, ...] = ()
    caddyfile_path: str = ""
    envfile: str = ""
    label_prefix: str = "caddy"
    proxy_service_tasks: bool = True
    process_caddyfile: bool = True
    scan_stopped_containers: bool = False
    polling_interval: float = 30.0
    event_throttle_interval: float = 0.1
    log_level: str = "info"
    log_format: str = "console"
    admin: str = "localhost:2019"
    caddy: str = ""
    caddy_admin: str = ""
    output: tuple[str, ...] = ("admin",)
    plugin: tuple[str, ...] = ()
    disable_plugin: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    skip_failed_plugins: bool = False
    state_directory: str = ""
    route_order: str = "caddy"
    suffix_names: bool = False
    source: str = ""
    sections: Mapping[str, Mapping[str, Any]] = field(factory=dict)

    def state_path(self) -> Path:
        """The folder for what must survive a restart."""
        if self.state_directory:
            return Path(self.state_directory)
        base = os.environ.get("XDG_STATE_HOME") or ("/var/lib" if os.getuid() == 0 else "~/.local/state")
        return Path(base).expanduser() / "dockcaddy"


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean "x"`, or nothing where nothing is near."""
    close = get_close_matches(word, [each for each in known if each], n=1)
    return f', did you mean "{close[0]}"' if close else ""


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], config: str = "", overrides: Sequence[str] = ()
) -> Settings:
    """The settings of all sources. `overrides` are `SECTION.KEY=VALUE` texts, `config` a file's path.

    Raises SettingsError that names the source, the key and the nearest valid one.
    """
    path, document = _read_file(config)
    core, sections = _split(path, document)
    values = {**_from_file(path, core), **_from_environment(environment), **_given(flags)}
    merged = {name: dict(content) for name, content in sections.items()}
    for override in overrides:
        _override(values, merged, override)
    return Settings(**values, source=path, sections=merged)


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _read_file(config: str) -> tuple[str, dict[str, Any]]:
    candidates = (config,) if config else CONFIG_FILES
    for path in candidates:
        if not config and not Path(path).is_file():
            continue
        try:
            return path, tomli.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}") from error
        except tomli.TOMLDecodeError as error:
            raise SettingsError(f"{path}: {error}") from error
    return "", {}


def _split(path: str, document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The core's own keys, and the tables of the plugins."""
    core: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    for key, value in document.items():
        if not isinstance(value, dict):
            core[key] = value
        elif key == "labels":
            for inner, content in value.items():
                option = _BY_NAME.get(_normal(inner))
                if option is None or option.section != "labels":
                    known = [each.name for each in OPTIONS if each.section == "labels"]
                    raise SettingsError(f'{path}: unknown key "labels.{inner}"{nearest(inner, known)}')
                core[inner] = content
        else:
            sections[key] = {_normal(inner): content for inner, content in value.items()}
    return core, sections


def _normal(key: str) -> str:
    normal = key.replace("-", "_")
    return _ALIASES.get(normal, normal)


def _from_file(path: str, document: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for key, value in document.items():
        option = _BY_NAME.get(_normal(key))
        if option is None:
            raise SettingsError(f'{path}: unknown key "{key}"{nearest(key, [*_BY_NAME, *_ALIASES])}')
        try:
            values[option.name] = option.from_toml(value)
        except ValueError as error:
            raise SettingsError(f"{path}: {key} = {value!r}: {error}") from None
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for option in OPTIONS:
        own, peers = environment.get(option.variable, ""), environment.get(option.peer, "") if option.peer else ""
        try:
            if own:
                values[option.name] = option.parse(own)
            elif peers:
                values[option.name] = _parse_peers(option, peers)
        except ValueError as error:
            name, value = (option.variable, own) if own else (option.peer, peers)
            raise SettingsError(f"environment variable {name}={value!r}: {error}") from None
    return values


def _parse_peers(option: Option, text: str) -> Any:
    """caddy-docker-proxy's reading: of truth values only true, yes and 1 are true; words in any case."""
    if option.kind == "boolean":
        return text.lower() in ("true", "yes", "1")
    return option.parse(text.lower() if option.choices else text.strip() if option.name == "admin" else text)


def _override(values: dict[str, Any], sections: dict[str, dict[str, Any]], override: str) -> None:
    key, sign, text = override.partition("=")
    section, dot, name = key.partition(".")
    if not sign:
        raise SettingsError(f"--set {override}: write --set SECTION.KEY=VALUE")
    if not dot or section == "labels":
        option = _BY_NAME.get(_normal(name if dot else section))
        if option is None:
            raise SettingsError(f'--set {override}: unknown key "{key}"{nearest(key, _BY_NAME)}')
        try:
            values[option.name] = option.parse(text)
        except ValueError as error:
            raise SettingsError(f"--set {override}: {error}") from None
    else:
        sections.setdefault(section, {})[_normal(name)] = text


def load_sections(
    settings: Settings, declared: Sequence[SettingsSection], environment: Mapping[str, str]
) -> dict[type, Any]:
    """An instance of every declared section's class. Raises SettingsError for what no plugin declared."""
    known = {section.name: section for section in declared}
    source = settings.source or "settings"
    for name in settings.sections:
        if name not in known:
            raise SettingsError(f'{source}: unknown section "{name}"{nearest(name, [*known, "labels"])}')
    _check_variables(environment, declared)
    return {
        section.schema: _instance(section, settings.sections.get(section.name, {}), source, environment)
        for section in declared
    }


def _instance(section: SettingsSection, given: Mapping[str, Any], source: str, environment: Mapping[str, str]) -> Any:
    fields = {each.name: each for each in attrs.fields(section.schema)}
    values = {}
    for key, value in given.items():
        if key not in fields:
            raise SettingsError(f'{source}: unknown key "{section.name}.{key}"{nearest(key, fields)}')
        values[key] = _section_value(fields[key], value, f"{source}: {section.name}.{key}")
    for name, each in fields.items():
        variable = f"{PREFIX}{section.name}_{name}".upper()
        if environment.get(variable):
            values[name] = _section_value(each, environment[variable], f"environment variable {variable}")
    try:
        return section.schema(**values)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{source}: section {section.name}: {error}") from error


def _section_value(attribute: Any, value: Any, where: str) -> Any:
    kinds = {bool: "boolean", int: "integer", float: "duration", str: "text"}
    kind = kinds.get(attribute.type, "list")
    try:
        if kind == "integer":
            return int(value)
        return Option(attribute.name, kind, None, "").from_toml(value)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{where} = {value!r}: {error}") from None


def _check_variables(environment: Mapping[str, str], declared: Sequence[SettingsSection]) -> None:
    known = {option.variable for option in OPTIONS} | {f"{PREFIX}CONFIG"}
    for section in declared:
        known |= {f"{PREFIX}{section.name}_{each.name}".upper() for each in attrs.fields(section.schema)}
    for name in environment:
        if name.startswith(PREFIX) and name not in known and not name.startswith("DOCKCADDY_TESTS_"):
            raise SettingsError(f"environment variable {name} is not known{nearest(name, known)}")


def option_table() -> str:
    """The options as a Markdown table, for the docs."""
    rows = ["| option | environment | caddy-docker-proxy's | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for option in OPTIONS:
        spelled = f"`[labels] {option.name}`" if option.section else f"`{option.flag}`"
        peer = f"`{option.peer}`" if option.peer else ""
        rows.append(f"| {spelled} | `{option.variable}` | {peer} | {_shown(option.default)} | {option.help} |")
    return "\n".join(rows) + "\n"


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        default = ",".join(default)
    if isinstance(default, float):
        default = f"{default:g}s"
    return f"`{default}`" if default else ""
