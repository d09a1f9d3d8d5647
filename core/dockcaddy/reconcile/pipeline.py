"""From the inventory to the configuration: the pure steps of a pass."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from dockcaddy import caddyfile
from dockcaddy.admission.document_rules import DocumentRules
from dockcaddy.admission.operators import with_operators
from dockcaddy.admission.rules import admitted
from dockcaddy.caddyfile import Block, CaddyfileError, ListenPorts, Origin, global_options
from dockcaddy.compile.rendering import Renderer, ResourceContext, seniority_of
from dockcaddy.compile.stopped_page import with_page
from dockcaddy.controller.discovery import endpoints_of
from dockcaddy.errors import own_fault
from dockcaddy.fragment import MOST_SENIOR, Fragment
from dockcaddy.merge.assembly import Assembler
from dockcaddy.merge.configuration import Configuration
from dockcaddy.merge.sites import SiteFinisher
from dockcaddy.merge.stopped_pages import StoppedPages
from dockcaddy.model import EngineInventory, Inventory, Problem, Proxy, Resource, without_repeats
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.engine_fragments import EngineFragments

logger = logging.getLogger("dockcaddy")

# what begins with fragments while others are rendered
Begin = Callable[[Sequence[Fragment]], None]
# at a start, resources that are rendered before Caddy is given more to adapt
RENDERED_AT_ONCE = 1_024


@frozen
class BaseCaddyfile:
    """The operator's own Caddyfile, merged in front of everything else."""

    path: str
    text: str

    @property
    def folder(self) -> str:
        """The folder that relative imports in it start from."""
        return os.path.normpath(Path(self.path).absolute().parent)


class Pipeline:
    """Turns inventories into configurations; keeps what did not change between two of them."""

    def __init__(
        self,
        registry: Registry,
        sections: Mapping[type, Any] | None = None,
        *,
        label_prefix: str = "caddy",
        route_order: str = "caddy",
        suffix_names: bool = False,
        allow_shadowing: bool = False,
        proxy: Proxy | None = None,
        listen_ports: ListenPorts | None = None,
        retry_after: int = 60,
    ) -> None:
        """`sections` are the plugins' settings by class; the keywords are the settings of the same names.

        Sites that name no port listen at `listen_ports`, where no operator's text has options that say otherwise.
        """
        self._port_options = _port_options(listen_ports or ListenPorts())
        self._retry_after = retry_after
        self._options: dict[frozenset[str], Fragment] = {}
        self._proxy = proxy or Proxy()
        self._given_endpoints = self._proxy.server_endpoints
        self._states: dict[str, object] = {}
        self._lock = threading.Lock()
        self._registry = registry
        self._sections = {each.schema: each.schema() for each in registry.sections} | dict(sections or {})
        self.document_rules = DocumentRules(
            registry.document_rules, self._sections, lambda: self._proxy, self._context_of
        )
        self._renderer = Renderer(registry, label_prefix, suffix_names=suffix_names)
        self._route_order, self._allow_shadowing = route_order, allow_shadowing
        self.forget()

    def forget(self) -> None:
        """Forget everything that was made before: an unexpected error may have left it incomplete."""
        self._assembler = self._new_assembler()
        self._rendered: dict[str, EngineFragments] = {}
        self._latest: tuple[Fragment, ...] = ()
        self._parsed: dict[tuple[str, str], Fragment] = {}
        self._pages = StoppedPages()

    def _new_assembler(self) -> Assembler:
        return Assembler(self._route_order, self._finisher(), self._allow_shadowing)

    def _finisher(self) -> SiteFinisher:
        return SiteFinisher(self._registry.site_transformers, self._sections, self._proxy, self._states)

    def use_states(self, states: Mapping[str, object]) -> None:
        """From now on sites are made for these states of services, by their names. A state that is the same is the same object."""
        if states.keys() != self._states.keys() or any(self._states[name] is not each for name, each in states.items()):
            self._states = dict(states)
            self._assembler = self._new_assembler()

    def build(self, inventory: Inventory, base: BaseCaddyfile | None = None) -> Configuration:
        """The configuration of the inventory."""
        fragments = self.fragments(inventory, base)
        configuration = self.configuration(fragments)
        return evolve(configuration, problems=problems_of(inventory, fragments, configuration))

    def configuration(self, fragments: Sequence[Fragment]) -> Configuration:
        """The configuration of these fragments; nothing is adapted."""
        return self._configuration(self._assembler, fragments)

    def _context_of(self, resource: Resource, caddy: Resource | None) -> ResourceContext:
        engine = EngineInventory(resource.engine, (resource,), caddy=caddy)
        return ResourceContext(resource, engine, self._registry, self._sections, Inventory((engine,)), self._proxy)

    def separate(self) -> Callable[[], Callable[[Sequence[Fragment]], Configuration]]:
        """What makes builders that make configurations as `configuration` does now, each for one thread."""
        assembler = partial(Assembler, self._route_order, self._finisher(), self._allow_shadowing)
        return lambda: partial(self._configuration, assembler())

    def _configuration(self, assembler: Assembler, fragments: Sequence[Fragment]) -> Configuration:
        # plugins are called by one thread at a time
        with self._lock:
            assembly = assembler.assemble(fragments)
            return Configuration(lambda: assembly.text, (), None, assembly)

    def fragments(
        self,
        inventory: Inventory,
        base: BaseCaddyfile | None = None,
        remembered: Sequence[Fragment] = (),
        begin: Begin | None = None,
    ) -> tuple[Fragment, ...]:
        """All fragments in merge order: the base Caddyfile, then each engine's configs, containers, services.

        At the end are those that are `remembered` from an earlier run. The very same tuple where none has changed. `begin`
        gets the first ones of many, while the others are rendered.
        """
        with self._lock:
            return self._fragments(inventory, base, remembered, begin)

    def _fragments(
        self, inventory: Inventory, base: BaseCaddyfile | None, remembered: Sequence[Fragment], begin: Begin | None
    ) -> tuple[Fragment, ...]:
        self._know_servers(inventory)
        fragments: list[Fragment] = []
        parsed: dict[tuple[str, str], Fragment] = {}
        rendered: dict[str, EngineFragments] = {}
        if base is not None:
            fragments.append(self._parse(parsed, "caddyfile", f"caddyfile {base.path}", base.text, base.folder))
        for engine in (with_operators(each, self._proxy) for each in inventory.engines):
            for config in engine.configs:
                key, owner = f"{engine.name}/{config.id}", f"config {config.name}"
                fragments.append(self._parse(parsed, key, owner, config.text))
            render = partial(self._render, engine=engine, inventory=inventory)
            before = self._rendered.get(engine.name) or EngineFragments()
            if begin is not None and not before.resources:
                for end in range(RENDERED_AT_ONCE, len(engine.resources), RENDERED_AT_ONCE):
                    before = before.after(evolve(engine, resources=engine.resources[:end]), inventory, render)
                    begin((*self._settings_as_options(parsed.values()), *fragments, *before.fragments))
            rendered[engine.name] = before.after(engine, inventory, render)
            fragments += rendered[engine.name].fragments
        self._parsed, self._rendered = parsed, rendered
        needed = self._pages.needed((*fragments, *remembered))
        made = (*self._settings_as_options(parsed.values()), *needed)
        self._latest = self._latest if made == self._latest else made
        return self._latest

    def _know_servers(self, inventory: Inventory) -> None:
        """Keep labels from the admin endpoints of servers."""
        endpoints = self._given_endpoints | endpoints_of(inventory, self._proxy.admin_port)
        if endpoints != self._proxy.server_endpoints:
            self._proxy = evolve(self._proxy, server_endpoints=endpoints)
            self._rendered = {}

    def _settings_as_options(self, texts: Iterable[Fragment]) -> tuple[Fragment, ...]:
        """The settings that are global options of Caddy, except those that the operator's own texts set."""
        if not self._port_options:
            return ()
        said = {line.keys[0] for each in texts for line in global_options(each.blocks)}
        names = frozenset(self._port_options.keys() - said)
        if names not in self._options:
            lines = tuple(line for name, line in self._port_options.items() if name in names)
            block = Block((), lines, origins=tuple(origin for line in lines for origin in line.origins))
            self._options[names] = Fragment("settings", "settings", MOST_SENIOR, (block,))
        return (self._options[names],) if names else ()

    def _render(self, resource: Resource, engine: EngineInventory, inventory: Inventory) -> tuple[Fragment, bool]:
        """The fragment of a resource, and whether it depends on the whole inventory."""
        context = ResourceContext(resource, engine, self._registry, self._sections, inventory, self._proxy)
        try:
            fragment = admitted(self._renderer.render(context), context)
            if resource.id in engine.operators:
                fragment = evolve(fragment, resource=None, caddy=None)
            if resource.shows_page:
                fragment = with_page(fragment, resource, self._retry_after)
        except Exception as error:
            # whatever it is, the other resources are rendered
            fragment = _unrendered(resource, error)
        return fragment, context.read_inventory

    def _parse(
        self, parsed: dict[tuple[str, str], Fragment], key: str, owner: str, text: str, folder: str = ""
    ) -> Fragment:
        fragment = self._parsed.get((key, text)) or _parsed_fragment(key, owner, text, folder)
        parsed[key, text] = fragment
        return fragment


