"""Why a resource has no address that Caddy can reach, and what to change."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from dockcaddy.engine.reach.ingress import NETWORK_LABEL, OPTION, IngressNetworks
from dockcaddy.engine.reach.neighbours import Rule
from dockcaddy.errors import one_line
from dockcaddy.model import Attachment, Problem, Resource
from dockcaddy.settings import limits
from dockcaddy.settings.table import nearest

PROJECT_LABEL = "com.docker.compose.project"


def reason(
    ingress: IngressNetworks, attachments: Sequence[Attachment], labels: Mapping[str, str], network_mode: str = ""
) -> str:
    """Why a running resource with these networks has no address. `network_mode` is the engine's `NetworkMode`."""
    # the networks "none" and "host" have no addresses
    attachments = [each for each in attachments if ingress.known.get(each.network) not in ("null", "host")]
    attached = [each.network for each in attachments if each.ipv4 or each.ipv6]
    chosen = labels.get(NETWORK_LABEL, "")
    rule = ingress.rule
    if network_mode == "host":
        return _of_the_host(ingress) if rule == Rule() else _of_another_host(rule)
    if rule.shared is not None and (attachments or network_mode not in ("none", "default", "")):
        return _of_another_engine(rule, attachments)
    if taken := sorted(each.network for each in attachments if each.network_id in rule.taken):
        return (
            f"it is on {_listed(taken)}, whose addresses another engine's network has too, so they may be another "
            f"container's: {_OTHER_REACH}"
        )
    if away := sorted(each.network for each in attachments if each.network_id in rule.away):
        where = "this machine has no address on it: its engine is rootless or in a virtual machine"
        return f"it is on {_listed(away)}, {where if rule.host else _NOT_HERE}: {_OTHER_REACH}"
    if not attached:
        return _of_none(ingress, [each.network for each in attachments], chosen, network_mode)
    if chosen:
        return _of_a_label(ingress, attached, chosen, labels.get(PROJECT_LABEL, ""))
    return _of_others(ingress, attached)


_NOT_HERE = "and caddy's container is not on its engine"
_OTHER_REACH = "publish a port, or set how caddy reaches that engine (--docker-reach)"


def _of_another_host(rule: Rule) -> str:
    if rule.host:
        return (
            "it uses the network of its engine's host, which is not that of this machine, as the engine is rootless or in a "
            "virtual machine: give it a network of its own, and publish its port"
        )
    return (
        "it uses the network of its host, and caddy is not on its engine: set the address of that host with "
        "--docker-reach ports=HOST"
    )


def _of_another_engine(rule: Rule, attachments: Sequence[Attachment]) -> str:
    attached = _listed(each.network for each in attachments) or "no network"
    if not rule.shared:
        # so ports would be used, if their host were known
        wanted = "caddy is not on its engine, and the address of that engine's host is unknown"
        return f"it is on {attached}, {wanted}: publish a port, and set the address with --docker-reach ports=HOST"
    return (
        f"it is on {attached}, and on no Swarm network that caddy's container is on: connect it to one of these, "
        f"or {_OTHER_REACH}"
    )


def advice(ingress: IngressNetworks, engine: str) -> tuple[Problem, ...]:
    """Warnings about networks that the option names and this engine does not have."""
    return tuple(Problem(f"engine {engine}", "", one_line(each), "warning") for each in _missing(ingress))


def away_from_caddy(ingress: IngressNetworks, resources: Iterable[Resource]) -> Iterable[Problem]:
    """Warnings of labels that choose a network on which Caddy's container is not: their addresses are used all the same."""
    if ingress.by_option or not ingress.names or ingress.rule != Rule():
        return
    for each in resources:
        chosen = each.labels.get(NETWORK_LABEL, "")
        if chosen and chosen not in ingress.names and each.targets and not each.shares_network:
            message = (
                f"caddy is not on {chosen}, it is on {_listed(ingress.names)}: connect caddy to it "
                "(docker network connect, or networks: in Compose), or name one of these"
            )
            yield Problem(str(each), NETWORK_LABEL, one_line(message), "warning")


