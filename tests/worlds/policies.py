"""What the tests of the policy share."""

from functools import lru_cache

from attrs import evolve
from dockcaddy import Proxy, plugins, testing
from dockcaddy.admission.rules import admitted
from dockcaddy.compile.rendering import Renderer, ResourceContext
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.plugins.registry import Registry
from dockcaddy_policy import PolicySettings

PROXY = Proxy(
    folders=("/data", "/config", "/etc/caddy", "/var/lib/dockcaddy"),
    files=("/home/op/Caddyfile", "/run/proxy/api.sock"),
    base_folder="/home/op/caddy",
    admin_port=2019,
)


@lru_cache
def loaded() -> Registry:
    """The bundled plugins."""
    return plugins.load()


def rendered(
    labels: dict[str, str], settings: PolicySettings | None = None, runs_caddy: bool = False, caddy=None, **more
):
    """The fragment of a container with these labels; where it `runs_caddy`, of Caddy's own, else beside `caddy`."""
    registry = loaded()
    container = testing.container("web-1", labels=labels, **more)
    engine = EngineInventory("local", (container,), caddy=evolve(container) if runs_caddy else caddy)
    sections = {PolicySettings: settings or PolicySettings()}
    context = ResourceContext(container, engine, registry, sections, Inventory((engine,)), PROXY)
    fragment = admitted(Renderer(registry, "caddy").render(context), context)
    # what Caddy has renamed is a warning of the lint, and no matter of the policy
    return evolve(
        fragment, problems=tuple(each for each in fragment.problems if " is deprecated in " not in each.message)
    )


def refused_by(labels: dict[str, str], settings: PolicySettings | None = None, **more) -> str:
    """The rule that refuses the container, `""` where none does."""
    fragment = rendered(labels, settings, **more)
    if not fragment.problems:
        return ""
    return fragment.problems[0].message.rpartition('["')[2].partition("@")[0]


def site(**labels: str) -> dict[str, str]:
    """A site's labels; `__` stands for a dot."""
    return {"caddy": "example.org", **{key.replace("__", "."): value for key, value in labels.items()}}
