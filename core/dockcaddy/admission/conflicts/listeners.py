"""Listeners: a port serves plain HTTP or TLS, and one site that needs TLS turns it on for all sites there. Pure.

See https://caddyserver.com/docs/automatic-https#activation.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, conflict_between, label_of
from dockcaddy.admission.conflicts.definitions import Definitions
from dockcaddy.caddyfile import DEFAULT_PORTS, Block, SiteAddress, option_values

# Caddy takes such a name for another one once it is converted to ASCII, or filled in, and turns TLS on for it
_CONVERTED = re.compile(r"[^\x00-\x7f]|\{(?!\$)")
_LISTENING = frozenset(("bind", "tls"))
# a site on a socket has a port in its address, the socket has none
_SOCKET = re.compile(r"(?:unix|fd)[^/]*/", re.IGNORECASE)


@frozen
class Options:
    """The global options about listeners.

    Without `automatic_tls` Caddy enables TLS only where a site sets it. Without `redirects` it does not redirect from HTTP
    to HTTPS.
    """

    http_port: str = DEFAULT_PORTS["http"]
    https_port: str = DEFAULT_PORTS["https"]
    binds: tuple[str, ...] = ("",)
    automatic_tls: bool = True
    redirects: bool = True

    @classmethod
    def of(cls, lines: Iterable[Block]) -> "Options":
        """Those of the lines of the global options."""
        values = option_values(lines)
        automatic = frozenset(values.get("auto_https", ()))
        return cls(
            "".join(values.get("http_port", (cls().http_port,))),
            "".join(values.get("https_port", (cls().https_port,))),
            values.get("default_bind", ("",)),
            "off" not in automatic,
            automatic.isdisjoint(("off", "disable_redirects")),
        )

    def default_of(self, port: str) -> str:
        """The port that an address has anyway where it names this one: 80 for the port of HTTP, 443 for that of HTTPS."""
        return {self.http_port: DEFAULT_PORTS["http"], self.https_port: DEFAULT_PORTS["https"]}.get(port, port)


@frozen
class ListenerUse:
    """The protocol that one address of a resource needs at a listener; `remedy` is how to write it for the other protocol."""

    member: Member = field(eq=False)
    listener: str
    port: str
    address: str
    is_tls: bool
    label: str
    remedy: str


@define
class Listeners:
    """Keeps which sites use which listeners with which protocol, and the conflicts among them."""

    options: Options = field(factory=Options)
    _by_group: dict[Group, tuple[ListenerUse, ...]] = field(factory=dict)
    _by_listener: dict[str, dict[Group, list[ListenerUse]]] = field(factory=lambda: defaultdict(dict))
    _protocols: Counter[tuple[str, bool]] = field(factory=Counter)
    _conflicts: dict[str, tuple[Conflict, ...]] = field(factory=dict)
    _touched: set[str] = field(factory=set)

    def put(self, group: Group, members: Sequence[Member], definitions: Definitions) -> None:
        """Replace a site by its members, the oldest first; none where it is gone."""
        for use in self._by_group.pop(group, ()):
            self._by_listener[use.listener].pop(group, None)
            self._count(use, -1)
        found = tuple(uses(members, self.options, definitions))
        for use in found:
            self._by_listener[use.listener].setdefault(group, []).append(use)
            self._count(use, 1)
        if found:
            self._by_group[group] = found

    def _count(self, use: ListenerUse, change: int) -> None:
        self._protocols[use.listener, use.is_tls] += change
        self._touched.add(use.listener)

    @property
    def conflicts(self) -> Iterator[Conflict]:
        """A conflict for each newer resource that needs another protocol at a listener than the oldest."""
        for listener in self._touched:
            is_mixed = all(self._protocols[listener, is_tls] for is_tls in (True, False))
            there = chain.from_iterable(self._by_listener[listener].values())
            self._conflicts[listener] = tuple(protocol_conflicts(tuple(there))) if is_mixed else ()
            if not self._by_listener[listener]:
                del self._by_listener[listener], self._conflicts[listener]
                del self._protocols[listener, True], self._protocols[listener, False]
        self._touched.clear()
        return chain.from_iterable(self._conflicts.values())


def uses(members: Sequence[Member], options: Options, definitions: Definitions) -> Iterator[ListenerUse]:
    """How a site uses listeners, but for the usual ports. `members` begin with the oldest."""
    lines = {id(member): _lines(member, definitions) for member in members}
    every = (line for each in lines.values() for line in each)
    binds = [word for line in every if line.keys[:1] == ("bind",) for word in line.keys[1:]] or options.binds
    tls_line: Block | None = None
    for member in members:
        tls_line = tls_line or next((line for line in lines[id(member)] if line.keys[:1] == ("tls",)), None)
        for block in member.blocks:
            addresses = [_Address.of(key, options) for key in block.keys if key.strip(",")]
            for use in (each.use(member, block, bind, tls_line) for each in addresses for bind in binds):
                if use is not None:
                    yield use


def _lines(member: Member, definitions: Definitions) -> Sequence[Block]:
    lines = (line for block in member.blocks for line in block.children)
    return list(definitions.with_imported(lines, _LISTENING))


@frozen
class _Address:
    text: str
    scheme: str
    host: str
    port: str
    options: Options

    @classmethod
    def of(cls, key: str, options: Options) -> "_Address":
        parts = SiteAddress.parse(key)
        return cls(key.rstrip(",").strip(), parts.scheme, parts.host.strip(), parts.port, options)

    @property
    def listens_at(self) -> str:
        usual = self.options.http_port if self.scheme == "http" else self.options.https_port
        return (self.port.lstrip("0") or "0") if self.port else usual

    def use(self, member: Member, block: Block, bind: str, tls_line: Block | None) -> ListenerUse | None:
        """How the address uses one listener; None at a port whose protocol is fixed."""
        is_socket = _SOCKET.match(bind) is not None
        is_tls, remedy = self._protocol(tls_line)
        # Caddy never serves TLS at the port for HTTP
        usual = (self.options.http_port, self.options.https_port if is_tls else "")
        if not is_socket and self.listens_at in usual:
            return None
        listener = bind if is_socket else f"{bind.removeprefix('tcp/')}:{self.listens_at}"
        by_tls_line = is_tls and tls_line is not None and not self.host and self.scheme != "https"
        label = label_of(tls_line) if by_tls_line and tls_line is not None else label_of(block)
        return ListenerUse(member, listener.lower(), self.listens_at, self.text, is_tls, label, remedy)

    def _protocol(self, tls_line: Block | None) -> tuple[bool, str]:
        """Whether it needs TLS, and what to write for the other protocol."""
        port = f":{self.port}" if self.port else ""
        if self.scheme == "http" or self.port == self.options.http_port:
            if _CONVERTED.search(self.host) and self.options.automatic_tls:
                return True, f"write http://{_in_ascii(self.host)}{port}"
            return False, f"write https://{self.host}{port}"
        if self.scheme == "https" or self.host or self.port == self.options.https_port:
            return True, f"write http://{self.host}{port}"
        return tls_line is not None, f"write https://{port}" if tls_line is None else "remove tls"


def _in_ascii(host: str) -> str:
    if "{" in host:
        return "NAME, with the name itself,"
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return "NAME, in ASCII,"


def protocol_conflicts(listener: Sequence[ListenerUse]) -> Iterator[Conflict]:
    """A conflict for each newer resource that needs another protocol at one listener than the oldest."""
    ordered = sorted(listener, key=lambda use: use.member.age)
    oldest = [each for each in ordered if each.member.fragment is ordered[0].member.fragment]
    owner = next((each for each in oldest if each.is_tls), oldest[0])
    reported = {owner.member.fragment.key}
    for use in ordered:
        fragment = use.member.fragment
        if use.is_tls == owner.is_tls or fragment.key in reported:
            continue
        reported.add(fragment.key)
        at = f"port {use.port}" if ":" in use.listener else use.listener
        what = (
            f"{use.address} would turn on TLS at {at}, which serves plain HTTP for"
            if use.is_tls
            else f"{use.address} needs plain HTTP at {at}, which serves TLS for"
        )
        remedy = f"{use.remedy}, or use another port"
        yield conflict_between(fragment, what, owner.member.fragment, label=use.label, remedy=remedy)
