"""What the tests of golden files share."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import dockcaddy
from golden import Case
from judging_fixtures import court
from snapshots import snapshot_of

__all__ = ["court", "dockcaddy", "on_case"]


@pytest.fixture
def on_case(dockcaddy: Callable, sandbox: Path, caddy: str) -> Callable:
    """Calls a command on the containers of a case, with the real Caddy."""

    def call(command: str, case: Case, *arguments: str) -> object:
        (sandbox / "snapshot.json").write_text(json.dumps(snapshot_of(case.containers)))
        given = ("--inventory", "snapshot.json", "--ingress-networks=web", "--caddy", caddy)
        if base := case.settings.get("base"):
            (sandbox / "Caddyfile").write_text(base)
            given += ("--caddyfile-path", "Caddyfile")
        return dockcaddy(command, *arguments, *given, *case.settings.get("arguments", ()))

    return call
