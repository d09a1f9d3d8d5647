"""What becomes of a site once all its resources have made it: the site transformers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.hookspecs import SiteTransformer
from dockcaddy.model import Problem, Proxy

# a name of ours for the upstreams of one proxy -> the address at each of its places, "" where there is none
Names = Mapping[str, tuple[str, ...]]
ADDRESS_SUFFIX = ".address"


def address_file(name: str, place: int) -> str:
    """The name of the file that holds the address at this place."""
    return f"{name}.{place}{ADDRESS_SUFFIX}"


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
        """Have the addresses kept in files; gives their paths, none where they have to stand in the configuration."""
        self.names[name] = kept = tuple(addresses)
        folder = self.proxy.address_folder
        return tuple(f"{folder}/{address_file(name, place)}" for place in range(len(kept))) if folder else ()


@frozen
class SiteFinisher:
    """Puts every site through the transformers, in their order."""

    transformers: Sequence[SiteTransformer] = ()
    sections: Mapping[type, Any] = field(factory=dict)
    proxy: Proxy = field(factory=Proxy)

    def finish(self, block: Block) -> Site:
        """The finished site; without a transformer that fails, which is told."""
        context = _Context(self.sections, self.proxy)
        problems: list[Problem] = []
        for transformer in self.transformers:
            try:
                block = transformer.apply(context, block)
            except Exception as error:
                reason = f"site transformer {transformer.name} failed: {type(error).__name__}: {error}"
                problems.append(Problem(f"site {' '.join(block.keys)}", "", reason))
        return Site(block, context.names, tuple(problems))
