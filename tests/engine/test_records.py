"""The engine's JSON where it is not what Docker's would be."""

from typing import Any

import pytest
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records.resources import EngineOptions, container
from dockcaddy.engine.records.services import service
from dockcaddy.model import Resource

INGRESS = IngressNetworks({"front": 0}, on_host=True)


def of_container(labels: dict[str, Any]) -> Resource:
    return container({"Id": "a", "Names": ["/web"], "Labels": labels}, None, INGRESS, "local")


def of_service(labels: dict[str, Any]) -> Resource:
    item = {"ID": "a", "Spec": {"Name": "web", "Labels": labels}}
    return service(item, (), {}, INGRESS, "local", EngineOptions())


@pytest.mark.parametrize("resource", [of_container, of_service])
@pytest.mark.parametrize(
    ("given", "text"), [(None, ""), (8080, "8080"), (True, "true"), ("x", "x"), (["a"], '["a"]'), ({}, "{}")]
)
def test_a_label_that_is_no_text_becomes_one(resource: Any, given: object, text: str) -> None:
    made = resource({"caddy": "example.org", "caddy.respond": given})
    assert made.labels == {"caddy": "example.org", "caddy.respond": text}
    labels = (made.record.data.get("Spec") or made.record.data)["Labels"]
    assert labels["caddy.respond"] == text


def test_a_variable_that_is_no_text_is_none() -> None:
    inspect = {"Config": {"Env": ["A=1", None, 5]}}
    assert container({"Id": "a", "Names": ["/web"]}, inspect, INGRESS, "local").environment == {"A": "1"}


def test_an_item_whose_labels_are_text_is_not_copied() -> None:
    item = {"Id": "a", "Names": ["/web"], "Labels": {"caddy": "example.org"}}
    assert container(item, None, INGRESS, "local").record.data is item
