"""Projects as they are read where there is no Docker Compose."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
import yaml
from dockcaddy.compose.interpolation import interpolated
from dockcaddy.errors import SettingsError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$$A {$$B}", "$A {$B}"),
        ("${B:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${B:-${A}}", "1"),
        ("${A:+{{upstreams 80}}}", "{{upstreams 80}}"),
        ("${B+x}", ""),
        ("${A:?no}", "1"),
        ("${B}", ""),
        ("{{upstreams 80}}", "{{upstreams 80}}"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    assert interpolated(text, {"A": "1", "EMPTY": ""}, lambda name: None) == expected


@pytest.mark.parametrize("text", ["${", "$ ", "${A!}", "${B:?say it}", "{{$x}", "${-}"])
def test_what_cannot_be_replaced_is_an_error(text: str) -> None:
    with pytest.raises(SettingsError) if text != "{{$x}" else pytest.raises(AssertionError):
        interpolated(text, {"A": "1"}, lambda name: None)
        raise AssertionError


@given(st.text(alphabet="ab{}:-?+ "))
def test_without_a_dollar_sign_nothing_changes(text: str) -> None:
    assert interpolated([{"k": text}], {}, lambda name: None) == [{"k": text}]


def test_a_variable_that_is_not_set_is_told_with_its_line(compose_files: Callable, load: Callable) -> None:
    compose_files(compose="services:\n  web:\n    labels:\n      # $NAME\n      caddy: ${NAME}.test\n      a: $$NAME\n")
    project = load("compose.yaml")
    assert project.services["web"]["labels"]["caddy"] == ".test"
    assert str(project.places["variable NAME"]) == "compose.yaml:5"
    assert "not set" in project.problems[-1].message


def test_the_environment_comes_before_the_file(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose="services: {web: {labels: {a: $ONE, b: $TWO}}}", env="export ONE='1' \n# no\nTWO=2 # two\nbroken\n"
    )
    assert load("compose.yaml", TWO="zwei").services["web"]["labels"] == {"a": "1", "b": "zwei"}


def test_profiles(compose_files: Callable, load: Callable) -> None:
    compose_files(compose="services: {web: {}, debug: {profiles: [dev, test]}}")
    assert list(load("compose.yaml").services) == ["web"]
    assert list(load("compose.yaml", profiles=("dev",)).services) == ["web", "debug"]
    assert list(load("compose.yaml", COMPOSE_PROFILES="x,test").services) == ["web", "debug"]


def test_several_files_are_merged_and_labels_of_both_forms(compose_files: Callable, load: Callable) -> None:
    compose_files(
        compose="services: {web: {labels: [a=1, b=2], ports: ['80'], command: [x]}}",
        over="services: {web: {labels: {b: 3}, ports: ['81'], command: [y]}, other: {image: x}}",
    )
    web = load("compose.yaml", "over.yaml").services["web"]
    assert web["labels"] == {"a": "1", "b": "3"}
    assert [port["target"] for port in web["ports"]] == [80, 81] and web["command"] == ["y"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  web: [", r"compose\.yaml:2: not YAML"),
        ("services: {web: x}", "not a Compose file"),
        ("a: b", "no services"),
        ("[]", "not a Compose file"),
        ("", "no services"),
        ("services: {web: {extends: web}}", "extends itself"),
        ("services: {web: {extends: nobody}}", 'extends "nobody", and there is no such service'),
        ("services: {web: {image: '${X:?say it}'}}", r"compose\.yaml: the variable \"X\" is needed: say it"),
    ],
)
def test_a_wrong_file_is_an_error(compose_files: Callable, load: Callable, text: str, said: str) -> None:
    compose_files(compose=text)
    with pytest.raises(SettingsError) as error:
        load("compose.yaml")
    assert re.search(said, str(error.value))


def test_what_it_leaves_out_is_told(compose_files: Callable, load: Callable) -> None:
    compose_files(compose="include: [more.yaml]\nservices: {web: {}}", more="services: {}")
    assert any("are not read" in each.message for each in load("compose.yaml").problems)


def test_a_folder_stands_for_its_file_and_override(compose_files: Callable, load: Callable, sandbox: object) -> None:
    compose_files(compose="services: {web: {}}")
    assert load(".").files == ("compose.yaml",)
    compose_files(**{"compose.override": "services: {web: {labels: {a: b}}}"})
    assert load(".").files == ("compose.yaml", "compose.override.yaml")
    with pytest.raises(SettingsError, match="no compose"):
        load("..")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "the file has to be a mapping"),
        ("networks: [a]\n", "networks has to be a mapping"),
        ("networks: {a: 5}\n", "networks.a has to be a mapping"),
        ("services: {web: x}\n", "services.web has to be a mapping"),
        ("services: {web: {extends: [a]}}\n", "services.web.extends has to be a text or a mapping"),
        ("services: {web: {profiles: [[1]]}}\n", "an item of services.web.profiles has to be a text"),
        ("services: {web: {labels: x}}\n", "services.web.labels has to be a mapping or a list"),
        ("services: {web: {deploy: {labels: x}}}\n", "services.web.deploy.labels has to be a mapping or a list"),
        ("a: &a {b: *a}\n", "an anchor that contains itself"),
    ],
)
def test_what_is_no_compose_file_says_what_is_wrong(
    compose_files: Callable, load: Callable, text: str, expected: str
) -> None:
    compose_files(compose=text)
    with pytest.raises(SettingsError, match=rf"--compose compose.yaml(:1)?: .*{re.escape(expected)}"):
        load("compose.yaml")


_KEYS = ["services", "web", "networks", "volumes", "configs", "labels", "environment", "ports", "extends", "profiles"]
_KEYS += [
    "deploy",
    "healthcheck",
    "build",
    "env_file",
    "expose",
    "command",
    "file",
    "service",
    "name",
    "test",
    "replicas",
]
_VALUES = st.recursive(
    st.none() | st.sampled_from(["x", "1", "web", "8080:80", "/a:/b", "caddy=x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES), st.dictionaries(st.sampled_from(_KEYS), _VALUES))
def test_whatever_is_in_a_file_is_read_or_refused(
    compose_files: Callable, load: Callable, model: dict[str, object], service: dict[str, object]
) -> None:
    compose_files(compose=yaml.safe_dump({**model, "services": {"web": service}}))
    with suppress(SettingsError):
        load("compose.yaml")
