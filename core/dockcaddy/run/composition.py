"""The parts of the program, each made as the settings say: engines, pipeline, outputs, and the loop around them."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from dockcaddy.caddyfile import ListenPorts
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, PluginFault, SettingsError, one_line
from dockcaddy.hookspecs import Adapter, OutputContext, ServiceContext
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Inventory, Problem, without_repeats
from dockcaddy.plugins.calls import GuardedOutput
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.operator_files import BaseFile
from dockcaddy.run.outputs import chosen_outputs, contributed
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.endpoints import check_engine
from dockcaddy.settings.table import Settings

if TYPE_CHECKING:
    from dockcaddy.caddy import CaddyLoader, ExternalCaddy
    from dockcaddy.engine import Engine, EngineOptions
    from dockcaddy.narration import Narrator
    from dockcaddy.quarantine import Quarantine
    from dockcaddy.reconcile.delivery import Delivery
    from dockcaddy.reconcile.last_good import LastGood
    from dockcaddy.reconcile.reconciler import Reconciler
    from dockcaddy.reconcile.services import Services
    from dockcaddy.reconcile.watch import WatchedEngine

logger = logging.getLogger("dockcaddy")


@define
class FirstAdapter:
    """Asks the first adapter that answers: the running Caddy, else the program on disk."""

    adapters: tuple[Adapter, ...]

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text. Raises CaddyRefusal, or CaddyUnreachable where none answers."""
        failure: CaddyUnreachable | None = None
        for adapter in self.adapters:
            try:
                return adapter.adapt(caddyfile)
            except CaddyUnreachable as error:
                failure = failure or error
        raise failure or CaddyUnreachable("no caddy to adapt with, install one: pip install 'dockcaddy[caddy]'")


def options_for(settings: Settings) -> "EngineOptions":
    """What the settings say about resources and their addresses."""
    from dockcaddy.engine.records import EngineOptions  # noqa: PLC0415

    return EngineOptions(
        settings.label_prefix,
        settings.ingress_networks,
        settings.scan_stopped_containers,
        settings.proxy_service_tasks,
        settings.scan_one_off_containers,
    )


def engines_for(settings: Settings) -> "list[Engine]":
    """The engines that the settings name; the environment's where they name none. Raises SettingsError."""
    from dockcaddy.engine import Connection, Engine  # noqa: PLC0415

    sockets = settings.docker_sockets or ("",)
    _check_endpoints(settings)

    def item(values: tuple[str, ...], place: int) -> str:
        return values[place] if place < len(values) else ""

    return [
        Engine(
            Connection(socket, item(settings.docker_certs_path, place), item(settings.docker_apis_version, place)),
            options_for(settings),
            "local" if len(sockets) == 1 else socket or f"engine-{place}",
        )
        for place, socket in enumerate(sockets)
    ]


def _check_endpoints(settings: Settings) -> None:
    """Raises SettingsError for what cannot be an engine, so that nobody waits for it to answer."""
    urls = {f"--docker-sockets {url}": url for url in settings.docker_sockets}
    if not all(settings.docker_sockets or ("",)):
        host = os.environ.get("DOCKER_HOST", "")
        urls[f"environment variable DOCKER_HOST={host}"] = host
    for named, url in urls.items():
        try:
            check_engine(url)
        except ValueError as error:
            raise SettingsError(f"{named}: {error}") from None
    folders = {f"--docker-certs-path {folder}": folder for folder in settings.docker_certs_path if folder}
    for named, folder in folders.items():
        missing = [name for name in ("ca.pem", "cert.pem", "key.pem") if not Path(folder, name).is_file()]
        if missing:
            raise SettingsError(f"{named}: {', '.join(missing)} not found there")


