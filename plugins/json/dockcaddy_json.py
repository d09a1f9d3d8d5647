"""The output `json`: the configuration as Caddy's own JSON on disk."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Configuration, FileOutput, OutputContext, OutputType, target_file


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, OutputType]:
    """The output of this plugin."""
    return {"json": OutputType(json_output)}


def json_output(context: OutputContext) -> "JsonOutput":
    """The output for `--output json=PATH`."""
    return JsonOutput(target_file(context, "json"))


class JsonOutput(FileOutput):
    """An output that writes Caddy's JSON of the Caddyfile."""

    def content(self, configuration: Configuration) -> bytes:
        """The JSON. Raises CaddyRefusal if Caddy refuses the Caddyfile."""
        return configuration.json
