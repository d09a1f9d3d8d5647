"""What the docs say is true now."""

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockcaddy import plugins, testing
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.settings.sources import load
from dockcaddy_upstreams import UpstreamsSettings


def generator(project: Path):
    spec = importlib.util.spec_from_file_location("docs_generate", project / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_current(project: Path) -> None:
    for page, make in generator(project).PAGES.items():
        assert (project / "docs" / page).read_text() == make(), f"run python docs/generate.py: {page}"


def test_the_readmes_site_function_works(project: Path, tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", (project / "README.md").read_text(), re.DOTALL)[1]
    path = tmp_path / "site.py"
    path.write_text(code)
    assert plugins.load([str(path)]).functions["subdomain"].source == f"file {path}"


@pytest.mark.process
def test_the_readmes_commands_are_known(project: Path) -> None:
    text = (project / "README.md").read_text()
    commands = set(re.findall(r"dockcaddy (run|render|check|explain|functions|plugins|snapshot|demo)\b", text))
    told = subprocess.run(
        [sys.executable, "-m", "dockcaddy", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(command in told for command in commands)


def test_the_dynamic_example_is_what_becomes_of_its_labels(project: Path) -> None:
    text = (project / "docs" / "reliability.md").read_text()
    labels = dict(re.findall(r"^  (caddy[\w.]*): \"?(.*?)\"?$", text, re.MULTILINE)[:2])
    settings = {UpstreamsSettings: UpstreamsSettings(dynamic=True)}
    container = testing.container(labels=labels)
    inventory = Inventory((EngineInventory("local", (container,)),))
    made = Pipeline(plugins.load(), settings).build(inventory).text
    assert made in text


def test_the_labels_of_a_rolling_update_are_right(project: Path) -> None:
    text = (project / "docs" / "reliability.md").read_text()
    labels = dict(re.findall(r"^  (caddy[\w.]*): \"?(.*?)\"?$", text, re.MULTILINE))
    fragment = testing.fragment(testing.container(labels=labels))
    assert not fragment.problems
    assert "lb_retries 5" in fragment.content and "reverse_proxy 172.18.0.2:8000" in fragment.content


def test_the_examples_of_the_plugins_page_work(project: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"(?m)(?:^    .*\n|^\n)+", (project / "docs" / "plugins.md").read_text())
    plugin, tests = (
        inspect.cleandoc(next(each for each in blocks if text in each)) for text in ("def greet(", "def test_")
    )
    path = tmp_path / "my_plugin.py"
    path.write_text(plugin)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        patch.delitem(sys.modules, "my_plugin", raising=False)
        examples: dict[str, Any] = {}
        exec(tests, examples)
        called = [call for name, call in examples.items() if name.startswith("test_")]
        for call in called:
            call()
        del sys.modules["my_plugin"]
    assert len(called) == 3


def test_the_error_of_the_plugins_page_is_what_is_told(project: Path, tmp_path: Path) -> None:
    shown = re.search(r"(?m)^    error: (.*)\n    (.*)$", (project / "docs" / "plugins.md").read_text())
    path = tmp_path / "site.py"
    lines = ["import dockcaddy", "", "", "@dockcaddy.hook", "def dockcaddy_functions():", '    return {"greet": greet}']
    path.write_text("\n".join([*lines, "", "def greet(context):", '    return context.resource.environment["NAME"]']))
    container = testing.container("web-1", labels={"caddy": "web.test", "caddy.respond": "{{greet}}"})
    inventory = Inventory((EngineInventory("local", (container,)),))
    (problem,) = Pipeline(plugins.load([str(path)])).build(inventory).problems
    assert str(problem) == f"{shown[1]} {shown[2]}".replace("/etc/dockcaddy/site.py", str(path))


def test_the_engines_of_the_page_are_right(project: Path, tmp_path: Path) -> None:
    (table,) = re.findall(r"```toml\n(.*?)```", (project / "docs" / "engines.md").read_text(), re.DOTALL)
    (tmp_path / "dockcaddy.toml").write_text(table)
    settings = load({}, {}, str(tmp_path / "dockcaddy.toml"))
    assert settings.docker_names == ("here", "nas", "cellar") and settings.docker_reach == ("", "", "ports=192.168.1.7")


def test_the_labels_of_the_concepts_become_what_is_shown(project: Path) -> None:
    text = (project / "docs/concepts.md").read_text()
    labels, shown = re.search(r"```yaml\n(.*?)```\n\nbecomes\n\n```caddyfile\n(.*?)```", text, re.DOTALL).groups()
    container = testing.container(labels=yaml.safe_load(labels), networks={"front": "172.20.0.5"})
    assert Pipeline(plugins.load()).build(Inventory((EngineInventory("local", (container,)),))).text == shown


def test_labels_that_read_the_variables_of_nginx_proxy(project: Path) -> None:
    text = (project / "docs/migrating-from-nginx-proxy.md").read_text()
    labels = yaml.safe_load(re.search(r"```yaml\n(x-site:.*?)```", text, re.DOTALL)[1])["x-site"]
    environment = {"VIRTUAL_HOST": "app.example.org", "VIRTUAL_PORT": "8000"}
    fragment = testing.fragment(testing.container(labels=labels, environment=environment))
    assert fragment.content == "app.example.org {\n\treverse_proxy 172.18.0.2:8000\n}\n"
