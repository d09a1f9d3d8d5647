"""The inventory as frozen data: engines, resources, networks, mounts, ports, and the problems found in them.

`engine/` creates these objects; the pipeline and the plugins only read them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from ipaddress import ip_address
from types import MappingProxyType
from typing import Literal

from attrs import evolve, field, frozen

from dockcaddy.errors import EngineUnreachable, one_line

Kind = Literal["container", "service"]
Health = Literal["healthy", "unhealthy", "starting", "none"]
_NOTHING: Mapping[str, str] = MappingProxyType({})


def is_loopback(host: str) -> bool:
    """Whether this is a name or address of the machine itself, which others do not reach."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _listens_at(host_ip: str, host: str) -> bool:
    """Whether a port that is published on `host_ip` is one of `host`. `""` is every address."""
    if host_ip in ("", "0.0.0.0", "::") or host_ip == host:
        return True
    return is_loopback(host_ip) and is_loopback(host)


def bracketed(host: str) -> str:
    """A host as it stands in front of a port: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _read_only(given: Mapping[str, str]) -> Mapping[str, str]:
    """A mapping that plugins can read and not change. All empty ones are one object."""
    if not given:
        return _NOTHING
    return MappingProxyType(given) if isinstance(given, dict) else given


@frozen
class Attachment:
    """A resource's connection to one network. Addresses have no mask, and are `""` if it has none."""

    network: str
    network_id: str = ""
    ipv4: str = ""
    ipv6: str = ""
    aliases: tuple[str, ...] = ()


@frozen
class Mount:
    """A mount of a resource: `type` is Docker's `bind`, `volume`, `tmpfs`, ...

    `source` is the path on the engine's host, also for a volume (its mountpoint); `name` is the volume's name.
    """

    type: str
    source: str
    destination: str
    name: str = ""
    read_only: bool = False


@frozen
class Port:
    """A port of a resource; `host_port` is 0 if it is not published.

    `is_elsewhere` if only other nodes of a Swarm publish it, those that the tasks run on (`mode: host`).
    """

    container_port: int
    protocol: str = "tcp"
    host_port: int = 0
    host_ip: str = ""
    is_elsewhere: bool = False


