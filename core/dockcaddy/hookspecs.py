"""The hooks that a plugin may implement, and what they give. Every hook is called once, at start.

A plugin is a Python module that implements hooks with `@dockcaddy.hook`:

    import dockcaddy
    from collections.abc import Mapping

    @dockcaddy.hook
    def dockcaddy_functions() -> Mapping[str, dockcaddy.TemplateFunction]:
        return {"greet": greet}

    def greet(context: dockcaddy.Context, name: str) -> str:
        \"\"\"A greeting for NAME.\"\"\"
        return f"hello {name} from {context.resource.name}"

It imports only what `dockcaddy.__all__` lists. dockcaddy finds it as an entry point of the group `dockcaddy`, or as a file
that `--plugin FILE` names. Two plugins that contribute the same name are an error at start; `replace` allows a function
of a later plugin to replace one.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import Enum
from typing import Any, Protocol, TypeVar

import pluggy
from attrs import field, frozen

from dockcaddy.caddyfile import Block
from dockcaddy.model import EngineInventory, Inventory, Proxy, Resource
from dockcaddy.status.model import Event, Status, Update

TemplateFunction = Callable[..., object]
T = TypeVar("T")


class Context(Protocol):
    """What functions, label transformers, gates and admission rules get: one resource and what is around it."""

    @property
    def resource(self) -> Resource:
        """The resource whose label is rendered."""

    @property
    def engine(self) -> EngineInventory:
        """The inventory of the resource's engine. Only its `caddy` may be read without cost."""

    @property
    def inventory(self) -> Inventory:
        """All engines. Reading it makes the fragment depend on all of them: it is rendered again in every pass."""

    @property
    def proxy(self) -> Proxy:
        """What belongs to dockcaddy and its Caddy."""

    @property
    def admitted(self) -> bool:
        """Whether traffic may be sent to the resource: it is not stopping, and every gate lets it through."""

    def settings(self, section: type[Any]) -> Any:
        """The plugin's own settings: the frozen instance of a class it declared with `dockcaddy_settings`."""

    def warn(self, message: str, label: str = "") -> None:
        """Report a warning that names the resource and a label; the label stays in force.

        `label` is the key of a label, by default that of the label that is being rendered.
        """

    def spend(self, steps: int) -> None:
        """Count work beyond that of a plain call: a step takes a few microseconds.

        Raises `gotemplate.FunctionError` where the resource's templates have taken more steps than they may.
        """

    def keep(self, make: Callable[[], T], *inputs: Hashable) -> T:
        """What `make` gave when this call was made first, as long as the label, its resource and the `inputs` are the same.

        For what is different each time it is made, a random word or the time: nothing is reloaded for it. The inputs are
        what the value is made of: a hash is made anew for another password.
        """

    def linger(self, seconds: float) -> None:
        """Keep the resource's sites for so long after it is gone, unless other resources define them by then."""


@frozen
class Label:
    """One label under the prefix. `key` has the prefix normalised to `caddy`; `origin` is the key as people wrote it.

    `value` is a template in stage RAW, text in stage RENDERED; `conditional` says that the template had control flow.
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
    """What a site transformer gets."""

    @property
    def proxy(self) -> Proxy:
        """What belongs to dockcaddy and its Caddy."""

    def settings(self, section: type[Any]) -> Any:
        """The plugin's own settings, as in `Context`."""

    def state(self, service: str, default: object = None) -> Any:
        """The state of the service of this name (`Service.state`); None while the service fails.

        `default` if it does not run, as in `dockcaddy render`.
        """

    def note_placeholder(self, placeholder: str, value: str) -> None:
        """Note the present value of one of Caddy's placeholders, like `{file./srv/x}`; `""` if it has none.

        Services read it as `Configuration.placeholders`; the log and `check` show it. Raises ValueError if it is not a
        placeholder, or the value is more than one word.
        """


