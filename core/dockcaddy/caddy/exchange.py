"""What Caddy's responses say, to every client of the admin API."""

import json
from typing import Any


def decoded(config: bytes) -> dict[str, Any]:
    """A configuration as decoded JSON; without one, Caddy says `null` or nothing."""
    return (json.loads(config) if config.strip() else None) or {}


def error_text(answer: bytes) -> str:
    """Caddy's error text from `{"error": "..."}`, `""` if the response is not of this form."""
    try:
        said = json.loads(answer)
    except ValueError:
        return ""
    return str(said.get("error", "")) if isinstance(said, dict) else ""


_RESULT = b'{"result":'


def result_of(answer: bytes) -> bytes:
    """The `result` of an /adapt response. Cut out if it comes first, because parsing a large one is slow."""
    if answer.startswith(_RESULT):
        return answer.strip()[len(_RESULT) : -1]
    return json.dumps(json.loads(answer).get("result") or {}, separators=(",", ":")).encode()
