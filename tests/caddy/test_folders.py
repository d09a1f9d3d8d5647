"""Caddy's folders, when another user's Caddy wrote them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dockcaddy.caddy.folders import caddy_folders, report_folders

# as a user who is not root
CODE = """
import logging, os, sys
logging.basicConfig(format="%(message)s")
from dockcaddy.caddy.folders import report_folders
os.setgroups([])
os.setgid(65532)
os.setuid(65532)
report_folders({"XDG_DATA_HOME": sys.argv[1], "XDG_CONFIG_HOME": sys.argv[1] + "/config"})
"""


def test_they_are_where_caddy_looks() -> None:
    assert caddy_folders({"HOME": "/h"}) == (Path("/h/.local/share/caddy"), Path("/h/.config/caddy"))
    environment = {"XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "/config"}
    assert caddy_folders(environment) == (Path("/data/caddy"), Path("/config/caddy"))


def test_nothing_is_said_where_all_is_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "caddy/certificates").mkdir(parents=True)
    report_folders({"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": f"{tmp_path}/not/yet"})
    assert not caplog.records


@pytest.mark.process
@pytest.mark.root
@pytest.mark.parametrize(("closed", "mode"), [("caddy", 0o700), ("caddy/acme", 0o700), ("", 0o755), ("", 0o700)])
def test_what_root_left_there_is_named_with_the_remedy(closed: str, mode: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # other users may not enter pytest's own folder
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        for path in (data, data / "caddy", data / "caddy/acme"):
            path.mkdir()
            os.chown(path, 65532, 65532)
        if not closed:
            shutil.rmtree(data / "caddy")
        os.chown(data / closed, 0, 0)
        (data / closed).chmod(mode)
        done = subprocess.run([sys.executable, "-c", CODE, str(data)], capture_output=True, text=True, check=True)
    said = f"caddy cannot use {data / closed}, so certificates are not kept: give it to this user: chown -R 65532 {data}/caddy"
    assert done.stderr.splitlines()[0] == said
