"""What could only fail later is refused at start, in one line that names the plugin and the way out."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.errors import PluginError, SettingsError
from dockcaddy.gotemplate import RESERVED
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.table import Settings

HEAD = """
import asyncio, functools, os, sys
import attrs
import dockcaddy
from dockcaddy import AdmissionRule, Gate, Label, LabelTransformer, OutputType, ServiceType, SettingsSection, SiteTransformer, Stage
"""


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], str]:
    """Loads a plugin of this code and gives what is said against it."""

    def load(code: str) -> str:
        path = tmp_path / "site.py"
        path.write_text(HEAD + code)
        with pytest.raises(PluginError) as caught:
            plugins.load([str(path)])
        told = str(caught.value)
        assert told.startswith(f"plugin site (file {path}): ") and "\n" not in told
        return told

    return load


def functions(value: str, name: str = "f") -> str:
    return f"@dockcaddy.hook\ndef dockcaddy_functions():\n    return {{{name!r}: {value}}}\n"


def gives(hook: str, value: str) -> str:
    return f"@dockcaddy.hook\ndef dockcaddy_{hook}():\n    return {value}\n"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_templates_have_already_is_refused(refused: Callable[[str], str], name: str) -> None:
    assert f'template function "{name}" would never be called' in refused(functions("lambda context: 1", name))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("lambda: 1", 'template function "f" takes (): its first parameter is the context, def f(context)'),
        ("lambda whom: whom", "takes (whom): its first parameter is the context, def f(context, whom)"),
        ("lambda port, scheme: 1", "def f(context, port, scheme)"),
        ("lambda **more: 1", "its first parameter is the context"),
        ("lambda *, context: 1", "templates cannot give context by name"),
        ("lambda context, *, key: 1", "templates cannot give key by name"),
        ("lambda context: (yield 1)", "is async or a generator"),
        ("str.upper", "takes (self, /): its first parameter is the context"),
        ("5", "is not callable: it is an int"),
        ("None", "is not callable: it is None"),
        ("type('T', (), {'f': lambda self, port: 1})().f", "takes (port): its first parameter is the context"),
        ("functools.partial(lambda whom, context: 1, context=1)", "takes (whom"),
    ],
)
def test_a_function_that_no_template_can_call_is_refused(refused: Callable[[str], str], value: str, told: str) -> None:
    assert told in refused(functions(value))


def test_an_async_function_is_refused(refused: Callable[[str], str]) -> None:
    assert "is async or a generator" in refused("async def f(context): return 1\n" + functions("f"))


@pytest.mark.parametrize(
    "value",
    [
        "lambda context: 1",
        "lambda ctx, port: 1",
        "lambda _, port=80: 1",
        "lambda _context, *ports: 1",
        "lambda *arguments: 1",
        "lambda resource_context: 1",
        "functools.partial(lambda port, context: 1, 80)",
        "type('T', (), {'__call__': lambda self, context: 1})()",
        "type('T', (), {'f': lambda self, context: 1})().f",
        "annotated",
    ],
)
def test_a_function_that_takes_the_context_is_taken(tmp_path: Path, value: str) -> None:
    path = tmp_path / "site.py"
    path.write_text(HEAD + "def annotated(it: dockcaddy.Context) -> str: return ''\n" + functions(value))
    assert "f" in plugins.load([str(path)]).functions


@pytest.mark.parametrize(
    ("hook", "value", "told"),
    [
        ("label_transformers", "[LabelTransformer('t', lambda c, l: l, stage='raw')]", "its stage is 'raw', expected Stage.RAW"),
        ("label_transformers", "[LabelTransformer('t', lambda c, l: l, order='first')]", "its order is 'first', expected an int"),
        ("label_transformers", "[LabelTransformer('t', lambda l: l)]", "apply takes (l), expected (context, labels)"),
        ("label_transformers", "[LabelTransformer('t', None)]", "apply is None, expected a function of (context, labels)"),
        ("label_transformers", "[LabelTransformer(None, lambda c, l: l)]", "is called None, expected text"),
        ("label_transformers", "[LabelTransformer]", "expected a LabelTransformer, not type"),
        ("label_transformers", "5", "expected a list of LabelTransformer, not int"),
        ("label_transformers", "'text'", "expected a list of LabelTransformer, not str"),
        ("label_transformers", "{'t': 1}", "expected a list of LabelTransformer, not dict"),
        ("site_transformers", "[SiteTransformer('t', lambda site: site)]", "apply takes (site), expected (context, site)"),
        ("site_transformers", "[SiteTransformer('t', lambda c, s: s, order=None)]", "its order is None"),
        ("gates", "[Gate('g', lambda: True)]", "admits takes (), expected (context)"),
        ("gates", "[Gate('g', True)]", "admits is a bool, expected a function of (context)"),
        ("gates", "[Gate('g', lambda c: True), Gate('g', lambda c: True)]", 'gate "g" is already given by plugin site'),
        ("admission_rules", "[AdmissionRule('g', lambda blocks: None)]", "check takes (blocks), expected (context, blocks)"),
        ("admission_rules", "[AdmissionRule('g', lambda c, b: None, shows_refused='yes')]", "shows_refused is 'yes', expected True or False"),
        ("outputs", "{'mine': OutputType(lambda: None)}", 'output "mine": create takes (), expected (context)'),
        ("outputs", "{'mine': OutputType(lambda c: None, live=1)}", 'output "mine": live is 1, expected True or False'),
        ("outputs", "{'mine': lambda context: None}", 'output "mine" is a function, expected an OutputType of dockcaddy'),
        ("outputs", "{'mine': None}", 'output "mine" is None'),
        ("outputs", "{5: OutputType(lambda c: None)}", "5 is not a name of an output"),
        ("outputs", "{'a=b': OutputType(lambda c: None)}", "'a=b' is not a name of an output"),
        ("services", "[ServiceType('s', lambda: None)]", 'service "s": create takes (), expected (context)'),
        ("services", "{'s': 1}", "expected a list of ServiceType, not dict"),
        ("outputs", "['mine']", "dockcaddy_outputs must return a dict, not list"),
        ("functions", "None", "dockcaddy_functions must return a dict, not NoneType"),
        ("settings", "SettingsSection('mine', dict)", "its schema is no attrs class"),
        ("settings", "SettingsSection('my section', attrs.make_class('S', []))", "not a name for a section"),
        ("settings", "SettingsSection('mine', attrs.make_class('S', ['key']))", "key has no default"),
        ("settings", "SettingsSection('mine', attrs.make_class('S', {'key': attrs.field(default=1, metadata={'help': 5})}))", "the help of key is no text"),
        ("settings", "SettingsSection('mine', attrs.make_class('S', {'key': attrs.field(factory=lambda: 1 / 0)}))", "ZeroDivisionError: division by zero"),
        ("settings", "dict(name='mine')", "expected a list of SettingsSection, not dict"),
    ],
)  # fmt: skip
def test_a_contribution_that_cannot_take_part_is_refused(
    refused: Callable[[str], str], hook: str, value: str, told: str
) -> None:
    assert told in refused(gives(hook, value))


@pytest.mark.parametrize(
    "fault",
    [
        "1 / 0",
        "sys.exit(3)",
        "asyncio.run(asyncio.sleep(0)) or 1 / 0",
        "(_ for _ in ()).throw(GeneratorExit)",
        "exec('f()')",
    ],
)
@pytest.mark.parametrize(
    "place", ["{}", "def f(): f()\n\ndef g(): {}\n\ng()", "@dockcaddy.hook\ndef dockcaddy_gates(): {}"]
)
def test_whatever_happens_while_it_is_loaded_is_told_with_the_line(
    refused: Callable[[str], str], place: str, fault: str
) -> None:
    told = refused("f = lambda: f()\n" + place.format(fault))
    assert "site.py:" in told and told.endswith(")")


def test_a_hook_that_fails_halfway_is_told_with_the_line(refused: Callable[[str], str]) -> None:
    told = refused("@dockcaddy.hook\ndef dockcaddy_gates():\n    yield Gate('g', lambda context: True)\n    1 / 0\n")
    assert "dockcaddy_gates failed: ZeroDivisionError: division by zero (" in told and told.endswith("site.py:9)")


def test_a_class_that_cannot_be_looked_at_is_told(refused: Callable[[str], str]) -> None:
    assert "ZeroDivisionError" in refused("class A:\n    @property\n    def x(self): 1 / 0\n\ndef __dir__(): 1 / 0\n")


def test_what_it_prints_is_no_result_and_the_folder_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "site.py"
    code = "print('printed')\nos.chdir('elsewhere')\n" + gives("gates", "print('printed') or []")
    path.write_text(HEAD + code)
    plugins.load([str(path)])
    assert (capsys.readouterr().out, Path.cwd()) == ("", tmp_path)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("raise ValueError('too long')", "section mine: too long"),
        ("raise KeyError('x')", "section mine of plugin site"),
        ("1 / 0", "section mine of plugin site"),
        ("sys.exit(3)", "section mine of plugin site"),
    ],
)
def test_a_setting_that_a_validator_fails_at_is_a_settings_error(tmp_path: Path, fault: str, told: str) -> None:
    path = tmp_path / "site.py"
    validator = f"def check(settings, attribute, value):\n    if value != 'fine':\n        {fault}\n"
    schema = "@attrs.frozen\nclass S:\n    key: str = attrs.field(default='fine', validator=check)\n"
    path.write_text(HEAD + validator + schema + gives("settings", "SettingsSection('mine', S)"))
    sections = plugins.load([str(path)]).sections
    with pytest.raises(SettingsError, match=told):
        load_sections(Settings(overrides=("mine.key=other",)), sections, {})


def test_a_module_that_failed_is_not_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "broken_site.py"
    path.write_text("1 / 0")
    with pytest.raises(PluginError):
        plugins.load([str(path)])
    assert "dockcaddy_site_broken_site" not in sys.modules
