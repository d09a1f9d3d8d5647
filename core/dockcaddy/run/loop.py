"""The loop, put together as the settings describe it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType

from attrs import evolve

from dockcaddy.controller import Controller, NoServers
from dockcaddy.errors import PluginFault, SettingsError
from dockcaddy.hookspecs import Adapter, NoStatus, OutputContext, ServiceContext, StatusFeed
from dockcaddy.narration import Narrator, ProblemLog
from dockcaddy.plugins.calls import GuardedOutput
from dockcaddy.plugins.guard import BUNDLED_SOURCE
from dockcaddy.plugins.registry import Registry
from dockcaddy.plugins.services import GuardedService
from dockcaddy.reconcile.debounce import Debounce
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.express_folder import ExpressFolder
from dockcaddy.reconcile.express_sites import ExpressSites
from dockcaddy.reconcile.handshakes import begin_handshakes
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.reconcile.schedule import Schedule
from dockcaddy.reconcile.services import Services
from dockcaddy.reconcile.watch import EngineWatches, WatchedEngine
from dockcaddy.run.composition import pipeline_for, quarantine_for
from dockcaddy.run.connections import Connections, adapters_for
from dockcaddy.run.controller import NoCommonFolder
from dockcaddy.run.environment import Environment
from dockcaddy.run.memory import give_back_memory
from dockcaddy.run.operator_files import BaseFile
from dockcaddy.run.outputs import ChosenOutput, chosen_outputs
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings, nearest
from dockcaddy.status.health_log import HealthLog
from dockcaddy.status.keeper import StatusKeeper


def outputs_for(
    environment: Environment, connections: Connections, clock: Callable[[], float] = time.monotonic
) -> Outputs:
    """The chosen outputs, each created. Nothing is delivered yet.

    Raises SettingsError and OutputError for one that cannot be created; a fault of its plugin may pass.
    """
    chosen = chosen_outputs(environment.settings, environment.registry)
    return Outputs([_delivery(each, environment, connections, clock) for each in chosen])


def _delivery(
    chosen: ChosenOutput, environment: Environment, connections: Connections, clock: Callable[[], float]
) -> Delivery:
    if chosen.type is None:
        raise SettingsError(f'no output "{chosen.name}"{nearest(chosen.name, environment.registry.outputs)}')
    context = OutputContext(
        environment.section,
        partial(connections.connect, output=chosen.name),
        {"target": chosen.target} if chosen.target else {},
    )
    output = GuardedOutput(chosen.type, context)
    with suppress(PluginFault):
        output.make()
    caddy = "caddy" if chosen.type.source == BUNDLED_SOURCE else str(chosen.type)
    return Delivery(str(chosen), output, clock, chosen.is_live, caddy)


def reconciler_for(
    environment: Environment,
    engines: Sequence[WatchedEngine],
    connections: Connections,
    outputs: Outputs,
    last_good: LastGood,
    narrator: Narrator | None = None,
    clock: Callable[[], float] = time.monotonic,
    controller: Controller | None = None,
    status: StatusKeeper | None = None,
) -> Reconciler:
    """The loop that the settings describe. It reports to `narrator`, by default problems only, and shows its passes to `status`.

    `clock` gives seconds that never go back.
    """
    settings, registry = environment.settings, environment.registry
    adapters = adapters_for(settings, connections)
    others = _other_caddys(settings, registry, connections)
    express = _express(settings, registry, last_good.path.parent, others, clock)
    folder = str(express.folder.path) if express.folder is not None else ""
    pipeline = pipeline_for(environment)
    rules = pipeline.document_rules
    quarantine = quarantine_for(
        settings, adapters, clock, has_child=bool(connections.listen), express=folder, rules=lambda: rules
    )
    if quarantine is not None:
        remembered = last_good.load()
        quarantine.remember(remembered.fragments, remembered.json)
    context = service_context(environment, last_good.path.parent, status, others, clock)
    made = Reconciler(
        EngineWatches.of(engines, clock, settings.engine_retention),
        pipeline,
        quarantine,
        outputs,
        clock,
        base=BaseFile(settings.caddyfile_path) if settings.caddyfile_path else lambda: None,
        last_good=last_good,
        services=Services([GuardedService(each, context) for each in registry.services], clock),
        servers=controller or NoServers(),
        express=express,
        narrator=narrator or ProblemLog(),
        schedule=Schedule(settings.polling_interval, Debounce(settings.event_throttle_interval)),
        give_back_memory=give_back_memory,
        observer=status,
    )
    if status is not None:
        status.subscribe(HealthLog().take)
    if controller is not None:
        controller.document_rules, controller.changed = rules, made.mailbox.wake
    return made


def _other_caddys(settings: Settings, registry: Registry, connections: Connections) -> Mapping[str, Adapter]:
    """The Caddys that are not our child, by their names in messages."""
    urls = {
        each.target or settings.running_caddy: each.name for each in chosen_outputs(settings, registry) if each.is_live
    }
    others: dict[str, Adapter] = {f"caddy at {url}": connections.connect(url, urls[url]) for url in sorted(urls) if url}
    if connections.servers is not None:
        others["the servers"] = NoCommonFolder()
    return others


def _express(
    settings: Settings, registry: Registry, state: Path, others: Mapping[str, Adapter], clock: Callable[[], float]
) -> ExpressSites:
    """The sites that need no load, if the settings want them; `state` is the state directory in use."""
    folder = ExpressFolder(settings.express_path(state).absolute())
    if not settings.express:
        return ExpressSites(left=folder if folder.path.is_dir() else None)
    if settings.has_servers:
        return ExpressSites(unavailable="servers of a controller have no folder in common")
    if not any(each.is_live for each in chosen_outputs(settings, registry)):
        return ExpressSites(unavailable="no output has a running caddy")
    return ExpressSites(folder, clock, others, greet=begin_handshakes)


def service_context(
    environment: Environment,
    state: Path,
    status: StatusFeed | None,
    others: Mapping[str, Adapter] = MappingProxyType({}),
    clock: Callable[[], float] = time.monotonic,
) -> ServiceContext:
    """What services and event listeners of plugins are created from; `state` is the state directory in use."""
    settings = environment.settings
    proxy = evolve(
        proxy_of(settings, environment.registry),
        address_folder=str(settings.address_path(state).absolute()),
        status_socket=str(settings.status_path(state).absolute()),
    )
    return ServiceContext(environment.section, proxy, clock, others, status or NoStatus())