def pipeline_for(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> Pipeline:
    """The pipeline that the settings describe."""
    return Pipeline(
        registry,
        sections,
        label_prefix=settings.label_prefix,
        route_order=settings.route_order,
        suffix_names=settings.suffix_names,
        allow_shadowing=settings.takeovers,
        proxy=proxy_of(settings, registry),
        listen_ports=ListenPorts(settings.http_port, settings.https_port),
    )


def served_by_program(
    settings: Settings, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None, *, elsewhere: bool = False
) -> Configuration:
    """What would be served, found out with the program on disk: without what Caddy refuses, what cannot be had together
    and what our own rules keep from it.

    `elsewhere` tells that it is to be served on another machine. Raises CaddyUnreachable where there is no program.
    """
    from dockcaddy.caddy import CommandAdapter, CommandValidator, find_caddy  # noqa: PLC0415

    program = find_caddy(settings.caddy)
    validator = CommandValidator(program, elsewhere or bool(settings.caddy_admin))
    return _served(settings, pipeline, inventory, base, CommandAdapter(program), validator.validate)


def served_unchecked(
    settings: Settings, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None
) -> Configuration:
    """What would be served if Caddy took all that our own rules hand it. Nothing is adapted."""
    return evolve(_served(settings, pipeline, inventory, base, Credulous(), lambda config, text: None), adapted=None)


class Credulous:
    """An adapter where there is none: it takes everything."""

    def adapt(self, caddyfile: str) -> bytes:
        """The empty configuration."""
        return b"{}"


def _served(
    settings: Settings,
    pipeline: Pipeline,
    inventory: Inventory,
    base: BaseCaddyfile | None,
    adapter: Adapter,
    validate: Callable[[bytes, str], None],
) -> Configuration:
    from dockcaddy.quarantine.labels import with_labels  # noqa: PLC0415

    # whoever asks once has the time to find out everything
    quarantine = _quarantine_for(settings, [adapter], lambda: 0.0)
    assert quarantine is not None
    told = pipeline.build(inventory, base).problems
    fragments = pipeline.fragments(inventory, base)
    candidates = [each for each in fragments if not each.refused]
    try:
        configuration = quarantine.resolve(
            fragments, pipeline.configuration, lambda built: validate(built.json, built.text)
        )
    except CaddyRefusal as refusal:
        return Configuration("", (*told, _refused_whole(settings, base, refusal)))
    refused = with_labels(quarantine.problems, candidates, quarantine.adapt, validate)
    return evolve(configuration, problems=without_repeats((*told, *refused)))


def _refused_whole(settings: Settings, base: BaseCaddyfile | None, refusal: CaddyRefusal) -> Problem:
    if base is not None and settings.process_caddyfile:
        return Problem(f"caddyfile {base.path}", "", one_line(f"caddy refuses it: {refusal}"))
    return Problem("caddy", "", one_line(f"refuses everything: {refusal}"))


@frozen
class Connections:
    """How outputs reach Caddy. `url` is the program's own one (`""`: none); `log` are its log settings.

    `listen` is where a child of ours listens, `""` where Caddy was there before us.
    """

    url: str
    listen: str = ""
    log: Mapping[str, Any] = field(factory=dict)

    def connect(self, url: str, output: str = "") -> "CaddyLoader | ExternalCaddy":
        """A connection to the admin API at `url`, `""` for the program's own Caddy, for the output of this name.

        Raises SettingsError.
        """
        from dockcaddy.caddy import AdminClient, CaddyLoader, ExternalCaddy  # noqa: PLC0415

        if not url and not self.url:
            raise SettingsError(f"output {output} needs a caddy: leave one to start, or name it with --caddy-admin URL")
        option = f"--output {output}={url}" if url else "--caddy-admin"
        is_child = self.listen and not url
        client = AdminClient(url or self.url, remedy="" if is_child else f"start it, or correct {option}")
        return ExternalCaddy(client) if url or not self.listen else CaddyLoader(client, self.complete)

    def complete(self, config: bytes) -> bytes:
        """A configuration for our child: with its admin endpoint, and with our log settings where it has none."""
        from dockcaddy.caddy import with_defaults  # noqa: PLC0415

        return with_defaults(config, self.listen, dict(self.log))


def _deliveries(
    settings: Settings,
    registry: Registry,
    sections: Mapping[type, Any],
    connections: Connections,
    clock: Callable[[], float] = time.monotonic,
) -> "list[Delivery]":
    from dockcaddy.reconcile.delivery import Delivery  # noqa: PLC0415

    made = []
    for chosen in chosen_outputs(settings, registry):
        context = OutputContext(
            lambda section: sections[section] if section in sections else section(),
            partial(connections.connect, output=chosen.name),
            chosen.options,
        )
        output = GuardedOutput(contributed(chosen, registry), context)
        # what the settings say of it is wrong, or the plugin is: that may pass
        with suppress(PluginFault):
            output.make()
        made.append(Delivery(str(chosen), output, clock, chosen.is_live))
    return made


def check_outputs(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> None:
    """Make every output once and close it again, before anything is started.

    Raises SettingsError and OutputError for one that cannot be made.
    """
    for delivery in _deliveries(settings, registry, sections, Connections(settings.caddy_admin or settings.admin)):
        delivery.close()


def _adapters(settings: Settings, connections: Connections) -> list[Adapter]:
    """Those that there are: the running Caddy, and the program on disk."""
    from dockcaddy.caddy import CommandAdapter, find_caddy  # noqa: PLC0415

    adapters: list[Adapter] = [connections.connect("")] if connections.url else []
    try:
        adapters.append(CommandAdapter(find_caddy(settings.caddy)))
    except CaddyUnreachable:
        logger.debug("no caddy program on this machine")
    return adapters


def _quarantine_for(
    settings: Settings,
    adapters: Sequence[Adapter],
    clock: Callable[[], float] = time.monotonic,
    *,
    has_child: bool = False,
) -> "Quarantine | None":
    """What asks Caddy whether it takes a configuration; None where there is no Caddy to ask.

    `has_child` where that listens on this machine.
    """
    from dockcaddy.caddy import CommandAdapter, StreamKeeper, find_caddy, modules_of  # noqa: PLC0415
    from dockcaddy.quarantine import Elsewhere, Quarantine  # noqa: PLC0415
    from dockcaddy.quarantine.this_machine import ThisMachine  # noqa: PLC0415

    if not adapters:
        return None
    keeper = StreamKeeper(FirstAdapter(tuple(adapters)), settings.stream_close_delay)
    programs = [each.path for each in adapters if isinstance(each, CommandAdapter)]
    modules = cache(lambda: modules_of(programs[0]) if programs else frozenset())
    machine = (
        ThisMachine(find_caddy(settings.caddy), settings.http_port, settings.https_port) if has_child else Elsewhere()
    )
    return Quarantine(keeper.adapt, clock, settings.route_order, settings.process_caddyfile, modules, machine)


def _services(
    settings: Settings,
    registry: Registry,
    sections: Mapping[type, Any],
    state: Path,
    connections: Connections,
    clock: Callable[[], float],
) -> "Services":
    """The services of plugins; `state` is the state directory in use."""
    from dockcaddy.plugins.services import GuardedService  # noqa: PLC0415
    from dockcaddy.reconcile.services import Services  # noqa: PLC0415

    urls = {
        each.target or settings.caddy_admin: each.name for each in chosen_outputs(settings, registry) if each.is_live
    }
    context = ServiceContext(
        lambda section: sections[section] if section in sections else section(),
        evolve(proxy_of(settings, registry), address_folder=str(settings.address_path(state).absolute())),
        clock,
        {f"caddy at {url}": connections.connect(url, urls[url]) for url in sorted(urls) if url},
    )
    return Services([GuardedService(each, context) for each in registry.services], clock)


def reconciler_for(
    settings: Settings,
    registry: Registry,
    sections: Mapping[type, Any],
    engines: "Sequence[WatchedEngine]",
    connections: Connections,
    last_good: "LastGood",
    narrator: "Narrator | None" = None,
    clock: Callable[[], float] = time.monotonic,
) -> "Reconciler":
    """The loop that the settings describe; what happens is told to `narrator`, by default only what is wrong.

    `clock` gives seconds that never go back.
    """
    from dockcaddy.narration import ProblemLog  # noqa: PLC0415
    from dockcaddy.reconcile.debounce import Debounce  # noqa: PLC0415
    from dockcaddy.reconcile.delivery import Outputs  # noqa: PLC0415
    from dockcaddy.reconcile.reconciler import Reconciler  # noqa: PLC0415
    from dockcaddy.reconcile.schedule import Schedule  # noqa: PLC0415
    from dockcaddy.reconcile.watch import EngineWatches  # noqa: PLC0415

    deliveries = _deliveries(settings, registry, sections, connections, clock)
    adapters = _adapters(settings, connections)
    quarantine = _quarantine_for(settings, adapters, clock, has_child=bool(connections.listen))
    if quarantine is not None:
        quarantine.remember(last_good.load().fragments)
    base = BaseFile(settings.caddyfile_path) if settings.caddyfile_path else None
    return Reconciler(
        EngineWatches.of(engines, clock),
        pipeline_for(settings, registry, sections),
        quarantine,
        Outputs(deliveries),
        clock,
        base or (lambda: None),
        last_good,
        _services(settings, registry, sections, last_good.path.parent, connections, clock),
        narrator or ProblemLog(),
        Schedule(settings.polling_interval, Debounce(settings.event_throttle_interval)),
    )
