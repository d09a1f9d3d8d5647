"""Random values and times are made once for a label, and again when the label or its container is another one."""

import json
from typing import Any

import pytest
from attrs import evolve
from dockcaddy import testing
from dockcaddy.compile.kept_values import KeptOfResources, KeptValues
from dockcaddy.compile.rendering import Renderer, ResourceContext
from dockcaddy.fragment import Fragment
from dockcaddy.gotemplate import FunctionError
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.settings.limits import MAX_KEPT_RESOURCES, MAX_KEPT_VALUES

RANDOM = (
    "{{randAlphaNum 20}}", '{{uuidv4}}', '{{randBytes 16}}', '{{randInt 0 1000000000000}}', '{{shuffle "abcdefghijklmnopqrst"}}',
    '{{bcrypt "x"}}', '{{htpasswd "u" "x"}}', '{{encryptAES "k" "x"}}', '{{genPrivateKey "ecdsa" | sha256sum}}',
    '{{(genCAWithKey "ca" 1 (genPrivateKey "ed25519")).Cert | sha256sum}}', "{{now.UnixNano}}", '{{ago 0}}',
)  # fmt: skip


class Renders:
    """Renders containers one after the other, as the daemon does."""

    def __init__(self) -> None:
        self.registry = testing.registry_with()
        self.renderer = Renderer(self.registry, "caddy")

    def fragment(self, container: Resource) -> Fragment:
        engine = EngineInventory(container.engine, (container,), (), None)
        return self.renderer.render(ResourceContext(container, engine, self.registry, {}, Inventory((engine,))))

    def content(self, container: Resource) -> str:
        made = self.fragment(container)
        assert made.problems == ()
        return made.content


def web(template: str, **other: Any) -> Resource:
    return testing.container("web-1", labels={"caddy": "web.test", "caddy.respond": template}, **other)


@pytest.fixture(scope="module")
def renders() -> Renders:
    return Renders()


@pytest.mark.parametrize("template", RANDOM)
def test_a_value_stays_while_label_and_container_do(renders: Renders, template: str) -> None:
    container = web(template)
    first = renders.content(container)
    # another state, other health: what the engine tells at the next poll
    assert renders.content(evolve(container, state="running", health="healthy", environment={"A": "b"})) == first


@pytest.mark.parametrize("template", RANDOM[:3])
def test_another_label_or_container_has_values_of_its_own(renders: Renders, template: str) -> None:
    first = renders.content(web(template))
    assert renders.content(web(f"{template} ")) != first
    assert renders.content(web(template)) != first, "the text was another one meanwhile"
    again = renders.content(web(template))
    assert renders.content(web(template, id="another")) != again
    assert renders.content(web(template)) == again


def test_calls_in_one_label_differ(renders: Renders) -> None:
    words = renders.content(web("{{randAlpha 30}} {{randAlpha 30}}")).split("respond")[1].split()
    assert words[0].strip('"') != words[1].strip('"')


def test_what_is_gone_is_not_kept() -> None:
    kept = KeptOfResources()
    for number in range(MAX_KEPT_RESOURCES + 1):
        values = kept.of(str(number))
        values.get("caddy", "", lambda: 1)
        kept.put(str(number), values)
    assert len(kept.kept) == MAX_KEPT_RESOURCES and "0" not in kept.kept
    kept.put("5", kept.of("5"))
    assert "5" not in kept.kept


def test_values_of_one_resource_are_bounded() -> None:
    values = KeptValues()
    for _ in range(MAX_KEPT_VALUES):
        values.get("caddy", "", lambda: 1)
    with pytest.raises(FunctionError, match="more than 1000"):
        values.get("caddy", "", lambda: 1)


def test_the_environment_is_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_SECRET", "s3cret")
    container = testing.container(environment={"HOST": "web.test", "PORT": "80"})
    assert testing.render("{{expandenv `$HOST:${PORT} [$PROXY_SECRET]`}}", container) == "web.test:80 []"
    assert testing.render('[{{env "PROXY_SECRET"}}]', container) == "[]"


def test_a_functions_own_words_reach_the_operator(renders: Renders) -> None:
    (problem,) = renders.fragment(web('{{fail "a host is needed"}}')).problems
    assert problem.message == 'at <fail "a host is needed">: error calling fail: a host is needed'


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{htpasswd "a:b" "x"}}', "invalid username: a:b"),
        ('{{bcrypt (repeat 73 "x")}}', "failed to encrypt string with bcrypt"),
        ('{{derivePassword 1 "strong" "a" "b" "c"}}', "cannot find password template strong"),
        ('{{genPrivateKey "rsa4096"}}', "Unknown type rsa4096"),
        ('{{b64dec "!"}}', "illegal base64 data at input byte 0"),
    ],
)
def test_an_error_that_is_served_as_text_is_reported(renders: Renders, template: str, text: str) -> None:
    fragment = renders.fragment(web(template))
    assert text in fragment.content
    (problem,) = fragment.problems
    assert problem.severity == "warning" and f"a function returns its error as text: {text}" in problem.message


def test_a_resource_gets_a_handful_of_hashes(renders: Renders) -> None:
    assert renders.content(web('{{bcrypt "a"}} {{bcrypt "b"}} {{bcrypt "c"}} {{bcrypt "d"}} {{bcrypt "e"}}'))
    (problem,) = renders.fragment(web('{{range until 9}}{{bcrypt "a"}}{{end}}')).problems
    assert "at most 8 bcrypt hashes for all labels together" in problem.message


def test_the_engines_record_is_not_changed() -> None:
    from dockcaddy.engine.records.gotypes import service_record

    item = {"Spec": {"TaskTemplate": {"Resources": {"Limits": {"a": 1}}}}}
    before = json.dumps(item)
    service = testing.container(record=service_record(item))
    testing.render('{{$_ := set .Spec.TaskTemplate.Resources "b" 2}}', service)
    assert json.dumps(item) == before


def test_fields_of_an_embedded_struct_are_among_the_others_in_json() -> None:
    from dockcaddy.engine.records.gotypes import service_record

    service = testing.container(record=service_record({"ID": "s1", "Version": {"Index": 7}, "Spec": {"Name": "web"}}))
    assert testing.render("{{toJson .}}", service).startswith('{"ID":"s1","Version":{"Index":7},')
    assert testing.render("{{toJson .Spec}}", service).startswith('{"Name":"web",')


INPUTS = (
    '{{bcrypt (env "IN")}}', '{{htpasswd "u" (env "IN")}}', '{{encryptAES "k" (env "IN")}}', '{{shuffle (env "IN")}}',
    '{{(genCAWithKey (env "IN") 1 (genPrivateKey "ed25519")).Cert | sha256sum}}', '{{randAlpha (len (env "IN"))}}',
)  # fmt: skip


@pytest.mark.parametrize("template", INPUTS)
def test_another_input_has_a_value_of_its_own(renders: Renders, template: str) -> None:
    """A Swarm service keeps its id when its password is changed."""
    old, new = (web(template, environment={"IN": each}) for each in ("old password", "another password"))
    first = renders.content(old)
    assert renders.content(new) != first
    assert renders.content(new) == renders.content(evolve(new, health="healthy"))


def test_values_stay_while_another_label_of_the_container_fails(renders: Renders) -> None:
    labels = {
        "caddy": "web.test",
        "caddy.0_fail": '{{if hasEnv "A"}}{{fail "now"}}{{end}}',
        "caddy.respond": RANDOM[0],
    }
    container = testing.container("web-1", labels=labels)
    first = renders.content(container)
    assert renders.fragment(evolve(container, environment={"A": "b"})).problems
    assert renders.content(container) == first
