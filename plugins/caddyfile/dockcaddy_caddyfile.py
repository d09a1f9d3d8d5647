"""The output `caddyfile`: the configuration as a Caddyfile on disk."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Configuration, FileOutput, OutputContext, OutputType, target_file


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, OutputType]:
    """The output of this plugin."""
    return {"caddyfile": OutputType(caddyfile_output)}


def caddyfile_output(context: OutputContext) -> "CaddyfileOutput":
    """The output for `--output caddyfile=PATH`."""
    return CaddyfileOutput(target_file(context, "caddyfile"))


class CaddyfileOutput(FileOutput):
    """An output that writes the Caddyfile."""

    def content(self, configuration: Configuration) -> bytes:
        """The Caddyfile's text."""
        return configuration.text.encode()
