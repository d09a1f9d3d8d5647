"""What several resources say of one site, settled where there is one right answer. Pure."""

from attrs import evolve

from dockcaddy.caddyfile import FIXED_RESPONSES, PROXIES, Block, matcher


def without_superseded(site: Block) -> Block:
    """The site without the answers of resources that are out of order while others serve it.

    `respond: "{{if not (isHealthy)}}503 Service Unavailable{{end}}"` speaks for the one resource that carries it. Beside
    a replica that proxies the site, Caddy would give that answer to everybody, as it runs `respond` first.
    """
    proxying = {origin.resource for child in site.children if serves_all(child) for origin in child.origins}
    children = tuple(child for child in site.children if not _is_superseded(child, proxying))
    return site if len(children) == len(site.children) else evolve(site, children=children)


def serves_all(block: Block) -> bool:
    """Whether it proxies every request of its site."""
    return _is_for_all(block, PROXIES)


def gives_way(block: Block) -> bool:
    """Whether it is an answer of a resource that is out of order, and counts for nothing while others serve the site."""
    return block.conditional and _is_for_all(block, FIXED_RESPONSES)


def _is_superseded(child: Block, proxying: set[str]) -> bool:
    return gives_way(child) and bool(proxying - {origin.resource for origin in child.origins})


def _is_for_all(block: Block, names: frozenset[str]) -> bool:
    """Whether the directive is one of `names`, has something to say and no matcher."""
    return len(block.keys) > 1 and block.keys[0] in names and matcher(block) in ("", "*")
