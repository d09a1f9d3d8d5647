"""The output `caddyfile`: the configuration as a Caddyfile on disk."""

from collections.abc import Callable, Mapping

import dockcaddy
from dockcaddy import Configuration, FileOutput, OutputContext, target_file


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, Callable[[OutputContext], object]]:
    """The output of this plugin."""
    return {"caddyfile": caddyfile_output}


def caddyfile_output(context: OutputContext) -> "CaddyfileOutput":
    """The output for `--output caddyfile=PATH`."""
    return CaddyfileOutput(target_file(context, "caddyfile"))


class CaddyfileOutput(FileOutput):
    """A file with the Caddyfile."""

    def content(self, configuration: Configuration) -> bytes:
        """The text."""
        return configuration.text.encode()
