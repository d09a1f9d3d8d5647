"""Flow control."""

from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError


def fail(context: Context, message: str) -> str:
    """Refuse the resource with this message."""
    raise FunctionError(message)


FUNCTIONS: dict[str, Callable[..., object]] = {"fail": fail}
