"""Addresses, networks and ports of a resource."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import dockcaddy
from attrs import field, frozen
from dockcaddy import (
    AdmissionRule,
    Block,
    Context,
    Label,
    LabelTransformer,
    ServiceType,
    SettingsSection,
    SiteContext,
    SiteTransformer,
    TemplateFunction,
    bracketed,
)

from dockcaddy_upstreams.address_files import NAME, address_files
from dockcaddy_upstreams.dynamic import LINGER, MARK, with_names
from dockcaddy_upstreams.glued import warn_of_glued
from dockcaddy_upstreams.ports import exposed_tcp, with_ports
from dockcaddy_upstreams.published import published


@frozen
class UpstreamsSettings:
    """The section `[upstreams]`."""

    dynamic: bool = field(
        default=False,
        metadata={"help": "Caddy reads the addresses of upstreams from files: containers come and go without a reload"},
    )
    detect_ports: bool = field(
        default=True,
        metadata={
            "help": "upstreams without a port get the exposed one, if there is exactly one; false: Caddy's port 80"
        },
    )


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[upstreams]`."""
    return SettingsSection("upstreams", UpstreamsSettings)


@dockcaddy.hook
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:
    """Warnings about text next to upstreams."""
    return [AdmissionRule("glued-upstreams", warn_of_glued)]


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """Ports for upstreams without one, if the settings want them."""
    return [LabelTransformer("upstream-ports", detect_ports)]


def detect_ports(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
    """The labels with ports in upstreams that have none, if the settings want them."""
    return with_ports(context, labels) if context.settings(UpstreamsSettings).detect_ports else labels


@dockcaddy.hook
def dockcaddy_services() -> Iterable[ServiceType]:
    """The service that writes the files."""
    return [ServiceType(NAME, address_files)]


@dockcaddy.hook
def dockcaddy_site_transformers() -> Iterable[SiteTransformer]:
    """Files instead of addresses, if the settings want them."""
    return [SiteTransformer("dynamic-upstreams", dynamic_upstreams)]


def dynamic_upstreams(context: SiteContext, site: Block) -> Block:
    """The site with proxies that read their upstreams from files, if the settings want them."""
    return with_names(context, site) if context.settings(UpstreamsSettings).dynamic else site


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {
        "upstreams": upstreams,
        "http": http,
        "https": https,
        "h2c": h2c,
        "primaryIP": primary_ip,
        "networkIP": network_ip,
        "networks": networks,
        "portMapping": port_mapping,
        "exposedPorts": exposed_ports,
    }


def upstreams(context: Context, *options: Annotated[object, "[http|https|h2c] [PORT...]"]) -> str:
    """Every address of the resource, `scheme://address:port`, sorted, joined by spaces.

    A text is the scheme, a number (also in quotes) the port, in any order. Empty while it gets no traffic.
    """
    if context.resource.published_at:
        return published(context, options, LINGER if context.settings(UpstreamsSettings).dynamic else 0.0)
    targets = sorted(bracketed(target) for target in context.resource.targets) if context.admitted else []
    if context.resource.running and not targets and context.admitted:
        why = context.resource.unreachable or "connect it to one of Caddy's networks"
        context.warn(f"it has no address that caddy reaches: {why}")
    if context.settings(UpstreamsSettings).dynamic:
        context.linger(LINGER)
        targets = [MARK, *targets]
    for option in options:
        if isinstance(option, str) and not option.isdecimal():
            targets = [f"{option}://{target}" for target in targets] if option else targets
        elif isinstance(option, int | str) and not isinstance(option, bool):
            targets = [f"{target}:{option}" for target in targets]
            _warn_of_port(context, int(option))
    return " ".join(sorted(targets))


def _warn_of_port(context: Context, port: int) -> None:
    """Warn of a port that is not exposed, if any is. A container has the exposed ports of its image."""
    exposed = exposed_tcp(context.resource)
    # an app on another's network often listens at a port that its image does not expose, as its own is taken there
    has_own_ports = context.resource.kind == "container" and not context.resource.shares_network
    if has_own_ports and exposed and port not in exposed:
        listed = ", ".join(map(str, exposed))
        context.warn(
            f"upstreams: port {port} is not exposed, {listed} is: write {{{{upstreams {exposed[0]}}}}}, "
            f"or add EXPOSE {port} (expose: in Compose) where it listens there"
        )


def http(context: Context) -> str:
    """The word http, so that `{{upstreams http 8080}}` reads well."""
    return "http"


def https(context: Context) -> str:
    """The word https, so that `{{upstreams https 8443}}` reads well."""
    return "https"


def h2c(context: Context) -> str:
    """The word h2c (HTTP/2 without TLS), so that `{{upstreams h2c 8080}}` reads well."""
    return "h2c"


def primary_ip(context: Context) -> str:
    """One address: the first ingress network's, else the first network's, by name."""
    resource = context.resource
    if resource.targets and resource.targets[0].replace(".", "").replace(":", "").isalnum():
        return resource.targets[0]
    return next((each.ipv4 or each.ipv6 for each in resource.attachments if each.ipv4 or each.ipv6), "")


def network_ip(context: Context, network: str) -> str:
    """The resource's address on that network."""
    for attachment in context.resource.attachments:
        if attachment.network == network or attachment.network.endswith(f"_{network}"):
            return attachment.ipv4 or attachment.ipv6
    there = ", ".join(networks(context)) or "none"
    context.warn(f'networkIP: it is not on a network "{network}", it is on {there}: name one of these')
    return ""


def networks(context: Context) -> list[str]:
    """The names of the resource's networks, sorted."""
    return sorted(attachment.network for attachment in context.resource.attachments)


def port_mapping(context: Context, port: object) -> str:
    """The host port that is published for a container port (`8080`, `"53/udp"`)."""
    number, _, protocol = str(port).partition("/")
    for candidate in context.resource.ports:
        if (
            str(candidate.container_port) == number
            and candidate.protocol == (protocol or "tcp")
            and candidate.host_port
        ):
            return str(candidate.host_port)
    return ""


def exposed_ports(context: Context) -> list[int]:
    """The published host ports, sorted."""
    return sorted({port.host_port for port in context.resource.ports if port.host_port})
