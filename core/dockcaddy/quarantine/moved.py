"""The last good version of a service whose tasks are others now. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence

from attrs import evolve

from dockcaddy.caddyfile import UPSTREAM_DIRECTIVES, Block, split_host_port
from dockcaddy.fragment import Fragment
from dockcaddy.model import bracketed


def moved(before: Fragment, now: Fragment) -> Fragment | None:
    """What the service `now` was accepted with `before`, with the tasks that it has now as upstreams.

    None for other resources, where no task is left, or where the address of one that is gone would stay: it may belong to
    another container.
    """
    service = now.resource
    is_continued = not set(before.addresses).isdisjoint(now.addresses)
    if service is None or service.kind != "service" or not is_continued:
        return None
    blocks = tuple(_moved(each, before.addresses, service.targets, in_proxy=False) for each in before.blocks)
    resource = before.resource
    if resource is not None:
        # rules ask which addresses are its own
        resource = evolve(resource, targets=service.targets, attachments=service.attachments)
    made = evolve(before, blocks=blocks, addresses=now.addresses, resource=resource)
    gone = set(before.addresses).difference(now.addresses)
    stays = any(re.search(rf"(?<![\w.:]){re.escape(each)}(?![\w.])", made.content) for each in gone)
    return None if stays or made.content == now.content else made


def _moved(block: Block, old: Collection[str], new: Sequence[str], *, in_proxy: bool) -> Block:
    is_proxy = bool(block.keys) and block.keys[0] in UPSTREAM_DIRECTIVES
    names_upstreams = is_proxy or (in_proxy and block.keys[:1] == ("to",))
    keys = tuple(dict.fromkeys(_upstreams(block.keys, old, new))) if names_upstreams else block.keys
    children = tuple(_moved(each, old, new, in_proxy=is_proxy) for each in block.children)
    return Block(keys, children, block.order, block.origins, block.suffix, block.conditional)


def _upstreams(keys: Sequence[str], old: Collection[str], new: Sequence[str]) -> Iterator[str]:
    for key in keys:
        scheme, sign, rest = key.rpartition("://")
        host, port = split_host_port(rest)
        if host.strip("[]") in old:
            yield from (f"{scheme}{sign}{bracketed(each)}{f':{port}' if port else ''}" for each in new)
        else:
            yield key
