"""Site transformers, which edit the merged block of a site. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from dockcaddy.caddyfile import write_block
from dockcaddy.errors import PluginFault, one_line
from dockcaddy.fragment import Section
from dockcaddy.hookspecs import SiteTransformer
from dockcaddy.model import Problem, Proxy
from dockcaddy.plugins.calls import finished
from dockcaddy.plugins.guard import Contribution
from dockcaddy.settings import limits

_PLACEHOLDER = re.compile(r"\{[^\s{}\"`\\]{1,500}\}")
_VALUE = re.compile(r"[^\s{}\"`\\]{0,300}")


@define
class _SiteContext:
    """The `dockcaddy.SiteContext` of one site."""

    sections: Mapping[type, Any]
    proxy: Proxy
    states: Mapping[str, object] = field(factory=dict)
    placeholders: dict[str, str] = field(factory=dict)

    def settings(self, section: type[Any]) -> Any:
        """The frozen settings instance of a declared section class; its defaults where nothing was set."""
        return self.sections[section] if section in self.sections else section()

    def state(self, service: str, default: object = None) -> Any:
        """What the service says of itself, `default` where it does not run."""
        return self.states.get(service, default)

    def note_placeholder(self, placeholder: str, value: str) -> None:
        """Note what a placeholder stands for. Raises ValueError."""
        if not isinstance(placeholder, str) or not _PLACEHOLDER.fullmatch(placeholder):
            raise ValueError(f"note_placeholder: {placeholder!r} is no placeholder, expected one like {{file./srv/x}}")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"note_placeholder: {value!r} is no value, expected one word or nothing")
        if len(self.placeholders) >= limits.MAX_PLACEHOLDERS:
            raise ValueError(f"note_placeholder: more than {limits.MAX_PLACEHOLDERS} of one site")
        self.placeholders[placeholder] = value


@frozen
class SiteFinisher:
    """Puts every site through the transformers, in their order. `states` are those of the running services, by name."""

    transformers: Sequence[Contribution[SiteTransformer]] = ()
    sections: Mapping[type, Any] = field(factory=dict)
    proxy: Proxy = field(factory=Proxy)
    states: Mapping[str, object] = field(factory=dict)

    def finish(self, section: Section) -> Section:
        """The finished section, at the place of the one given; that one where nothing is done to it.

        A transformer that fails is skipped and reported.
        """
        block = section.block
        context = _SiteContext(self.sections, self.proxy, self.states)
        about = f"site {one_line(' '.join(block.keys))}"
        problems: list[Problem] = []
        for transformer in self.transformers:
            try:
                block = finished(transformer, context, block, about)
            except PluginFault as fault:
                problems.append(Problem(about, "", one_line(str(fault))))
        if block is section.block and not context.placeholders and not problems:
            return section
        return Section(block, write_block(block), section.place, context.placeholders, tuple(problems))
