"""What Caddy's responses say, to every client of the admin API."""

import json


def error_text(answer: bytes) -> str:
    """Caddy's error text from `{"error": "..."}`, `""` if the response is not of this form."""
    try:
        decoded = json.loads(answer)
    except ValueError:
        return ""
    return str(decoded.get("error", "")) if isinstance(decoded, dict) else ""


_RESULT = b'{"result":'


def result_of(answer: bytes) -> bytes:
    """The `result` of an /adapt response. Cut out if it comes first, because parsing a large one is slow."""
    if answer.startswith(_RESULT):
        return answer.strip()[len(_RESULT) : -1]
    decoded = json.loads(answer)
    return json.dumps(decoded.get("result") or {}, separators=(",", ":")).encode()
