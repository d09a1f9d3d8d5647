"""One table, five sources: who wins, what is refused and how it is told."""

from pathlib import Path

import pytest
from attrs import field, frozen
from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import SettingsSection
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.pages import option_table
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Settings
from dockcaddy.settings.values import parse_duration


@frozen
class Health:
    gate: bool = field(default=False, metadata={"help": "x"})
    names: tuple[str, ...] = ()


SECTIONS = [SettingsSection("health", Health)]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_flag_beats_own_variable_beats_the_peers_beats_file_beats_default(tmp_path: Path) -> None:
    config = write(tmp_path / "dockcaddy.toml", 'label_prefix = "file"')
    own, peer = {"DOCKCADDY_LABEL_PREFIX": "own"}, {"CADDY_DOCKER_LABEL_PREFIX": "peer"}
    assert load({"label_prefix": "flag"}, own | peer, config).label_prefix == "flag"
    assert load({}, own | peer, config).label_prefix == "own"
    assert load({}, peer, config).label_prefix == "peer"
    assert load({}, {}, config).label_prefix == "file"
    assert load({}, {}, write(tmp_path / "empty.toml", "")).label_prefix == "caddy"


def test_an_empty_variable_is_unset(sandbox: Path) -> None:
    assert load({}, {"DOCKCADDY_LABEL_PREFIX": "", "CADDY_DOCKER_LABEL_PREFIX": ""}).label_prefix == "caddy"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("100ms", 0.1), ("1m30s", 90), ("0", 0), ("1.5h", 5400), (".5s", 0.5)]
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "1x", "-1s", "1s2"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "value"), [("YES", True), ("1", True), ("on", False), ("nonsense", False)])
def test_the_peers_truth_values_are_read_its_way(sandbox: Path, text: str, value: bool) -> None:
    assert load({}, {"CADDY_DOCKER_SCAN_STOPPED_CONTAINERS": text}).scan_stopped_containers is value


def test_lists_are_trimmed(sandbox: Path) -> None:
    assert load({}, {"CADDY_INGRESS_NETWORKS": "a, b ,c"}).ingress_networks == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('label-prefx = "x"', 'unknown key "label-prefx", did you mean "label_prefix"'),
        ('polling_interval = "soon"', "polling_interval = 'soon': expected a duration"),
        ("polling_interval = true", "expected a duration"),
        ('mode = "standalon"', 'expected one of standalone, controller, server, did you mean "standalone"'),
        ('[labels]\nroute_ordr = "x"', 'unknown key "labels.route_ordr", did you mean "route_order"'),
        ("a = ", "dockcaddy.toml: "),
        ("ingress_networks = [1]", "expected a list"),
    ],
)
def test_a_wrong_file_is_told_with_file_key_and_nearest(tmp_path: Path, text: str, told: str) -> None:
    config = write(tmp_path / "dockcaddy.toml", text)
    with pytest.raises(SettingsError) as caught:
        load({}, {}, config)
    assert str(caught.value).startswith(config)
    assert told in str(caught.value)


def test_a_wrong_variable_is_named(sandbox: Path) -> None:
    with pytest.raises(SettingsError, match="CADDY_DOCKER_POLLING_INTERVAL='soon': expected a duration"):
        load({}, {"CADDY_DOCKER_POLLING_INTERVAL": "soon"})
    with pytest.raises(SettingsError, match="DOCKCADDY_LABEL_PREFX is not known, did you mean"):
        load_sections(Settings(), SECTIONS, {"DOCKCADDY_LABEL_PREFX": "x"})


def test_a_plugins_section_comes_from_file_variable_and_flag(tmp_path: Path) -> None:
    config = write(tmp_path / "dockcaddy.toml", '[health]\ngate = true\nnames = ["a"]')
    assert load_sections(load({}, {}, config), SECTIONS, {})[Health] == Health(True, ("a",))
    assert load_sections(load({}, {}, config), SECTIONS, {"DOCKCADDY_HEALTH_GATE": "false"})[Health].gate is False
    assert load_sections(load({}, {}, config, ["health.gate=no"]), SECTIONS, {})[Health].gate is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[helth]\ngate = true", 'unknown section "helth", did you mean "health"'),
        ("[health]\ngates = true", 'unknown key "health.gates", did you mean "gate"'),
        ('[health]\ngate = "maybe"', "health.gate = 'maybe': expected true or false"),
    ],
)
def test_a_wrong_section_is_told(tmp_path: Path, text: str, told: str) -> None:
    config = write(tmp_path / "dockcaddy.toml", text)
    with pytest.raises(SettingsError) as caught:
        load_sections(load({}, {}, config), SECTIONS, {})
    assert told in str(caught.value)


def test_the_table_and_the_settings_agree() -> None:
    for option in OPTIONS:
        assert getattr(Settings(), option.name) == option.default
        assert option.help
        assert option.name.replace("_", "-") in option_table() or option.section
