"""Who is told what: importers of what is left out, labels without their site, misspellings, what a Caddy lacks."""

from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.caddy.modules import modules_of
from dockcaddy.engine.reach.ingress import IngressNetworks
from dockcaddy.engine.records.resources import container
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.plugins.sections import load_sections
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.preview import Candidate
from dockcaddy.settings.table import Settings

_INGRESS = IngressNetworks({"front": 0}, on_host=True)
SITE = {"caddy": "http://site.test:8080"}


@pytest.fixture(scope="module")
def told(caddy: str):
    """What is told of containers with these labels, by name in the order of the alphabet."""
    settings = Settings(caddy=caddy)
    registry = plugins.load()
    sections = load_sections(settings, registry.sections, {})

    def tell(**labels: dict[str, str]) -> dict[str, list[str]]:
        made = [
            container(
                {
                    "Id": name.ljust(64, "0"),
                    "Names": [f"/{name}"],
                    "State": "running",
                    "Labels": given,
                    "Created": place,
                },
                {"Config": {}},
                _INGRESS,
                "local",
            )
            for place, (name, given) in enumerate(labels.items(), 1)
        ]
        inventory = Inventory((EngineInventory("local", tuple(made)),))
        problems = (
            Candidate(settings, Pipeline(registry, sections), inventory).served_by_program().configuration.problems
        )
        found: dict[str, list[str]] = {}
        for problem in problems:
            found.setdefault(problem.resource.removeprefix("container "), []).append(str(problem))
        return found

    return tell


IMPORTER = {**SITE, "caddy.import": "auth", "caddy.respond": "x"}


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ({"caddy": "(auth)", "caddy.respond": "{{nonsense}}"}, '"nonsense" is not defined'),
        (
            {"caddy": "(auth)", "caddy.respond": "x", "caddy_1": "http://o.test", "caddy_1.revers_proxy": "x"},
            "revers_proxy",
        ),
        ({"caddy": "(auth)", "caddy.respond": "{env.A_SECRET_TOKEN}"}, "policy:"),
    ],
)
def test_who_imports_a_snippet_that_is_left_out_is_told_whose_it_is_and_why(told, owner, reason: str) -> None:
    problems = told(owner=owner, user=IMPORTER)
    (problem,) = problems["user"]
    assert "snippet (auth)" in problem and "container owner" in problem and "left out" in problem
    assert reason in problem
    assert reason in problems["owner"][0]


def test_of_a_chain_of_snippets_the_first_reason_is_told(told) -> None:
    owner = {"caddy": "(deep)", "caddy.respond": "{{nonsense}}"}
    problems = told(owner=owner, middle={"caddy": "(auth)", "caddy.import": "deep"}, user=IMPORTER)
    assert "container owner" in problems["user"][0] and '"nonsense" is not defined' in problems["user"][0]


@pytest.mark.parametrize("users", [1, 3])
def test_what_is_wrong_in_a_snippet_is_told_to_its_owner_and_to_who_imports_it(told, users: int) -> None:
    importers = {f"user{n}": {**IMPORTER, "caddy": f"http://u{n}.test:8080"} for n in range(users)}
    problems = told(owner={"caddy": "(auth)", "caddy.revers_proxy": "x:1"}, **importers)
    assert any(
        "label caddy.revers_proxy" in each and 'did you mean "reverse_proxy"' in each for each in problems["owner"]
    )
    for name in importers:
        assert "in snippet (auth) of container owner" in problems[name][0]


def test_who_imports_a_snippet_wrongly_costs_nobody_else_the_snippet(told) -> None:
    owner = {"caddy": "(auth)", "caddy.respond": "hello {args[0]}"}
    good = {"caddy": "http://good.test:8080", "caddy.import": "auth 200"}
    wrong = {"caddy": "http://wrong.test:8080", "caddy.import": 'auth "a b" {', "caddy.bogus": "x"}
    problems = told(owner=owner, wrong=wrong, good=good)
    assert set(problems) == {"wrong"}


