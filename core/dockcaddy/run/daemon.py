"""`dockcaddy run`: the loop with its Caddy and its folder, until a signal ends it."""

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from attrs import define, evolve

from dockcaddy import __version__
from dockcaddy.caddy.admin import listen_address
from dockcaddy.caddy.command import Version, find_caddy
from dockcaddy.caddy.folders import report_folders
from dockcaddy.caddy.process import GRACE, CaddyProcess
from dockcaddy.controller import Controller
from dockcaddy.engine import Engine
from dockcaddy.engine.reach.own_container import is_in_container
from dockcaddy.engine.servers import server_label
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.files import TemporaryFolder
from dockcaddy.hookspecs import Output
from dockcaddy.narration import FirstPass, LogNarrator, Systemd, SystemdNarrator
from dockcaddy.narration.live import LiveSites
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.delivery import Delivery, Outputs
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.reconcile.listeners import listening
from dockcaddy.reconcile.reconciler import Reconciler
from dockcaddy.run.caddy_watch import caddy_watch_for
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.connections import Connections, tls_for
from dockcaddy.run.controller import controller_for
from dockcaddy.run.delayed import repeated
from dockcaddy.run.dry_run import DryRun, fragments_before, without_effect
from dockcaddy.run.engines import engines_for
from dockcaddy.run.environment import Environment
from dockcaddy.run.loop import outputs_for, reconciler_for, service_context
from dockcaddy.run.memory import forget_generated_sources, use_one_heap
from dockcaddy.run.operator_files import read_base
from dockcaddy.run.outputs import chosen_outputs
from dockcaddy.run.own_admin import own_address
from dockcaddy.run.server import Kept, report_without_effect
from dockcaddy.run.shared_ports import warn_of_shared_ports
from dockcaddy.settings.environment_file import load_environment_file
from dockcaddy.settings.table import Settings
from dockcaddy.status.history import HistoryFile
from dockcaddy.status.keeper import StatusKeeper

logger = logging.getLogger("dockcaddy")

# https://docs.kernel.org/networking/ip-sysctl.html
_MIGRATION = Path("/proc/sys/net/ipv4/tcp_migrate_req")
# so many seconds the first line waits for the version of Caddy
PATIENCE = 2.0
# between two looks at a first pass that takes long, in seconds
PAUSES = (2.0, 4.0, 8.0, 16.0)


def run(environment: Environment, caddy_output: int | None = None) -> int:
    """Watch the engines until a signal; gives the exit status. Raises SettingsError and CaddyUnreachable at start.

    `caddy_output` is the descriptor of Caddy's standard output, by default that of ours.
    """
    settings, registry = environment.settings, environment.registry
    forget_generated_sources()
    use_one_heap()
    with suppress(Ended), registry.timer.guarded(), ended_by_signals(registry.timer.is_waiting) as ending:
        # first of all, because it may say where the engine and the folders are
        load_environment_file(settings.envfile)
        if settings.dry_run:
            dry_run = DryRun(fragments_before(settings), pipeline_for(environment).configuration)
            with without_effect(settings) as apart:
                _run(evolve(environment, settings=apart), ending, caddy_output, dry_run)
        elif settings.mode == "server":
            _serve(settings, registry, ending, caddy_output)
        else:
            _run(environment, ending, caddy_output)
    return 0


class Ended(BaseException):
    """Raised by a signal: the program ends, whatever it is doing."""


