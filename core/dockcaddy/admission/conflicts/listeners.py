"""Plain HTTP or TLS: Caddy speaks one of them at a listener, and with one site that wants TLS it does so for all. Pure.

See https://caddyserver.com/docs/automatic-https#activation.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from attrs import define, field, frozen

from dockcaddy.admission.conflicts.conflict import Conflict, Group, Member, conflict_between, label_of
from dockcaddy.caddyfile import DEFAULT_PORTS, Block, SiteAddress

# Caddy compares a name with what it becomes in ASCII, or in its environment, and takes it for another one
_BECOMES_ANOTHER = re.compile(r"[^\x00-\x7f]|\{(?!\$)")
# a socket's site has a port in its address, and the socket has none
_SOCKET = re.compile(r"(?:unix|fd)[^/]*/", re.IGNORECASE)


@frozen
class Options:
    """What the global options say about listeners.

    With `automatic_tls` off Caddy turns TLS on only where a site asks for it; with `redirects` off it sends nobody from
    HTTP to HTTPS.
    """

    http_port: str = DEFAULT_PORTS["http"]
    https_port: str = DEFAULT_PORTS["https"]
    binds: tuple[str, ...] = ("",)
    automatic_tls: bool = True
    redirects: bool = True

    @classmethod
    def of(cls, lines: Iterable[Block]) -> "Options":
        """Those of the lines of the global options."""
        said = {line.keys[0]: line.keys[1:] for line in lines if len(line.keys) > 1}
        automatic = frozenset(said.get("auto_https", ()))
        return cls(
            "".join(said.get("http_port", (cls().http_port,))),
            "".join(said.get("https_port", (cls().https_port,))),
            said.get("default_bind", ("",)),
            "off" not in automatic,
            automatic.isdisjoint(("off", "disable_redirects")),
        )

    def default_of(self, port: str) -> str:
        """The port that an address has anyway where it names this one: 80 for the port of HTTP, 443 for that of HTTPS."""
        return {self.http_port: DEFAULT_PORTS["http"], self.https_port: DEFAULT_PORTS["https"]}.get(port, port)


@frozen
class Voice:
    """What one address of a resource has Caddy speak at a listener; `remedy` is how to have it speak the other."""

    member: Member = field(eq=False)
    listener: str
    port: str
    address: str
    is_tls: bool
    label: str
    remedy: str


@define
class Listeners:
    """Keeps what sites have Caddy speak where, and where they do not agree."""

    options: Options = field(factory=Options)
    _by_group: dict[Group, tuple[Voice, ...]] = field(factory=dict)
    _by_listener: dict[str, dict[Group, list[Voice]]] = field(factory=lambda: defaultdict(dict))
    _speeches: Counter[tuple[str, bool]] = field(factory=Counter)
    _clashes: dict[str, tuple[Conflict, ...]] = field(factory=dict)
    _touched: set[str] = field(factory=set)

    def put(self, group: Group, members: Sequence[Member]) -> None:
        """Know a site by its members, the oldest first and written out; none where it is gone."""
        for voice in self._by_group.pop(group, ()):
            self._by_listener[voice.listener].pop(group, None)
            self._count(voice, -1)
        found = tuple(voices(members, self.options))
        for voice in found:
            self._by_listener[voice.listener].setdefault(group, []).append(voice)
            self._count(voice, 1)
        if found:
            self._by_group[group] = found

    def _count(self, voice: Voice, change: int) -> None:
        self._speeches[voice.listener, voice.is_tls] += change
        self._touched.add(voice.listener)

    @property
    def conflicts(self) -> Iterator[Conflict]:
        """Where newer ones at a listener would have Caddy speak something else than it does for the oldest."""
        for listener in self._touched:
            is_agreed = not all(self._speeches[listener, is_tls] for is_tls in (True, False))
            there = chain.from_iterable(self._by_listener[listener].values())
            self._clashes[listener] = () if is_agreed else tuple(switched(tuple(there)))
            if not self._by_listener[listener]:
                del self._by_listener[listener], self._clashes[listener]
                del self._speeches[listener, True], self._speeches[listener, False]
        self._touched.clear()
        return chain.from_iterable(self._clashes.values())


def voices(members: Sequence[Member], options: Options) -> Iterator[Voice]:
    """Of a site with these members, the oldest first and written out, what is not as usual at the ports for HTTP and TLS."""
    lines = [line for member in members for block in member.blocks for line in block.children]
    binds = [word for line in lines if line.keys[:1] == ("bind",) for word in line.keys[1:]] or options.binds
    switch: Block | None = None
    for member in members:
        own = (line for block in member.blocks for line in block.children if line.keys[:1] == ("tls",))
        switch = switch or next(own, None)
        for block in member.blocks:
            addresses = [_Address.of(key, options) for key in block.keys if key.strip(",")]
            for voice in (each.voice(member, block, bind, switch) for each in addresses for bind in binds):
                if voice is not None:
                    yield voice


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

    def voice(self, member: Member, block: Block, bind: str, switch: Block | None) -> Voice | None:
        """What it has Caddy speak at one listener, None where that is what everybody there has it speak."""
        is_socket = _SOCKET.match(bind) is not None
        is_tls, remedy = self._speech(switch)
        # at the port for HTTP it never speaks TLS
        usual = (self.options.http_port, self.options.https_port if is_tls else "")
        if not is_socket and self.listens_at in usual:
            return None
        listener = bind if is_socket else f"{bind.removeprefix('tcp/')}:{self.listens_at}"
        by_switch = is_tls and switch is not None and not self.host and self.scheme != "https"
        label = label_of(switch) if by_switch and switch is not None else label_of(block)
        return Voice(member, listener.lower(), self.listens_at, self.text, is_tls, label, remedy)

    def _speech(self, switch: Block | None) -> tuple[bool, str]:
        """Whether it is TLS, and what to write for the other."""
        port = f":{self.port}" if self.port else ""
        if self.scheme == "http" or self.port == self.options.http_port:
            if _BECOMES_ANOTHER.search(self.host) and self.options.automatic_tls:
                return True, f"write http://{_in_ascii(self.host)}{port}"
            return False, f"write https://{self.host}{port}"
        if self.scheme == "https" or self.host or self.port == self.options.https_port:
            return True, f"write http://{self.host}{port}"
        return switch is not None, f"write https://{port}" if switch is None else "leave tls out"


def _in_ascii(host: str) -> str:
    if "{" in host:
        return "NAME, with the name itself,"
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return "NAME, in ASCII,"


def switched(listener: Sequence[Voice]) -> Iterator[Conflict]:
    """Where newer ones at a listener would have Caddy speak something else than it does for the oldest."""
    ordered = sorted(listener, key=lambda voice: voice.member.age)
    oldest = [each for each in ordered if each.member.fragment is ordered[0].member.fragment]
    holder = next((each for each in oldest if each.is_tls), oldest[0])
    told = {holder.member.fragment.key}
    for voice in ordered:
        fragment = voice.member.fragment
        if voice.is_tls == holder.is_tls or fragment.key in told:
            continue
        told.add(fragment.key)
        at = f"port {voice.port}" if ":" in voice.listener else voice.listener
        speech = (
            f"with {voice.address} caddy would speak TLS at {at}, where it speaks plain HTTP for"
            if voice.is_tls
            else f"{voice.address} would not be plain HTTP, at {at} caddy speaks TLS for"
        )
        remedy = f"{voice.remedy}, or take another port"
        yield conflict_between(fragment, speech, holder.member.fragment, label=voice.label, remedy=remedy)
