"""The dashboard asks for metrics that there are."""

import json
import re
from pathlib import Path

import pytest
from dockcaddy_status.figures import FIGURES

_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture
def dashboard(project: Path) -> dict[str, list[dict[str, object]]]:
    made: dict[str, list[dict[str, object]]] = json.loads(
        (project / "examples" / "grafana" / "dockcaddy.json").read_text()
    )
    return made


def expressions(dashboard: dict[str, list[dict[str, object]]]) -> list[str]:
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]  # type: ignore[attr-defined]
    return [target["expr"] for target in targets]


def test_every_metric_of_the_dashboard_is_there(dashboard: dict[str, list[dict[str, object]]]) -> None:
    there = {f"{each.name}{suffix}" for each in FIGURES for suffix in _SUFFIXES[each.kind]}
    asked = {name for each in expressions(dashboard) for name in re.findall(r"\b(?:dockcaddy|process)_\w+", each)}
    assert asked and asked <= there


def test_the_dashboard_shows_every_metric(dashboard: dict[str, list[dict[str, object]]]) -> None:
    shown = " ".join(expressions(dashboard))
    assert [each.name for each in FIGURES if each.name not in shown] == []


def test_every_label_of_the_dashboard_is_there(dashboard: dict[str, list[dict[str, object]]]) -> None:
    labels = {label for each in FIGURES for label in each.labels} | {"le", "job"}
    for each in expressions(dashboard):
        used = re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", each)
        used += [label.strip() for group in re.findall(r"by \(([^)]*)\)", each) for label in group.split(",")]
        assert set(used) <= labels, each
