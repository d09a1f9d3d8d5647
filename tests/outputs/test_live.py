"""Whether an output is live is what it declares, whatever its name is."""

import dockcaddy
from dockcaddy import OutputContext, OutputType, plugins
from dockcaddy.plugins.registry import Registry
from dockcaddy.run.outputs import chosen_outputs
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings


class Other:
    """A plugin with outputs that have a Caddy and the name of none."""

    __name__ = "other"

    @dockcaddy.hook
    def dockcaddy_outputs(self) -> dict[str, OutputType]:
        return {"fleet": OutputType(create, live=True), "admin-copy": OutputType(create)}


def create(context: OutputContext) -> object:
    raise AssertionError("only what is chosen is created, and only when the loop is made")


def registry() -> Registry:
    return plugins.load(modules=[Other()])


def test_a_live_output_is_known_before_it_is_created() -> None:
    settings = Settings(
        output=("admin", "fleet=http://10.0.0.5:2019", "admin-copy=/srv/copy", "json=/srv/x", "nowhere")
    )
    chosen = chosen_outputs(settings, registry())
    assert [str(each) for each in chosen] == list(settings.output)
    assert [each.name for each in chosen if each.is_live] == ["admin", "fleet"]


def test_the_target_of_a_live_output_is_an_admin_endpoint_and_that_of_another_a_file() -> None:
    settings = Settings(
        docker_sockets=("unix:///run/docker.sock",), output=("fleet=http://10.0.0.5:2019", "admin-copy=/srv/copy")
    )
    proxy = proxy_of(settings, registry())
    assert proxy.admin_endpoints == (("10.0.0.5", 2019),)
    assert "/srv/copy" in proxy.files and not [each for each in proxy.files if "10.0.0.5" in each]