@frozen
class SiteTransformer:
    """A rewrite of one merged site: `apply(context, site) -> site`, pure.

    It also gets snippets and the global options. Transformers run by `order`, then by `name`.
    """

    name: str
    apply: Callable[[SiteContext, Block], Block]
    order: int = 0


@frozen
class Gate:
    """Decides whether a resource gets traffic: `admits(context) -> bool`, pure."""

    name: str
    admits: Callable[[Context], bool]


@frozen
class AdmissionRule:
    """A check of the blocks that one resource's labels became: `check(context, blocks)` raises `LabelError` to refuse.

    The blocks are those that would be written; each has the labels that it came from (`block.origins`). No output gets
    what a rule refuses. If the rule `shows_refused`, `render --raw` prints it.
    """

    name: str
    check: Callable[[Context, tuple[Block, ...]], None]
    shows_refused: bool = False


@frozen
class Finding:
    """Something in Caddy's JSON that labels may not lead to. `texts` help to find the label: what stands there."""

    rule: str
    reason: str
    texts: tuple[str, ...] = field(default=(), eq=False)


class DocumentContext(Protocol):
    """What a document rule looks for findings with."""

    @property
    def proxy(self) -> Proxy:
        """What belongs to dockcaddy and its Caddy."""

    def settings(self, section: type[Any]) -> Any:
        """The plugin's own settings, as in `Context`."""


@frozen
class DocumentRule:
    """A check of Caddy's JSON that labels became, with snippets imported and variables filled in.

    `find(context, part, hosts)` gives the findings in a part, pure: in a route of a server, whose `hosts` are given (none
    where it is for all), or in everything but the routes, where `hosts` is None. `check(context, blocks, finding)` raises
    `LabelError` unless the labels of the context's resource, which became these blocks, may lead to the finding.
    `applies(context)` is whether there is anything to check with these settings: if so, no labels are used unchecked.
    """

    name: str
    find: Callable[[DocumentContext, Mapping[str, Any], tuple[str, ...] | None], Iterable[Finding]]
    check: Callable[[Context, tuple[Block, ...], Finding], None]
    applies: Callable[[DocumentContext], bool] = lambda context: True


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
    """Something that adapts Caddyfiles: a running Caddy, or the Caddy program."""

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text. Raises `CaddyRefusal` with Caddy's own error, `CaddyUnreachable`."""


class Configuration(Protocol):
    """A finished configuration, as outputs and services get it."""

    @property
    def text(self) -> str:
        """The Caddyfile."""

    @property
    def json(self) -> bytes:
        """Caddy's JSON of the text. Raises `CaddyRefusal` if no Caddy has adapted it."""

    @property
    def placeholders(self) -> Mapping[str, str]:
        """The values that site transformers noted with `SiteContext.note_placeholder`."""


class Output(Protocol):
    """A backend that delivers configurations."""

    def write(self, configuration: Configuration) -> None:
        """Deliver it. Raises `CaddyRefusal` if Caddy refuses it, `OutputError` for everything else."""

    def holds(self, configuration: Configuration) -> bool:
        """Whether the configuration is still in force. Called every few seconds, so it has to be cheap.

        Raises `OutputError` if that is unknown.
        """

    def close(self) -> None:
        """Release connections and files. Called once, at the end."""


class Service(Protocol):
    """Something that works beside the loop while the daemon runs. All calls come from one thread, one at a time."""

    @property
    def state(self) -> Hashable:
        """What site transformers get from `SiteContext.state`. When it changes, all sites are made again in the same pass."""

    @property
    def retry_at(self) -> float | None:
        """When it needs another pass, in seconds of `ServiceContext.clock`; None if it does not need one."""

    def start(self) -> None:
        """Begin to work. Called once, before the first pass."""

    def before_offer(self, configuration: Configuration) -> None:
        """Prepare for a configuration that is about to be loaded. The previous one is still in force."""

    def after_accepted(self, configuration: Configuration) -> None:
        """Clean up what the previous configuration needed: Caddy has accepted this one."""

    def holds(self) -> bool:
        """Whether its work is still in force; if not, there is a pass. Called every few seconds, so it has to be cheap."""

    def problems(self) -> Iterable[str]:
        """What is wrong now. Each problem is logged once when it appears and once when it is gone."""

    def stop(self) -> None:
        """End, and release connections and files. Called once."""