@define(eq=False)
class Ending:
    """Whether a signal requested the end of the program. It also calls `stop`, because a plugin may swallow `Ended`."""

    requested: bool = False
    stop: Callable[[], None] = lambda: None
    is_held: bool = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, a signal raises nothing until the end, so that a process that is being started is stopped too."""
        self.is_held = True
        try:
            yield
        finally:
            self.is_held = False
        if self.requested:
            raise Ended


@contextmanager
def ended_by_signals(is_stuck: Callable[[], bool] = lambda: False) -> Iterator[Ending]:
    """Within, SIGTERM and SIGINT raise `Ended` in the main thread: what it waits for may never come.

    They do so once, so that what is left to do is done, and again only while it `is_stuck`.
    """
    ending = Ending()

    # it stays the handler, so that its exception is distinguished from those of plugins
    def end(*_: object) -> None:
        if not ending.requested or is_stuck():
            ending.requested = True
            ending.stop()
            if not ending.is_held:
                raise Ended

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    yield ending


def _serve(settings: Settings, registry: Registry, ending: Ending, output: int | None) -> None:
    """Run a Caddy that a controller configures."""
    connections = connections_for(settings, registry, settings.state_path())
    systemd = Systemd.of(os.environ)
    ended = threading.Event()
    report_without_effect(settings)
    with state_directory(settings) as directory:
        kept = Kept(directory)
        with (
            _version(settings, ending) as version,
            caddy_for(settings, connections, directory, kept.load, kept.environment, output) as process,
        ):
            logger.info("dockcaddy %s %s", __version__, _purpose(settings, version, process))
            logger.info("waiting for a controller")
            systemd.tell("READY=1", "STATUS=waiting for a controller")
            ending.stop = ended.set
            try:
                if not ending.requested:
                    ended.wait()
            finally:
                systemd.tell("STOPPING=1", "STATUS=caddy ends")


def _run(environment: Environment, ending: Ending, output: int | None, dry_run: DryRun | None = None) -> None:
    settings, engines = environment.settings, engines_for(environment.settings)
    controller = controller_for(settings, engines)
    connections, outputs = _connected(environment, settings.state_path(), controller)
    if dry_run is not None:
        # unlike those of plugins, it reads the tree too
        outputs = Outputs([Delivery("dry run", cast(Output, dry_run), time.monotonic)])
    # it may be lost later, but not be missing from the start
    read_base(settings.caddyfile_path)
    _warn_of_resolver(settings)
    systemd = Systemd.of(os.environ)
    with state_directory(settings) as directory:
        if directory != settings.state_path():
            outputs.close()
            connections, outputs = _connected(environment, directory, controller)
        last_good = LastGood(directory / "last-good.db")
        with (
            _version(settings, ending) as version,
            caddy_for(settings, connections, directory, last_good.json, output=output) as process,
        ):
            narrator = SystemdNarrator(_narrator(settings, engines, connections), systemd)
            status = _status(settings, connections, directory)
            parts = (environment, engines, connections, outputs, last_good, narrator)
            reconciler = reconciler_for(*parts, controller=controller, status=status)
            if process is not None:
                process.on_start = reconciler.mailbox.caddy_started
                if last_good.json():
                    narrator.ready("the last configuration is live")
            logger.info("dockcaddy %s %s", __version__, _purpose(settings, version, process))
            ending.stop = reconciler.mailbox.stop
            try:
                if not ending.requested:
                    context = service_context(environment, directory, status)
                    with (
                        caddy_watch_for(connections, process, status).running(),
                        listening(environment.registry.listeners, context),
                        _first_pass_logged(engines, reconciler, narrator.log),
                    ):
                        reconciler.run()
            finally:
                narrator.closing("nothing was sent" if dry_run is not None else _fate(connections, process))


def _first_pass_logged(
    engines: Sequence[Engine], reconciler: Reconciler, log: LogNarrator
) -> AbstractContextManager[None]:
    """The first call may take long to fail, and thousands of containers long to read."""
    watches = reconciler.watches.watches
    first_pass = FirstPass(
        engines,
        lambda number: watches[number].was_known or bool(watches[number].failure),
        # one that does not lead comes to none
        lambda: log.has_reported or not reconciler.servers.leads,
    )
    return repeated(chain(PAUSES, repeat(PAUSES[-1])), first_pass.report)


def _warn_of_resolver(settings: Settings) -> None:
    if settings.resolver:
        logger.warning(
            "--resolver is no longer needed, leave it out: caddy reads the addresses of upstreams from files"
        )


def _connected(environment: Environment, directory: Path, controller: Controller | None) -> tuple[Connections, Outputs]:
    """The outputs, created before anything is started or written, so that a wrong one is reported at once."""
    connections = connections_for(environment.settings, environment.registry, directory, controller)
    return connections, outputs_for(environment, connections)


def _narrator(settings: Settings, engines: Sequence[Engine], connections: Connections) -> LogNarrator:
    word = "live" if connections.has_caddy else "would be live" if settings.dry_run else "written"
    tip = _tip() if connections.url else ""
    return LogNarrator(engines, settings.label_prefix, word, tip, LiveSites(connections.environment))


def _status(settings: Settings, connections: Connections, directory: Path) -> StatusKeeper:
    history = HistoryFile(directory / "status.db")
    return StatusKeeper(prefix=settings.label_prefix, history=history, environment=connections.environment)


@contextmanager
def _version(settings: Settings, ending: Ending) -> Iterator[Callable[[], str]]:
    """A function that gives the version of the Caddy program, which is asked for it in the background."""
    try:
        program = find_caddy(settings.caddy)
    except CaddyUnreachable:
        yield lambda: ""
        return
    with ExitStack() as stack:
        with ending.held():
            asked = stack.enter_context(Version(program))
        yield lambda: asked.said(PATIENCE)


def _purpose(settings: Settings, version: Callable[[], str], process: CaddyProcess | None) -> str:
    """What the program does, for the first line of the log."""
    if process is not None:
        return f"with {f'caddy {version()}'.strip()}, admin API at {process.admin}"
    if settings.has_servers:
        given = f", {', '.join(settings.caddy_admin)}" if settings.caddy_admin else ""
        return f"configures the servers with a label {server_label(settings.label_prefix)}{given}"
    if settings.running_caddy:
        return f"configures the caddy at {settings.running_caddy}"
    return "sends nothing (--dry-run)" if settings.dry_run else f"writes {', '.join(settings.output)}"


def _fate(connections: Connections, process: CaddyProcess | None) -> str:
    """What happens to the sites, `{}`, when the program ends."""
    if process is not None:
        return f"caddy ends too and with it {{}}, requests have {GRACE:g} s"
    return "caddy keeps {}" if connections.has_caddy else "what was written stays"


def connections_for(
    settings: Settings, registry: Registry, directory: Path, controller: Controller | None = None
) -> Connections:
    """How to reach the Caddy to configure: servers, a given one, a child of ours that is to be started, or none."""
    tls = tls_for(settings)
    if settings.has_servers:
        return Connections("", servers=controller.fleet if controller is not None else None, tls=tls)
    if settings.mode != "server":
        if settings.running_caddy:
            return Connections(settings.running_caddy, tls=tls)
        if not any(each.is_live and not each.target for each in chosen_outputs(settings, registry)):
            return Connections("")
    address = own_address(settings, directory)
    return Connections(address, listen_address(address), _log_settings(settings))


@contextmanager
def caddy_for(
    settings: Settings,
    connections: Connections,
    directory: Path,
    last: Callable[[], bytes],
    environment: Mapping[str, str] = MappingProxyType({}),
    output: int | None = None,
) -> Iterator[CaddyProcess | None]:
    """A Caddy of our own for as long as the context lasts; None where the connections need none.

    It starts with the configuration that `last` gives, and has the variables of `environment` besides our own. Raises CaddyUnreachable.
    """
    if not connections.listen:
        yield None
        return
    program = find_caddy(settings.caddy)
    process = CaddyProcess(
        program,
        connections.url,
        directory,
        # the ports of a server are those that its controller gives it
        before_start=lambda: warn_of_shared_ports(settings, program) if settings.mode != "server" else None,
        initial=lambda: connections.complete(last()),
        environment=environment,
        output=output,
    )
    try:
        process.start()
        report_folders({**os.environ, **environment})
        yield process
    finally:
        process.stop()


def _tip() -> str:
    """A new configuration has new listeners: the kernel ends what waits at the old ones, or hands it on."""
    with suppress(OSError):
        if _MIGRATION.read_text().strip() == "0":
            # in most containers nobody can write it
            return migration_tip(is_fixed=is_in_container() and not os.access(_MIGRATION, os.W_OK))
    return ""


def migration_tip(*, is_fixed: bool) -> str:
    """How to keep reloads from resetting connections. The setting `is_fixed` where it can be set at a container's start only."""
    setting = "net.ipv4.tcp_migrate_req"
    remedy = (
        f'start dockcaddy\'s container with --sysctl {setting}=1, in Compose "sysctls: {{{setting}: 1}}"'
        if is_fixed
        else f"run sysctl -w {setting}=1 as root"
    )
    return f"a reload can reset connections that are just being opened; to prevent that, {remedy}"


