"""`dockcaddy check --compare-cdp`: what is shown of a snapshot. A case without a difference ends with status 0."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.run import comparison
from golden import Case, Golden, cases
from snapshots import snapshot_of


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "compare"))
def test_what_differs_from_caddy_docker_proxy_is_shown_with_the_reason(
    case: Case, golden: Golden, on_case: Callable
) -> None:
    result = on_case("check", case, "--compare-cdp")
    assert result.status == case.settings["status"]
    golden(case.expected, result.out + result.err)


@pytest.mark.parametrize("mode", ["host", "container:vpn"])
def test_it_writes_no_upstream_for_a_network_that_is_anothers(
    mode: str, dockcaddy: Callable, sandbox: Path, caddy: str
) -> None:
    labels = {"caddy": "app.example.org", "caddy.reverse_proxy": "{{upstreams 80}}"}
    document = snapshot_of({"app": labels, "vpn": {}})
    app, vpn = document["engines"][0]["containers"]
    app["HostConfig"]["NetworkMode"] = mode.replace("vpn", vpn["Id"])
    app["NetworkSettings"]["Networks"] = {}
    (sandbox / "snapshot.json").write_text(json.dumps(document))
    result = dockcaddy("check", "--compare-cdp", "--inventory", "snapshot.json", "--caddy", caddy)
    assert result.status == 1, result.out
    assert "caddy-docker-proxy writes no upstream for a container with the network of the host or of" in result.out


def test_every_setting_that_a_reason_names_is_in_the_list_of_differences(project: Path) -> None:
    listed = (project / "docs" / "differences-from-cdp.md").read_text()
    reasons = [each for each in vars(comparison).values() if isinstance(each, comparison.Reason)]
    assert len(reasons) > 10
    for reason in reasons:
        assert reason.restored in listed, reason
        assert all((project / path).exists() for path in re.findall(r"docs/[\w-]+\.md", reason.peer))


def test_the_migration_page_shows_what_is_printed(project: Path, dockcaddy: Callable, sandbox: Path) -> None:
    labels = {"caddy": "app.example.org", "caddy.route.file_server": "", "caddy.route.forward_auth": "auth:9091"}
    (sandbox / "snapshot.json").write_text(json.dumps(snapshot_of({"app": labels})))
    made = dockcaddy("check", "--compare-cdp", "--inventory", "snapshot.json").out
    assert made in (project / "docs" / "migrating-from-caddy-docker-proxy.md").read_text()
