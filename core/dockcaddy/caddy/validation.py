"""Having Caddy set a configuration up without running it, and without anything being touched.

`caddy validate` provisions every module: this opens logs, makes the local CA, asks upstreams how they are and dials
what logs and traces are sent to. So it gets a configuration of which nothing of this is left, and a folder of its own.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from dockcaddy.caddy.command import complaint, not_run
from dockcaddy.caddy.words import without_values
from dockcaddy.errors import CaddyRefusal
from dockcaddy.settings import limits

Json = dict[str, Any]

# writers of logs that reach nothing but this process
_QUIET_WRITERS = ("stdout", "stderr", "discard")
# what Caddy says where it lacks what the Caddy that serves may have
_LACKING = ("no such file or directory", "module not registered", "unknown module")
# whoever checks may have less rights than whoever serves
_FORBIDDEN = "permission denied"


@frozen
class CommandValidator:
    """Runs `caddy validate`. `elsewhere` tells that another machine, or another Caddy, is to serve the configuration:
    files and modules that are missing here are no fault then.
    """

    path: Path
    elsewhere: bool = False

    def validate(self, config: bytes, caddyfile: str) -> None:
        """Raises CaddyRefusal with Caddy's own words for what it would not load, CaddyUnreachable.

        `config` is Caddy's JSON of the text `caddyfile`.
        """
        with tempfile.TemporaryDirectory(prefix="dockcaddy-check-") as folder:
            file = Path(folder) / "caddy.json"
            file.write_text(json.dumps(harmless(json.loads(config), folder, certificate_files=not self.elsewhere)))
            words = self._refusal(file)
        lacking = (*_LACKING, _FORBIDDEN) if self.elsewhere else (_FORBIDDEN,)
        if words and not any(each in words for each in lacking):
            raise CaddyRefusal(without_values(words, caddyfile))

    def _refusal(self, file: Path) -> str:
        folder = str(file.parent)
        environment = {**os.environ, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        command = [str(self.path), "validate", "--config", str(file)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=limits.CADDY_COMMAND_TIMEOUT,
                check=False,
                cwd=folder,
                env=environment,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise not_run(self.path, error) from error
        return complaint(done.stderr.decode(errors="replace")) if done.returncode else ""


def harmless(config: Json, folder: str, *, certificate_files: bool = True) -> Json:
    """Caddy's JSON of which nothing is left that reaches a file outside `folder`, or the network, when it is set up.

    What can be refused stays. Without `certificate_files` those of certificates are not read either.
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
        return [_quietened(part, folder) for each in node for part in _parts(each)]
    return node


def _parts(node: Any) -> Iterator[Any]:
    """A handler that does nothing by itself yet: a proxy's checks begin when it is set up, with all of its upstreams.

    Each is looked at without the other.
    """
    handler = node.get("handler") if isinstance(node, Mapping) else None
    if handler == "tracing":
        return
    checks = node.get("health_checks") or {} if handler == "reverse_proxy" else {}
    if "active" not in checks:
        yield node
        return
    yield {key: value for key, value in node.items() if key not in ("upstreams", "dynamic_upstreams")}
    yield {**node, "health_checks": {key: value for key, value in checks.items() if key != "active"}}
