"""The table of options: the class `Settings`, each field of which is an option."""

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from dockcaddy.errors import listed
from dockcaddy.settings import limits
from dockcaddy.settings.constraint import Constraint
from dockcaddy.settings.reach import check_names, check_reach
from dockcaddy.settings.values import (
    check_admin,
    check_admin_urls,
    checked_seconds,
    parse_aligned,
    parse_boolean,
    parse_list,
    parse_port,
    parse_seconds,
)

PREFIX = "DOCKCADDY_"

# kind -> the parser of a text, and the name in errors
_KINDS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "text": (str.strip, "text"),
    "path": (str, "text"),
    "boolean": (parse_boolean, "boolean"),
    "duration": (parse_seconds, "duration"),
    "port": (parse_port, "port"),
    "list": (parse_list, "list of texts"),
    "aligned": (parse_aligned, "list of texts"),
    "paths": (parse_list, "list of texts"),
}
_LISTS = frozenset(("list", "aligned", "paths"))
_KIND_OF: Mapping[Any, str] = {str: "text", bool: "boolean", float: "duration", int: "port", tuple[str, ...]: "list"}


@frozen
class Option:
    """One setting. `peer` is caddy-docker-proxy's variable; `choices` are the allowed values, in upper or lower case.

    `section` is its table in dockcaddy.toml, `group` its group in the help: `docker`, `labels`, `caddy`, `run`,
    `plugins`, `log`. `check` raises ValueError for an invalid value. In a file, relative paths of kind `path` and `paths`
    are relative to that file.
    """

    name: str
    kind: str
    default: Any
    help: str
    group: str = ""
    peer: str = ""
    choices: tuple[str, ...] = ()
    section: str = ""
    check: Callable[[Any], object] = lambda value: None

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
        return self._checked(_KINDS[self.kind][0](text))

    def parse_peers(self, text: str) -> Any:
        """The value of caddy-docker-proxy's variable, in which only true, yes and 1 are true. Raises ValueError."""
        return text.lower() in ("true", "yes", "1") if self.kind == "boolean" else self.parse(text)

    def from_toml(self, value: Any) -> Any:
        """The value of a TOML value. Raises ValueError."""
        if self.kind == "boolean" and isinstance(value, bool):
            return value
        if self.kind in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
            return self._checked(tuple(value))
        if isinstance(value, str):
            return self.parse(value)
        if self.kind == "duration" and isinstance(value, int | float) and not isinstance(value, bool):
            return checked_seconds(float(value))
        if self.kind == "port" and isinstance(value, int) and not isinstance(value, bool):
            return self.parse(str(value))
        raise ValueError(f"expected a {_KINDS[self.kind][1]}")

    def _checked(self, value: Any) -> Any:
        if self.choices:
            value = value.strip().lower()
            if value not in self.choices:
                known = ", ".join(filter(None, self.choices))
                raise ValueError(f"expected one of {known}{guess(value, self.choices)}")
        self.check(value)
        return value


def _check_network(value: str) -> None:
    if value:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ValueError('expected a network like "10.0.0.0/24"') from None


def _check_endpoint(value: str) -> None:
    if not value:
        return
    host, _, port = value.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
        if not 0 < int(port) < 65536:
            raise ValueError
    except ValueError:
        raise ValueError('expected an address and a port like "127.0.0.1:2053"') from None


def _check_prefix(value: str) -> None:
    if not value.strip():
        raise ValueError("expected a prefix, it cannot be empty")
    if re.search(r"\s|[.]\Z", value.strip()):
        raise ValueError('expected a prefix like "caddy", without white space and without a dot at its end')


_STATE_FOLDER = (
    "folder for data that survives a restart; empty: $XDG_STATE_HOME/dockcaddy, "
    "else /var/lib/dockcaddy for root, ~/.local/state/dockcaddy for others"
)
_LEVELS = ("", "debug", "info", "warn", "error", "panic", "fatal")


def _option(default: Any, group: str, help: str, peer: str = "", **more: Any) -> Any:
    return field(default=default, metadata={"option": {"group": group, "help": help, "peer": peer, **more}})


