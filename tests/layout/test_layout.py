"""The rules of the layout: who may import whom, and that importing does nothing."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import dockcaddy
import pytest
import tomli

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "core" / "dockcaddy"
MODULES = sorted(CORE.rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*/dockcaddy_*"))
PLUGIN_MODULES = sorted((ROOT / "plugins").rglob("*.py"))
# of a file, and of a function without its docstring
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40


def imports(path: Path) -> set[str]:
    """The modules a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def in_the_wheel(path: Path) -> Path:
    """Where a module lies beside the others once it is installed."""
    parts = path.relative_to(ROOT).parts
    return Path(*parts[1:] if parts[0] == "core" else parts[2:])


def name_of(path: Path) -> str:
    return ".".join(in_the_wheel(path).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("package", ["gotemplate", "caddyfile"])
def test_the_pure_packages_import_nothing_else_of_ours(package: str) -> None:
    for path in (CORE / package).rglob("*.py"):
        foreign = [
            name
            for name in imports(path)
            if name.startswith("dockcaddy") and not name.startswith(f"dockcaddy.{package}")
        ]
        assert not foreign, path


def test_nothing_imports_cli() -> None:
    for path in MODULES:
        if "cli" not in path.parts and path.name != "__main__.py":
            assert not [name for name in imports(path) if name.startswith("dockcaddy.cli")], path


def test_rendering_knows_nothing_of_admission() -> None:
    for path in (CORE / "compile").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith("dockcaddy.admission")], path


def test_the_engine_imports_no_later_step_of_the_data_flow() -> None:
    later = ("compile", "merge", "admission", "caddyjson", "quarantine", "reconcile", "narration", "run")
    for path in (CORE / "engine").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith(tuple(f"dockcaddy.{each}" for each in later))], (
            path
        )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_limits_have_one_home(path: Path) -> None:
    # pauses belong to the loop that pauses; the oldest seniority is no limit
    limit = re.compile(
        r"^_?(?:MAX|MOST|DEEPEST|LONGEST)(?!\w*(?:_PAUSE|_GAP|_SENIOR|_DOUBLINGS))\w*\b.* = .*\d", re.MULTILINE
    )
    if path.name != "limits.py" and path != CORE / "caddyfile" / "block.py":
        assert not limit.findall(path.read_text()), (
            f"{name_of(path)}: write it into settings/limits.py, with its reason"
        )


@pytest.mark.parametrize("path", [*MODULES, *PLUGIN_MODULES], ids=name_of)
def test_a_constant_is_defined_once(path: Path) -> None:
    targets = [
        target
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = [each.id for each in targets if isinstance(each, ast.Name)]
    assert not [each for each in names if names.count(each) > 1]


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {name_of(path): path for path in (*MODULES, *PLUGIN_MODULES)}
    # a package's face hands on names of its own modules
    needs = {name: imports(path) & modules.keys() - {name.rpartition(".")[0]} for name, path in modules.items()}
    graphlib.TopologicalSorter(needs).prepare()


def test_no_folders_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for path in MODULES:
        own = path.relative_to(CORE).parts[0].removesuffix(".py")
        others = {name.split(".")[1] for name in imports(path) if name.startswith("dockcaddy.")}
        needs.setdefault(own, set()).update(each for each in others - {own} if (CORE / each).is_dir())
    graphlib.TopologicalSorter(needs).prepare()


@pytest.mark.parametrize("path", PLUGIN_MODULES, ids=name_of)
def test_a_plugin_imports_only_what_the_package_offers(path: Path) -> None:
    allowed = {f"dockcaddy.{name}" for name in dockcaddy.__all__} | {"dockcaddy"}
    allowed |= {f"dockcaddy.gotemplate.{name}" for name in dockcaddy.gotemplate.__all__}
    own = name_of(path).partition(".")[0]
    assert not [
        name for name in imports(path) if re.match(f"dockcaddy(?!_)|(?!{own})dockcaddy_", name) and name not in allowed
    ]


def test_the_cores_top_level_holds_the_public_words_only() -> None:
    assert len(sorted(CORE.glob("*.py"))) <= 10, "a folder is a step of the data flow or a border: put it there"


@pytest.mark.parametrize("path", [*MODULES, *PLUGIN_MODULES], ids=name_of)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    # the hooks are mostly documentation, and belong on one page
    assert text.count("\n") <= MOST_LINES or path == CORE / "hookspecs.py"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            code = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert node.end_lineno and node.end_lineno - code[0].lineno < MOST_LINES_OF_A_FUNCTION, (
                f"{node.name} is long"
            )


def test_raw_json_stays_with_the_engine() -> None:
    for path in MODULES:
        if path.relative_to(CORE).parts[0] not in ("engine", "compose", "caddy", "cli", "caddyfile", "gotemplate"):
            assert '"NetworkSettings"' not in path.read_text(), path


def test_importing_everything_starts_and_opens_nothing() -> None:
    names = [name_of(path) for path in (*MODULES, *PLUGIN_MODULES) if path.name != "__main__.py"]
    code = f"""
import importlib, logging, os, sys, threading
before = len(os.listdir("/proc/self/fd"))
for name in {names!r}:
    importlib.import_module(name)
assert threading.active_count() == 1
assert len(os.listdir("/proc/self/fd")) <= before, os.listdir("/proc/self/fd")
assert not logging.getLogger("dockcaddy").handlers
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_plugin_folder_is_part_of_the_distribution() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = {f"plugins/{path.parent.name}" for path in PLUGINS}
    assert folders <= set(wheel["sources"]) and folders <= set(wheel["dev-mode-dirs"])


def test_a_wheel_holds_the_core_the_plugins_and_the_type_marker(tmp_path: Path) -> None:
    # built with what the tests' environment has, so that nothing is asked of a package index
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    command += ["--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    import zipfile

    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    wanted = {"dockcaddy_main.py", "dockcaddy/__init__.py", "dockcaddy/py.typed"} | {
        str(in_the_wheel(path)) for path in PLUGIN_MODULES
    }
    assert wanted <= names


def test_no_file_speaks_of_a_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile("/wor" + "k/|/roo" + "t/|far" + "m-")
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yaml", "") and path.is_file():
            assert not forbidden.search(path.read_text(errors="replace")), name