class Loader(Protocol):
    """A connection to a Caddy's admin API."""

    def load(self, config: bytes) -> Hashable | None:
        """Load this JSON; the admin endpoint stays as it is. Raises `CaddyRefusal` with Caddy's own error, `CaddyUnreachable`.

        Gives what `since` says now; None where Caddy may have taken something else too.
        """

    def config(self) -> bytes:
        """The JSON that Caddy runs now. Raises `CaddyUnreachable`."""

    def since(self) -> Hashable:
        """What changes when Caddy starts or takes a configuration; empty where Caddy does not say. Costs less than `config`.

        Raises `CaddyUnreachable`.
        """

    def close(self) -> None:
        """Close the connection."""


@frozen
class OutputContext:
    """What an output is created from.

    `options` is `{"target": TARGET}` for `--output NAME=TARGET`, else empty. `settings` gives the instance of a declared
    settings section, `connect` a connection to the admin API at a URL (`""`: dockcaddy's own Caddy).
    """

    settings: Callable[[type[Any]], Any]
    connect: Callable[[str], Loader]
    options: Mapping[str, str] = field(factory=dict)


@frozen
class OutputType:
    """A kind of output: `create(context) -> Output`.

    A `live` output loads the configuration into a Caddy, which can refuse it. Other outputs get only what all live
    outputs accepted. The target of a live output is the URL of its Caddy's admin API; without a target it is dockcaddy's
    own Caddy.
    """

    create: Callable[[OutputContext], Output]
    live: bool = False


class StatusFeed(Protocol):
    """The status of every resource and site."""

    @property
    def current(self) -> Status:
        """The status now. Any thread may read it."""

    def subscribe(self, subscriber: Callable[[Update], None]) -> Callable[[], None]:
        """Have it called with each update, from any thread, while nothing else is done. Returns what ends that."""


class NoStatus:
    """A feed of nothing, where no loop runs."""

    current: Status = Status()

    def subscribe(self, subscriber: Callable[[Update], None]) -> Callable[[], None]:
        """Never call it."""
        return lambda: None


@frozen
class ServiceContext:
    """What a service is created from.

    `settings` gives the instance of a declared settings section, `clock` seconds that never go back. `other_caddys` are
    the Caddys of live outputs that are not dockcaddy's own, by their names in messages (`caddy at URL`). `status` is that
    of every resource and site.
    """

    settings: Callable[[type[Any]], Any]
    proxy: Proxy
    clock: Callable[[], float]
    other_caddys: Mapping[str, Adapter] = field(factory=dict)
    status: StatusFeed = field(factory=NoStatus)


@frozen
class ServiceType:
    """A service of the daemon: `create(context) -> Service`. Only `run` and `demo` have services."""

    name: str
    create: Callable[[ServiceContext], Service]


@frozen
class EventListener:
    """Something that hears what happens: `create(context) -> receive`, and then `receive(event)` for each `Event`.

    Both are called in a thread of the listener's own while the daemon runs: they may take their time, and delay nothing but this
    listener's next event. Where too many wait, the oldest are dropped. An error costs the event.
    """

    name: str
    create: Callable[[ServiceContext], Callable[[Event], object]]


