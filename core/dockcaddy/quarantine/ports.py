"""Ports that Caddy cannot listen on. The cause is the machine, not a label: sites that need one wait for it."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from attrs import define, evolve, field, frozen

from dockcaddy.backoff import pause_after
from dockcaddy.caddyfile import Block, ListenPorts, Origin, global_options, is_site
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import MOST_SENIOR, Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

# seconds between two looks whether a port is available; where that cannot be seen, Caddy is asked with backoff
LOOK_PAUSE = 1.0
ASK_PAUSE, LONGEST_ASK_PAUSE = 5.0, 60.0

# the message of Go's net package; the admin endpoint belongs to no site
_BIND = re.compile(
    r"(?<!administration endpoint: )listen (?P<transport>tcp|udp)[46]? (?P<host>\S*):(?P<port>\d+): bind: "
    r"(?P<why>address already in use|permission denied|operation not permitted)"
)


@frozen
class PortFault:
    """Caddy cannot listen at a port."""

    port: int
    transport: Literal["tcp", "udp"] = "tcp"
    is_taken: bool = True

    @classmethod
    def of(cls, words: str) -> "PortFault | None":
        """The fault that Caddy's message reports; None where it is about something else."""
        found = _BIND.search(words)
        if found is None:
            return None
        return cls(int(found["port"]), "udp" if found["transport"] == "udp" else "tcp", "in use" in found["why"])


class Machine(Protocol):
    """Where Caddy listens."""

    def can_listen(self, fault: PortFault) -> bool | None:
        """Whether the port is available now; None where that cannot be seen from here."""

    def cause(self, fault: PortFault) -> str:
        """Which process has the port, or that it is not allowed, as the end of a sentence about the port."""

    def remedies(self, fault: PortFault) -> Sequence[str]:
        """What can be done about it."""


class Elsewhere:
    """Where Caddy runs on another machine, or in another container."""

    def can_listen(self, fault: PortFault) -> bool | None:
        """Unknown."""
        return None

    def cause(self, fault: PortFault) -> str:
        """As Caddy says it."""
        return "taken where caddy runs" if fault.is_taken else "caddy is not permitted to listen there"

    def remedies(self, fault: PortFault) -> Sequence[str]:
        """Both in general terms."""
        return ("stop what has it",) if fault.is_taken else ("let caddy bind it (CAP_NET_BIND_SERVICE)",)