def _missing(ingress: IngressNetworks) -> Iterable[str]:
    for name in ingress.names if ingress.by_option and ingress.known else ():
        if name not in ingress.known:
            yield (
                f"{OPTION}: no network is named {name}{_meant(name, ingress.known)}: "
                "correct the name, or leave the option out"
            )


def _of_the_host(ingress: IngressNetworks) -> str:
    if ingress.by_option:
        return (
            f"it uses the host's network, {_wanted(ingress)}, and the container that Caddy runs in is not found on this "
            f"engine: leave {OPTION} out where Caddy runs on this host, or connect it to a network of Caddy's"
        )
    drivers = [f"{each} ({ingress.known[each]})" if ingress.known.get(each) else each for each in ingress.names]
    return (
        f"it uses the host's network, Caddy is on {_listed(drivers) or 'no network'}, over which it does not reach the "
        "host: connect Caddy to a bridge network too (docker network create, docker network connect)"
    )


def _of_none(ingress: IngressNetworks, attached: Sequence[str], chosen: str, network_mode: str) -> str:
    if network_mode == "none":
        # Docker refuses to connect it to any
        return "it has network mode none: leave that out (network_mode: none, --network none)"
    attached = [each for each in attached if each != "none"]
    there = f"on {_listed(attached)}" if attached else "on any network"
    mode = f" (network mode {network_mode})" if network_mode not in ("", "default", *attached) else ""
    name = chosen or next(iter(ingress.names), "NAME")
    return (
        f"it has none {there}{mode}: connect it to a network that gives one (docker network connect {name} CONTAINER; "
        "rootless Podman: podman network create, and --network; or publish its port, and --docker-reach ports)"
    )


def _of_a_label(ingress: IngressNetworks, attached: Sequence[str], chosen: str, project: str) -> str:
    full = next(
        (each for each in (f"{project}_{chosen}", *attached) if each in attached and _is_short(chosen, each)), ""
    )
    what = f"it is on {_listed(attached)}, label {NETWORK_LABEL} names {chosen}"
    if full:
        return f"{what}, which Compose calls {full}: write {NETWORK_LABEL}: {full}"
    if chosen in ingress.known:
        return f"{what}: connect it to that network, or correct the label"
    near = get_close_matches(chosen, attached, n=1, cutoff=limits.MIN_SIMILARITY)
    if near:
        return f"{what}: did you mean {near[0]}"
    unknown = ", which no network of this engine is called" if ingress.known else ""
    return f"{what}{unknown}: name one that it is on, or leave the label out"


def _of_others(ingress: IngressNetworks, attached: Sequence[str]) -> str:
    what = f"it is on {_listed(attached)}"
    if ingress.on_host:
        drivers = sorted({ingress.known.get(each, "") for each in attached} - {""})
        kind = f" ({', '.join(drivers)})" if drivers else ""
        return f"{what}{kind}, which the host does not reach: connect it to a bridge network, publish its port, or run Caddy in a container on it"
    if not ingress.by_option:
        # every container is on Docker's own bridge network unless it names another
        shared = next((each for each in ingress.names if each != "bridge"), "")
        joined = f"{shared} CONTAINER" if shared else f"{attached[0]} CADDY"
        return (
            f"{what}, {_wanted(ingress)}: connect one of them to a network of the other's "
            f"(docker network connect {joined}, or networks: in Compose)"
        )
    missing = list(_missing(ingress))
    if len(missing) == len(ingress.names):
        return f"{what}, {'; '.join(missing)}"
    return f"{what}, {_wanted(ingress)}: connect it to one of these, or add {attached[0]} to {OPTION}"


def _wanted(ingress: IngressNetworks) -> str:
    if ingress.by_option:
        return f"{OPTION} allows {_listed(ingress.names)}"
    return f"Caddy is on {_listed(ingress.names)}" if ingress.names else "Caddy is on no network"


def _is_short(name: str, full: str) -> bool:
    return full.endswith(f"_{name}")


def _meant(name: str, drivers: Mapping[str, str]) -> str:
    # the engine's order changes with each answer
    names = sorted(each for each, driver in drivers.items() if driver not in ("null", "host"))
    full = next((each for each in names if _is_short(name, each)), "")
    return f', did you mean "{full}"' if full else nearest(name, names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
