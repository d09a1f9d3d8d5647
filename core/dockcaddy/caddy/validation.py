"""Let Caddy validate a configuration without side effects.

`caddy validate` provisions every module: it opens log files, creates the local CA, starts health checks and dials the
receivers of logs and traces. So it gets a configuration without these parts, and a temporary folder for its data.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from dockcaddy.caddy.command import complaint, ran
from dockcaddy.caddy.words import without_values
from dockcaddy.errors import CaddyRefusal
from dockcaddy.files import TemporaryFolder

Json = dict[str, Any]

# log writers without side effects
_QUIET_WRITERS = ("stdout", "stderr", "discard")
# errors about what this Caddy lacks and the one that serves may have
NO_FILE = "no such file or directory"
_LACKING = (NO_FILE, "module not registered", "unknown module")
# the user who checks may have fewer rights than the Caddy that serves
_FORBIDDEN = "permission denied"


@frozen
class CommandValidator:
    """Runs `caddy validate`.

    With `elsewhere`, another machine or another Caddy serves the configuration: files and modules that are missing here
    are no errors.
    """

    path: Path
    elsewhere: bool = False

    def validate(self, config: bytes, caddyfile: str) -> None:
        """Raises CaddyRefusal with Caddy's error text if Caddy would not load it, and CaddyUnreachable.

        `config` is Caddy's JSON for the text `caddyfile`.
        """
        with TemporaryFolder.made("check") as folder:
            file = folder / "caddy.json"
            quiet = without_side_effects(json.loads(config), str(folder), certificate_files=not self.elsewhere)
            file.write_text(json.dumps(quiet))
            words = self._refusal(file)
        self.raise_for([words] if words else (), caddyfile)

    def raise_for(self, messages: Iterable[str], caddyfile: str) -> None:
        """Raises CaddyRefusal for what Caddy said about a configuration, unless that is about something missing here."""
        lacking = (*_LACKING, _FORBIDDEN) if self.elsewhere else (_FORBIDDEN,)
        counting = [each for each in messages if not any(words in each for words in lacking)]
        if counting:
            raise CaddyRefusal(*(without_values(each, caddyfile) for each in dict.fromkeys(counting)))

    def _refusal(self, file: Path) -> str:
        folder = str(file.parent)
        environment = {**os.environ, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        done = ran(self.path, "validate", "--config", str(file), cwd=folder, env=environment)
        return complaint(done.stderr.decode(errors="replace")) if done.returncode else ""


def without_side_effects(config: Json, folder: str, *, certificate_files: bool = True) -> Json:
    """Caddy's JSON without parts that touch a file outside `folder`, or the network, when they are provisioned.

    Everything else stays, so that Caddy can refuse it. Without `certificate_files`, Caddy does not read these either.
    """
    apps = config.get("apps") or {}
    kept = {key: value for key, value in config.items() if key not in ("admin", "storage")}
    kept["storage"] = {"module": "file_system", "root": folder}
    if not certificate_files:
        certificates = (apps.get("tls") or {}).get("certificates") or {}
        for key in ("load_files", "load_folders"):
            certificates.pop(key, None)
    for server in ((apps.get("http") or {}).get("servers") or {}).values():
        if (server.get("trusted_proxies") or {}).get("source") not in (None, "static"):
            del server["trusted_proxies"]
    logging = config.get("logging") or {}
    for log in (*(logging.get("logs") or {}).values(), logging.get("sink") or {}):
        if log.get("writer"):
            log["writer"] = _quiet(log["writer"], folder)
    made: Json = _quietened(kept, folder)
    return made


def _quiet(writer: Json, folder: str) -> Json:
    if writer.get("output") in _QUIET_WRITERS:
        return writer
    if writer.get("output") == "file":
        return {**writer, "filename": str(Path(folder) / "file.log")}
    return {"output": "discard"}


def _quietened(node: Any, folder: str) -> Any:
    if isinstance(node, Mapping):
        made = {key: _quietened(value, folder) for key, value in node.items()}
        if isinstance(made.get("storage"), Mapping):
            made["storage"] = {"module": "file_system", "root": folder}
        return made
    if isinstance(node, list):
        return [_quiet_handler(_quietened(each, folder)) for each in node]
    return node


def _quiet_handler(node: Any) -> Any:
    """The handler to validate in place of one, any other node as it is. A proxy starts its health checks when it is provisioned.

    So its checks are validated without upstreams, and its upstreams without checks.
    """
    handler = node.get("handler") if isinstance(node, Mapping) else None
    if handler == "tracing":
        return {"handler": "subroute"}
    checks = node.get("health_checks") or {} if handler == "reverse_proxy" else {}
    if "active" not in checks:
        return node
    unchecked = {**node, "health_checks": {key: value for key, value in checks.items() if key != "active"}}
    idle = {key: value for key, value in node.items() if key not in ("upstreams", "dynamic_upstreams")}
    return {"handler": "subroute", "routes": [{"handle": [idle, unchecked]}]}