_Contributed = (
    Mapping[str, TemplateFunction]
    | Mapping[str, OutputType]
    | Iterable[LabelTransformer]
    | Iterable[SiteTransformer]
    | Iterable[Gate]
    | Iterable[AdmissionRule]
    | Iterable[DocumentRule]
    | Iterable[ServiceType]
    | Iterable[EventListener]
    | SettingsSection
)
_Hook = TypeVar("_Hook", bound=Callable[..., _Contributed])
_mark = pluggy.HookimplMarker("dockcaddy")
_hookspec = pluggy.HookspecMarker("dockcaddy")


def hook(function: _Hook) -> _Hook:
    """Mark a function of a plugin as the hook of its name. A type checker accepts only what a hook may return."""
    return _mark(function)


@_hookspec
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:  # type: ignore[empty-body]
    """Template functions by name. A template calls one as `{{name ARGUMENT...}}`: `function(context, *arguments)`.

    `context` is a `Context`. Annotations of the other parameters (`str`, `int`, `float`, `bool`, `object` for anything,
    `*args` for any number) are the types that templates are held to. The first line of the docstring is the help; its
    parameters may be spelled out: `*options: Annotated[object, "[http|https] [PORT...]"]`. Called whenever a label is
    rendered. An error costs the resource and is reported with the label and the plugin; raise `LabelError` for a message
    of your own.
    """


@_hookspec
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:  # type: ignore[empty-body]
    """Label transformers, which rewrite the labels of one resource before or after its templates are rendered.

    Called whenever a resource with labels of ours is rendered. Raise `LabelError` to refuse the resource; any other
    error costs the resource and names the plugin.
    """


@_hookspec
def dockcaddy_site_transformers() -> Iterable[SiteTransformer]:  # type: ignore[empty-body]
    """Site transformers, which rewrite a site after the fragments of all its resources were merged.

    Called whenever one of the site's fragments changes. An error leaves the site as it was and is reported.
    """


@_hookspec
def dockcaddy_gates() -> Iterable[Gate]:  # type: ignore[empty-body]
    """Gates, which keep traffic from a resource: `upstreams` lists its addresses only if every gate admits it.

    Called when a template asks for the resource's upstreams (`Context.admitted`). An error costs the resource.
    """


@_hookspec
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:  # type: ignore[empty-body]
    """Admission rules, which refuse what labels may not say.

    Called for the blocks of every resource after they are rendered. Raise `LabelError` to refuse the resource; any other
    error refuses it too.
    """


@_hookspec
def dockcaddy_document_rules() -> Iterable[DocumentRule]:  # type: ignore[empty-body]
    """Document rules, which refuse what labels may not lead to in Caddy's JSON.

    `find` is called once for each route as long as that is the same, and for the rest whenever something changes. `check` is
    called for the resources that a finding may come from. No output gets a configuration with a finding, except what
    `check` allows and what the operator's own configuration has too. An error refuses the whole configuration.
    """


@_hookspec
def dockcaddy_outputs() -> Mapping[str, OutputType]:  # type: ignore[empty-body]
    """Outputs by name, which is any text without `=`. Only those that `--output NAME[=TARGET]` chooses are created.

    An `OutputError` of `create` ends the start: it reports wrong settings. An error of `write` is reported, and the
    output is tried again after a pause; other outputs are not affected.
    """


@_hookspec
def dockcaddy_services() -> Iterable[ServiceType]:  # type: ignore[empty-body]
    """Services, which start and stop with the daemon and take part in every pass.

    After an error the service's state is None and it is left alone for a while; the pass goes on.
    """


@_hookspec
def dockcaddy_events() -> Iterable[EventListener]:  # type: ignore[empty-body]
    """Event listeners, which hear what happens: a site is up, down, refused, recovered; an engine or Caddy is lost or back.

    `Event.kind` is a word like `SiteDown`; docs/notify.md lists them. Only `run` has events.
    """


@_hookspec
def dockcaddy_settings() -> SettingsSection:  # type: ignore[empty-body]
    """The plugin's section of the settings, which every context gives it: `context.settings(Schema)`.

    A validator of the schema that raises `ValueError` refuses a value with its message.
    """
