"""Labels to Caddyfile text, one case a file: the rules of caddy-docker-proxy, and where they were mended."""

import json
from pathlib import Path

import pytest
from dockcaddy.caddyfile import Block, merge, parse, sort, write
from dockcaddy.compile import labels
from golden import Golden

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))


@pytest.mark.parametrize("name", CASES)
def test_labels_become_a_caddyfile(name: str, golden: Golden) -> None:
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    blocks: list[Block] = list(parse(case.get("caddyfile", ""), "caddyfile test"))
    for resource in case["resources"]:
        chosen = labels.select(resource["labels"], case.get("prefix", "caddy"))
        suffix_names = case.get("suffix_names", False)
        blocks += labels.build(chosen, f"container {resource['name']}", suffix_names=suffix_names)
    golden(GOLDEN / f"{name}.caddyfile", write(sort(merge(blocks), case.get("route_order", "caddy"))))
