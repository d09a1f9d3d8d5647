"""`dockcaddy init`: settings and a Compose file to start with."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml
from dockcaddy import plugins
from dockcaddy.run.first_files import KINDS, compose_text, settings_text
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Settings
from stand_in_engine import StandInEngine

NOWHERE = ("--docker-sockets", "unix:///nowhere.sock")


def uncommented(text: str) -> str:
    return re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE)


def test_the_settings_are_all_comments_and_each_is_its_default(sandbox: Path) -> None:
    text = settings_text(plugins.load().sections)
    assert not [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    path = sandbox / "all.toml"
    path.write_text(uncommented(text))
    read = load({}, {}, str(path))
    assert all(getattr(read, each.name) == getattr(Settings(), each.name) for each in OPTIONS)
    listed = {key for key, value in tomli.loads(path.read_text()).items() if not isinstance(value, dict)}
    assert listed == {each.name for each in OPTIONS if not each.section} - {"dry_run"}


def test_settings_of_plugins_are_defaults_too(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "all.toml").write_text(uncommented(settings_text(plugins.load().sections)))
    result = dockcaddy("plugins", "--config", "all.toml")
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_written_and_nothing_is_asked(dockcaddy: Callable, sandbox: Path, kind: str) -> None:
    result = dockcaddy("init", "new/folder", "--kind", kind, *NOWHERE)
    assert (result.status, result.err) == (0, "")
    assert "wrote new/folder/dockcaddy.toml and new/folder/compose.yaml" in result.out
    *_, last = result.out.splitlines()
    assert (
        last
        == f"then, in new/folder: {(sandbox / 'new/folder/compose.yaml').read_text().splitlines()[0].removeprefix('# ')}"
    )
    made = yaml.safe_load((sandbox / "new/folder/compose.yaml").read_text())
    place = made["services"]["whoami"]
    labels = place["deploy"]["labels"] if kind == "swarm" else place["labels"]
    assert labels["caddy"] == "whoami.localhost"
    assert (sandbox / "new/folder/dockcaddy.toml").stat().st_mode & 0o777 == 0o644


@pytest.mark.compose
@pytest.mark.parametrize("kind", KINDS)
def test_the_compose_file_checks_fine(dockcaddy: Callable, sandbox: Path, caddy: str, kind: Any) -> None:
    (sandbox / "compose.yaml").write_text(compose_text(kind))
    result = dockcaddy("check", "--caddy", caddy, "compose.yaml")
    assert (result.status, result.err) == (0, "") and "1 site, ok" in result.out


def test_nothing_is_overwritten_without_force(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "compose.yaml").write_text("mine")
    result = dockcaddy("init", *NOWHERE)
    assert result.status == 2 and "compose.yaml: there already" in result.err and "--force" in result.err
    assert (sandbox / "compose.yaml").read_text() == "mine" and not (sandbox / "dockcaddy.toml").exists()
    assert dockcaddy("init", "--force", *NOWHERE).status == 0
    assert "services" in (sandbox / "compose.yaml").read_text()


def test_a_folder_that_cannot_be_written_is_an_error(dockcaddy: Callable, sandbox: Path) -> None:
    (sandbox / "file").touch()
    assert dockcaddy("init", "file", *NOWHERE).err == "error: file: not a folder, name another one\n"
    result = dockcaddy("init", "file/folder", *NOWHERE)
    assert result.status == 2 and "file/folder: cannot be written: " in result.err


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInEngine]:
    with StandInEngine(f"{tmp_path_factory.mktemp('e')}/e.sock") as made:
        yield made


def test_the_engine_says_what_it_is_and_where(dockcaddy: Callable, sandbox: Path, engine: StandInEngine) -> None:
    result = dockcaddy("init", "--docker-sockets", f"unix://{engine.path}")
    assert result.status == 0 and "for docker" in result.out
    assert f"- {engine.path}:/var/run/docker.sock" in (sandbox / "compose.yaml").read_text()


@pytest.mark.parametrize(("answer", "kind"), [("", "docker"), ("swarm", "swarm")])
def test_on_a_terminal_it_asks(
    dockcaddy: Callable, sandbox: Path, monkeypatch: pytest.MonkeyPatch, answer: str, kind: str
) -> None:
    asked: list[Mapping[str, Any]] = []

    def prompt(text: str, **more: Any) -> str:
        asked.append({"text": text, **more})
        return answer or str(more["default"])

    monkeypatch.setattr("click.prompt", prompt)
    monkeypatch.setattr("dockcaddy.cli.init._is_terminal", lambda: True)
    assert f"for {kind}" in dockcaddy("init", *NOWHERE).out
    assert [each["default"] for each in asked] == ["docker"]


def test_with_a_kind_a_terminal_is_not_asked(dockcaddy: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockcaddy.cli.init._is_terminal", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: sys.exit(9))
    assert dockcaddy("init", "--kind", "swarm", *NOWHERE).status == 0
