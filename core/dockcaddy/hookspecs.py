"""The hooks a plugin may implement. All are called once, at start; what they return is frozen into the registry.

A plugin implements a hook with `@dockcaddy.hook`:

    import dockcaddy

    @dockcaddy.hook
    def dockcaddy_functions():
        return {"greet": greet}

    def greet(context: dockcaddy.Context, whom: str) -> str:
        \"\"\"A greeting for WHOM.\"\"\"
        return f"hello {whom} from {context.resource.name}"
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from typing import Any, Protocol

import pluggy
from attrs import field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.model import EngineInventory, Inventory, Proxy, Resource

hook = pluggy.HookimplMarker("dockcaddy")
hookspec = pluggy.HookspecMarker("dockcaddy")

TemplateFunction = Callable[..., object]


class Context(Protocol):
    """What a template function and a label transformer know: one resource and what is around it."""

    @property
    def resource(self) -> Resource:
        """The resource whose label is rendered."""

    @property
    def engine(self) -> EngineInventory:
        """The engine's inventory that the resource belongs to. Only its `caddy` may be read without cost."""

    @property
    def inventory(self) -> Inventory:
        """Everything there is. Reading it makes the fragment depend on all of it: it is rendered in every cycle."""

    @property
    def proxy(self) -> Proxy:
        """What belongs to the program and its Caddy themselves."""

    @property
    def admitted(self) -> bool:
        """Whether traffic may be sent to the resource: it is not stopping, and every gate lets it through."""

    def settings(self, section: type[Any]) -> Any:
        """The plugin's own settings: the frozen instance of a class it declared with `dockcaddy_settings`."""

    def warn(self, message: str, label: str = "") -> None:
        """Report something to the operator, named with the resource and the label; the label stays.

        `label` is the key of the one that it is about, by default the one that is being rendered.
        """

    def linger(self, seconds: float) -> None:
        """Have the resource's sites stay for so long after it is gone, where nobody else has them by then."""


@frozen
class Label:
    """One label under the prefix. `key` has the prefix normalised to `caddy`; `origin` is the key as people wrote it.

    `value` is a template in stage RAW, text in stage RENDERED; `conditional` tells that the template had control flow.
    """

    key: str
    value: str
    origin: str
    conditional: bool = False


class Stage(Enum):
    """When a label transformer runs: RAW sees unrendered labels, RENDERED sees values after templates."""

    RAW = "raw"
    RENDERED = "rendered"


@frozen
class LabelTransformer:
    """A rewrite of one resource's labels: `apply(context, labels) -> labels`, pure.

    Transformers of one stage run by `order`, then by `name`. `apply` may raise `LabelError` to refuse the resource.
    """

    name: str
    apply: Callable[[Context, tuple[Label, ...]], Iterable[Label]]
    stage: Stage = Stage.RENDERED
    order: int = 0


class SiteContext(Protocol):
    """What a site transformer knows."""

    @property
    def proxy(self) -> Proxy:
        """What belongs to the program and its Caddy themselves."""

    def settings(self, section: type[Any]) -> Any:
        """The plugin's own settings, as in `Context`."""

    def state(self, service: str, default: object = None) -> Any:
        """What the service of this name says of itself (`Service.state`), None while it fails.

        `default` where it does not run, as in `dockcaddy render`.
        """

    def note_placeholder(self, placeholder: str, value: str) -> None:
        """Note what Caddy finds now where a placeholder like `{file./srv/x}` stands, `""` for nothing.

        Services see it as `Configuration.placeholders`; the log and `check` show the value. Raises ValueError for what
        is no placeholder, or a value of several words.
        """


@frozen
class SiteTransformer:
    """A rewrite of one site as all its resources together made it: `apply(context, site) -> site`, pure.

    It sees snippets and global options too. Transformers run by `order`, then by `name`.
    """

    name: str
    apply: Callable[[SiteContext, Block], Block]
    order: int = 0


@frozen
class Gate:
    """A rule that may keep a resource out of `upstreams`: `admits(context) -> bool`."""

    name: str
    admits: Callable[[Context], bool]


@frozen
class AdmissionRule:
    """A check of what one resource's labels became: `check(context, blocks)` raises `LabelError` to refuse it.

    It sees the very blocks that will be written; each knows the labels it came from (`block.origins`). What it refuses
    is never handed to an output; `render --raw` prints it where the rule `shows_refused`.
    """

    name: str
    check: Callable[[Context, tuple[Block, ...]], None]
    shows_refused: bool = False


@frozen
class SettingsSection:
    """A plugin's section of the settings: `[name]` in dockcaddy.toml, `DOCKCADDY_<NAME>_<FIELD>` in the environment.

    `schema` is a frozen attrs class whose fields have defaults, types `bool`, `int`, `str` or `tuple[str, ...]`, and
    `metadata={"help": "..."}`. `owner` is filled in when the plugin is loaded.
    """

    name: str
    schema: type[Any]
    owner: str = ""


class Adapter(Protocol):
    """Caddy's own reading of a Caddyfile."""

    def adapt(self, caddyfile: str) -> bytes:
        """The JSON that Caddy makes of the text.

        Raises `CaddyRefusal` with Caddy's own words where it refuses, `CaddyUnreachable` where nobody answers.
        """


