"""The command line and a running town, as other folders have them."""

import importlib.util
from pathlib import Path

from town_fixtures import calm, engine, start_proxy, town

_CLI = Path(__file__).parent.parent / "cli/conftest.py"
_spec = importlib.util.spec_from_file_location("cli_fixtures", _CLI)
assert _spec is not None and _spec.loader is not None
_cli = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cli)
dockcaddy, snapshot = _cli.dockcaddy, _cli.snapshot

__all__ = ["calm", "dockcaddy", "engine", "snapshot", "start_proxy", "town"]
