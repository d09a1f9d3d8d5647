"""The page of a site whose containers have stopped. Pure."""

from collections.abc import Iterator, Mapping

from attrs import evolve

from dockcaddy.caddyfile import Block, Origin, is_site
from dockcaddy.engine.records.stopped import LABEL
from dockcaddy.fragment import Fragment
from dockcaddy.model import Resource

# they have no part in the response: certificates, where the site listens, its log
_KEPT = frozenset(("tls", "bind", "log"))
_TEXT = "This service is not running. Try again later."
_HTML = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    "<title>Service unavailable</title></head>"
    f"<body><h1>Service unavailable</h1><p>{_TEXT}</p></body></html>"
)


def with_page(fragment: Fragment, resource: Resource, retry_after: int) -> Fragment:
    """The fragment with a page in each site, in the place of everything that would respond; snippets and options stay.

    `retry_after` is in seconds.
    """
    origin = Origin(str(resource), LABEL if LABEL in resource.labels else "")
    page = _page(retry_after, (origin,))
    blocks = tuple(
        evolve(block, children=(*_kept(block, resource.labels), page)) if is_site(block) else block
        for block in fragment.blocks
    )
    return evolve(fragment, blocks=blocks, is_page=True, grace_period=0.0, conditional=frozenset(), bare=frozenset())


def is_page(site: Block) -> bool:
    """Whether a site has such a page."""
    return any(child.children[-1:] and child.children[-1].keys == ("respond", _TEXT, "503") for child in site.children)


def _kept(site: Block, labels: Mapping[str, str]) -> Iterator[Block]:
    for child in site.children:
        name = child.keys[0] if child.keys else ""
        # a snippet may have the certificate; one that gets upstreams cannot do without them
        is_fixed_import = name == "import" and not any("{{" in labels.get(each.label, "") for each in child.origins)
        if name in _KEPT or is_fixed_import:
            yield child


def _page(retry_after: int, origins: tuple[Origin, ...]) -> Block:
    def line(*keys: str, within: tuple[Block, ...] = ()) -> Block:
        return Block(keys, within, origins=origins)

    # `handle` comes before whatever an imported snippet responds with
    return line(
        "handle",
        within=(
            line("@html", "header", "Accept", "*text/html*"),
            line("header", "Retry-After", str(retry_after)),
            line("header", "Cache-Control", "no-store"),
            line("header", "@html", "Content-Type", "text/html; charset=utf-8"),
            line("respond", "@html", _HTML, "503"),
            line("respond", _TEXT, "503"),
        ),
    )
