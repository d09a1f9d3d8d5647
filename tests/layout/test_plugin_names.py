"""The core names no plugin: one list says which are bundled, and everything else asks the registry.

Texts for people may show what the bundled plugins offer (`{{upstreams 80}}`): it is the label language. What is forbidden
is code that depends on a plugin's name, or on the name of something that one contributes.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from dockcaddy import plugins

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "core" / "dockcaddy"
MODULES = sorted(CORE.rglob("*.py"))
REGISTRY = plugins.load()
NAMES = {path.name for path in (ROOT / "plugins").iterdir()}
CONTRIBUTED = {
    *NAMES,
    # many functions are called by an ordinary word: get, default, title
    *(name for name in REGISTRY.functions if not name.islower()),
    *REGISTRY.outputs,
    *(section.name for section in REGISTRY.sections),
    *(
        each.name
        for kind in ("transformers", "site_transformers", "gates", "admission_rules", "services")
        for each in getattr(REGISTRY, kind)
    ),
}
# these know the words of Caddy, Docker and Go's templates, of which some are names of plugins too
BORDERS = {"admission", "caddy", "caddyfile", "caddyjson", "compose", "engine", "gotemplate", "quarantine", "status"}
# formats and schemes, anywhere
ORDINARY = {"json", "caddyfile", "http", "https"}
_ASKING = ("get", "pop", "startswith", "endswith", "removeprefix", "removesuffix", "index")
_OF_PLUGINS = re.compile(
    r"registry|output|function|transformer|gate\b|rules|service|section|plugin|target", re.IGNORECASE
)


def asked(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The texts that code depends on, each with the expression that asks for it: compared, looked up, matched."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING:
            parts = list(node.args)
        for part in parts:
            for found in ast.walk(part):
                if isinstance(found, ast.Constant) and isinstance(found.value, str):
                    assert isinstance(node, ast.expr)
                    yield node, found.value


def texts(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.alias):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def wrong(source: str, top: str = "run") -> list[str]:
    """What in a module of the folder `top` names a plugin."""
    tree = ast.parse(source)
    found = []
    for expression, text in asked(tree):
        spelled = ast.unparse(expression)
        is_about_plugins = _OF_PLUGINS.search(spelled.replace(repr(text), ""))
        if text in CONTRIBUTED and top not in BORDERS and (text not in ORDINARY or is_about_plugins):
            found.append(spelled)
    dashed = {name for name in CONTRIBUTED if "-" in name}
    settings = {f"{section.name}.{each.name}" for section in REGISTRY.sections for each in attrs.fields(section.schema)}
    for text in texts(tree):
        found += [text for name in dashed if text == name]
        found += [text for name in settings if re.search(rf"(?<![\w.]){re.escape(name)}\b", text)]
        found += [text for name in NAMES if f"dockcaddy_{name}" in text]
    found += [name for name in identifiers(tree) if name.removeprefix("dockcaddy_") in NAMES and name not in NAMES]
    return found


def test_there_are_plugins_and_names_to_look_for() -> None:
    assert {"admin", "upstreams", "policy", "health"} <= NAMES
    assert {"isHealthy", "glued-upstreams"} <= CONTRIBUTED


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_the_core_names_no_plugin(path: Path) -> None:
    source = path.read_text()
    if path == CORE / "plugins" / "__init__.py":
        # the one list
        listed = ast.unparse(next(node for node in ast.parse(source).body if ast.unparse(node).startswith("BUNDLED =")))
        assert set(re.findall(r"dockcaddy_(\w+)", listed)) == NAMES
        source = ast.unparse(ast.parse(source)).replace(listed, "")
    assert wrong(source, path.relative_to(CORE).parts[0]) == []


@pytest.mark.parametrize(
    "source",
    [
        'live = [each for each in chosen if each.name == "admin"]',
        'live = [each for each in outputs if each.startswith("admin")]',
        'registry.outputs["json"]',
        'registry.outputs.get("caddyfile")',
        'if found[1] == "upstreams": pass',
        'if gate.name in ("health",): pass',
        'states["upstreams"]',
        'importlib.import_module("dockcaddy_policy")',
        "from dockcaddy_policy import RULES",
        'RULE = "policy-live"',
        'HELP = "with upstreams.dynamic"',
    ],
)
def test_code_that_depends_on_a_plugin_is_found(source: str) -> None:
    assert wrong(source)


@pytest.mark.parametrize(
    "source",
    ['if style == "json": pass', 'told = "add {{upstreams PORT}}"', "health = resource.health", 'path / "upstreams"'],
)
def test_ordinary_words_are_fine(source: str) -> None:
    assert not wrong(source)
