"""`check`, `render` and `explain` with Compose files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddyfile import MAX_DEPTH

pytestmark = pytest.mark.compose

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PROJECT = """\
name: shop
x-common: &common
  caddy.respond: "{{upstraems 80}}"
services:
  web:
    image: nginx
    labels:
      <<: *common
      caddy: ${HOST:-a}.test
  other:
    image: nginx
    labels:
      - caddy=b.test
      - caddy.no_such_directive=x
  meant:
    image: nginx
    labels: {cady.respond: x, caddi: c.test}
"""


@pytest.fixture(params=["with Docker Compose", "without"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "without":
        monkeypatch.setattr("dockcaddy.compose.docker_compose.PROGRAMS", (("/nowhere/docker", "compose"),))
    return str(request.param)


def test_errors_have_the_line_of_their_label(
    dockcaddy: Callable, compose_files: Callable, caddy: str, found: str
) -> None:
    compose_files(compose=PROJECT)
    result = dockcaddy("check", "--compose", "compose.yaml", "--caddy", caddy)
    assert (result.status, result.out) == (1, "")
    lines = [line for line in result.err.splitlines() if "read without" not in line]
    wrong = 'error: compose.yaml:3: container shop-web-1: label caddy.respond: function "upstraems"'
    assert any(each.startswith(wrong) for each in lines)
    assert any(each.startswith("error: compose.yaml:14: container shop-other-1: ") for each in lines)
    assert any(
        each.startswith("warning: compose.yaml:17: container shop-meant-1: label cady.respond: ") for each in lines
    )
    assert ("read without" in result.err) == (found == "without")


def test_render_and_explain(
    dockcaddy: Callable, compose_files: Callable, caddy: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "x")
    compose_files(compose=PROJECT.replace("upstraems", "upstreams").replace("no_such_directive=x", "respond=a$$b"))
    result = dockcaddy("render", "--compose", ".", "--caddy", caddy)
    assert result.out == "b.test {\n\trespond a$b\n}\nx.test {\n\trespond shop-web-1:80\n}\n"
    result = dockcaddy("explain", "--compose", ".", "--caddy", caddy, "x.test")
    assert "# container shop-web-1 caddy.respond (compose.yaml:3)" in result.out


def test_render_tells_of_a_variable_that_is_not_set(
    dockcaddy: Callable, compose_files: Callable, caddy: str, found: str
) -> None:
    compose_files(compose="services: {web: {image: x, labels: {caddy: a.test, caddy.respond: $NOBODY}}}")
    result = dockcaddy("render", "--compose", "compose.yaml", "--caddy", caddy)
    assert "warning: compose.yaml:1: variable NOBODY: not set" in result.err


def test_a_file_that_the_other_machine_may_have_is_no_error(
    dockcaddy: Callable, compose_files: Callable, caddy: str
) -> None:
    # Caddy reads the one when it adapts the labels, the other when it loads what comes of them
    labels = "caddy: a.test, caddy.tls.client_auth.trusted_ca_cert_file: /nowhere/ca.pem, caddy.respond: x"
    certificate = "caddy: b.test, caddy.tls: /nowhere/cert.pem /nowhere/key.pem, caddy.respond: x"
    compose_files(
        compose=f"services: {{a: {{image: x, labels: {{{labels}}}}}, b: {{image: x, labels: {{{certificate}}}}}}}"
    )
    result = dockcaddy("check", "--compose", "compose.yaml", "--caddy", caddy)
    assert result.status == 0 and "b-1" not in result.err
    assert result.err.count("\n") == 1 and result.err.startswith("warning: compose.yaml:1: container ")
    wanted = "open /nowhere/ca.pem: no such file or directory: the machine that serves it needs this file\n"
    assert result.err.endswith(wanted)


@pytest.mark.parametrize("word", ["handle", "route", "handle_path"])
def test_what_is_nested_as_deep_as_it_may_be_passes_all_rules(
    dockcaddy: Callable, compose_files: Callable, caddy: str, word: str
) -> None:
    for depth, status in ((MAX_DEPTH - 2, 0), (MAX_DEPTH - 1, 1)):
        blocks = [f"caddy{f'.{word}' * each}" for each in range(1, depth + 1)]
        labels = {"caddy": "a.test", **dict.fromkeys(blocks, "/x*"), f"{blocks[-1]}.respond": "hi"}
        compose_files(compose=json.dumps({"services": {"a": {"image": "x", "labels": labels}}}))
        result = dockcaddy("check", "--compose", "compose.yaml", "--caddy", caddy)
        assert result.status == status, result.err
    assert result.err.endswith(": the key is nested deeper than 50 levels\n")


def test_what_is_nested_too_deep_with_its_snippets_is_named_in_plain_words(
    dockcaddy: Callable, compose_files: Callable, caddy: str
) -> None:
    blocks, depth = ".handle", MAX_DEPTH - 5
    deep = {"caddy_1": "(deep)", f"caddy_1{blocks * depth}.respond": "hi", "caddy_2": "http://deep.test"}
    services = {
        "deep": {"image": "x", "labels": {**deep, f"caddy_2{blocks * depth}.import": "deep"}},
        "good": {"image": "x", "labels": {"caddy": "http://good.test", "caddy.respond": "fine"}},
    }
    compose_files(compose=json.dumps({"services": services}))
    result = dockcaddy("check", "--compose", "compose.yaml", "--caddy", caddy)
    assert result.status == 1 and "-deep-1: caddy refuses it: " in result.err and "good" not in result.err
    assert "blocks are nested deeper, with those of snippets, than it can look through: nest fewer" in result.err
    assert "RecursionError" not in result.err


def test_one_source_at_a_time(dockcaddy: Callable) -> None:
    result = dockcaddy("check", "--compose", "a.yaml", "--inventory", "b.json")
    assert result.status == 2 and "omit one of the two" in result.err


def test_what_compose_refuses_is_told(dockcaddy: Callable, compose_files: Callable) -> None:
    compose_files(compose="services: {web: {imagee: x}}")
    result = dockcaddy("check", "--compose", "compose.yaml")
    assert result.status == 2 and "imagee" in result.err
    assert "cannot be read: No such file" in dockcaddy("check", "--compose", "missing.yaml").err


@pytest.mark.parametrize(
    "file",
    sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("*/compose.yaml")]),
    ids=lambda path: path.parent.name + path.name,
)
def test_the_examples_check_fine(dockcaddy: Callable, caddy: str, file: Path) -> None:
    result = dockcaddy("check", "--compose", str(file), "--caddy", caddy)
    assert result.status == 0, result.err
    assert result.err == "" and result.out.endswith("ok\n")


def test_the_migration_check_reads_them_too(dockcaddy: Callable, compose_files: Callable, caddy: str) -> None:
    compose_files(compose=PROJECT)
    result = dockcaddy("check", "--compare-cdp", "--compose", "compose.yaml", "--caddy", caddy)
    assert result.status in (0, 1) and "difference" in result.out


def test_a_snapshot_of_a_project_is_json(compose_files: Callable, load: Callable) -> None:
    from dockcaddy.compose import snapshot_of

    compose_files(compose=PROJECT)
    assert json.loads(json.dumps(snapshot_of(load("compose.yaml")).document))["version"] == 1


def test_a_file_without_labels_of_ours_is_named(dockcaddy: Callable, compose_files: Callable) -> None:
    compose_files(compose="services:\n  web:\n    image: nginx\n    labels:\n      site: a.test\n")
    told = 'warning: compose compose.yaml: no container has a label "caddy" or "caddy.x", so there is nothing to serve'
    assert told in dockcaddy("check", "--compose", "compose.yaml").err


def test_a_template_without_quotes_is_told_with_its_line(
    dockcaddy: Callable, compose_files: Callable, found: str
) -> None:
    compose_files(compose="services:\n  web:\n    labels:\n      caddy.reverse_proxy: {{upstreams 80}}\n")
    assert (
        "compose.yaml:4: label caddy.reverse_proxy: YAML takes the value for a mapping: put the whole value in quotes"
        in (dockcaddy("check", "--compose", "compose.yaml").err)
    )


@pytest.mark.parametrize("value", ["{{upstreams 80}} a", "hello: world"])
def test_a_value_that_is_not_yaml_needs_quotes(
    dockcaddy: Callable, compose_files: Callable, found: str, value: str
) -> None:
    compose_files(compose=f"services:\n  web:\n    labels:\n      caddy.respond: {value}\n")
    result = dockcaddy("check", "--compose", "compose.yaml").err
    assert "compose.yaml:4: not YAML" in result and "put the whole value in quotes" in result


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("\n      caddy: a.test\n     caddy.respond: hi", "compose.yaml:5: not YAML: expected"),
        ("\n      caddy: a.test\n     caddy.respond: hi", "indent the line like those beside it"),
        ("\n\t  caddy: a.test", "cannot start any token: indent with spaces"),
        ('\n      caddy: "a.test\n      caddy.respond: hi', "compose.yaml:4: not YAML: found unexpected end of stream"),
        (
            "\n      - caddy: a.test",
            "compose.yaml:4: labels: a list has texts: write - KEY=VALUE, or leave out the dashes",
        ),
    ],
)
def test_labels_that_cannot_be_read_are_told_with_their_line_and_what_to_do(
    dockcaddy: Callable, compose_files: Callable, found: str, labels: str, told: str
) -> None:
    compose_files(compose=f"services:\n  web:\n    labels:{labels}\n")
    result = dockcaddy("check", "--compose", "compose.yaml")
    assert result.status == 2 and told in result.err


def test_a_label_that_is_there_twice_is_told_with_both_lines(dockcaddy: Callable, compose_files: Callable) -> None:
    compose_files(compose="services:\n  web:\n    labels:\n      caddy: a.test\n      caddy: b.test\n")
    told = "--compose compose.yaml:5: the key caddy is there twice, first in line 4"
    assert told in dockcaddy("check", "--compose", "compose.yaml").err


def test_what_compose_refuses_is_told_with_all_its_lines(dockcaddy: Callable, compose_files: Callable) -> None:
    compose_files(compose='services:\n  web:\n    labels:\n      caddy.reverse_proxy: "${upstreams 80}"\n')
    assert (
        "invalid interpolation format for services.web.labels.caddy.reverse_proxy. You may need to escape any $ with "
        "another $. ${upstreams 80}"
    ) in dockcaddy("check", "--compose", "compose.yaml").err


def test_an_upstream_that_is_caddys_own_container_is_told_beside_a_caddy_only(
    dockcaddy: Callable, compose_files: Callable, caddy: str
) -> None:
    web = {"image": "x", "labels": {"caddy": "a.test", "caddy.reverse_proxy": "http://localhost:8080"}}
    proxy = {"image": "dockcaddy", "volumes": ["/var/run/docker.sock:/var/run/docker.sock"]}
    at_host, shared = {**proxy, "network_mode": "host"}, {**web, "network_mode": "service:caddy"}
    for services, is_told in (((proxy, web), True), ((at_host, web), False), ((proxy, shared), False)):
        compose_files(compose=json.dumps({"services": dict(zip(("caddy", "web"), services, strict=True))}))
        found = dockcaddy("check", "--compose", "compose.yaml", "--caddy", caddy)
        assert found.status == 0
        assert ('"http://localhost:8080" is the container that Caddy runs in' in found.err) == is_told
