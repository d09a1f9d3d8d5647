"""Every site compresses its responses, unless its labels say something about that."""

from collections.abc import Iterable

import dockcaddy
from attrs import evolve
from dockcaddy import Block, SiteContext, SiteTransformer


@dockcaddy.hook
def dockcaddy_site_transformers() -> Iterable[SiteTransformer]:
    return [SiteTransformer("compression", compress)]


def compress(context: SiteContext, site: Block) -> Block:
    """The site with `encode`; global options and snippets, whose names are in parentheses, stay as they are."""
    is_site = bool(site.keys) and not site.keys[0].startswith(("(", "&("))
    if not is_site or any(child.keys[:1] == ("encode",) for child in site.children):
        return site
    return evolve(site, children=(Block(("encode", "zstd", "gzip")), *site.children))