def _log_settings(settings: Settings) -> dict[str, Any]:
    log: dict[str, Any] = {}
    if settings.log_level not in ("", "info"):
        log["level"] = settings.log_level.upper()
    if settings.log_format == "json":
        log["encoder"] = {"format": "json"}
    return log


@contextmanager
def state_directory(settings: Settings) -> Iterator[Path]:
    """The folder for what must survive a restart, ours alone as long as the context lasts.

    Raises SettingsError where another dockcaddy has it.
    """
    path = settings.state_path()
    with ExitStack() as ending:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(path)
        except OSError as error:
            # replicas of servers and controllers may share a volume
            is_used = isinstance(error, BlockingIOError)
            if is_used and settings.mode == "standalone":
                raise SettingsError(
                    f"state directory {path}: another dockcaddy uses it, give this one its own: --state-directory"
                ) from None
            reason = "another dockcaddy uses it" if is_used else error.strerror
            path = ending.enter_context(_folder_for_this_run(error))
            meant = "using %s for this run only: what is to survive a restart needs another --state-directory"
            logger.warning(f"state directory %s: %s, {meant}", settings.state_path(), reason, path)
            lock = _locked(path)
        ending.callback(os.close, lock)
        yield path


def _folder_for_this_run(reason: OSError) -> TemporaryFolder:
    # the last one is there in a container whose files are read-only
    for parent in ("", "/dev/shm"):
        with suppress(OSError):
            return TemporaryFolder.made("state", parent)
    raise SettingsError(
        f"state directory: {reason.strerror}, and no folder for temporary files can be written either: "
        "give one that can be written: --state-directory"
    ) from reason


def _locked(path: Path) -> int:
    """The descriptor of the folder's lock. Raises OSError, BlockingIOError where another process has it."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
