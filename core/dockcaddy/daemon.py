"""`dockcaddy run`, put together: engines, a Caddy, the pipeline, the outputs and the loop around them."""

import fcntl
import logging
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from dockcaddy.errors import CaddyUnreachable, OutputError, SettingsError
from dockcaddy.hookspecs import Adapter, Loader, OutputContext
from dockcaddy.model import Inventory, Proxy
from dockcaddy.pipeline import BaseCaddyfile, Configuration, Pipeline
from dockcaddy.registry import Registry
from dockcaddy.settings import Settings, nearest

if TYPE_CHECKING:
    from dockcaddy.caddy import CaddyProcess
    from dockcaddy.controller import Controller, WatchedEngine
    from dockcaddy.delivery import Delivery
    from dockcaddy.engine import Engine, EngineOptions
    from dockcaddy.last_good import LastGood
    from dockcaddy.resolver import Resolver

logger = logging.getLogger("dockcaddy")


@define
class BaseFile:
    """The operator's Caddyfile on disk, read anew when it changed; what was read last stays where it cannot be read."""

    path: str
    _seen: tuple[int, int] | None = None
    _last: BaseCaddyfile | None = None
    _failure: str = ""

    def __call__(self) -> BaseCaddyfile | None:
        """The file's text now."""
        try:
            status = Path(self.path).stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._last = BaseCaddyfile(self.path, Path(self.path).read_text(encoding="utf-8"))
                self._seen = seen
            self._failure = ""
        except (OSError, UnicodeDecodeError) as error:
            if not self._failure:
                logger.error("caddyfile %s: cannot be read, what was read last stays: %s", self.path, error)
            self._failure = str(error)
        return self._last


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
    )


def engines_for(settings: Settings) -> "list[Engine]":
    """The engines that the settings name; the environment's where they name none."""
    from dockcaddy.engine import Engine  # noqa: PLC0415

    sockets = settings.docker_sockets or ("",)

    def item(values: tuple[str, ...], place: int) -> str:
        return values[place] if place < len(values) else ""

    return [
        Engine(
            socket,
            options_for(settings),
            "local" if len(sockets) == 1 else socket or f"engine-{place}",
            item(settings.docker_certs_path, place),
            item(settings.docker_apis_version, place),
        )
        for place, socket in enumerate(sockets)
    ]