class PortUnavailable(Exception):
    """Caddy refused a configuration because a port is not available."""

    def __init__(self, fault: PortFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _without_redirects() -> Fragment:
    """Turns off the redirects to HTTPS while the HTTP port is not available; the sites with TLS stay."""
    line = Block(("auto_https", "disable_redirects"), origins=(Origin("dockcaddy"),))
    return Fragment("dockcaddy/redirects", "dockcaddy", MOST_SENIOR, (Block((), (line,), origins=line.origins),))


@define
class _Blocked:
    """A port that is not available; `is_tried` while Caddy is asked again. With `has_tls`, sites with TLS need it too."""

    fault: PortFault
    problem_cause: str
    retry_at: float
    refusals: int = 1
    is_tried: bool = False
    has_tls: bool = False


@define
class Ports:
    """Leaves out sites whose ports are not available, for as long as they are not. `clock` gives seconds."""

    clock: Callable[[], float]
    machine: Machine
    _blocked: dict[int, _Blocked] = field(factory=dict)
    _reduced: dict[Fragment, Fragment] = field(factory=dict)
    _options: Fragment = field(factory=_without_redirects)
    _waiting: frozenset[tuple[int, str]] = frozenset()

    @property
    def next_retry(self) -> float | None:
        """When to look again, in seconds of the clock."""
        return min((each.retry_at for each in self._blocked.values()), default=None)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Which ports are not available: one problem for each cause."""
        by_cause: dict[str, list[_Blocked]] = defaultdict(list)
        for port in sorted(self._blocked):
            by_cause[self._blocked[port].problem_cause].append(self._blocked[port])
        return tuple(self._problem(cause, each) for cause, each in by_cause.items())

    def _problem(self, cause: str, blocked: Sequence[_Blocked]) -> Problem:
        numbers = [str(each.fault.port) for each in blocked]
        name = f"port {numbers[0]}" if len(numbers) == 1 else f"ports {', '.join(numbers[:-1])} and {numbers[-1]}"
        ways = [way for each in blocked for way in self.machine.remedies(each.fault)]
        message = f"{cause}: {', or '.join(dict.fromkeys(ways))}; the sites that need it go live by themselves then"
        return Problem(name, "", message)

    def look(self) -> None:
        """Release ports that are available now, and have Caddy asked where that is unknown."""
        now = self.clock()
        for port, blocked in tuple(self._blocked.items()):
            if blocked.is_tried or now < blocked.retry_at:
                continue
            can_listen = self.machine.can_listen(blocked.fault)
            if can_listen:
                self._release(port)
            elif can_listen is None:
                blocked.is_tried = True
                self._reduced.clear()
            else:
                blocked.retry_at = now + LOOK_PAUSE

    def accepted(self) -> None:
        """Caddy accepted a configuration: the ports that it was asked for are available."""
        for port, blocked in tuple(self._blocked.items()):
            if blocked.is_tried:
                self._release(port)

    def watched(self, deliver: Callable[[Configuration], bool]) -> Callable[[Configuration], bool]:
        """The same function; it raises PortUnavailable where Caddy refuses a port."""

        def delivered(configuration: Configuration) -> bool:
            try:
                return deliver(configuration)
            except CaddyRefusal as refusal:
                fault = PortFault.of(str(refusal))
                if fault is None:
                    raise
                raise PortUnavailable(fault) from refusal

        return delivered

    def block(self, fault: PortFault, fragments: Iterable[Fragment]) -> bool:
        """Leave out what needs the port. Returns whether that changes anything; if not, it is a refusal like any other."""
        before = self._blocked.get(fault.port)
        refusals = 1 if before is None else before.refusals + 1
        can_see = self.machine.can_listen(fault) is False
        pause = LOOK_PAUSE if can_see else pause_after(refusals, ASK_PAUSE, LONGEST_ASK_PAUSE)
        blocked = _Blocked(fault, self.machine.cause(fault), self.clock() + pause, refusals)
        if before is not None and not before.is_tried:
            blocked.has_tls = True
            if before.has_tls:
                del self._blocked[fault.port]
                return False
        self._blocked[fault.port] = blocked
        self._reduced.clear()
        given = list(fragments)
        if list(self.without_blocked(given)) != given:
            return True
        # where no site needs the port it has been released already
        self._blocked.pop(fault.port, None)
        return False

    def without_blocked(self, fragments: Sequence[Fragment]) -> Sequence[Fragment]:
        """The fragments without the sites whose ports are not available; the same where nothing is blocked."""
        blocked = {port: each for port, each in self._blocked.items() if not each.is_tried}
        if not blocked:
            return fragments
        lines = [line for each in fragments for line in global_options(each.blocks)]
        ports = ListenPorts.of([Block((), tuple(lines))])
        known, self._reduced = self._reduced, {}
        for each in fragments:
            self._reduced[each] = known.get(each) or _reduced(each, ports, blocked)
        self._report_waiting(fragments, ports, blocked)
        kept = [self._reduced[each] for each in fragments if self._reduced[each].blocks or not each.blocks]
        redirects = ports.http in blocked and any(_may_redirect(block, ports) for each in kept for block in each.blocks)
        self._release_unneeded(blocked, ports.http if redirects else None)
        if redirects and not any(line.keys[0] == "auto_https" for line in lines):
            kept.insert(0, self._options)
        return kept

    def _release_unneeded(self, blocked: Iterable[int], redirecting: int | None) -> None:
        """Release the ports that no site waits for, except the one that redirects need."""
        needed = {port for port, _ in self._waiting} | {redirecting}
        for port in blocked:
            if port not in needed:
                self._release(port)

    def _report_waiting(
        self, fragments: Iterable[Fragment], ports: ListenPorts, blocked: "dict[int, _Blocked]"
    ) -> None:
        """Log which resources wait for which port, once."""
        waiting = frozenset(
            (port, each.owner)
            for each in fragments
            if self._reduced[each] is not each
            for block in each.blocks
            for port in _missing(block, ports, blocked)
        )
        for port in blocked:
            new = sorted(owner.removeprefix("container ") for at, owner in waiting - self._waiting if at == port)
            if new:
                more = f" and {len(new) - limits.MAX_EXAMPLES} more" if len(new) > limits.MAX_EXAMPLES else ""
                logger.info("waiting for port %d: %s%s", port, ", ".join(new[: limits.MAX_EXAMPLES]), more)
        self._waiting = waiting

    def _release(self, port: int) -> None:
        del self._blocked[port]
        self._reduced.clear()
        self._waiting = frozenset(each for each in self._waiting if each[0] != port)


def _reduced(fragment: Fragment, ports: ListenPorts, blocked: "dict[int, _Blocked]") -> Fragment:
    kept = tuple(block for block in fragment.blocks if not _missing(block, ports, blocked))
    return fragment if len(kept) == len(fragment.blocks) else evolve(fragment, blocks=kept)


def _may_redirect(block: Block, ports: ListenPorts) -> bool:
    """Whether Caddy may redirect from HTTP to a top-level block; an `import` may bring sites."""
    return block.keys[:1] == ("import",) or (is_site(block) and ports.is_tls(block))


def _missing(block: Block, ports: ListenPorts, blocked: "dict[int, _Blocked]") -> frozenset[int]:
    """The blocked ports that a site needs; for redirects alone it does not need the HTTP port."""
    if not is_site(block):
        return frozenset()
    needed = ports.needed_by(block)
    if ports.http in blocked and blocked[ports.http].has_tls and ports.is_tls(block):
        needed |= {ports.http}
    return needed & blocked.keys()
