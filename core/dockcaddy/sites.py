"""What becomes of a site once all its resources have made it: the site transformers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.hookspecs import SiteTransformer
from dockcaddy.model import Problem, Proxy

# a name that Caddy asks the resolver for -> the addresses behind it
Names = Mapping[str, tuple[str, ...]]


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

    def tell(self, name: str, addresses: Iterable[str]) -> None:
        """Have the resolver answer so."""
        self.names[name] = tuple(addresses)


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
