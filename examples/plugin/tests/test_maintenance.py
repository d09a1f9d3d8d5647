"""The plugin without Docker and without Caddy: `dockcaddy.testing` has what is needed."""

import json
from collections.abc import Mapping
from pathlib import Path

import dockcaddy_maintenance
import pytest
from attrs import field, frozen
from dockcaddy import OutputContext, OutputError, testing
from dockcaddy_maintenance.labels import is_available
from dockcaddy_maintenance.settings import MaintenanceSettings
from dockcaddy_maintenance.sites import sites_output

SITE = {"caddy": "shop.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}


def test_a_site_in_maintenance_responds_with_the_text() -> None:
    shop = testing.container(labels={**SITE, "caddy.maintenance": "back at 9 am"})
    fragment = testing.fragment(shop, dockcaddy_maintenance)
    assert fragment.problems == ()
    assert 'respond "back at 9 am" 503' in fragment.content
    assert "172.18.0.2" not in fragment.content


def test_a_site_without_the_label_is_served() -> None:
    fragment = testing.fragment(testing.container(labels=SITE), dockcaddy_maintenance)
    assert fragment.content == "shop.test {\n\treverse_proxy 172.18.0.2:8000\n}\n"


def test_the_text_of_the_settings_is_the_default() -> None:
    sections = {MaintenanceSettings: MaintenanceSettings("closed")}
    shop = testing.container(labels={**SITE, "caddy.maintenance": ""})
    assert "respond closed 503" in testing.fragment(shop, dockcaddy_maintenance, sections=sections).content
    assert testing.render("{{maintenance}}", shop, dockcaddy_maintenance, sections=sections) == "closed"


def test_a_text_that_cannot_be_written_is_refused_with_its_label() -> None:
    shop = testing.container(labels={**SITE, "caddy.maintenance": 'back "soon"'})
    (problem, *_) = testing.fragment(shop, dockcaddy_maintenance).problems
    assert str(problem).startswith("container web-1: label caddy.maintenance: maintenance: the text cannot have")


def test_the_gate_asks_for_the_label_alone() -> None:
    assert is_available(testing.context(testing.container(labels=SITE), dockcaddy_maintenance))
    other = testing.container(labels={**SITE, "maintenance": "no label of a site"})
    assert is_available(testing.context(other, dockcaddy_maintenance))


@frozen
class Written:
    """A configuration as outputs get it."""

    text: str
    json: bytes
    placeholders: Mapping[str, str] = field(factory=dict)


def context(**options: str) -> OutputContext:
    return OutputContext(lambda section: section(), lambda url: pytest.fail("nothing is connected"), options)


def test_the_output_writes_the_hosts(tmp_path: Path) -> None:
    routes = [{"match": [{"host": ["shop.test", "a.test"]}]}, {"match": [{"host": ["a.test"]}]}, {}]
    config = {"apps": {"http": {"servers": {"srv0": {"routes": routes}}}}}
    output = sites_output(context(target=str(tmp_path / "sites.txt")))
    configuration = Written("", json.dumps(config).encode())
    output.write(configuration)
    assert (tmp_path / "sites.txt").read_text() == "a.test\nshop.test\n"
    assert output.holds(configuration)


def test_the_output_needs_a_path() -> None:
    with pytest.raises(OutputError, match="needs a path"):
        sites_output(context())
