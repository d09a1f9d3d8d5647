"""Faults of caddy-docker-proxy in how it is run: its log, its environment, and what it says of itself."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import dockcaddy
from dockcaddy.cli import COMMANDS
from dockcaddy.run.engines import engines_for
from dockcaddy.settings.table import Settings
from snapshots import snapshot_of

__all__ = ["dockcaddy"]


# --- B38: what is left out is seen


def test_b38_what_is_left_out_is_logged_as_an_error(dockcaddy: Callable, sandbox: Path) -> None:
    containers = {"web": {"caddy": "a.example.org", "caddy.import": "/etc/passwd"}}
    (sandbox / "snapshot.json").write_text(json.dumps(snapshot_of(containers)))
    result = dockcaddy("render", "--raw", "--log-level", "error", "--inventory", "snapshot.json")
    assert result.err.startswith("error: container web: label caddy.import: ")


# --- B46: the environment stays as it is


def test_b46_the_variables_for_docker_stay_as_they_are(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://mine:2375")
    monkeypatch.setenv("DOCKER_API_VERSION", "1.41")
    before = dict(os.environ)
    engines_for(Settings(docker_sockets=("unix:///a.sock", "tcp://b:2375"), docker_apis_version=("", "1.44")))
    assert dict(os.environ) == before


# --- B48: somebody can ask


def test_b48_there_is_a_command_for_health_checks(dockcaddy: Callable) -> None:
    assert "healthcheck" in COMMANDS
    assert dockcaddy("healthcheck", "--help").status == 0
