"""Listeners: a port serves plain HTTP or TLS, and one site that needs TLS turns it on for all sites there. Pure.

Which protocol a resource needs is known from what Caddy makes of it alone.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import attrgetter

from dockcaddy.admission.conflicts.conflict import Conflict, conflict_between, label_of
from dockcaddy.caddyfile import Block, SiteAddress, all_blocks, is_site
from dockcaddy.caddyjson import Alone
from dockcaddy.fragment import Fragment

_PROTOCOLS = attrgetter("protocols")


def protocol_conflicts(alone: Mapping[Fragment, Alone]) -> Iterator[Conflict]:
    """A conflict for each newer resource that needs another protocol at a listener than the oldest one there."""
    every = set[tuple[str, bool]]().union(*set(map(_PROTOCOLS, alone.values())))
    mixed = {listener for listener, is_tls in every if (listener, not is_tls) in every}
    uses: dict[str, list[tuple[Fragment, bool]]] = defaultdict(list)
    for fragment, each in alone.items() if mixed else ():
        for listener, is_tls in each.protocols:
            if listener in mixed:
                uses[listener].append((fragment, is_tls))
    for listener, there in uses.items():
        yield from _conflicts_at(listener, sorted(there, key=lambda use: use[0].seniority))


def _conflicts_at(listener: str, uses: Sequence[tuple[Fragment, bool]]) -> Iterator[Conflict]:
    port = "" if "/" in listener else listener.rpartition(":")[2]
    oldest, has_tls = uses[0]
    with_tls = set[Hashable]()
    for fragment, is_tls in uses:
        sites = frozenset(_sites_for_every_host(fragment, port))
        if is_tls == has_tls or fragment is oldest:
            with_tls |= sites if is_tls else set()
        elif is_tls or with_tls.isdisjoint(sites):
            at = f"port {port}" if port else listener
            does = f"would turn on TLS at {at}, which serves plain HTTP"
            does = does if is_tls else f"needs plain HTTP at {at}, which serves TLS"
            block, key = _address_at(fragment, port, is_tls)
            label, remedy = _label_and_remedy(fragment, block, SiteAddress.parse(key), is_tls)
            remedy = f"{remedy}, or use another port"
            yield conflict_between(fragment, f"{key} {does} for", oldest, label=label, remedy=remedy)


def _sites_for_every_host(fragment: Fragment, port: str) -> Iterator[Hashable]:
    """The sites at a port that serve TLS as soon as one of the resources that share them says so."""
    for group in fragment.groups:
        addresses = group if isinstance(group, frozenset) else ()
        if any(isinstance(each, tuple) and not each[1] and port in ("", each[2]) for each in addresses):
            yield group


def _address_at(fragment: Fragment, port: str, is_tls: bool) -> tuple[Block, str]:
    """The address of a site at a port; at its usual one, and at a socket, it names none."""
    written = [(block, key.rstrip(",").strip()) for block in fragment.blocks if is_site(block) for key in block.keys]
    parsed = [(block, key, SiteAddress.parse(key)) for block, key in written if key]
    there = [each for each in parsed if each[2].port.lstrip("0") == port] or parsed
    like = [each for each in there if (each[2].scheme != "http") == is_tls] or there
    return like[0][:2] if like else (fragment.blocks[0], "it")


def _label_and_remedy(fragment: Fragment, block: Block, address: SiteAddress, is_tls: bool) -> tuple[str, str]:
    """The label that asks for the protocol, and what to write for the other one."""
    shown = address.host.strip() + (f":{address.port}" if address.port else "")
    if not is_tls:
        return label_of(block), f"write https://{shown}"
    if not address.host and address.scheme != "https":
        lines = (*block.children, *all_blocks(fragment.blocks))
        return label_of(next((each for each in lines if each.keys[:1] == ("tls",)), block)), "remove tls"
    if address.scheme == "http":
        # Caddy converts the name, or fills it in, and takes it for another one
        shown = "NAME, with the name itself," if "{" in shown else _in_ascii(shown)
    return label_of(block), f"write http://{shown}"


def _in_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return "NAME, in ASCII,"
