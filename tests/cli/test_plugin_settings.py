"""`--help` lists the settings of plugins, wherever they come from."""

import sys
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import attrs
import dockcaddy as package
import pytest
from dockcaddy import plugins

CODE = """
import attrs, dockcaddy

@attrs.frozen
class Mine:
    word: str = attrs.field(default="hello", metadata={"help": "what it says"})
    often: int = 3
    also: tuple[str, ...] = attrs.field(factory=tuple)

@dockcaddy.hook
def dockcaddy_settings():
    return dockcaddy.SettingsSection("mine", Mine)
"""


def rows(text: str) -> dict[str, str]:
    """What is said of each setting of plugins, by its name."""
    section = " ".join(text.partition("Settings of plugins")[2].split())
    return {name: section.partition(f" {name} ")[2] for name in ("health.gate", "mine.word", "mine.often", "mine.also")}


@pytest.mark.parametrize("command", ["run", "render", "check", "functions", "plugins"])
def test_the_help_lists_the_settings_of_bundled_plugins(dockcaddy: Callable, command: str) -> None:
    told = dockcaddy(command, "--help").out
    assert rows(told)["health.gate"].startswith("[true|false] leave containers out of upstreams until they are healthy")


@pytest.mark.parametrize("order", [("run", "--plugin", "site.py", "--help"), ("run", "--help", "--plugin=./site.py")])
def test_the_help_lists_the_settings_of_site_files(dockcaddy: Callable, sandbox: Path, order: tuple[str, ...]) -> None:
    (sandbox / "site.py").write_text(CODE)
    told = rows(dockcaddy(*order).out)
    assert told["mine.word"].startswith("TEXT what it says [default: hello] ")
    assert told["mine.often"].startswith("NUMBER [default: 3] ")
    assert told["mine.also"].startswith("LIST")


def test_the_help_lists_the_settings_of_plugins_that_the_settings_file_names(
    dockcaddy: Callable, sandbox: Path
) -> None:
    (sandbox / "site.py").write_text(CODE)
    (sandbox / "dockcaddy.toml").write_text('plugins = ["./site.py"]')
    assert rows(dockcaddy("run", "--help").out)["mine.word"].startswith("TEXT what it says")


def test_the_help_lists_the_settings_of_entry_points(dockcaddy: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_plugin_with_settings")

    @package.hook
    def dockcaddy_settings() -> package.SettingsSection:
        return package.SettingsSection("mine", attrs.make_class("Mine", {"word": attrs.field(default="hi", type=str)}))

    vars(module)["dockcaddy_settings"] = dockcaddy_settings
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [EntryPoint("mine", module.__name__, group)])
    assert rows(dockcaddy("run", "--help").out)["mine.word"].startswith("TEXT [default: hi]")


@pytest.mark.parametrize(
    ("arguments", "file", "told"),
    [
        (("--plugin", "./gone.py"), "", "plugin gone (file ./gone.py): cannot be imported"),
        ((), "nonsense = 1", "nonsense"),
        ((), "plugins = [", "not TOML"),
    ],
)
def test_what_keeps_a_plugin_from_being_loaded_does_not_keep_the_help(
    dockcaddy: Callable, sandbox: Path, arguments: tuple[str, ...], file: str, told: str
) -> None:
    (sandbox / "dockcaddy.toml").write_text(file)
    result = dockcaddy("run", *arguments, "--help")
    assert (result.status, result.err) == (0, "")
    assert told in " ".join(result.out.split()) and "health.gate" in result.out
