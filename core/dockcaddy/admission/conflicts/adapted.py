"""Sites as Caddy adapts them: each by itself, many in one call, and each content once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from attrs import define, evolve, field, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.conflicts.walk import Routes
from dockcaddy.caddyfile import Block
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.caddyjson.document import Document, Route, Server, encoded
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, one_line
from dockcaddy.fragment import Section
from dockcaddy.settings import limits

_VARIABLE = re.compile(r"\{\$([^{}:]*)[^{}]*\}")
# in the place of what is in files, which may answer everything
IN_FILES = "what is in a file"
_FROM_FILE = ("respond", IN_FILES)
_ADDRESS = "https://site-{}.invalid"
# in Caddy's messages: how it came to the text, and a line of this text, which people do not see
_AROUND = re.compile(r"^adapting config using caddyfile adapter: |,? at \S+:\d+.*", re.DOTALL)
# parts of a policy for connections that refuse none
_NOT_RESTRICTING = frozenset(("match", "certificate_selection"))


@frozen(eq=False)
class AdaptedSite:
    """A site as Caddy reads it: its routes, those of its error pages, where it listens, what it asks of TLS connections."""

    routes: Routes
    errors: Routes
    listeners: frozenset[str]
    tls: frozenset[bytes]


@frozen
class Content:
    """The block of a site as text, without its address, and the definitions that it uses: their text, their keys."""

    block: str
    definitions: str
    used: frozenset[str]


def content_of(lines: Iterable[Block], definitions: Definitions) -> Content:
    """The lines of a site with the definitions that they use."""
    lines = tuple(_readable(lines, definitions))
    block = caddyfile.write_block(Block((_ADDRESS,), lines))
    used = definitions.used_by(lines)
    return Content(block[len(_ADDRESS) :], definitions.text_for(used), used)


def unknown_host(text: str) -> str:
    """A host in which variables of Caddy's environment are placeholders: what they are is not known here."""
    return _VARIABLE.sub(r"{env.\1}", text)


def readable(sections: Iterable[Section]) -> Definitions:
    """The definitions among sections, which come first, with something in the place of what is in files."""
    defining = tuple(takewhile(lambda each: not caddyfile.is_site(each.block), sections))
    found = Definitions(defining)
    if not found.read_files:
        return found
    blocks = (evolve(each.block, children=tuple(_readable(each.block.children, found))) for each in defining)
    return Definitions(tuple(map(Section.of, blocks)))


def is_of_file(line: Block, definitions: Definitions) -> bool:
    """Whether a line imports a file, or stands for one."""
    return line.keys == _FROM_FILE or definitions.reads_files((evolve(line, children=()),))


def _readable(lines: Iterable[Block], definitions: Definitions) -> Iterator[Block]:
    """The lines with something in the place of what is not known here: the names of hosts, and what is in files."""
    for line in lines:
        is_host = "host" in (line.keys[:1] if not line.keys[:1] or line.keys[0][:1] != "@" else line.keys[1:2])
        keys = tuple(map(unknown_host, line.keys)) if is_host else line.keys
        keys = _FROM_FILE if is_of_file(line, definitions) else keys
        yield evolve(line, keys=keys, children=tuple(_readable(line.children, definitions)))


@define(eq=False)
class SiteAdapter:
    """Adapts the contents of sites. `adapt` is Caddy's."""

    adapt: Callable[[str], bytes]
    _known: dict[Content, AdaptedSite | None] = field(factory=dict)

    def adapted(self, contents: Iterable[Content], definitions: Definitions) -> Mapping[Content, AdaptedSite | None]:
        """The site of each content beside these definitions, None where Caddy refuses it. Raises CaddyUnreachable."""
        wanted = dict.fromkeys(contents)
        new = [each for each in wanted if each not in self._known]
        for start in range(0, len(new), limits.MAX_ADAPTED_TOGETHER):
            self._adapt(new[start : start + limits.MAX_ADAPTED_TOGETHER], definitions)
        self._forget(wanted)
        return {each: self._known[each] for each in wanted}

    def reason(self, content: Content, definitions: Definitions) -> str:
        """What Caddy says of a content that it refuses; `""` if it says nothing."""
        try:
            self.adapt(definitions.text_for(content.used) + _ADDRESS.format(0) + content.block)
        except CaddyRefusal as refusal:
            return one_line(_AROUND.sub("", str(refusal)))
        except CaddyUnreachable:
            pass
        return ""

    def _forget(self, wanted: Mapping[Content, None]) -> None:
        """Forget what has not been asked for lately, once that is more than what is kept."""
        if len(self._known) > 2 * max(len(wanted), limits.MAX_KEPT_CONTENTS):
            self._known = {each: self._known[each] for each in wanted}

    def _adapt(self, contents: Sequence[Content], definitions: Definitions) -> None:
        used = definitions.text_for(frozenset().union(*(each.used for each in contents)))
        blocks = [_ADDRESS.format(at) + each.block for at, each in enumerate(contents)]
        sites = dict(_sites_in(self._document(used + "".join(blocks))))
        if len(contents) > 1 and len(sites) < len(contents):
            middle = len(contents) // 2
            self._adapt(contents[:middle], definitions)
            self._adapt(contents[middle:], definitions)
        else:
            self._known.update((each, sites.get(_host(at))) for at, each in enumerate(contents))

    def _document(self, text: str) -> Document:
        """The document of a text; an empty one where Caddy refuses it, or does not come to an end."""
        try:
            return Document.decode(self.adapt(text))
        except CaddyRefusal:
            return Document()
        except CaddyUnreachable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            return Document()


def _host(number: int) -> str:
    return _ADDRESS.format(number).partition("//")[2]


def _sites_in(document: Document) -> Iterator[tuple[str, AdaptedSite]]:
    """The sites of a document by their only host."""
    for server in document.servers.values():
        errors = {route.hosts[0]: route for route in server.errors if route.hosts}
        for route in server.routes:
            host = "".join(route.hosts[:1])
            pages = _routes(server, errors[host]) if host in errors else Routes(())
            listeners = frozenset(server.listen)
            yield host, AdaptedSite(_routes(server, route), pages, listeners, frozenset(_requirements(server, host)))


def _routes(server: Server, route: Route) -> Routes:
    named = {name: each.value for name, each in server.named.items()}
    inside = [each for handler in route.value.get("handle") or () for each in handler.get("routes") or ()]
    return Routes(inside, named)


def _requirements(server: Server, host: str) -> Iterator[bytes]:
    """What connections to a host have to be like."""
    for policy in server.connection_policies:
        if host in ((policy.get("match") or {}).get("sni") or ()):
            yield from (encoded([name, value]) for name, value in policy.items() if name not in _NOT_RESTRICTING)
