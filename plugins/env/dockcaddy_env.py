"""The resource's own environment. Never the proxy's."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Context


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, object]:
    """The functions of this plugin."""
    return {"env": env, "hasEnv": has_env}


def env(context: Context, key: str) -> str:
    """The resource's own environment variable, empty where it is not set."""
    if key not in context.resource.environment:
        context.warn(f'environment variable "{key}" is not set')
    return context.resource.environment.get(key, "")


def has_env(context: Context, key: str) -> bool:
    """Whether the environment variable is set, even to nothing."""
    return key in context.resource.environment
