"""What the program knows about the world, frozen: resources, networks, engines, the inventory.

Everything here is plain data. The engine side makes it; the pipeline and the plugins only read it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from dockcaddy.errors import EngineUnreachable, one_line

Kind = Literal["container", "service"]
Health = Literal["healthy", "unhealthy", "starting", "none"]


def _read_only(given: Mapping[str, str]) -> Mapping[str, str]:
    """What plugins see and nobody may change."""
    return MappingProxyType(given) if isinstance(given, dict) else given


@frozen
class Attachment:
    """A resource's place on one network. Addresses are bare (no mask), `""` where it has none."""

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
    """A port of a resource; `host_port` is 0 where it is not published."""

    container_port: int
    protocol: str = "tcp"
    host_port: int = 0
    host_ip: str = ""


@frozen(eq=False)
class Resource:
    """A container or a Swarm service: what carries labels.

    Compared by identity: the engine side gives the same object again as long as nothing about it changed, so that
    whatever was derived from it may be kept. `targets` are the addresses that `upstreams` lists, in the engine's
    order; `unreachable` is why a running one has none. `created` is in seconds since the epoch. `record` is what `.` is
    in a template: the engine's own record with Go's field names.
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
    targets: tuple[str, ...] = ()
    unreachable: str = ""
    record: object = None

    @property
    def key(self) -> str:
        """What identifies it among the resources of all engines, whatever its state: `local/4f1c...`."""
        return f"{self.engine}/{self.id}"

    def __str__(self) -> str:
        """As errors name it: `container web-1`."""
        return f"{self.kind} {one_line(self.name)}"


@frozen
class SwarmConfig:
    """A Swarm config whose data is Caddyfile text."""

    id: str
    name: str
    text: str


@frozen(eq=False)
class EngineInventory:
    """All that one engine had: resources in the order in which their fragments are merged, containers first.

    `caddy` is the container that runs Caddy, where there is one on this engine; else None. `operators` are the ids of the
    resources whose labels are the operator's own. `problems` may be over soon; `advice` is about settings, and holds until
    they change.
    """

    name: str
    resources: tuple[Resource, ...] = ()
    configs: tuple[SwarmConfig, ...] = ()
    caddy: Resource | None = None
    problems: tuple["Problem", ...] = ()
    operators: frozenset[str] = frozenset()
    advice: tuple["Problem", ...] = ()


class EngineSilent(EngineUnreachable):
    """An engine that does not answer now. `known` is what it had, with what events told since."""

    def __init__(self, failure: EngineUnreachable, known: EngineInventory) -> None:
        super().__init__(str(failure), failure.remedy)
        self.known = known


@frozen(eq=False)
class Inventory:
    """An immutable snapshot of all engines."""

    engines: tuple[EngineInventory, ...] = ()


@frozen
class Proxy:
    """What belongs to the program and its Caddy, and to no label.

    `folders` hold their data, certificates and secrets, `files` their settings; `base_folder` is the folder of the base
    Caddyfile (`""` where there is none), `admin_port` the admin API's (0 where it is a socket). Paths are absolute.
    At `engine_ports` engines answer. In `address_folder` are the files from which Caddy reads the addresses of upstreams,
    `""` where it cannot. `container` is the name or id of the container that Caddy runs in, where the operator gave one;
    a Caddy that was there before us answers at `admin_endpoints` (hosts and ports).
    """

    folders: tuple[str, ...] = ("/data", "/config", "/etc/caddy")
    files: tuple[str, ...] = ()
    base_folder: str = ""
    admin_port: int = 2019
    address_folder: str = "/var/lib/dockcaddy/upstreams"
    # https://docs.docker.com/reference/cli/dockerd/#daemon-socket-option
    engine_ports: tuple[int, ...] = (2375, 2376)
    container: str = ""
    admin_endpoints: tuple[tuple[str, int], ...] = ()


@frozen
class Problem:
    """Something wrong with one resource: who, where, why.

    `resource` is `str(Resource)` (`container web-1`) or another source (`caddyfile /etc/caddy/Caddyfile`),
    `label` the key as people wrote it or `""`.
    """

    resource: str
    label: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """One line: `container web-1: label caddy.reverse_proxy: function "foo" is not defined`."""
        where = f"label {self.label}: " if self.label else ""
        return f"{self.resource}: {where}{self.message}"


def without_repeats(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Without warnings about a label that there is an error about: they would tell the same twice."""
    problems = tuple(problems)
    wrong = {(each.resource, each.label) for each in problems if each.severity == "error" and each.label}
    return tuple(each for each in problems if each.severity == "error" or (each.resource, each.label) not in wrong)
