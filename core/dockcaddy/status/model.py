"""The status as frozen data. Times are seconds since the epoch."""

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

from attrs import field, frozen

from dockcaddy.caddyfile import Origin
from dockcaddy.model import Kind, Problem

State = Literal["True", "False", "Unknown"]
ConditionType = Literal["Accepted", "Programmed", "Ready"]
Result = Literal["accepted", "refused", "failed"]
EventKind = Literal[
    "SiteUp",
    "SiteDown",
    "SiteGone",
    "SiteRefused",
    "SiteRecovered",
    "LastKnownGood",
    "EngineLost",
    "EngineBack",
    "CaddyLost",
    "CaddyBack",
    "CaddyCrashed",
    "CertificateFailed",
    "CertificateNearEnd",
]


# why a container has no site that nobody meant to have one
UNMEANT = frozenset(("NoLabels", "Stopped", "ExcludedByConstraint", "OneOff", "OtherPrefix"))


@frozen
class Condition:
    """One condition, as in the Gateway API: `reason` is a word for programs, `message` says why and what to do.

    `Accepted`: the labels were read and admitted. `Programmed`: the running Caddy has them. `Ready`: a request now reaches
    a healthy upstream. `since` is when `state` or `reason` changed.
    """

    type: ConditionType
    state: State
    reason: str
    message: str = ""
    since: float = field(default=0.0, eq=False)

    @property
    def is_true(self) -> bool:
        """Whether it is met."""
        return self.state == "True"


@frozen
class Conditions:
    """The three conditions of a resource or site."""

    accepted: Condition
    programmed: Condition
    ready: Condition

    def __iter__(self) -> Iterator[Condition]:
        """In the order in which they are met."""
        return iter((self.accepted, self.programmed, self.ready))

    @property
    def worst(self) -> Condition:
        """The one that people want to know of: the first that is not met, else `Ready`."""
        return next((each for each in (self.accepted, self.programmed) if not each.is_true), self.ready)


@frozen
class ResourceStatus:
    """A container or service of any kind. `key` identifies it (`local/4f1c...`), `sites` are the names of its sites."""

    key: str
    kind: Kind
    name: str
    engine: str
    conditions: Conditions
    sites: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    image: str = ""
    container_state: str = ""
    health: str = ""

    @property
    def is_meant(self) -> bool:
        """Whether somebody meant it to have a site."""
        return self.conditions.accepted.reason not in UNMEANT

    def __str__(self) -> str:
        """The name in messages: `container web-1`."""
        return f"{self.kind} {self.name}"


@frozen
class UpstreamStatus:
    """Where requests of a site go. `container` is the one that has the address, `""` where that is unknown."""

    address: str
    container: str = ""
    healthy: State = "Unknown"
    reason: str = ""


@frozen
class SiteStatus:
    """A site: `name` is its first address, `resources` name what makes it. One that is not served has no upstreams."""

    name: str
    addresses: tuple[str, ...]
    urls: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions
    upstreams: tuple[UpstreamStatus, ...] = ()
    is_served: bool = True

    def __str__(self) -> str:
        """The name in messages: `site app.example.org`."""
        return f"site {self.name}"


@frozen
class PartStatus:
    """Whether an engine or Caddy answers. `message` says why not."""

    name: str
    is_up: bool
    message: str = ""
    since: float = field(default=0.0, eq=False)


@frozen
class Certificate:
    """A certificate in Caddy's storage."""

    names: tuple[str, ...]
    issuer: str
    not_before: float
    not_after: float

    def is_near_end(self, now: float, part: float) -> bool:
        """Whether less than this part of its time is left."""
        return self.not_after - now < part * (self.not_after - self.not_before)


@frozen
class Event:
    """Something that changed. `subject` is `site X`, `container X`, `engine X`, `caddy` or `certificate X`."""

    time: float
    kind: EventKind
    subject: str
    reason: str = ""
    message: str = ""
    sites: tuple[str, ...] = ()


@frozen
class Load:
    """One load of a configuration by a Caddy: how it ended, and how many seconds it took."""

    result: Result
    seconds: float


class Listing(Protocol):
    """The Caddyfile that Caddy accepted last."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def lines(self) -> tuple[tuple[Origin, ...], ...]:
        """The labels that made each of its lines."""


@frozen(eq=False)
class Status:
    """A snapshot of everything. `resources` are by key, `sites` by name. `revision` grows with each change.

    `listing` is what Caddy accepted last, `is_complete` says that a configuration was made of what an engine has.
    """

    revision: int = 0
    time: float = 0.0
    resources: Mapping[str, ResourceStatus] = field(factory=dict)
    sites: Mapping[str, SiteStatus] = field(factory=dict)
    problems: tuple[Problem, ...] = ()
    engines: tuple[PartStatus, ...] = ()
    caddy: PartStatus = PartStatus(
        "caddy", False, "caddy was given no configuration yet: the log says what that waits for"
    )
    certificates: tuple[Certificate, ...] = ()
    history: tuple[Event, ...] = ()
    listing: Listing | None = None
    is_complete: bool = False


@frozen(eq=False)
class Update:
    """What subscribers get: the new status, what happened, and the figures of the pass.

    `took` is how many seconds passed from the first event of a change until it was live; None where none went live.
    """

    status: Status
    events: tuple[Event, ...] = ()
    loads: tuple[Load, ...] = ()
    took: float | None = None
    is_pass: bool = False
