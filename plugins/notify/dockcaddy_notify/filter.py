"""Which events are sent. Pure."""

from fnmatch import fnmatchcase

from attrs import frozen
from dockcaddy import Event


@frozen
class Filter:
    """The kinds of events, and patterns of their subjects and sites; without patterns, all of them."""

    kinds: frozenset[str]
    patterns: tuple[str, ...] = ()

    def wants(self, event: Event) -> bool:
        """Whether the event is sent."""
        if event.kind not in self.kinds:
            return False
        if not self.patterns:
            return True
        names = [event.subject, event.subject.partition(" ")[2], *event.sites, *map(_host, event.sites)]
        return any(fnmatchcase(name.lower(), each.lower()) for each in self.patterns for name in names if name)


def _host(site: str) -> str:
    """`app.test` of `http://app.test:8080/x`."""
    host = site.rpartition("//")[2].partition("/")[0]
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
