"""What becomes of a site once all its resources have made it: the site transformers. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.errors import PluginFault, one_line
from dockcaddy.hookspecs import SiteTransformer
from dockcaddy.model import Problem, Proxy
from dockcaddy.plugins.calls import finished
from dockcaddy.plugins.guard import Contribution
from dockcaddy.settings import limits

# a name of ours for the upstreams of one proxy -> the address at each of its places, "" where there is none
Names = Mapping[str, tuple[str, ...]]
ADDRESS_SUFFIX = ".address"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_ADDRESS = re.compile(r"[^\s{}\"`\\]{0,300}")


def _is_address(given: object) -> bool:
    return isinstance(given, str) and _ADDRESS.fullmatch(given) is not None


def address_file(name: str, place: int) -> str:
    """The name of the file that holds the address at this place."""
    return f"{name}.{place}{ADDRESS_SUFFIX}"


def contents(names: Names) -> dict[str, str]:
    """The files that hold these addresses: name -> address."""
    return {
        address_file(name, place): address
        for name, addresses in names.items()
        for place, address in enumerate(addresses)
    }


@frozen
class Site:
    """A finished top-level block, the names in it, and what was wrong with its making."""

    block: Block
    names: Names = field(factory=dict)
    problems: tuple[Problem, ...] = ()


@define
class _Context:
    """What a transformer sees (`dockcaddy.SiteContext`)."""

    sections: Mapping[type, Any]
    proxy: Proxy
    names: dict[str, tuple[str, ...]] = field(factory=dict)

    def settings(self, section: type[Any]) -> Any:
        """The frozen settings instance of a declared section class; its defaults where nothing was set."""
        return self.sections[section] if section in self.sections else section()

    def tell(self, name: str, addresses: Iterable[str]) -> tuple[str, ...]:
        """Have the addresses kept in files; gives their paths, none where they have to stand in the configuration.

        Raises ValueError for what cannot be kept in a file of this name.
        """
        kept = (
            (addresses,) if isinstance(addresses, str) else tuple(islice(addresses, limits.MAX_ADDRESSES_OF_A_NAME + 1))
        )
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"tell: {name!r} is not a name, expected letters, digits, dots and dashes")
        if isinstance(addresses, str) or len(kept) > limits.MAX_ADDRESSES_OF_A_NAME or not all(map(_is_address, kept)):
            raise ValueError(f"tell: expected at most {limits.MAX_ADDRESSES_OF_A_NAME} addresses, HOST:PORT each")
        self.names[name] = kept
        folder = self.proxy.address_folder
        return tuple(f"{folder}/{address_file(name, place)}" for place in range(len(kept))) if folder else ()


@frozen
class SiteFinisher:
    """Puts every site through the transformers, in their order."""

    transformers: Sequence[Contribution[SiteTransformer]] = ()
    sections: Mapping[type, Any] = field(factory=dict)
    proxy: Proxy = field(factory=Proxy)

    def finish(self, block: Block) -> Site:
        """The finished site; without a transformer that fails, which is told."""
        context = _Context(self.sections, self.proxy)
        about = f"site {one_line(' '.join(block.keys))}"
        problems: list[Problem] = []
        for transformer in self.transformers:
            try:
                block = finished(transformer, context, block, about)
            except PluginFault as fault:
                problems.append(Problem(about, "", one_line(str(fault))))
        return Site(block, context.names, tuple(problems))
