"""What the real Caddy makes of a Caddyfile."""

import json
import subprocess

from dockcaddy.caddyjson import Document


def adapted(caddy: str, text: str) -> bytes:
    """Caddy's JSON of a Caddyfile."""
    command = [caddy, "adapt", "--config", "-", "--adapter", "caddyfile"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


def document(caddy: str, text: str) -> Document:
    """The document of a Caddyfile."""
    return Document.decode(adapted(caddy, text))


def as_json(text: str) -> bytes:
    """In place of Caddy: JSON that differs where the text does."""
    return json.dumps({"text": text}).encode()
