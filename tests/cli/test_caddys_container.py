"""Which container is Caddy's own, said on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

METRICS = {"caddy": "http://:2020", "caddy.reverse_proxy": "localhost:2019"}


@pytest.mark.process
def test_a_refusal_names_the_option_and_the_option_helps(dockcaddy: Any, sandbox: Path) -> None:
    item = {"Id": "c" * 64, "Names": ["/caddy"], "Image": "caddy", "Labels": METRICS, "State": "running", "Created": 1}
    engine = {"name": "local", "self": None, "containers": [{**item, "NetworkSettings": {}}], "networks": []}
    (sandbox / "inventory.json").write_text(json.dumps({"version": 1, "engines": [engine]}))
    refusing = dockcaddy("check", "--inventory", "inventory.json")
    assert refusing.status == 1 and "--caddy-container caddy" in refusing.err
    assert dockcaddy("check", "--inventory", "inventory.json", "--caddy-container", "caddy").status == 0
    assert dockcaddy("check", "--inventory", "inventory.json", "--caddy-container", "other").status == 1
