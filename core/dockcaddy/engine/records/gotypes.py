"""The engine's records as Go structs, which are `.` in templates (field names of Docker's Go client, API 1.41)."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from dockcaddy.gotemplate import Field, Type, Value, map_of, pointer_to, slice_of
from dockcaddy.gotemplate.values import ANY, BOOL, INT, INT64, MAP_OF_STRING, SLICE_OF_STRING, STRING, UINT16, UINT64


def _getter(key: str, type: Type) -> Callable[[Any], Any]:
    empty: Any = {"string": "", "bool": False, "struct": {}}.get(type.kind, None if type.elem else 0)

    def read(record: Mapping[str, Any] | None) -> Any:
        found = (record or {}).get(key) if key else record
        # sprig's functions can change what is plain data
        return empty if found is None else deepcopy(found) if type is ANY else found

    return read


def _struct(name: str, **fields: Type | tuple[Type, str]) -> Type:
    """A struct type. A field may be given with its key in the engine's JSON, if that differs; `""` embeds a struct."""
    made = {}
    for field_name, spelled in fields.items():
        type, key = spelled if isinstance(spelled, tuple) else (spelled, field_name)
        made[field_name] = Field(type, _getter(key, type), embedded=not key)
    return Type("struct", name, fields=made)


_IPAM = _struct("network.EndpointIPAMConfig", IPv4Address=STRING, IPv6Address=STRING, LinkLocalIPs=SLICE_OF_STRING)
_ENDPOINT = _struct(
    "network.EndpointSettings",
    IPAMConfig=pointer_to(_IPAM),
    Links=SLICE_OF_STRING,
    Aliases=SLICE_OF_STRING,
    MacAddress=STRING,
    DriverOpts=MAP_OF_STRING,
    GwPriority=INT,
    NetworkID=STRING,
    EndpointID=STRING,
    Gateway=STRING,
    IPAddress=STRING,
    IPPrefixLen=INT,
    IPv6Gateway=STRING,
    GlobalIPv6Address=STRING,
    GlobalIPv6PrefixLen=INT,
    DNSNames=SLICE_OF_STRING,
)
_PORT = _struct("container.PortSummary", IP=STRING, PrivatePort=UINT16, PublicPort=UINT16, Type=STRING)
_MOUNT = _struct(
    "container.MountPoint",
    Type=STRING,
    Name=STRING,
    Source=STRING,
    Destination=STRING,
    Driver=STRING,
    Mode=STRING,
    RW=BOOL,
    Propagation=STRING,
)
_HOST_CONFIG = _struct(
    "struct { NetworkMode string; Annotations map[string]string }", NetworkMode=STRING, Annotations=MAP_OF_STRING
)
_NETWORKS = _struct("container.NetworkSettingsSummary", Networks=map_of(STRING, pointer_to(_ENDPOINT)))
_DESCRIPTOR = _struct("v1.Descriptor", MediaType=(STRING, "mediaType"), Digest=(STRING, "digest"), Size=(INT64, "size"))
_HEALTH = _struct("container.HealthSummary", Status=STRING, FailingStreak=INT)
CONTAINER = _struct(
    "container.Summary",
    ID=(STRING, "Id"),
    Names=SLICE_OF_STRING,
    Image=STRING,
    ImageID=STRING,
    ImageManifestDescriptor=pointer_to(_DESCRIPTOR),
    Command=STRING,
    Created=INT64,
    Ports=slice_of(_PORT),
    SizeRw=INT64,
    SizeRootFs=INT64,
    Labels=MAP_OF_STRING,
    State=STRING,
    Status=STRING,
    HostConfig=_HOST_CONFIG,
    Health=pointer_to(_HEALTH),
    NetworkSettings=pointer_to(_NETWORKS),
    Mounts=slice_of(_MOUNT),
)

