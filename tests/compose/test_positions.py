"""Each label has a line, however it got into its service."""

from collections.abc import Callable

import pytest
from dockcaddy.compose.positions import Positions

LABELS = ("labels",)
DEPLOY = ("deploy", "labels")


def lines(files: tuple[str, ...], service: str, section: tuple[str, ...] = LABELS) -> dict[str, str]:
    found = Positions.of(files).labels
    return {label: str(at) for (name, where, label), at in found.items() if (name, where) == (service, section)}


def test_a_mapping_and_a_list(compose_files: Callable) -> None:
    compose_files(
        compose="""\
services:
  one:
    labels:
      caddy: a.example.org
      "caddy.respond": |
        one
        two
  two:
    labels:
      - caddy=b.example.org
      - "caddy.respond=x = y"
"""
    )
    assert lines(("compose.yaml",), "one") == {"caddy": "compose.yaml:4", "caddy.respond": "compose.yaml:5"}
    assert lines(("compose.yaml",), "two") == {"caddy": "compose.yaml:10", "caddy.respond": "compose.yaml:11"}


def test_merged_anchors_and_what_replaces_them(compose_files: Callable) -> None:
    compose_files(
        compose="""\
x-first: &first
  caddy.tls: internal
  caddy.encode: gzip
x-second: &second
  caddy.tls: off
  caddy.log: ""
services:
  web:
    labels:
      <<: [*first, *second]
      caddy.encode: zstd
"""
    )
    assert lines(("compose.yaml",), "web") == {
        "caddy.tls": "compose.yaml:2",
        "caddy.encode": "compose.yaml:11",
        "caddy.log": "compose.yaml:6",
    }


def test_several_files_and_extends_and_include(compose_files: Callable) -> None:
    compose_files(
        base="services:\n  app:\n    labels: {caddy.log: ''}\n    deploy:\n      labels: {caddy: x.test}\n",
        more="services:\n  other:\n    labels: {caddy: more.test}\n",
        compose="include: [more.yaml]\nservices:\n  web:\n    extends: {file: base.yaml, service: app}\n"
        "    labels: {caddy: a.test}\n",
        over="services:\n  web:\n\n    labels: {caddy: b.test}\n",
    )
    files = ("compose.yaml", "over.yaml")
    assert lines(files, "web") == {"caddy.log": "base.yaml:3", "caddy": "over.yaml:4"}
    assert lines(files, "web", DEPLOY) == {"caddy": "base.yaml:5"}
    assert lines(files, "other") == {"caddy": "more.yaml:3"}


def test_a_circle_ends(compose_files: Callable) -> None:
    compose_files(compose="services:\n  a: {extends: b, labels: {caddy: a}}\n  b: {extends: a, labels: {x: y}}\n")
    assert lines(("compose.yaml",), "a") == {"caddy": "compose.yaml:2", "x": "compose.yaml:3"}


def test_without_the_label_the_service_is_shown(compose_files: Callable) -> None:
    compose_files(compose="services:\n\n  web: {image: nginx}\n")
    assert str(Positions.of(["compose.yaml"]).find("web", LABELS, "caddy")) == "compose.yaml:3"
    assert Positions.of(["compose.yaml"]).find("nobody", LABELS, "caddy") is None


@pytest.mark.parametrize(
    "text", ["", "services: []", "services: {web: }", "services: {web: {labels: 3}}", "? [a]\n: b"]
)
def test_what_has_no_labels_has_no_lines(compose_files: Callable, text: str) -> None:
    compose_files(compose=text)
    assert Positions.of(["compose.yaml"]).labels == {}
