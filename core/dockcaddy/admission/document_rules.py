"""Document rules of plugins: what is found in a document that labels may not lead to, and who may all the same. Pure."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from dockcaddy.caddyjson.document import Document, Route
from dockcaddy.compile.rendering import ResourceContext
from dockcaddy.errors import CaddyRefusal, LabelError, PluginFault, one_line
from dockcaddy.fragment import Fragment
from dockcaddy.hookspecs import DocumentRule, Finding
from dockcaddy.model import Problem, Proxy, Resource
from dockcaddy.plugins.calls import applies, check_finding, found_in
from dockcaddy.plugins.guard import Contribution


@frozen
class Found:
    """A finding of a rule, and the hosts of its route; none where that is for all, None outside of routes."""

    finding: Finding
    rule: Contribution[DocumentRule] = field(eq=False)
    hosts: frozenset[str] | None = None


@frozen(eq=False)
class _Look:
    """What the rules find with these settings. The same look finds the same in a route, and looks once."""

    rules: tuple[Contribution[DocumentRule], ...]
    sections: Mapping[type, Any]
    proxy: Proxy

    def settings(self, section: type[Any]) -> Any:
        """See DocumentContext."""
        return self.sections[section] if section in self.sections else section()

    def __call__(self, route: Route) -> tuple[Found, ...]:
        """What is found in a route."""
        return tuple(self._found(route.value, tuple(route.hosts)))

    def in_rest(self, document: Document) -> tuple[Found, ...]:
        """What is found in everything but the routes."""
        apps = dict(document.rest.get("apps") or {})
        if document.servers:
            servers = {name: each.settings for name, each in document.servers.items()}
            apps["http"] = {**document.app("http"), "servers": servers}
        return tuple(self._found({**document.rest, "apps": apps}, None))

    def _found(self, part: Mapping[str, Any], hosts: tuple[str, ...] | None) -> Iterator[Found]:
        for rule in self.rules:
            for each in found_in(rule, self, part, hosts):
                yield Found(each, rule, None if hosts is None else frozenset(hosts))


@define(eq=False)
class DocumentRules:
    """The rules of a registry.

    `proxy` gives what is the proxy's own now, `context_of` the context of a resource beside the container that Caddy runs in.
    """

    rules: tuple[Contribution[DocumentRule], ...]
    sections: Mapping[type, Any]
    proxy: Callable[[], Proxy]
    context_of: Callable[[Resource, Resource | None], ResourceContext]
    _lock: threading.Lock = field(factory=threading.Lock)
    _look: _Look | None = None

    def found(self, document: Document) -> tuple[Found, ...]:
        """What the rules find in a document. Raises CaddyRefusal where a rule fails: it may have found something."""
        try:
            with self._lock:
                look = self.look
                if not look.rules:
                    return ()
                found = document.found(look)
                # most documents have none, and to go through all routes takes time
                routes = document.every_route if found else ()
                in_routes = (each for route in routes if route in found for each in found[route])
                return (*in_routes, *look.in_rest(document))
        except PluginFault as fault:
            raise CaddyRefusal(str(fault)) from fault

    @property
    def look(self) -> _Look:
        """How the rules look now: another one where what is the proxy's own has changed."""
        proxy = self.proxy()
        if self._look is None or self._look.proxy != proxy:
            look = _Look(self.rules, self.sections, proxy)
            self._look = evolve(look, rules=tuple(each for each in self.rules if applies(each, look)))
        return self._look

    def refusal(self, fragment: Fragment, found: Found) -> Problem | None:
        """Why a fragment may not lead to what was found; None where it may."""
        if fragment.resource is None:
            return None
        context = self.context_of(fragment.resource, fragment.caddy)
        try:
            with self._lock:
                check_finding(found.rule, context, fragment.blocks, found.finding)
        except LabelError as error:
            return Problem(fragment.owner, one_line(error.label), one_line(error.message))
        except PluginFault as fault:
            return Problem(fragment.owner, "", one_line(str(fault)))
        return None

    def state(self, without_resource: Iterable[Fragment]) -> Hashable:
        """What the rules depend on beside a document. Where it has changed, what was checked has to be checked again."""
        return self.look.rules and (id(self.look), frozenset(each.key for each in without_resource))
