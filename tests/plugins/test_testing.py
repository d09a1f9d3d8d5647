"""What plugin authors test with."""

import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import dockcaddy
import pytest
from dockcaddy import plugins, testing
from dockcaddy.errors import PluginError
from dockcaddy.gotemplate import TemplateError

CODE = """
import dockcaddy

@dockcaddy.hook
def dockcaddy_functions():
    return {"greet": greet}

def greet(context: dockcaddy.Context, whom: str) -> str:
    return f"hello {whom} from {context.resource.name}"
"""


def module_of(code: str) -> types.ModuleType:
    made = types.ModuleType("a_tested_plugin")
    sys.modules[made.__name__] = made
    exec(compile(code, "a_tested_plugin.py", "exec"), vars(made))
    return made


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    yield module_of(CODE)
    del sys.modules["a_tested_plugin"]


@pytest.fixture
def installed(module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The same plugin, installed by pip."""
    points = [EntryPoint("tested", "a_tested_plugin", "dockcaddy")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    return module


def test_a_plugin_is_tested_with_its_module(module: types.ModuleType) -> None:
    assert testing.render('{{greet "you"}}', testing.container("web-1"), module) == "hello you from web-1"


def test_a_plugin_that_is_installed_is_tested_with_its_module_too(installed: types.ModuleType) -> None:
    assert testing.render('{{greet "you"}}', testing.container("web-1"), installed) == "hello you from web-1"
    assert testing.render('{{greet "you"}}', testing.container("web-1")) == "hello you from web-1"
    labels = {"caddy": '{{greet "you"}}.test'}
    assert testing.fragment(testing.container(labels=labels), installed).problems == ()


def test_the_module_that_is_handed_over_is_the_one_that_is_tested(installed: types.ModuleType) -> None:
    newer = module_of(CODE.replace("hello", "hi"))
    assert testing.render('{{greet "you"}}', testing.container("web-1"), newer) == "hi you from web-1"


def test_an_object_with_hooks_is_a_plugin_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plugin:
        @dockcaddy.hook
        def dockcaddy_functions(self):
            return {"answer": lambda context: 42}

    assert testing.render("{{answer}}", testing.container(), Plugin()) == "42"


def test_another_plugin_that_gives_the_same_is_a_clash_as_ever(installed: types.ModuleType) -> None:
    other = types.ModuleType("another_plugin")
    exec(CODE.replace("import dockcaddy", "import dockcaddy\n__name__ = 'another_plugin'", 1), vars(other))
    with pytest.raises(PluginError, match='"greet" is already given by plugin tested'):
        testing.render("{{greet 1}}", testing.container(), other)


def test_what_a_plugin_does_wrong_is_told_to_its_test(module: types.ModuleType) -> None:
    broken = module_of(CODE.replace("return f", "return 1 / 0 or f"))
    with pytest.raises(
        TemplateError, match=r'function "greet" of plugin .* failed: ZeroDivisionError: division by zero'
    ):
        testing.render('{{greet "you"}}', testing.container("web-1"), broken)
