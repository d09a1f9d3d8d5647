"""`dockcaddy schema`: no false alarm on what people write, and a sign at what is misspelt."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dockcaddy import plugins
from dockcaddy.caddyfile import DIRECTIVES
from dockcaddy.caddyfile.subdirectives import SUBDIRECTIVES
from dockcaddy.cli.schema import schema_of
from dockcaddy_idioms import IDIOMS
from referencing import Registry, Resource

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COMPOSE = json.loads((HERE / "schemas" / "compose-spec.json").read_text())
CASES = json.loads((ROOT / "tests/realworld/cases.json").read_text())
FENCED = re.compile(r"^```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCHEMA = schema_of("caddy", plugins.load())


@pytest.fixture(scope="module")
def checker() -> jsonschema.Draft202012Validator:
    (reference,) = SCHEMA["allOf"]
    resource = Resource.from_contents({**COMPOSE, "$schema": "http://json-schema.org/draft-07/schema#"})
    registry = Registry().with_resource(reference["$ref"], resource)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA, registry=registry)


def with_labels(labels: Any, place: str = "labels") -> dict[str, Any]:
    service = {"labels": labels} if place == "labels" else {"deploy": {"labels": labels}}
    return {"services": {"web": {"image": "nginx", **service}}}


def messages(error: jsonschema.ValidationError) -> Iterator[str]:
    """What an editor shows."""
    if isinstance(error.schema, dict) and "errorMessage" in error.schema:
        yield error.schema["errorMessage"]
    for each in error.context or ():
        yield from messages(each)


def told(checker: jsonschema.Draft202012Validator, document: Any) -> list[str]:
    return [message for error in checker.iter_errors(document) for message in (*messages(error),)]


def documents() -> Iterator[Any]:
    for path in [*ROOT.glob("examples/*.yaml"), *ROOT.glob("examples/*/compose.yaml")]:
        yield pytest.param(yaml.safe_load(path.read_text()), id=str(path.relative_to(ROOT)))
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for place, text in enumerate(FENCED.findall(path.read_text())):
            made = yaml.safe_load(text)
            if isinstance(made, dict) and "services" in made:
                yield pytest.param(made, id=f"{path.relative_to(ROOT)}-{place}")
            elif isinstance(made, dict) and isinstance(made.get("labels"), dict | list):
                yield pytest.param(with_labels(made["labels"]), id=f"{path.relative_to(ROOT)}-{place}")


@pytest.mark.parametrize("document", documents())
def test_examples_and_docs_are_fine(checker: jsonschema.Draft202012Validator, document: Any) -> None:
    assert [error.message for error in checker.iter_errors(document)] == []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_people_run_is_fine(checker: jsonschema.Draft202012Validator, case: dict[str, Any]) -> None:
    for engine in case["inventory"]["engines"]:
        for labels in [each["Labels"] for each in engine.get("containers") or ()]:
            for written in (labels, [f"{key}={value}" for key, value in labels.items()]):
                assert [error.message for error in checker.iter_errors(with_labels(written))] == []
        for service in engine.get("services") or ():
            labels = service["Spec"].get("Labels") or {}
            assert [error.message for error in checker.iter_errors(with_labels(labels, "deploy"))] == []


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.name)
def test_shorthands_are_fine(checker: jsonschema.Draft202012Validator, idiom: Any) -> None:
    key, _, value = idiom.example[0].partition(": ")
    assert told(checker, with_labels({key: value})) == []


@pytest.mark.parametrize(
    "name", [*DIRECTIVES, *(f"{name}.{sub}" for name, subs in SUBDIRECTIVES.items() for sub in subs)]
)
@pytest.mark.parametrize("key", ["caddy.{}", "caddy_1.{}_2", "caddy.0_{}", "caddy.handle.{}", "caddy.route_1.3_{}"])
def test_what_there_is_is_fine(checker: jsonschema.Draft202012Validator, name: str, key: str) -> None:
    assert told(checker, with_labels({key.format(name): "x"})) == []


@pytest.mark.parametrize(
    ("label", "value", "meant"),
    [
        ("caddy.revers_proxy", "", "reverse_proxy"),
        ("caddy.reverse-proxy", "", "reverse_proxy"),
        ("caddy.reverse_poxy_1", "", "reverse_proxy"),
        ("caddy_1.0_reverse_proxyy.lb_policy", "", "reverse_proxy"),
        ("caddy.handle_path_2.1_file_sever", "", "file_server"),
        ("caddy.emial", "", "email"),
        ("caddy.reverse_proxy.lb_polcy", "", "lb_policy"),
        ("caddy.handle.reverse_proxy_1.health_url", "", "health_uri"),
        ("caddy.tls.clientauth", "", "client_auth"),
        ("cady.reverse_proxy", "", "caddy"),
        ("caddi_1.respond", "", "caddy"),
        ("caddy.reverse_proxy", "{{upstream 80}}", "upstreams"),
        ("caddy.reverse_proxy", "{{ if isHealty }}{{upstreams}}{{end}}", "isHealthy"),
        ("caddy.root", "* {{ mountsource `/srv` }}", "mountSource"),
        ("caddy.header", "X {{ print (containername) }}", "containerName"),
    ],
)
def test_what_is_misspelt_is_flagged(
    checker: jsonschema.Draft202012Validator, label: str, value: str, meant: str
) -> None:
    expected = f'did you mean "{meant}"?'
    for place in ("labels", "deploy"):
        assert expected in told(checker, with_labels({label: value}, place)) or expected in json.dumps(
            [error.schema for error in checker.iter_errors(with_labels({label: value}, place))]
        )
        assert list(checker.iter_errors(with_labels([f"{label}={value}"], place)))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("caddy.rate_limit.zone", "x"),
        ("caddy.respond", "upstream 80 {{env `upstream`}}"),
        ("caddy.respond", "{{$upstream := upstreams 80}}{{$upstream}}"),
        ("caddy.respond", "{{.Names.upstream}}"),
        ("caddy.basic_auth.boot", "x"),
        ("caddy.header.X-Custom", "x"),
        ("com.example.reverse_prox", "x"),
        ("candy", "x"),
        ("candy.color", "x"),
    ],
)
def test_what_others_may_mean_is_left_alone(checker: jsonschema.Draft202012Validator, label: str, value: str) -> None:
    assert list(checker.iter_errors(with_labels({label: value}))) == []
    assert list(checker.iter_errors(with_labels([f"{label}={value}"]))) == []


def test_a_value_that_is_no_text_is_an_error(checker: jsonschema.Draft202012Validator) -> None:
    assert list(checker.iter_errors(with_labels({"caddy.respond": {"a": "b"}})))


def test_the_command_prints_it_for_its_prefix(dockcaddy: Callable) -> None:
    result = dockcaddy("schema", "--label-prefix", "web")
    assert result.status == 0 and result.err == ""
    made = json.loads(result.out)
    keys = made["$defs"]["labels"]["else"]["properties"]
    assert {"web", "web.reverse_proxy", "web.reverse_proxy.lb_policy", "web.email"} <= keys.keys()
    assert "{{mountSource PATH}}" in made["$defs"]["value"]["examples"]


@pytest.mark.process
@pytest.mark.parametrize("directive", SUBDIRECTIVES)
def test_caddy_knows_each_subdirective_and_no_other(caddy: str, directive: str) -> None:
    needed = "uri /x" if directive == "forward_auth" else ""

    def said(sub: str) -> str:
        text = f"a.test {{\n\t{directive} {{\n\t\t{needed}\n\t\t{sub} 1\n\t}}\n}}\n"
        command = [caddy, "adapt", "--config", "-", "--adapter", "caddyfile"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stderr

    def is_unknown(sub: str) -> bool:
        # modules that the 1 names are none of ours
        return bool(
            re.search(rf"(?:unrecognized|unknown)[^,]*\b{sub}\b|\b{sub}\b.*(?:unrecognized|unknown)", said(sub))
        )

    # templates ignores what it does not know, an encoder is a module
    assert is_unknown("no_such_word") or directive == "templates" or "not registered" in said("no_such_word")
    assert [sub for sub in SUBDIRECTIVES[directive] if is_unknown(sub)] == []
