"""Test a plugin without Docker.

`my_plugin` is the plugin's module, or an object with hooks; it may be installed too. The bundled plugins are loaded.

    from dockcaddy import testing

    import my_plugin


    def test_greet():
        web = testing.container("web-1", environment={"NAME": "you"})
        assert testing.render('{{greet (env "NAME")}}', web, my_plugin) == "hello you from web-1"


    def test_a_whole_site():
        labels = {"caddy": "web.test", "caddy.respond": '{{greet "you"}}'}
        fragment = testing.fragment(testing.container("web-1", labels=labels), my_plugin)
        assert fragment.problems == ()
        assert fragment.content == 'web.test {\\n\\trespond "hello you from web-1"\\n}\\n'


    def test_without_the_template_language():
        context = testing.context(testing.container("web-1"), my_plugin)
        assert my_plugin.greet(context, "you") == "hello you from web-1"
        assert context.warnings == []
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from dockcaddy import gotemplate, plugins
from dockcaddy.admission.rules import admitted
from dockcaddy.compile.rendering import Renderer, ResourceContext
from dockcaddy.fragment import Fragment
from dockcaddy.model import Attachment, EngineInventory, Inventory, Mount, Port, Resource
from dockcaddy.plugins.registry import Registry


def container(
    name: str = "web-1",
    *,
    labels: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    networks: Mapping[str, str] | None = None,
    mounts: tuple[Mount, ...] = (),
    ports: tuple[Port, ...] = (),
    **other: Any,
) -> Resource:
    """A running container. `networks` are its IPv4 addresses by network; the first one is the ingress network."""
    attached = {"front": "172.18.0.2"} if networks is None else dict(networks)
    defaults: dict[str, Any] = {
        "id": f"id-of-{name}",
        "image": "acme/web:1.2",
        "state": "running",
        "running": True,
        "targets": tuple(attached.values())[:1],
        "record": {"Names": [f"/{name}"], "Labels": dict(labels or {})},
    }
    return Resource(
        kind="container",
        name=name,
        labels=dict(labels or {}),
        environment=dict(environment or {}),
        attachments=tuple(Attachment(network, network, address) for network, address in attached.items()),
        mounts=mounts,
        ports=ports,
        **{**defaults, **other},
    )


def registry_with(*modules: ModuleType | object) -> Registry:
    """The bundled plugins and these modules, loaded in the same way as those of entry points."""
    return plugins.load(modules=modules)


def context(
    resource: Resource,
    *modules: ModuleType | object,
    caddy: Resource | None = None,
    sections: Mapping[type, Any] | None = None,
) -> ResourceContext:
    """A context for functions and transformers. Their warnings are in its `warnings`."""
    engine = EngineInventory(resource.engine, (resource,), (), caddy)
    return ResourceContext(resource, engine, registry_with(*modules), sections or {}, Inventory((engine,)))


def render(
    template: str,
    resource: Resource,
    *modules: ModuleType | object,
    caddy: Resource | None = None,
    sections: Mapping[type, Any] | None = None,
) -> str:
    """Render a label's template. Raises gotemplate.TemplateError."""
    made = context(resource, *modules, caddy=caddy, sections=sections)
    table = gotemplate.FunctionTable(made.registry.callables())
    return gotemplate.compile(template, table).execute(resource.record, made, usage=made.usage)


def fragment(resource: Resource, *modules: ModuleType | object, sections: Mapping[type, Any] | None = None) -> Fragment:
    """The fragment of a resource's labels. `content` is its Caddyfile, `problems` are the errors and warnings."""
    made = context(resource, *modules, sections=sections)
    return admitted(Renderer(made.registry, "caddy").render(made), made)
