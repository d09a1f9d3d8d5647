"""Text next to upstreams without a space between them: Caddy reads both as one address and responds with 502."""

import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address

from dockcaddy import UPSTREAM_DIRECTIVES, Block, Context, bracketed, is_matcher

from dockcaddy_upstreams.dynamic import MARK

# scheme, host, port
_UPSTREAM = re.compile(r"(?:[a-z0-9+.-]+://)?(\[[^\[\]/]*\]|[^\[\]:/]*)(?::(\d{1,5}|\{[^{}]*\}))?")
# a name, which is not a part of a longer one
_NAME = r"(?<![\w.-])%s(?![\w.-])"
_PORT = re.compile(r"(?::\d+)?")
_SCHEME = re.compile(r"[a-z0-9+.-]+://$")
MOST_PORTS = 65535


def warn_of_glued(context: Context, blocks: tuple[Block, ...]) -> None:
    """Warn about each upstream of the resource that has other text next to it."""
    # names, in Compose files and of services, stand for addresses
    addresses = [*map(bracketed, context.resource.targets), MARK]
    published = sorted(context.resource.published_addresses, key=len, reverse=True)
    for proxy in _proxies(blocks):
        for word in " ".join(proxy.keys[1:]).split():
            if found := _glued(word, addresses) or _beside_a_port(word, published):
                context.warn(_message(word, *found), proxy.origins[0].label if proxy.origins else "")


def _proxies(blocks: Iterable[Block], *, inside: bool = False) -> Iterator[Block]:
    """The lines whose arguments are upstreams: proxies, and `to` in them."""
    for block in blocks:
        name = block.keys[0] if block.keys else ""
        is_proxy = name in UPSTREAM_DIRECTIVES
        if is_proxy or (inside and name == "to"):
            yield block
        if block.children:
            yield from _proxies(block.children, inside=is_proxy)


def _glued(word: str, addresses: Collection[str]) -> tuple[str, str] | None:
    """The text before and after an address in a word; None if the word is a valid upstream or contains no address."""
    parts = _UPSTREAM.fullmatch(word)
    if parts and parts[1] in addresses and _is_port(parts[2]):
        return None
    address = next((each for each in addresses if _has(word, each)), None)
    if address is None:
        return None
    if parts and _is_address(parts[1]) and _is_port(parts[2]):
        return None
    before, _, rest = word.partition(address)
    port = _PORT.match(rest)
    assert port is not None
    after = rest[port.end() :] if _is_port(port[0][1:]) else rest
    return _SCHEME.sub("", before), after


def _beside_a_port(word: str, published: Iterable[str]) -> tuple[str, str] | None:
    """The text before and after the address of a published port; None if there is none."""
    address = next((each for each in published if each in word), None)
    if address is None:
        return None
    before, _, after = word.partition(address)
    before = _SCHEME.sub("", before)
    # a longer number is another port
    return (before, after) if (before or after) and not after[:1].isdecimal() else None


def _message(word: str, before: str, after: str) -> str:
    text, shown = ((before or after).replace(MARK, "{{upstreams}}"), word.replace(MARK, "{{upstreams}}"))
    if is_matcher(before):
        fix = "put a space between the matcher and {{upstreams}}"
    elif MARK in before or any(map(_is_address, after.split(":"))):
        fix = "put a space between the two addresses"
    elif after[:1] == "/":
        fix = f"to add a path to every request, use the label caddy.rewrite: {after}{{uri}}"
    elif after[:1].isdecimal() or after[:1] == ":":
        fix = "give {{upstreams}} the port as its argument, {{upstreams 8080}}"
    else:
        fix = "put a space around {{upstreams}}, or remove that text"
    return (
        f'upstreams: no space next to "{text}" in "{shown}", caddy reads it as one address and responds with 502: {fix}'
    )


def _has(word: str, address: str) -> bool:
    return address in word and (_is_address(address) or bool(re.search(_NAME % re.escape(address), word)))


def _is_port(text: str | None) -> bool:
    return not text or not text.isdecimal() or int(text) <= MOST_PORTS


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
