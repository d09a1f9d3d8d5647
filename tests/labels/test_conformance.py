"""The same labels give the same bytes as caddy-docker-proxy, through the command line's own `render --raw`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dockcaddy.cli import group

FOLDER = Path(__file__).parent / "conformance"
CASES = json.loads((FOLDER / "cases.json").read_text())
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def arguments(options: dict[str, Any], folder: Path) -> list[str]:
    """The case's options as flags."""
    given = ["--ingress-networks", options["ingress_networks"]]
    if "label_prefix" in options:
        given += ["--label-prefix", options["label_prefix"]]
    if options.get("scan_stopped_containers"):
        given += ["--scan-stopped-containers"]
    if "proxy_service_tasks" in options:
        given += [f"--proxy-service-tasks={str(options['proxy_service_tasks']).lower()}"]
    if "caddyfile" in options:
        base = folder / "Caddyfile"
        base.write_text(options["caddyfile"])
        given += ["--caddyfile-path", str(base)]
    return given


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_same_labels_give_the_same_bytes(case: dict[str, Any], sandbox: Path) -> None:
    inventory = sandbox / "inventory.json"
    inventory.write_text(json.dumps(case["inventory"]))
    given = ["render", "--raw", "--inventory", str(inventory), *arguments(case["options"], sandbox)]
    result = CliRunner().invoke(group, given, standalone_mode=False)
    assert result.exception is None
    assert result.stdout == EXPECTED[case["name"]]
