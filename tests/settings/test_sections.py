"""The settings of plugins: an attrs class each, read from every source."""

import types
from pathlib import Path

import pytest
from attrs import field, frozen, validators
from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import SettingsSection
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import Settings


@frozen
class Everything:
    on: bool = False
    count: int = 0
    pause: float = 1.0
    word: str = field(default="a", validator=validators.in_(["a", "b"]))
    names: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()


EVERYTHING = [SettingsSection("every-thing", Everything)]


def from_file(tmp_path: Path, text: str, *overrides: str, **variables: str) -> Everything:
    config = tmp_path / "dockcaddy.toml"
    config.write_text(text)
    made: Everything = load_sections(load({}, {}, str(config), overrides), EVERYTHING, variables)[Everything]
    return made


def test_every_type_is_read_from_toml(tmp_path: Path) -> None:
    text = '[every-thing]\non = true\ncount = 3\npause = 2\nword = "b"\nnames = ["x"]\nplugins = ["p"]'
    assert from_file(tmp_path, text) == Everything(True, 3, 2.0, "b", ("x",), ("p",))


def test_every_type_is_read_from_a_text(tmp_path: Path) -> None:
    given = ["on=yes", "count=-3", "pause=1m", "word=b", "names=x, y"]
    made = from_file(tmp_path, "", *(f"every_thing.{each}" for each in given))
    assert made == Everything(True, -3, 60.0, "b", ("x", "y"))


def test_set_beats_the_variable_beats_the_file(tmp_path: Path) -> None:
    text = "[every_thing]\ncount = 1"
    assert from_file(tmp_path, text).count == 1
    assert from_file(tmp_path, text, DOCKCADDY_EVERY_THING_COUNT="2").count == 2
    assert from_file(tmp_path, text, "every-thing.count=3", DOCKCADDY_EVERY_THING_COUNT="2").count == 3
    assert from_file(tmp_path, text, DOCKCADDY_EVERY_THING_COUNT="").count == 1


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("count = 1.5", "every-thing.count = 1.5: expected a whole number"),
        ("count = true", "every-thing.count = true: expected a whole number"),
        ('count = "many"', "every-thing.count = 'many': expected a whole number"),
        ("pause = -1", "expected a duration"),
        ("word = 5", "every-thing.word = 5: expected a text"),
        ("names = [1]", "expected a list of texts"),
        ("on = 1", "expected true or false"),
        ("contt = 1", 'unknown key "every_thing.contt", did you mean "count"'),
        ('word = "c"', "every-thing.word = 'c': expected one of a, b"),
        ("on.x = 1", "expected true or false"),
    ],
)
def test_a_wrong_value_is_told_with_the_file_and_the_key(tmp_path: Path, entry: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_file(tmp_path, f"[every-thing]\n{entry}")
    assert str(caught.value).startswith(str(tmp_path))
    assert told in str(caught.value)


def test_a_wrong_value_names_the_variable_or_the_flag(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^environment variable DOCKCADDY_EVERY_THING_ON='x': expected true"):
        from_file(tmp_path, "", DOCKCADDY_EVERY_THING_ON="x")
    with pytest.raises(SettingsError, match=r"^--set every_thing\.cont=1: unknown key .*did you mean \"count\""):
        from_file(tmp_path, "", "every_thing.cont=1")
    with pytest.raises(
        SettingsError, match=r"^--set everything\.count=1: unknown section \"everything\", did you mean"
    ):
        from_file(tmp_path, "", "everything.count=1")


def test_an_empty_table_that_nobody_declared_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='unknown section "every"'):
        from_file(tmp_path, "[every]")


def test_what_is_meant_for_a_disabled_plugin_is_ignored(tmp_path: Path) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text('disable_plugins = ["health"]\n[health]\ngate = true')
    settings = load({}, {}, str(config), ["health.gate=true"])
    assert load_sections(settings, EVERYTHING, {"DOCKCADDY_HEALTH_GATE": "1"}) == {Everything: Everything()}


def test_where_failing_plugins_are_skipped_their_settings_are_reported(tmp_path: Path) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text("skip_failed_plugins = true\n[broken]\nx = 1")
    told: list[str] = []
    load_sections(load({}, {}, str(config)), EVERYTHING, {}, told.append)
    assert told == [f'{config}: unknown section "broken"']


def test_a_class_in_a_module_that_postpones_its_types_is_read(tmp_path: Path) -> None:
    module = types.ModuleType("postponed")
    code = "from __future__ import annotations\nfrom attrs import frozen\n@frozen\nclass S:\n    on: bool = False\n"
    code += "    names: tuple[str, ...] = ()\n"
    import sys

    sys.modules["postponed"] = module
    try:
        exec(code, module.__dict__)
        settings = load({}, {}, "", ["s.on=true", "s.names=a,b"])
        assert load_sections(settings, [SettingsSection("s", module.S)], {})[module.S] == module.S(True, ("a", "b"))
    finally:
        del sys.modules["postponed"]


def test_a_type_that_no_setting_can_have_is_told() -> None:
    @frozen
    class Odd:
        when: complex = 0

    with pytest.raises(SettingsError, match=r'section "odd" of a plugin: the type of when is not bool, int'):
        load_sections(Settings(overrides=("odd.when=1",)), [SettingsSection("odd", Odd)], {})


def test_a_plugin_cannot_take_the_cores_section() -> None:
    with pytest.raises(SettingsError, match='section "labels" of a plugin: the core has a section of this name'):
        load_sections(Settings(), [SettingsSection("labels", Everything)], {})
