"""The environment: the resource's own, never the proxy's. `env` is the plugin env's."""

import re
from collections.abc import Callable

from dockcaddy import Context

from dockcaddy_sprig.go import bounded

# as Go's os.Expand reads a name: a sign of the shell's own, digits one by one, a word
_NAME = re.compile(r"\$(?:\{([^}]*)\}|([*#$@!?0-9-])|([A-Za-z_][A-Za-z0-9_]*)|(\{))", re.ASCII)


def expandenv(context: Context, text: str) -> str:
    """The text with `$NAME` and `${NAME}` replaced by the resource's own environment variables."""
    environment = context.resource.environment
    size = len(text)

    def value(found: re.Match[str]) -> str:
        nonlocal size
        made = environment.get(found[1] or found[2] or found[3] or "", "")
        size += len(made)
        bounded(size)
        return made

    return _NAME.sub(value, text)


FUNCTIONS: dict[str, Callable[..., object]] = {"expandenv": expandenv}
