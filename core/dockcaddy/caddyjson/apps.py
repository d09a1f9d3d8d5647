"""Changes to the apps of a configuration. Pure."""

import json
from collections.abc import Callable
from typing import Any

# a second, as Caddy's JSON counts durations
NANOSECONDS = 1_000_000_000


def with_changed_apps(config: bytes, change: Callable[[dict[str, Any]], bool]) -> bytes:
    """The configuration (JSON) after `change`, which edits its apps and returns whether it changed them.

    The same bytes where it did not, or where there are no apps: a configuration may have logs only.
    """
    decoded = json.loads(config)
    apps = decoded.get("apps")
    return json.dumps(decoded, separators=(",", ":")).encode() if apps and change(apps) else config