def test_what_fails_at_loading_in_a_snippet_is_told_with_its_owner(told) -> None:
    owner = {"caddy": "(auth)", "caddy.@m.path_regexp": "((", "caddy.handle": "@m"}
    (problem,) = told(owner=owner, user=IMPORTER)["user"]
    assert "in snippet (auth) of container owner, label caddy.@m.path_regexp" in problem


def test_a_global_option_in_a_site_is_said_to_be_one(told) -> None:
    assert (
        'it is a global option: it has a label without a site, like "caddy_1.email"'
        in told(user={**SITE, "caddy.email": "a@b.test"})["user"][0]
    )


def test_a_snippet_that_nobody_defines_is_said_to_be_none(told) -> None:
    problems = told(owner={"caddy": "(authn)", "caddy.header": "X-A b"}, user=IMPORTER)
    assert 'no label defines snippet (auth), did you mean "(authn)"' in problems["user"][0]


def test_a_named_route_of_who_is_left_out_is_told_alike(told) -> None:
    owner = {"caddy": "&(auth)", "caddy.respond": "{{nonsense}}"}
    problems = told(owner=owner, user={**SITE, "caddy.invoke": "auth"})
    assert "named route &(auth)" in problems["user"][0] and "container owner" in problems["user"][0]


def test_a_matcher_that_another_container_was_to_define_is_told_alike(told) -> None:
    owner = {**SITE, "caddy.@api.path": "/api/*", "caddy.respond": "{{nonsense}}"}
    other = {**SITE, "caddy.@api.path": "/api/*", "caddy.revers_proxy": "x"}
    user = {**SITE, "caddy.respond": "@api api"}
    assert "@api is defined by container other, which is left out" in told(other=other, user=user)["user"][0]
    elsewhere = {**other, "caddy": "http://else.test:8080", "caddy.respond": "@api x"}
    del elsewhere["caddy.revers_proxy"]
    assert "for another site" in told(other=elsewhere, user=user)["user"][0]
    assert told(owner=owner, user=user)["user"][0]


def test_a_matcher_that_nobody_defines_is_told_with_the_nearest(told) -> None:
    problems = told(
        user={**SITE, "caddy.@static.path": "/static/*", "caddy.respond": "@statik x", "caddy.abort": "@static"}
    )
    assert 'did you mean "@static"' in problems["user"][0]
    assert '"caddy.@api"' in told(user={**SITE, "caddy.respond": "@api x"})["user"][0]


@pytest.mark.parametrize("directive", ["import", "respond", "reverse_proxy"])
def test_what_stands_in_the_global_options_for_want_of_a_site_is_said_to(told, directive: str) -> None:
    value = {"import": "auth", "respond": "hi", "reverse_proxy": "x:1"}[directive]
    problems = told(owner={"caddy": "(auth)", "caddy.header": "X-A b"}, user={f"caddy_0.{directive}": value})
    assert 'label "caddy_0"' in problems["user"][0] and "name the site" in problems["user"][0]


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy": "http://a.test:8080", "caddy.reverse_proxy": "'x:1'"},
        {"caddy": "'http://a.test:8080'", "caddy.respond": "hi"},
        {"caddy": "http://a.test:8080", "caddy.reverse_proxy": "x:1", "caddy.reverse_proxy.lb_policy": "'first'"},
    ],
)
def test_single_quotes_of_a_list_form_label_are_named_as_the_cause(told, labels) -> None:
    assert "the single quotes of label caddy" in told(user=labels)["user"][0]


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        ({**SITE, "caddy.revers_proxy": "x:1"}, "reverse_proxy"),
        ({**SITE, "caddy.fileserver": ""}, "file_server"),
        ({**SITE, "caddy.handle": "/x", "caddy.handle.repsond": "x"}, "respond"),
        ({"caddy.emial": "a@b.test"}, "email"),
        ({**SITE, "caddy.reverse_proxy": "x:1", "caddy.reverse_proxy.lb_policy": "frist"}, "first"),
        ({**SITE, "caddy.@m.pth": "/x", "caddy.respond": "@m x"}, "path"),
        ({**SITE, "caddy.encode": "gzpi"}, "gzip"),
        ({**SITE, "caddy.reverse_proxy": "x:1", "caddy.reverse_proxy.health_url": "/up"}, "health_uri"),
        ({**SITE, "caddy.file_server.brows": ""}, "browse"),
        ({**SITE, "caddy.tls.issuers": "acme"}, "issuer"),
        ({**SITE, "caddy.log.outptu": "stdout"}, "output"),
        ({**SITE, "caddy.@api": "path /api/*", "caddy.handle": "api", "caddy.handle.respond": "x"}, "@api"),
    ],
)
def test_what_is_misspelt_is_told_with_what_was_meant(told, labels, meant: str) -> None:
    assert f'did you mean "{meant}"' in told(user=labels)["user"][0]


