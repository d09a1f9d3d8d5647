"""Finding plugins: bundled, entry points, site files; and one clear line for everything that is wrong with one."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.errors import PluginError

Site = Callable[[str], str]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    def write(code: str) -> str:
        path = tmp_path / f"site{len(list(tmp_path.iterdir()))}.py"
        path.write_text("import dockcaddy\n" + code)
        return str(path)

    return write


GREET = """
@dockcaddy.hook
def dockcaddy_functions():
    return {"greet": greet}

def greet(context, whom: str) -> str:
    '''A greeting.'''
    return f"hello {whom}"
"""


def test_a_site_file_adds_a_function_that_names_its_file(site: Site) -> None:
    path = site(GREET)
    entry = plugins.load([path]).functions["greet"]
    assert (entry.source, entry.signature, entry.help) == (f"file {path}", "greet WHOM", "A greeting.")


def test_the_bundled_plugins_load_through_the_same_door() -> None:
    registry = plugins.load()
    assert {entry.source for entry in registry.plugins} == {"bundled"}
    assert {"env", "upstreams", "mountSource", "isHealthy", "containerName"} <= set(registry.functions)
    assert set(registry.outputs) == {"admin", "caddyfile", "json"}


def test_an_entry_point_is_loaded_and_named(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    point = EntryPoint("greeter", "colorsys", "dockcaddy")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match=r"plugin greeter \(entry point colorsys\): implements no hook"):
        plugins.load()


def test_a_clash_names_both_owners_and_the_mend(site: Site) -> None:
    path = site(GREET.replace("greet", "env"))
    with pytest.raises(PluginError) as caught:
        plugins.load([path])
    message = str(caught.value)
    assert f"(file {path})" in message
    assert 'template function "env" is already given by plugin env (bundled)' in message
    assert 'replace = ["env"]' in message


def test_a_later_source_replaces_where_the_settings_say_so(site: Site) -> None:
    path = site(GREET.replace("greet", "env"))
    assert plugins.load([path], replace=["env"]).functions["env"].source == f"file {path}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("@dockcaddy.hook\ndef dockcaddy_function(): return {}", 'no hook "dockcaddy_function", did you mean'),
        ("def dockcaddy_functions(): return {}", "dockcaddy_functions is not marked with @dockcaddy.hook"),
        ("x = 1", "implements no hook"),
        ("import nowhere_at_all", "cannot be imported: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def f(:", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("@dockcaddy.hook\ndef dockcaddy_functions(): 1/0", "dockcaddy_functions failed: ZeroDivisionError"),
        ("@dockcaddy.hook\ndef dockcaddy_functions(): return [1]", "must return a dict, not list"),
        ("@dockcaddy.hook\ndef dockcaddy_functions(): return {'f': 1}", 'template function "f" is not callable'),
        (
            "@dockcaddy.hook\ndef dockcaddy_functions(): return {'a-b': print}",
            "'a-b' is not a name a template can call",
        ),
        ("@dockcaddy.hook\ndef dockcaddy_functions(oops): return {}", "PluginValidationError"),
        ("@dockcaddy.hook\ndef dockcaddy_gates(): return ['x']", "expected a Gate, not str"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_one_clear_line(site: Site, code: str, message: str) -> None:
    path = site(code)
    with pytest.raises(PluginError) as caught:
        plugins.load([path])
    told = str(caught.value)
    assert "\n" not in told
    assert f"(file {path}): " in told
    assert message in told


def test_a_missing_file_is_said() -> None:
    with pytest.raises(PluginError, match=r"plugin gone \(file ./gone.py\): .*no such file"):
        plugins.load(["./gone.py"])


def test_every_failure_is_listed(site: Site) -> None:
    with pytest.raises(PluginError) as caught:
        plugins.load([site("import nowhere_a"), site("import nowhere_b"), site(GREET)])
    assert [line.count("cannot be imported") for line in str(caught.value).splitlines()] == [1, 1]


def test_failed_plugins_are_skipped_whole_where_the_operator_chose_so(site: Site) -> None:
    half = GREET + "\n@dockcaddy.hook\ndef dockcaddy_gates():\n    raise ValueError('late')\n"
    told: list[str] = []
    registry = plugins.load([site(half)], skip_failed=True, report=told.append)
    assert "greet" not in registry.functions
    assert len(told) == 1 and "late" in told[0]


def test_a_disabled_plugin_is_left_out() -> None:
    assert "env" not in plugins.load(disabled=["env"]).functions


def test_transformers_run_by_order_then_name_whatever_the_load_order(site: Site) -> None:
    code = """
@dockcaddy.hook
def dockcaddy_label_transformers():
    return [dockcaddy.LabelTransformer(name, lambda context, labels: labels, order=order) for name, order in {pairs}]
"""
    first, second = site(code.format(pairs="[('z', 1), ('b', 5)]")), site(code.format(pairs="[('a', 5), ('m', -1)]"))
    names = [each.name for each in plugins.load([first, second]).transformers]
    assert [name for name in names if name in ("m", "z", "a", "b")] == ["m", "z", "a", "b"]
