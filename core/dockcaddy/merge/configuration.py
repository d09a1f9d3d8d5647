"""A finished configuration, as outputs get it and commands print it."""

from collections.abc import Callable, Mapping
from functools import cached_property

from attrs import evolve, field, frozen

from dockcaddy.caddyfile import Origin, is_site
from dockcaddy.caddyjson.document import Document
from dockcaddy.errors import CaddyRefusal
from dockcaddy.merge.assembly import Assembly
from dockcaddy.model import Problem


@frozen(eq=False)
class Configuration:
    """A finished configuration: the Caddyfile, and Caddy's JSON of it once Caddy has read it.

    `document` is that JSON before what is only there for Caddy to find sites. `text` and `adapted` may be what makes the text
    and the JSON: they are called when somebody asks, as nobody does for a site that needs no load.
    """

    _text: str | Callable[[], str]
    problems: tuple[Problem, ...] = ()
    _adapted: bytes | Callable[[], bytes] | None = None
    assembly: Assembly = field(factory=lambda: Assembly(()))
    document: Document | None = None

    @cached_property
    def text(self) -> str:
        """The Caddyfile."""
        return self._text() if callable(self._text) else self._text

    def says_the_same_as(self, other: "Configuration") -> bool:
        """Whether both have the same text. Of those that are assembled only the sections that differ are compared."""
        if self.assembly.sections and other.assembly.sections:
            return self.assembly.says_the_same_as(other.assembly)
        return self.text == other.text

    @property
    def adapted(self) -> bytes | None:
        """Caddy's JSON; None where no Caddy has adapted the text."""
        return self._adapted() if callable(self._adapted) else self._adapted

    @property
    def json(self) -> bytes:
        """Caddy's JSON. Raises CaddyRefusal where no Caddy has adapted the text."""
        adapted = self.adapted
        if adapted is None:
            raise CaddyRefusal("the configuration has not been adapted by Caddy")
        return adapted

    def adapted_as(self, other: "Configuration") -> "Configuration":
        """This configuration with what Caddy made of the same text before."""
        return evolve(self, adapted=other._adapted, document=other.document)

    @property
    def lines(self) -> tuple[tuple[Origin, ...], ...]:
        """The origins of each line of `text`."""
        return self.assembly.lines

    @property
    def sites(self) -> int:
        """How many sites there are."""
        return sum(is_site(section.block) for section in self.assembly.sections)

    @property
    def placeholders(self) -> Mapping[str, str]:
        """What placeholders in it stand for now."""
        return self.assembly.placeholders
