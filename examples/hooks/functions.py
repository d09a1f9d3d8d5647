"""caddy.header.X-Release: '{{release "unknown"}}'"""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Context, TemplateFunction


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    return {"release": release}


def release(context: Context, default: str) -> str:
    """The tag of the container's image, DEFAULT if it has none."""
    return context.resource.image.partition(":")[2] or default
