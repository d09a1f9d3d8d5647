"""examples/plugin: a package that is built, installed into an environment of its own, tested there, and used."""

import os
import site
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

pytestmark = pytest.mark.process


@frozen
class Installed:
    """An environment that has the example installed besides everything that the tests have."""

    python: Path
    wheel: Path

    def run(self, *arguments: str, cwd: Path, status: int = 0) -> str:
        """What a Python module prints; the errors where it is to fail."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DOCKCADDY"))}
        command = [str(self.python), "-m", *arguments]
        done = subprocess.run(command, cwd=cwd, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr


def pip(*arguments: str) -> None:
    """No package index is asked, neither for what is needed to build nor for what is needed to run."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("example")
    example = Path(__file__).parent.parent.parent / "examples/plugin"
    wheels = folder / "wheels"
    pip("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(wheels), str(example))
    (wheel,) = wheels.iterdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    pip("install", "--quiet", "--no-deps", "--no-index", "--target", str(packages), str(wheel))
    # the environment of the tests, with what is installed there by .pth files
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "environment-of-the-tests.pth").write_text("\n".join(lines) + "\n")
    return Installed(folder / "venv/bin/python", wheel)


def test_the_wheel_holds_the_package_and_its_types(installed: Installed) -> None:
    import zipfile

    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {"dockcaddy_maintenance/__init__.py", "dockcaddy_maintenance/py.typed"} <= set(names)
    assert not [name for name in names if name.startswith("tests")]


def test_its_own_tests_pass_where_it_is_installed(installed: Installed, project: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for path in (project / "examples/plugin/tests").glob("*.py"):
        (tests / path.name).write_text(path.read_text())
    told = installed.run("pytest", "-q", "-p", "no:cacheprovider", str(tests), cwd=tmp_path)
    assert " passed" in told and "failed" not in told and "skipped" not in told


def test_dockcaddy_plugins_names_it_with_all_that_it_contributes(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("dockcaddy", "plugins", cwd=tmp_path)
    (line,) = [line for line in told.splitlines() if line.startswith("maintenance ")]
    assert "entry point of dockcaddy-maintenance 1.0.0" in line
    for part in ("functions", "label transformers", "gates", "outputs sites", "settings sections"):
        assert part in line


def test_render_uses_it(installed: Installed, snapshot: Callable[..., str], tmp_path: Path) -> None:
    labels = {"caddy": "http://shop.test", "caddy.reverse_proxy": "{{upstreams 80}}", "caddy.maintenance": ""}
    told = installed.run(
        "dockcaddy",
        "render",
        "--raw",
        "--inventory",
        snapshot(web=labels),
        "--set",
        "maintenance.text=closed today",
        cwd=tmp_path,
    )
    assert 'respond "closed today" 503' in told and "172." not in told


def test_the_output_is_there_beside_the_others(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("dockcaddy", "run", "--output", "sites", cwd=tmp_path, status=2)
    assert "output sites needs a path: --output sites=PATH" in told


def test_mypy_finds_nothing_in_it(installed: Installed, project: Path, tmp_path: Path) -> None:
    example = project / "examples/plugin/dockcaddy_maintenance"
    cache = tmp_path / "mypy"
    told = installed.run("mypy", "--strict", "--cache-dir", str(cache), str(example), cwd=project)
    assert "Success" in told