def _parsed_fragment(key: str, owner: str, text: str, folder: str) -> Fragment:
    try:
        blocks: tuple[Block, ...] = caddyfile.parse(text, owner)
    except CaddyfileError as error:
        return Fragment(key, owner, MOST_SENIOR, (), (Problem(owner, "", str(error)),))
    return Fragment(key, owner, MOST_SENIOR, caddyfile.with_absolute_imports(blocks, folder) if folder else blocks)


def _unrendered(resource: Resource, error: Exception) -> Fragment:
    """The fragment of a resource whose rendering raised an unexpected error: it has no blocks."""
    problem = Problem(str(resource), "", f"{own_fault(error)} (--log-level debug shows where)")
    logger.debug("%s", problem, exc_info=error)
    return Fragment(resource.key, str(resource), seniority_of(resource), problems=(problem,))


def _port_options(ports: ListenPorts) -> dict[str, Block]:
    """The global options for ports that are not the usual ones, by name."""
    usual = ListenPorts()
    chosen = {
        "http_port": (ports.http, usual.http, "--http-port"),
        "https_port": (ports.https, usual.https, "--https-port"),
    }
    return {
        name: Block((name, str(port)), origins=(Origin(f"setting {flag}"),))
        for name, (port, default, flag) in chosen.items()
        if port != default
    }


def problems_of(
    inventory: Inventory,
    fragments: Iterable[Fragment],
    configuration: Configuration | None = None,
    quarantined: Iterable[Problem] = (),
) -> tuple[Problem, ...]:
    """Everything that is wrong in one pass, each problem once: with engines, fragments, sites, and what Caddy refused."""
    engines = [problem for engine in inventory.engines for problem in (*engine.problems, *engine.advice)]
    rendered = [problem for fragment in fragments for problem in fragment.problems]
    made = configuration.assembly.problems if configuration is not None else ()
    return without_repeats((*engines, *rendered, *made, *quarantined))