@frozen
class Settings:
    """The core's settings. Durations are in seconds.

    `source` is the settings file. `sections` are its tables of plugins' settings, and `overrides` the `SECTION.KEY=VALUE`
    texts for them, both unchecked: see `load_sections`.
    """

    # fmt: off
    mode: str = _option("standalone", "run", "standalone; controller of servers; server for a controller", "CADDY_DOCKER_MODE", choices=("standalone", "controller", "server"))
    docker_sockets: tuple[str, ...] = _option((), "docker", "engines to watch, as in DOCKER_HOST, or context://NAME; empty: as docker does", "CADDY_DOCKER_SOCKETS", kind="aligned")
    docker_certs_path: tuple[str, ...] = _option((), "docker", "folders with ca.pem, cert.pem and key.pem, one for each socket", "CADDY_DOCKER_CERTS_PATH", kind="aligned")
    docker_apis_version: tuple[str, ...] = _option((), "docker", "API versions, one for each socket; empty: negotiated", "CADDY_DOCKER_APIS_VERSION", kind="aligned")
    docker_names: tuple[str, ...] = _option((), "docker", "names of the engines in messages, one for each socket", kind="aligned", check=check_names)
    docker_reach: tuple[str, ...] = _option((), "docker", "how Caddy reaches containers: auto, containers, overlay, ports or ports=HOST", kind="aligned", check=check_reach)
    engine_retention: float = _option(0.0, "docker", "how long what an engine had last is kept while it does not answer; 0: for ever")
    controller_network: str = _option("", "run", "network (CIDR) of the admin endpoints of servers, for controllers and servers", "CADDY_CONTROLLER_NETWORK", check=_check_network)
    ingress_networks: tuple[str, ...] = _option((), "docker", "networks over which Caddy reaches containers, by name; empty: those of Caddy's container", "CADDY_INGRESS_NETWORKS")
    upstream_addresses: str = _option("one", "docker", "addresses of a container on several of these networks that are used: one or all", choices=("one", "all"))
    caddyfile_path: str = _option("", "labels", "base Caddyfile, merged before everything else", "CADDY_DOCKER_CADDYFILE_PATH", kind="path")
    envfile: str = _option("", "caddy", "file of KEY=VALUE lines for the environment; what is set already stays", "CADDY_DOCKER_ENVFILE", kind="path")
    label_prefix: str = _option("caddy", "labels", "prefix of the labels to read", "CADDY_DOCKER_LABEL_PREFIX", check=_check_prefix)
    constraint: str = _option("", "docker", "expression for the containers and services that count: Label(`zone`, `public`) && !Name(`x`); empty: all", check=Constraint.parse)
    proxy_service_tasks: bool = _option(True, "docker", "use the tasks of a Swarm service as upstreams; false: its name", "CADDY_DOCKER_PROXY_SERVICE_TASKS")
    process_caddyfile: bool = _option(True, "caddy", "leave out what Caddy refuses; false: keep the old configuration if Caddy refuses anything", "CADDY_DOCKER_PROCESS_CADDYFILE")
    scan_stopped_containers: bool = _option(False, "docker", "also read the labels of containers that have stopped, or never started", "CADDY_DOCKER_SCAN_STOPPED_CONTAINERS")
    when_stopped: str = _option("remove", "docker", "sites of a stopped container: remove, keep (status 503), page (503 with a page)", choices=("remove", "keep", "page"))
    retry_after: float = _option(60.0, "docker", "Retry-After of the page of stopped containers")
    scan_one_off_containers: bool = _option(False, "docker", "also read the labels of containers of docker compose run, as caddy-docker-proxy does")
    polling_interval: float = _option(30.0, "run", "interval at which everything is listed again without an event; 0: never", "CADDY_DOCKER_POLLING_INTERVAL")
    event_throttle_interval: float = _option(0.1, "run", "minimum time between two changes; the first one is never delayed", "CADDY_DOCKER_EVENT_THROTTLE_INTERVAL")
    log_level: str = _option("info", "log", "lowest level that is logged", "CADDY_DOCKER_LOG_LEVEL", choices=_LEVELS)
    log_format: str = _option("console", "log", "lines for people, or JSON for machines", "CADDY_DOCKER_LOG_FORMAT", choices=("", "console", "json"))
    admin: str = _option("localhost:2019", "run", "address of the admin endpoint of dockcaddy's own Caddy; off: a private socket", "CADDY_ADMIN", check=check_admin)
    caddy: str = _option("", "caddy", "Caddy program to run; empty: the one on PATH, else the bundled one")
    caddy_admin: tuple[str, ...] = _option((), "run", "admin URL of a running Caddy to configure, instead of an own one; several: servers", check=check_admin_urls)
    caddy_admin_ca: str = _option("", "run", "file of the authorities that https admin URLs are checked against; empty: the system's", kind="path")
    caddy_admin_cert: str = _option("", "run", "file of the client certificate for https admin URLs", kind="path")
    caddy_admin_key: str = _option("", "run", "file of the key of that certificate; empty: in the same file", kind="path")
    leader_lock: str = _option("auto", "run", "where controllers agree on one that leads; auto: in the Swarm if there is one", choices=("auto", "swarm", "servers", "none"))
    caddy_container: str = _option("", "docker", "container or service of Caddy, by name or id; its labels are trusted; empty: the one at --caddy-admin, else dockcaddy's own")
    http_port: int = _option(80, "caddy", "HTTP port of sites without a port; http_port in the base Caddyfile wins")
    https_port: int = _option(443, "caddy", "HTTPS port of sites without a port (redirects still lead to 443); https_port in the base Caddyfile wins")
    stream_close_delay: float = _option(86400.0, "caddy", "how long WebSockets and other streams stay open after a change; 0: they are closed at once")
    service_retries: bool = _option(True, "caddy", "let Caddy try other tasks of a Swarm service if one does not answer (lb_retries)")
    service_fail_duration: float = _option(5.0, "caddy", "fail_duration of proxies of Swarm services: how long Caddy avoids a task that failed twice; 0: not at all")
    # These two belong to the upstreams plugin. Settings of plugins have no flags of their own, because flags are known before
    # plugins are loaded, so they stay here: plugins read the folder as `Proxy.address_folder`.
    address_directory: str = _option("", "caddy", "folder for addresses of upstreams, which Caddy reads too; empty: in the state directory", kind="path")
    resolver: str = _option("", "caddy", "no longer needed, omit it: Caddy reads the addresses of upstreams from files", check=_check_endpoint)
    output: tuple[str, ...] = _option(("admin",), "run", "where to send configurations: admin, admin=URL, caddyfile=PATH, json=PATH")
    dry_run: bool = _option(False, "run", "log what would be sent, and send nothing")
    plugin: tuple[str, ...] = _option((), "plugins", "plugin files to load", kind="paths")
    disable_plugin: tuple[str, ...] = _option((), "plugins", "names of plugins not to load")
    replace: tuple[str, ...] = _option((), "plugins", "names of template functions that a later plugin may replace")
    skip_failed_plugins: bool = _option(False, "plugins", "continue without plugins that cannot be loaded")
    state_directory: str = _option("", "run", _STATE_FOLDER, kind="path")
    status_listen: str = _option("", "run", "address and port of the status, like 127.0.0.1:8090; empty: its socket only", check=_check_endpoint)
    route_order: str = _option("caddy", "labels", "order of equal siblings inside route: caddy or alphabetical", choices=("caddy", "alphabetical"), section="labels")
    suffix_names: bool = _option(False, "labels", "remove _N from matcher and header names, as caddy-docker-proxy does", section="labels")
    takeovers: bool = _option(False, "labels", "let a newer container take over all requests of an older one of the same site, as with caddy-docker-proxy", section="labels")
    express: bool = _option(False, "caddy", "plain sites are added, replaced and scaled without a load; Caddy finds them in the folder of --address-directory", section="sites")
    # fmt: on
    source: str = ""
    sections: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    overrides: tuple[str, ...] = ()

    @property
    def running_caddy(self) -> str:
        """The admin URL of the one Caddy to configure that runs already, `""` if there is none or there are servers."""
        return self.caddy_admin[0] if self.caddy_admin and not self.has_servers else ""

    @property
    def has_servers(self) -> bool:
        """Whether it configures servers: Caddys that run by themselves, found by labels or given by several URLs."""
        return self.mode == "controller" or (self.mode == "standalone" and len(self.caddy_admin) > 1)

    def state_path(self) -> Path:
        """The folder for data that survives a restart."""
        if self.state_directory:
            return Path(self.state_directory)
        base = os.environ.get("XDG_STATE_HOME") or ("/var/lib" if os.getuid() == 0 else "~/.local/state")
        return Path(base).expanduser() / "dockcaddy"

    def status_path(self, state: Path | None = None) -> Path:
        """The unix socket at which the status is served. `state` is the state directory."""
        return (state or self.state_path()) / "status.sock"

    def address_path(self, state: Path | None = None) -> Path:
        """The folder for the addresses of upstreams. `state` is the state directory."""
        return Path(self.address_directory) if self.address_directory else (state or self.state_path()) / "upstreams"

    def express_path(self, state: Path | None = None) -> Path:
        """The folder for new sites. `state` is the state directory."""
        return self.address_path(state) / "sites"


