"""The units of systemd and Podman."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from example_stack import EXAMPLES

UNIT = EXAMPLES / "systemd/dockcaddy.service"
QUADLET = EXAMPLES / "quadlet/dockcaddy.container"
# https://docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html
CONTAINER_KEYS = {"Image", "ContainerName", "Network", "PublishPort", "Environment", "Volume", "SecurityLabelDisable"}


def keys(file: Path, section: str) -> set[str]:
    """The keys of a section of a unit."""
    found = re.search(rf"(?ms)^\[{section}\]$(.*?)(?=^\[|\Z)", file.read_text())
    assert found is not None
    return set(re.findall(r"(?m)^(\w+)=", found[1]))


@pytest.mark.process
@pytest.mark.systemd
def test_systemd_finds_no_mistake(tmp_path: Path) -> None:
    unit = tmp_path / "dockcaddy.service"
    # the program has to be there
    unit.write_text(UNIT.read_text().replace("/opt/dockcaddy/bin/dockcaddy", sys.executable))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if "dockcaddy.service" in line]
    assert not complaints


def test_the_service_waits_until_a_configuration_is_live() -> None:
    assert {"Type", "ExecStart", "DynamicUser", "AmbientCapabilities"} <= keys(UNIT, "Service")
    assert "\nType=notify\n" in UNIT.read_text()


def test_the_quadlet_has_only_keys_that_podman_knows() -> None:
    assert keys(QUADLET, "Container") == CONTAINER_KEYS
    assert "Volume=%t/podman/podman.sock:/var/run/docker.sock" in QUADLET.read_text()