@frozen(eq=False)
class Resource:
    """A container or a Swarm service.

    Compared by identity: `engine/` returns the same object as long as nothing about the resource changes, so that
    results derived from it can be cached. `targets` are the addresses for `upstreams`, in the engine's order. With
    `shares_network`, they are also those of others: of the host or of another container, whose network it uses. Where Caddy
    reaches published ports only, there are none, and `published_at` is the host that these ports are at.
    `unreachable` is the reason why a running resource has neither. `created` is in seconds since the epoch. `record` is `.` in a
    template: the engine's record with Go's field names.
    """

    kind: Kind
    id: str
    name: str
    engine: str = "local"
    image: str = ""
    labels: Mapping[str, str] = field(factory=dict, converter=_read_only)
    environment: Mapping[str, str] = field(factory=dict, converter=_read_only)
    attachments: tuple[Attachment, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    created: int = 0
    state: str = ""
    running: bool = False
    health: Health = "none"
    stopping: bool = False
    shows_page: bool = False
    targets: tuple[str, ...] = ()
    shares_network: bool = False
    published_at: str = ""
    unreachable: str = ""
    record: object = None

    @property
    def has_stopped(self) -> bool:
        """Whether it is a container that has stopped, or never started, and still counts."""
        return self.state in ("exited", "dead", "created") and not self.stopping

    @cached_property
    def key(self) -> str:
        """Identifies the resource among those of all engines, whatever its state: `local/4f1c...`."""
        return f"{self.engine}/{self.id}"

    @property
    def published(self) -> Mapping[int, int]:
        """The host's TCP port by container port, of the ports that Caddy reaches at `published_at`."""
        if not self.published_at:
            return {}
        return {
            each.container_port: each.host_port
            for each in self.ports
            if each.protocol == "tcp"
            and each.host_port
            and not each.is_elsewhere
            and _listens_at(each.host_ip, self.published_at)
        }

    @property
    def published_addresses(self) -> tuple[str, ...]:
        """These ports as addresses, `host:port`."""
        return tuple(f"{bracketed(self.published_at)}:{port}" for port in self.published.values())

    def __str__(self) -> str:
        """The name in messages: `container web-1`."""
        return f"{self.kind} {one_line(self.name)}"


@frozen
class SwarmConfig:
    """A Swarm config whose data is Caddyfile text."""

    id: str
    name: str
    text: str


@frozen
class ControlledServer:
    """A Caddy that its label asks a controller to configure: a container, or one task of a service.

    `addresses` are sorted: those on networks that dockcaddy's own container shares come first, then by the networks' names.
    `value` is that of the label. `hosts` are the names and other addresses by which containers reach it.
    """

    name: str
    addresses: tuple[str, ...]
    value: str = ""
    hosts: tuple[str, ...] = field(default=(), eq=False)


WhyUnserved = Literal["NoLabels", "OtherPrefix", "Stopped", "ExcludedByConstraint", "OneOff"]


@frozen
class Unserved:
    """A container or service that is no resource, and why. `sites` are the addresses in its labels, except for templates."""

    kind: Kind
    id: str
    name: str
    why: WhyUnserved
    sites: tuple[str, ...] = ()


@frozen(eq=False)
class EngineInventory:
    """The inventory of one engine: resources in the order in which their fragments are merged, containers first.

    `caddy` is the container that runs Caddy, None if it is not on this engine. `operators` are the ids of the resources
    whose labels are the operator's own. `problems` may be temporary; `advice` is about settings and stays until they
    change. With `has_old_services`, the services and configs are the last known ones of a Swarm manager that does not
    list them now. `excluded` are the labelled resources that the constraint excludes, as messages name them. Without
    `is_known`, the engine has not answered yet.
    `servers` are the Caddys that labels ask a controller to configure. `unserved` is what else the last full lists had.
    """

    name: str
    resources: tuple[Resource, ...] = ()
    configs: tuple[SwarmConfig, ...] = ()
    caddy: Resource | None = None
    problems: tuple["Problem", ...] = ()
    operators: frozenset[str] = frozenset()
    advice: tuple["Problem", ...] = ()
    has_old_services: bool = False
    is_known: bool = True
    excluded: tuple[str, ...] = ()
    servers: tuple[ControlledServer, ...] = ()
    unserved: tuple[Unserved, ...] = ()


class EngineSilent(EngineUnreachable):
    """An engine that does not answer now. `known` is its last inventory, updated by later events."""

    def __init__(self, failure: EngineUnreachable, known: EngineInventory) -> None:
        super().__init__(str(failure), failure.remedy)
        self.known = known


@frozen(eq=False)
class Inventory:
    """An immutable snapshot of all engines."""

    engines: tuple[EngineInventory, ...] = ()

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The resources of all engines; of one engine the very same tuple."""
        if len(self.engines) == 1:
            return self.engines[0].resources
        return tuple([each for engine in self.engines for each in engine.resources])

    @classmethod
    def of(cls, engines: Sequence[EngineInventory]) -> "Inventory":
        """The inventory of these engines. Each service and config of a Swarm counts once, whichever managers list it.

        It is from the first manager that lists it now, of these from one whose tasks Caddy reaches, or else from the first.
        """
        if len(engines) < 2:
            return cls(tuple(engines))
        by_place: dict[int, EngineInventory] = {}
        taken: set[str] = set()
        for place in sorted(range(len(engines)), key=lambda place: _rank(engines[place])):
            by_place[place] = _without(engines[place], taken)
            taken |= _of_swarm(engines[place])
        return cls(tuple(by_place[place] for place in range(len(engines))))


def _rank(engine: EngineInventory) -> tuple[bool, bool]:
    """The sort key of managers by how much is known of their services."""
    return engine.has_old_services, not any(each.targets for each in engine.resources if each.kind == "service")


def _of_swarm(engine: EngineInventory) -> set[str]:
    """The ids of an engine's services and configs, which all managers of a Swarm have in common."""
    services = {each.id for each in engine.resources if each.kind == "service"}
    return services.union(config.id for config in engine.configs)


def _without(engine: EngineInventory, ids: Collection[str]) -> EngineInventory:
    """The engine without the services and configs of these ids; the same object if it has none of them."""
    if _of_swarm(engine).isdisjoint(ids):
        return engine
    resources = tuple(each for each in engine.resources if each.kind != "service" or each.id not in ids)
    return evolve(engine, resources=resources, configs=tuple(each for each in engine.configs if each.id not in ids))


@frozen
class Proxy:
    """Paths, ports and names of dockcaddy and its Caddy that labels may not use.

    All of it comes from the settings and the environment of this run. `folders` hold data, certificates and secrets,
    `files` settings. `base_folder` is the folder of the base Caddyfile (`""` if there is none). `admin_port` is the admin
    API's (0 for a socket). Paths are absolute. `engine_ports` are the ports of the engines in use. Caddy reads the addresses
    of upstreams from files in `address_folder`. `container` is the name or id of Caddy's container, if the
    operator set one. `admin_endpoints` are the hosts and ports of a Caddy that dockcaddy does not start itself,
    `server_endpoints` those of servers whose port is another one than `admin_port`. The status is served at the unix socket
    `status_socket`, and at the address and port `status_listen` where that is not empty.
    """

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    base_folder: str = ""
    admin_port: int = 2019
    address_folder: str = "/var/lib/dockcaddy/upstreams"
    engine_ports: tuple[int, ...] = ()
    container: str = ""
    admin_endpoints: tuple[tuple[str, int], ...] = ()
    server_endpoints: frozenset[tuple[str, int]] = frozenset()
    status_socket: str = "/var/lib/dockcaddy/status.sock"
    status_listen: str = ""


@frozen
class Problem:
    """A problem of one resource.

    `resource` is `str(Resource)` (`container web-1`) or another source (`caddyfile /etc/caddy/Caddyfile`),
    `label` the key as written, or `""`.
    """

    resource: str
    label: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """One line: `container web-1: label caddy.reverse_proxy: function "foo" is not defined`."""
        where = f"label {self.label}: " if self.label else ""
        return f"{self.resource}: {where}{self.message}"


@frozen
class Unreached(Problem):
    """A warning about a directive that no request comes to."""


@frozen
class Pending(Problem):
    """A state that passes by itself, so that nobody has to hear of it: the status shows it."""


def without_repeats(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without warnings about labels that have an error too."""
    problems = tuple(problems)
    wrong = {(each.resource, each.label) for each in problems if each.severity == "error" and each.label}
    return tuple(each for each in problems if each.severity == "error" or (each.resource, each.label) not in wrong)