@pytest.mark.parametrize(
    ("labels", "lacks", "package"),
    [
        ({**SITE, "caddy.rate_limit.zone": "x"}, "rate_limit", "github.com/mholt/caddy-ratelimit"),
        ({**SITE, "caddy.route.crowdsec": ""}, "crowdsec", "github.com/hslatman/caddy-crowdsec-bouncer"),
        ({"caddy.layer4": ""}, "layer4", "github.com/mholt/caddy-l4"),
        (
            {"caddy": "a.test", "caddy.tls.dns": "cloudflare x"},
            "DNS provider cloudflare",
            "github.com/caddy-dns/cloudflare",
        ),
        ({"caddy.acme_dns": "hetzner x"}, "DNS provider hetzner", "github.com/caddy-dns/hetzner"),
        ({"caddy.storage": "redis"}, "storage redis", "github.com/pberkel/caddy-storage-redis"),
        ({**SITE, "caddy.encode": "br"}, "encoding br", "github.com/ueffel/caddy-brotli"),
        (
            {**SITE, "caddy.log.format": "transform x"},
            "log format transform",
            "github.com/caddyserver/transform-encoder",
        ),
        ({"caddy.order": "rate_limit before basic_auth"}, "rate_limit", "github.com/mholt/caddy-ratelimit"),
    ],
)
def test_what_this_caddy_lacks_is_told_with_how_it_is_built(told, labels, lacks: str, package: str) -> None:
    problem = told(user=labels)["user"][0]
    assert f"this Caddy has no {lacks}: build one with: xcaddy build --with {package}" in problem


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ({"caddy.reverse_proxy": "https://x:80"}, "leave out https://"),
        ({"caddy.redir": "https://b.test permanant"}, "write permanent, temporary, html, or a status such as 301"),
        ({"caddy.basic_auth": "bob $2a$14$x"}, "each user has a label of its own"),
    ],
)
def test_common_mistakes_are_told_with_what_to_write(told, labels, remedy: str) -> None:
    assert remedy in told(user={**SITE, **labels})["user"][0]


def test_a_directive_that_nobody_knows_is_said_to_be_none_of_this_caddy(told) -> None:
    assert (
        "this Caddy has no directive qwertz: if a plugin brings it, build one with xcaddy"
        in told(user={**SITE, "caddy.qwertz": "x"})["user"][0]
    )


def test_what_is_right_is_told_nothing(told) -> None:
    assert told(owner={"caddy": "(auth)", "caddy.header": "X-A b"}, user=IMPORTER) == {}


def test_a_caddy_is_asked_for_its_modules(caddy: str) -> None:
    assert {"http.handlers.reverse_proxy", "tls.issuance.acme"} <= modules_of(Path(caddy))
    assert modules_of(Path("/nowhere/caddy")) == frozenset()
