"""dockcaddy run --output admin --output lines=/run/lines.txt"""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Configuration, FileOutput, OutputContext, OutputType, target_file


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, OutputType]:
    return {"lines": OutputType(lines)}


def lines(context: OutputContext) -> "Lines":
    """The output for `--output lines=PATH`; target_file raises an OutputError that says what is wrong with PATH."""
    return Lines(target_file(context, "lines"))


class Lines(FileOutput):
    """A file with the number of lines of the Caddyfile. FileOutput has write, holds and close."""

    def content(self, configuration: Configuration) -> bytes:
        return f"{len(configuration.text.splitlines())}\n".encode()