_VERSION = _struct("swarm.Version", Index=UINT64)
_NETWORK_ATTACHMENT = _struct(
    "swarm.NetworkAttachmentConfig", Target=STRING, Aliases=SLICE_OF_STRING, DriverOpts=MAP_OF_STRING
)
_SPEC_MOUNT = _struct("mount.Mount", Type=STRING, Source=STRING, Target=STRING, ReadOnly=BOOL, Consistency=STRING)
_CONTAINER_SPEC = _struct(
    "swarm.ContainerSpec",
    Image=STRING,
    Labels=MAP_OF_STRING,
    Command=SLICE_OF_STRING,
    Args=SLICE_OF_STRING,
    Hostname=STRING,
    Env=SLICE_OF_STRING,
    Dir=STRING,
    User=STRING,
    Groups=SLICE_OF_STRING,
    Init=pointer_to(BOOL),
    StopSignal=STRING,
    TTY=BOOL,
    OpenStdin=BOOL,
    ReadOnly=BOOL,
    Mounts=slice_of(_SPEC_MOUNT),
    Hosts=SLICE_OF_STRING,
    Isolation=STRING,
)
_PLACEMENT = _struct("swarm.Placement", Constraints=SLICE_OF_STRING, Preferences=ANY, MaxReplicas=UINT64, Platforms=ANY)
_TASK_TEMPLATE = _struct(
    "swarm.TaskSpec",
    ContainerSpec=pointer_to(_CONTAINER_SPEC),
    Resources=ANY,
    RestartPolicy=ANY,
    Placement=pointer_to(_PLACEMENT),
    Networks=slice_of(_NETWORK_ATTACHMENT),
    LogDriver=ANY,
    ForceUpdate=UINT64,
    Runtime=STRING,
)
_REPLICATED = _struct("swarm.ReplicatedService", Replicas=pointer_to(UINT64))
_MODE = _struct(
    "swarm.ServiceMode", Replicated=pointer_to(_REPLICATED), Global=pointer_to(_struct("swarm.GlobalService"))
)
_PORT_CONFIG = _struct(
    "swarm.PortConfig", Name=STRING, Protocol=STRING, TargetPort=INT, PublishedPort=INT, PublishMode=STRING
)
_ENDPOINT_SPEC = _struct("swarm.EndpointSpec", Mode=STRING, Ports=slice_of(_PORT_CONFIG))
_SERVICE_SPEC = _struct(
    "swarm.ServiceSpec",
    Annotations=(_struct("swarm.Annotations", Name=STRING, Labels=MAP_OF_STRING), ""),
    TaskTemplate=_TASK_TEMPLATE,
    Mode=_MODE,
    UpdateConfig=ANY,
    RollbackConfig=ANY,
    Networks=slice_of(_NETWORK_ATTACHMENT),
    EndpointSpec=pointer_to(_ENDPOINT_SPEC),
)
_VIRTUAL_IP = _struct("swarm.EndpointVirtualIP", NetworkID=STRING, Addr=STRING)
_SERVICE_ENDPOINT = _struct(
    "swarm.Endpoint", Spec=_ENDPOINT_SPEC, Ports=slice_of(_PORT_CONFIG), VirtualIPs=slice_of(_VIRTUAL_IP)
)
_UPDATE_STATUS = _struct("swarm.UpdateStatus", State=STRING, StartedAt=STRING, CompletedAt=STRING, Message=STRING)
_SERVICE_STATUS = _struct("swarm.ServiceStatus", RunningTasks=UINT64, DesiredTasks=UINT64, CompletedTasks=UINT64)
_JOB_STATUS = _struct("swarm.JobStatus", JobIteration=_VERSION, LastExecution=STRING)
SERVICE = _struct(
    "swarm.Service",
    ID=STRING,
    Meta=(_struct("swarm.Meta", Version=_VERSION, CreatedAt=STRING, UpdatedAt=STRING), ""),
    Spec=_SERVICE_SPEC,
    PreviousSpec=pointer_to(_SERVICE_SPEC),
    Endpoint=_SERVICE_ENDPOINT,
    UpdateStatus=pointer_to(_UPDATE_STATUS),
    ServiceStatus=pointer_to(_SERVICE_STATUS),
    JobStatus=pointer_to(_JOB_STATUS),
)

_CONTAINER_POINTER, _SERVICE_POINTER = pointer_to(CONTAINER), pointer_to(SERVICE)


def container_record(item: Mapping[str, Any]) -> Value:
    """An item of `GET /containers/json` as a `*container.Summary`."""
    return Value(_CONTAINER_POINTER, item)


def service_record(item: Mapping[str, Any]) -> Value:
    """An item of `GET /services` as a `*swarm.Service`."""
    return Value(_SERVICE_POINTER, item)