def pipeline_for(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> Pipeline:
    """The pipeline that the settings describe."""
    return Pipeline(
        registry,
        sections,
        label_prefix=settings.label_prefix,
        route_order=settings.route_order,
        suffix_names=settings.suffix_names,
        takeovers=settings.takeovers,
        proxy=proxy_of(settings),
    )


def proxy_of(settings: Settings) -> Proxy:
    """What belongs to the program and its Caddy, by the settings and by where Caddy keeps its files.

    See https://caddyserver.com/docs/conventions#file-locations.
    """
    home = Path(os.environ.get("HOME") or "/root")
    folders = [
        *Proxy().folders,
        str(Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "caddy"),
        str(Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "caddy"),
        str(settings.state_path().absolute()),
        *_certificates(settings),
    ]
    written = [chosen.partition("=")[2] for chosen in settings.output if not chosen.startswith("admin")]
    given = (settings.caddyfile_path, settings.source, settings.envfile, *written, *_sockets(settings))
    files = [Path(file).absolute() for file in given if file]
    port = re.search(r":(\d+)(?:/|$)", settings.caddy_admin or settings.admin)
    return Proxy(
        tuple(dict.fromkeys(folders)),
        tuple(map(os.path.normpath, files)),
        os.path.normpath(files[0].parent) if settings.caddyfile_path else "",
        int(port[1]) if port else 0,
        settings.resolver,
        tuple(dict.fromkeys((*Proxy().engine_ports, *_engine_ports(settings)))),
    )


def _engines(settings: Settings) -> tuple[str, ...]:
    return settings.docker_sockets or (os.environ.get("DOCKER_HOST", ""),)


def _engine_ports(settings: Settings) -> Iterator[int]:
    for address in _engines(settings):
        if found := re.match(r"(?:tcp|https?)://.*:(\d+)/?$", address):
            yield int(found[1])


def _certificates(settings: Settings) -> Iterator[str]:
    """The folders of the keys with which engines let us in."""
    for folder in settings.docker_certs_path or (os.environ.get("DOCKER_CERT_PATH", ""),):
        if folder:
            yield os.path.normpath(Path(folder).absolute())


def _sockets(settings: Settings) -> Iterator[str]:
    """The files of the unix sockets that Caddy and the engines answer at."""
    for address in (settings.admin, settings.caddy_admin, *_engines(settings)):
        if found := re.match(r"unix(?::/)?/(/[^|]*)", address):
            yield found[1]


def checked_by_program(
    settings: Settings, pipeline: Pipeline, inventory: Inventory, base: BaseCaddyfile | None
) -> Configuration:
    """The configuration without what Caddy's adapter refuses, adapted by the program on disk.

    Raises CaddyUnreachable where there is none.
    """
    from dockcaddy.caddy import CommandAdapter, StreamKeeper, find_caddy  # noqa: PLC0415
    from dockcaddy.quarantine import Quarantine  # noqa: PLC0415

    adapter = StreamKeeper(CommandAdapter(find_caddy(settings.caddy)), settings.stream_close_delay)
    quarantine = Quarantine(adapter.adapt, time.monotonic, settings.route_order)
    fragments = pipeline.fragments(inventory, base)
    told = pipeline.configuration(fragments).problems
    configuration = quarantine.settle(
        [each for each in fragments if not each.withheld], pipeline.configuration, lambda configuration: None
    )
    return evolve(configuration, problems=(*told, *quarantine.problems))


def load_environment_file(path: str) -> None:
    """Put the KEY=VALUE lines of a file into the environment, for Caddy; what is set already stays.

    Raises SettingsError.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--envfile {path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise SettingsError(f"--envfile {path}: line {number}: expected KEY=VALUE")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        os.environ.setdefault(key.strip(), value)


@frozen
class Connections:
    """How outputs reach Caddy. `url` is the program's own one (`""`: none); `log` are its log settings.

    `listen` is where a child of ours listens, `""` where Caddy was there before us.
    """

    url: str
    listen: str = ""
    log: Mapping[str, Any] = field(factory=dict)

    def connect(self, url: str) -> Loader:
        """A connection to the admin API at `url`, `""` for the program's own Caddy. Raises SettingsError."""
        from dockcaddy.caddy import AdminClient, CaddyLoader, strange_caddy  # noqa: PLC0415

        if not url and not self.url:
            raise SettingsError("output admin needs a caddy: leave one to start, or name it with --caddy-admin URL")
        client = AdminClient(url or self.url)
        return strange_caddy(client) if url or not self.listen else CaddyLoader(client, self.complete)

    def complete(self, config: bytes) -> bytes:
        """A configuration for our child: with its admin endpoint, and with our log settings where it has none."""
        from dockcaddy.caddy import with_defaults  # noqa: PLC0415

        return with_defaults(config, self.listen, dict(self.log))


def _deliveries(
    settings: Settings, registry: Registry, sections: Mapping[type, Any], connections: Connections
) -> "list[Delivery]":
    from dockcaddy.delivery import Delivery  # noqa: PLC0415

    made = []
    for chosen in settings.output:
        name, _, target = chosen.partition("=")
        entry = registry.outputs.get(name)
        if entry is None:
            raise SettingsError(f'no output "{name}"{nearest(name, registry.outputs)}')
        context = OutputContext(
            lambda section: sections[section] if section in sections else section(),
            connections.connect,
            {"target": target} if target else {},
        )
        made.append(Delivery(name, entry.factory(context), time.monotonic))
    return made


def controller_for(
    settings: Settings,
    registry: Registry,
    sections: Mapping[type, Any],
    engines: "Sequence[WatchedEngine]",
    connections: Connections,
    last_good: "LastGood",
    resolver: "Resolver | None" = None,
) -> "Controller":
    """The loop that the settings describe."""
    from dockcaddy.caddy import CommandAdapter, StreamKeeper, find_caddy  # noqa: PLC0415
    from dockcaddy.controller import Controller  # noqa: PLC0415
    from dockcaddy.quarantine import Quarantine  # noqa: PLC0415

    adapters: list[Any] = [connections.connect("")] if connections.url else []
    try:
        adapters.append(CommandAdapter(find_caddy(settings.caddy)))
    except CaddyUnreachable:
        logger.debug("no caddy program on this machine")
    deliveries = _deliveries(settings, registry, sections, connections)
    quarantine = (
        Quarantine(
            StreamKeeper(FirstAdapter(tuple(adapters)), settings.stream_close_delay).adapt,
            time.monotonic,
            settings.route_order,
        )
        if adapters
        else None
    )
    if quarantine is not None:
        quarantine.remember(last_good.load().fragments)
    base = BaseFile(settings.caddyfile_path) if settings.caddyfile_path else None
    return Controller(
        engines,
        pipeline_for(settings, registry, sections),
        quarantine,
        [each for each in deliveries if each.name == "admin"],
        deliveries,
        time.monotonic,
        base or (lambda: None),
        last_good,
        resolver,
        settings.polling_interval,
        settings.event_throttle_interval,
    )


def run(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> int:
    """Watch the engines until a signal; gives the exit status. Raises SettingsError and CaddyUnreachable at start."""
    with suppress(_Ended), _ended_by_signals():
        _run(settings, registry, sections)
    return 0


class _Ended(BaseException):
    """Somebody wants the program to end, whatever it is at."""


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within, SIGTERM and SIGINT raise `_Ended` in the main thread, once: what it waits for may never come."""

    def end(*_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise _Ended

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    yield


def _run(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> None:
    if settings.envfile:
        load_environment_file(settings.envfile)
    from dockcaddy.last_good import LastGood  # noqa: PLC0415
    from dockcaddy.resolver import Resolver  # noqa: PLC0415

    engines = engines_for(settings)
    with state_directory(settings) as directory:
        last_good, resolver = LastGood(directory / "last-good.db"), Resolver(settings.resolver)
        try:
            resolver.tell(last_good.load().names)
        except OutputError as error:
            logger.error("%s", error)
        with caddy_for(settings, directory, last_good) as (connections, process):
            controller = controller_for(settings, registry, sections, engines, connections, last_good, resolver)
            if process is not None:
                process.on_start = controller.caddy_started
            logger.info("watching %s", ", ".join(engine.url or "docker" for engine in engines))
            controller.run()


@contextmanager
def caddy_for(
    settings: Settings, directory: Path, last_good: "LastGood"
) -> "Iterator[tuple[Connections, CaddyProcess | None]]":
    """The Caddy to configure: a given one, a child of our own for as long as the context lasts, or none."""
    from dockcaddy.caddy import CaddyProcess, find_caddy, listen_address  # noqa: PLC0415

    if settings.caddy_admin:
        yield Connections(settings.caddy_admin), None
        return
    if not any(chosen.partition("=")[0] == "admin" and "=" not in chosen for chosen in settings.output):
        yield Connections(""), None
        return
    address = settings.admin
    if address.lower() == "off":
        address = f"unix/{directory / 'admin.sock'}"
    connections = Connections(address, listen_address(address), _log_settings(settings))
    process = CaddyProcess(
        find_caddy(settings.caddy), address, directory, initial=lambda: connections.complete(last_good.load().json)
    )
    try:
        process.start()
        yield connections, process
    finally:
        process.stop()


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
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        path = Path(tempfile.mkdtemp(prefix="dockcaddy-"))
        logger.warning("state directory %s: %s, using %s for this run", settings.state_path(), error.strerror, path)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(lock, path)
        yield path
    finally:
        os.close(lock)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingsError(
            f"state directory {path}: another dockcaddy uses it, give this one its own: --state-directory"
        ) from None
