"""Several resources of one site: the response of an unhealthy replica gives way to the healthy ones. Pure.

This is not a site transformer of the health plugin, because conflicts between resources depend on it: a response that
gives way shadows no other route.
"""

from dockcaddy.caddyfile import FIXED_RESPONSES, PROXIES, Block, matcher


def without_superseded(site: Block) -> Block:
    """The site without the responses of unhealthy replicas, where healthy ones proxy it.

    `respond: "{{if not (isHealthy)}}503 Service Unavailable{{end}}"` is about the one resource that has it. Beside
    a replica that proxies the site, Caddy would send that response to every client, because it runs `respond` first.
    """
    proxying = {origin.resource for child in site.children if serves_all(child) for origin in child.origins}
    children = tuple(child for child in site.children if not _is_superseded(child, proxying))
    return site if len(children) == len(site.children) else site.with_children(children)


def serves_all(block: Block) -> bool:
    """Whether it proxies every request of its site."""
    return _is_for_all(block, PROXIES)


def gives_way(block: Block) -> bool:
    """Whether it is the response of an unhealthy replica, which gives way while healthy ones serve the site."""
    return block.conditional and _is_for_all(block, FIXED_RESPONSES)


def _is_superseded(child: Block, proxying: set[str]) -> bool:
    return gives_way(child) and bool(proxying - {origin.resource for origin in child.origins})


def _is_for_all(block: Block, names: frozenset[str]) -> bool:
    """Whether the directive is one of `names`, has arguments and is for all requests."""
    return len(block.keys) > 1 and block.keys[0] in names and matcher(block) in ("", "*")
