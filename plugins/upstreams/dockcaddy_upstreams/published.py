"""Published ports as upstreams, where Caddy does not reach the addresses of containers."""

from collections.abc import Iterable

from dockcaddy import Context, Resource, bracketed


def published(context: Context, options: Iterable[object], linger: float) -> str:
    """The address on the engine's host that a port is published at, `scheme://host:port`.

    Without a port among `options` it is the only published one. `linger` is the grace period of the site in seconds.
    """
    if linger:
        context.linger(linger)
    if not context.admitted:
        return ""
    texts = list(map(str, options))
    scheme = next((f"{each}://" for each in texts if each and not each.isdecimal()), "")
    ports, host = context.resource.published, context.resource.published_at
    given = list(dict.fromkeys(int(each) for each in texts if each.isdecimal()))
    if len(given) > 1:
        listed = ", ".join(map(str, given))
        context.warn(
            f"upstreams: it has several ports ({listed}), {given[0]} is used: write {{{{upstreams {given[0]}}}}}"
        )
    wanted = given[0] if given else next(iter(ports)) if len(ports) == 1 else 0
    if wanted in ports:
        return f"{scheme}{bracketed(host)}:{ports[wanted]}"
    context.warn(f"it has no address that caddy reaches: {_reason(context.resource, wanted)}")
    return ""


def _reason(resource: Resource, wanted: int) -> str:
    """Why a port, 0 for any, is not among those that Caddy reaches, and what to do."""
    engine, host = resource.engine, resource.published_at
    if resource.published and not wanted:
        ports = ", ".join(map(str, sorted(resource.published)))
        return f"several ports are published on engine {engine} ({ports}): write one of them, {{{{upstreams PORT}}}}"
    fitting = [
        each
        for each in resource.ports
        if each.host_port and each.protocol == "tcp" and each.container_port == (wanted or each.container_port)
    ]
    port = f"port {wanted} is" if wanted else "its port is"
    if any(each.is_elsewhere for each in fitting):
        return (
            f"{port} published with mode: host, so only on the nodes that its tasks run on, and engine {engine} is not one of "
            "these: publish it with mode: ingress"
        )
    elsewhere = sorted({each.host_ip for each in fitting})
    if elsewhere:
        return (
            f"{port} published on {', '.join(elsewhere)} only, caddy reaches engine {engine} at {host}: publish it on "
            f"that address, or set another one with --docker-reach ports=HOST"
        )
    return (
        f"{port if wanted else 'no port is'} {'not ' if wanted else ''}published on engine {engine}: publish it "
        f"(docker run --publish {wanted or 'PORT'}, ports: in Compose), or set how caddy reaches that engine with "
        "--docker-reach"
    )
