"""State and health of a resource, and the gate that keeps traffic from resources that are not healthy."""

from collections.abc import Iterable, Mapping

import dockcaddy
from attrs import field, frozen
from dockcaddy import Context, Gate, SettingsSection, TemplateFunction

GATE_LABEL = "caddy_health_gate"
_OFF = frozenset(("false", "no", "off", "0"))


@frozen
class HealthSettings:
    """The section `[health]`."""

    gate: bool = field(default=False, metadata={"help": "leave containers out of upstreams until they are healthy"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[health]`."""
    return SettingsSection("health", HealthSettings)


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The functions of this plugin."""
    return {"isRunning": is_running, "isHealthy": is_healthy, "healthStatus": health_status}


@dockcaddy.hook
def dockcaddy_gates() -> Iterable[Gate]:
    """The health gate."""
    return [Gate("health", admits)]


def is_running(context: Context) -> bool:
    """Whether it is running, not paused, not restarting; for a service: whether a task is running."""
    return context.resource.running


def is_healthy(context: Context) -> bool:
    """Whether it is running and its health check, if it has one, reports healthy; starting is not healthy."""
    return context.resource.running and context.resource.health in ("healthy", "none")


def health_status(context: Context) -> str:
    """`healthy`, `unhealthy`, `starting`, or `none` without a health check."""
    return context.resource.health


def admits(context: Context) -> bool:
    """Whether the resource gets traffic: its gate is off, or it is healthy."""
    asked = context.resource.labels.get(GATE_LABEL)
    gated = context.settings(HealthSettings).gate if asked is None else asked.strip().lower() not in _OFF
    return not gated or is_healthy(context)