class Configuration(Protocol):
    """A finished configuration, as outputs get it."""

    @property
    def text(self) -> str:
        """The Caddyfile."""

    @property
    def json(self) -> bytes:
        """Caddy's JSON of it. Raises `CaddyRefusal` where no Caddy has adapted the text."""

    @property
    def placeholders(self) -> Mapping[str, str]:
        """What site transformers noted with `SiteContext.note_placeholder`."""


class Output(Protocol):
    """A backend that delivers the finished configuration."""

    def write(self, configuration: Configuration) -> None:
        """Deliver it. Raises `CaddyRefusal` where Caddy refuses the content, `OutputError` for everything else."""

    def holds(self, configuration: Configuration) -> bool:
        """Whether what was delivered is still in force. Asked every few seconds, so it is cheap.

        Raises `OutputError` where that cannot be found out.
        """

    def close(self) -> None:
        """Release what it holds."""


class Service(Protocol):
    """Something that works beside the loop as long as the daemon runs. All calls come from one thread, one at a time."""

    @property
    def state(self) -> Hashable:
        """What site transformers read as `SiteContext.state`. When it changes, all sites are made anew in the same pass."""

    @property
    def retry_at(self) -> float | None:
        """When it needs another pass, in seconds of `ServiceContext.clock`; None where it does not."""

    def start(self) -> None:
        """Begin to work. Called once, before the first pass."""

    def before_offer(self, configuration: Configuration) -> None:
        """Prepare for a configuration that Caddy is about to be given. The one before may still be in force."""

    def after_accepted(self, configuration: Configuration) -> None:
        """Clean up: Caddy has taken this configuration, nothing else is needed any more."""

    def holds(self) -> bool:
        """Whether all it did is still in force; else there is a pass. Asked every few seconds, so it is cheap."""

    def problems(self) -> Iterable[str]:
        """What is wrong now, each reported once when it appears and once when it is gone."""

    def stop(self) -> None:
        """End and release what it holds. Called once."""


class Loader(Protocol):
    """A connection to a Caddy's admin API."""

    def load(self, config: bytes) -> None:
        """Make Caddy run this JSON; its admin endpoint stays where it is. Raises `CaddyRefusal` with Caddy's own words, `CaddyUnreachable`."""

    def config(self) -> bytes:
        """The JSON that Caddy runs now. Raises `CaddyUnreachable`."""

    def close(self) -> None:
        """Close the connection."""


@frozen
class OutputContext:
    """What an output is built from.

    `options` are those of its `--output NAME=VALUE` (`{"target": VALUE}`), `settings` gives the instance of a declared
    settings section, `connect` a connection to the admin API at a URL (the program's own Caddy for `""`).
    """

    settings: Callable[[type[Any]], Any]
    connect: Callable[[str], Loader]
    options: Mapping[str, str] = field(factory=dict)


@frozen
class OutputType:
    """An output that people can choose with `--output NAME[=TARGET]`: `create(context) -> Output`.

    A `live` output hands the configuration to a Caddy, which can refuse it: what is wrong is found out there, and no
    other output gets it before. Its target is the URL of that Caddy's admin API, `""` for the program's own Caddy.
    """

    create: Callable[[OutputContext], Output]
    live: bool = False


@hookspec
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:  # type: ignore[empty-body]
    """Template functions: name -> callable(context, *args). Its docstring's first line is the help.

    Parameter annotations are the argument types that templates are held to (`str`, `int`, `float`, `bool`, `object`
    for anything; `*args` for variadic ones). What `dockcaddy functions` shows of one may be spelled out:
    `*options: Annotated[object, "[http|https] [PORT...]"]`.
    """


@hookspec
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:  # type: ignore[empty-body]
    """Label transformers."""


@hookspec
def dockcaddy_site_transformers() -> Iterable[SiteTransformer]:  # type: ignore[empty-body]
    """Site transformers."""


@hookspec
def dockcaddy_gates() -> Iterable[Gate]:  # type: ignore[empty-body]
    """Gates in front of `upstreams`."""


@hookspec
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:  # type: ignore[empty-body]
    """Rules about what labels may say."""


@hookspec
def dockcaddy_outputs() -> Mapping[str, OutputType]:  # type: ignore[empty-body]
    """Output backends by name. Only the chosen ones are created."""


@frozen
class ServiceContext:
    """What a service is created from.

    `settings` gives the instance of a declared settings section, `clock` seconds that never go back. `other_caddys` are
    the Caddys that are configured and are not the program's own, by how messages name them (`caddy at URL`).
    """

    settings: Callable[[type[Any]], Any]
    proxy: Proxy
    clock: Callable[[], float]
    other_caddys: Mapping[str, Adapter] = field(factory=dict)


@frozen
class ServiceType:
    """A service of the daemon: `create(context) -> Service`. Other commands than `run` and `demo` have none."""

    name: str
    create: Callable[[ServiceContext], Service]


@hookspec
def dockcaddy_services() -> Iterable[ServiceType]:  # type: ignore[empty-body]
    """Services that start and stop with the daemon."""


@hookspec
def dockcaddy_settings() -> SettingsSection:  # type: ignore[empty-body]
    """The plugin's section of the settings."""
