"""The pipeline and the quarantine, as the settings describe them."""

from collections.abc import Callable, Sequence
from functools import cache
from math import ceil

from dockcaddy.admission.document_rules import DocumentRules
from dockcaddy.caddy.command import CommandAdapter, find_caddy
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.modules import modules_of
from dockcaddy.caddyfile import ListenPorts
from dockcaddy.caddyjson import FragmentDocuments, SiteRoutes, Splicer
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.caddyjson.streams import LongStreams
from dockcaddy.hookspecs import Adapter
from dockcaddy.quarantine import Elsewhere, Quarantine
from dockcaddy.quarantine.endless import Ending
from dockcaddy.quarantine.this_machine import ThisMachine
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.adapting import FirstAdapter, for_each, fragment_adapter
from dockcaddy.run.environment import Environment
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings


def pipeline_for(environment: Environment) -> Pipeline:
    """The pipeline that the settings describe."""
    settings = environment.settings
    return Pipeline(
        environment.registry,
        environment.sections,
        label_prefix=settings.label_prefix,
        route_order=settings.route_order,
        suffix_names=settings.suffix_names,
        allow_shadowing=settings.takeovers,
        proxy=proxy_of(settings, environment.registry),
        retry_after=ceil(settings.retry_after),
        listen_ports=ListenPorts(settings.http_port, settings.https_port),
    )


def quarantine_for(
    settings: Settings,
    adapters: Sequence[Adapter],
    clock: Callable[[], float],
    *,
    rules: Callable[[], DocumentRules],
    has_child: bool = False,
    express: str = "",
) -> Quarantine | None:
    """The quarantine, which finds what Caddy refuses; None where there is no Caddy to ask.

    `has_child` where that listens on this machine. New sites may be in the folder `express`. `rules` check documents.
    """
    if not adapters:
        return None
    adapter = FirstAdapter(tuple(adapters), settings.has_servers)
    programs = [each.path for each in adapters if isinstance(each, CommandAdapter | LimitedAdapter)]
    modules = cache(lambda: modules_of(programs[0]) if programs else frozenset())
    machine = (
        ThisMachine(find_caddy(settings.caddy), settings.http_port, settings.https_port) if has_child else Elsewhere()
    )
    retries = Retries(settings.service_retries, settings.service_fail_duration)
    transforms = Transforms(LongStreams(settings.stream_close_delay), retries, express)
    alone = fragment_adapter(
        adapters,
        programs[0] if programs else None,
        is_same=has_child or len(programs) == len(adapters),
        asks_all=settings.has_servers,
    )
    adapt = Ending(alone.adapt)
    routes = SiteRoutes(adapt, for_each())
    splicer = Splicer(adapter.adapt, site_routes=routes)
    return Quarantine(
        adapter.adapt,
        clock,
        isolates=settings.process_caddyfile,
        modules=modules,
        machine=machine,
        transforms=transforms,
        document=lambda made: splicer.document(made.assembly.sections, lambda: made.text),
        documents=FragmentDocuments(adapt, routes, settings.route_order),
        rules=rules,
        allow_shadowing=settings.takeovers,
    )
