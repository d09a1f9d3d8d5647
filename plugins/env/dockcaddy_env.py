"""Template functions for the environment of the resource, never of the proxy."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Context, TemplateFunction


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {"env": env, "hasEnv": has_env}


def env(context: Context, key: str) -> str:
    """The value of an environment variable of the resource, empty if it is not set."""
    if key not in context.resource.environment:
        context.warn(f'environment variable "{key}" is not set')
    return context.resource.environment.get(key, "")


def has_env(context: Context, key: str) -> bool:
    """Whether the resource has the environment variable, even an empty one."""
    return key in context.resource.environment
