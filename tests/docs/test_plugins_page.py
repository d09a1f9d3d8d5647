"""docs/plugins.md: every hook with its exact signature and an example that works, and types that find mistakes."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from clock import Clock
from dockcaddy import Event, LabelError, OutputContext, OutputError, Proxy, ServiceContext, hookspecs, plugins, testing
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import Pipeline

WEB = {"caddy": "a.test", "caddy.respond": "hi"}


@frozen
class Example:
    """The example of one hook, loaded as a site file."""

    registry: Registry
    module: Any

    def text(self, *resources: Resource) -> str:
        """The Caddyfile of these resources."""
        return Pipeline(self.registry).build(Inventory((EngineInventory("local", resources),))).text

    def problems(self, *resources: Resource) -> str:
        built = Pipeline(self.registry).build(Inventory((EngineInventory("local", resources),)))
        return "\n".join(map(str, built.problems))


@pytest.fixture
def example(project: Path, request: pytest.FixtureRequest) -> Example:
    """The example of the hook that the test is named after."""
    hook = request.node.originalname.removeprefix("test_")
    path = project / "examples/hooks" / f"{hook.removeprefix('dockcaddy_')}.py"
    registry = plugins.load([str(path)])
    (entry,) = [each for each in registry.plugins if each.source == f"file {path}"]
    assert entry.contributes
    return Example(registry, sys.modules[f"dockcaddy_site_{path.stem}"])


def page(project: Path) -> str:
    return (project / "docs/plugins.md").read_text()


def signatures(path: str) -> dict[str, str]:
    """The hooks of hookspecs as they are written there."""
    tree = ast.parse(Path(path).read_text())
    hooks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("dockcaddy_")]
    return {
        node.name: f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns or ast.Constant(None))}: ..."
        for node in hooks
    }


def test_every_hook_is_documented_with_its_exact_signature(project: Path) -> None:
    text = page(project)
    documented = dict(re.findall(r"^## `(dockcaddy_\w+)`\n\n```python\n(.*)\n```$", text, re.MULTILINE))
    assert documented == signatures(hookspecs.__file__)
    assert set(documented) == set(plugins.HOOKS)


def test_every_hook_has_an_example_and_a_test_of_it_by_name(project: Path) -> None:
    text = page(project)
    for hook in plugins.HOOKS:
        assert (project / "examples/hooks" / f"{hook.removeprefix('dockcaddy_')}.py").read_text().strip() in text
        assert f"test_{hook}" in globals()


def test_everything_that_a_hook_names_is_documented_and_can_be_imported(project: Path) -> None:
    import dockcaddy

    text = page(project)
    for hook, signature in signatures(hookspecs.__file__).items():
        names = set(re.findall(r"\b[A-Z]\w+", signature)) - {"Mapping", "Iterable", "TemplateFunction"}
        assert all(f"\nclass {name}" in text for name in names), hook
    documented = re.findall(r"^class (\w+)(?:\(Protocol\)|\(Enum\))?:", text, re.MULTILINE)
    assert {name for name in documented if hasattr(hookspecs, name)} <= set(dockcaddy.__all__)


def test_dockcaddy_functions(example: Example) -> None:
    site = {"caddy": "a.test", "caddy.header.X-Release": '{{release "none"}}'}
    assert "X-Release 1.2\n" in example.text(testing.container(labels=site))
    assert "X-Release none\n" in example.text(testing.container(labels=site, image="acme/web"))


def test_dockcaddy_label_transformers(example: Example) -> None:
    text = example.text(testing.container(labels={"caddy": "a.test", "caddy.static": "/srv/www"}))
    assert text == "a.test {\n\tfile_server\n\troot * /srv/www\n}\n"
    told = example.problems(testing.container(labels={"caddy": "a.test", "caddy.static": ""}))
    assert "label caddy.static: static needs a folder" in told


def test_dockcaddy_site_transformers(example: Example) -> None:
    assert "encode zstd gzip\n" in example.text(testing.container(labels=WEB))
    assert example.text(testing.container(labels={**WEB, "caddy.encode": "gzip"})).count("encode") == 1


def test_dockcaddy_gates(example: Example) -> None:
    labels = {"caddy": "a.test", "caddy.reverse_proxy": "{{upstreams 80}}"}
    draining = testing.container("b", labels={**labels, "drain": "true"}, networks={"front": "172.18.0.9"})
    text = example.text(testing.container("a", labels=labels), draining)
    assert "172.18.0.2:80" in text and "172.18.0.9" not in text


def test_dockcaddy_admission_rules(example: Example) -> None:
    company = {**WEB, "caddy": "www.example.org"}
    allowed = testing.container("a", labels={**company, "com.docker.compose.project": "web"})
    assert "www.example.org" in example.text(allowed) and not example.problems(allowed)
    stranger = testing.container("b", labels=company)
    assert "www.example.org" not in example.text(stranger)
    assert "label caddy: www.example.org is for containers of the project web" in example.problems(stranger)


def test_dockcaddy_document_rules(example: Example) -> None:
    (rule,) = [each.item for each in example.registry.document_rules if each.name == "company-upstreams"]
    route = {
        "handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "a.example.org:80"}, {"dial": "b.test:80"}]}]
    }
    (finding,) = rule.find(None, route, ("a.test",))
    assert finding.reason == "b.test:80 is not a machine of the company"
    assert not list(rule.find(None, route, None))
    fragment = testing.fragment(testing.container("a", labels=WEB))
    stranger = testing.context(testing.container("a", labels=WEB))
    with pytest.raises(LabelError, match="not a machine"):
        rule.check(stranger, fragment.blocks, finding)
    gateway = testing.container("a", labels={**WEB, "com.docker.compose.project": "gateway"})
    rule.check(testing.context(gateway), fragment.blocks, finding)


def test_dockcaddy_outputs(example: Example, tmp_path: Path) -> None:
    kind = example.registry.outputs["lines"].item
    assert not kind.live

    def context(**options: str) -> OutputContext:
        return OutputContext(lambda section: section(), lambda url: None, options)  # type: ignore[arg-type,return-value]

    with pytest.raises(OutputError, match="needs a path"):
        kind.create(context())
    output = kind.create(context(target=str(tmp_path / "lines.txt")))
    configuration = Configuration("a.test {\n}\n")
    assert not output.holds(configuration)
    output.write(configuration)
    assert output.holds(configuration) and (tmp_path / "lines.txt").read_text() == "2\n"
    output.close()


def test_dockcaddy_services(example: Example, tmp_path: Path) -> None:
    clock = Clock()
    settings = example.module.AgeSettings(str(tmp_path / "age"))
    (kind,) = [each.item for each in example.registry.services if each.name == "age"]
    service = kind.create(ServiceContext(lambda section: settings, Proxy(), clock))
    service.start()
    service.before_offer(Configuration("a"))
    service.after_accepted(Configuration("a"))
    assert (tmp_path / "age").read_text() == "0 s\n"
    assert service.retry_at is not None
    clock.now = service.retry_at
    service.after_accepted(Configuration("a"))
    assert (tmp_path / "age").read_text() == "60 s\n" and service.holds() and list(service.problems()) == []
    (tmp_path / "age").unlink()
    (tmp_path / "age").mkdir()
    service.after_accepted(Configuration("b"))
    assert list(service.problems()) == ["cannot be written: Is a directory"]
    service.stop()


def test_dockcaddy_events(example: Example, tmp_path: Path) -> None:
    settings = example.module.DiarySettings(str(tmp_path / "diary"))
    (kind,) = [each.item for each in example.registry.listeners if each.name == "diary"]
    receive = kind.create(ServiceContext(lambda section: settings, Proxy(), Clock()))
    receive(Event(0.0, "SiteDown", "site a.test", "Unhealthy", "it fails"))
    receive(Event(1.0, "SiteRecovered", "site a.test"))
    assert (tmp_path / "diary").read_text() == "SiteDown site a.test it fails\nSiteRecovered site a.test \n"


def test_dockcaddy_settings(example: Example) -> None:
    schema = example.module.ContactSettings
    assert schema in [section.schema for section in example.registry.sections]
    with pytest.raises(ValueError, match="expected an address"):
        schema("nobody")
    pipeline = Pipeline(example.registry, {schema: schema("ops@example.org")})
    labels = {"caddy": "a.test", "caddy.respond": "{{contact}}"}
    inventory = Inventory((EngineInventory("local", (testing.container(labels=labels),)),))
    assert "respond ops@example.org" in pipeline.build(inventory).text


# --- types

WRONG = {
    "functions": "Mapping[str, int]",
    "label_transformers": "Iterable[Label]",
    "site_transformers": "str",
    "gates": "Gate",
    "admission_rules": "Iterable[LabelError]",
    "document_rules": "Iterable[Service]",
    "outputs": "Mapping[str, str]",
    "services": "Iterable[Service]",
    "events": "Iterable[Service]",
    "settings": "type[int]",
}


@pytest.fixture
def checked(project: Path, tmp_path: Path) -> Callable[..., str]:
    """What `mypy --strict` says of files."""
    cache = tmp_path / "mypy"

    def check(*files: Path) -> str:
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "--no-error-summary"]
        folders = [project / "core", *(project / "plugins").iterdir()]
        environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, folders))}
        done = subprocess.run(
            [*command, *map(str, files)], capture_output=True, text=True, check=False, cwd=project, env=environment
        )
        return done.stdout + done.stderr

    return check


@pytest.mark.process
def test_a_hook_of_a_wrong_type_is_an_error_of_mypy_and_the_examples_are_not(
    project: Path, tmp_path: Path, checked: Callable[..., str]
) -> None:
    assert set(WRONG) == {hook.removeprefix("dockcaddy_") for hook in plugins.HOOKS}
    lines = ["from collections.abc import Iterable, Mapping", "import dockcaddy"]
    lines += ["from dockcaddy import Gate, Label, LabelError, Service", ""]
    for hook, wrong in WRONG.items():
        lines += ["@dockcaddy.hook", f"def dockcaddy_{hook}() -> {wrong}:", "    raise NotImplementedError", ""]
    (tmp_path / "wrong.py").write_text("\n".join(lines))
    told = checked(tmp_path / "wrong.py", *sorted((project / "examples/hooks").glob("*.py")))
    errors = [line for line in told.splitlines() if ": error: " in line]
    assert [line.partition(": error: ")[0].rpartition(":")[2] for line in errors] == [
        str(number) for number, line in enumerate(lines, 1) if line == "@dockcaddy.hook"
    ], told
    assert all('Value of type variable "_Hook" of "hook" cannot be' in line for line in errors)


def test_the_examples_need_nothing_but_what_the_package_offers(project: Path) -> None:
    import dockcaddy

    for path in (project / "examples/hooks").glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockcaddy"):
                assert node.module == "dockcaddy" and {each.name for each in node.names} <= set(dockcaddy.__all__)