def _options() -> Iterable[Option]:
    for each in attrs.fields(Settings):
        if "option" in each.metadata:
            given = {"kind": _KIND_OF.get(each.type), **each.metadata["option"]}
            yield Option(each.name, default=each.default, **given)


OPTIONS: tuple[Option, ...] = tuple(_options())
CORE_SECTIONS = frozenset(option.section for option in OPTIONS if option.section)
# these read better in a file than their flags' singular
PLURALS = {"plugins": "plugin", "outputs": "output", "disable_plugins": "disable_plugin"}


def guess(word: str, known: Iterable[str]) -> str:
    """`, did you mean "x"`, or `""` if no known name is similar."""
    by_lower = {each.lower(): each for each in known if each}
    # swapped letters are the most common typo
    swapped = [each for each in by_lower if sorted(each) == sorted(word.lower())]
    close = swapped or get_close_matches(word.lower(), by_lower, n=1, cutoff=limits.MIN_SIMILARITY)
    return f', did you mean "{by_lower[close[0]]}"' if close else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean "x"`, or the known names if none is similar: `, there are a, b, c`."""
    names = list(dict.fromkeys(each for each in known if each))
    if found := guess(word, names):
        return found
    if not names:
        return ", there are none"
    return f", there {'is' if len(names) == 1 else 'are'} {listed(names, limits.MAX_KNOWN_NAMES)}"
