"""How Caddy's refusals are told."""

import pytest
from dockcaddy import testing
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.plugins.guard import Contribution
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.refusal import Refusal


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Caddyfile:2: unrecognized directive: bogus", "unrecognized directive: bogus"),
        ("-:12: unrecognized global option: bogus", "unrecognized global option: bogus"),
        (
            "parsing caddyfile tokens for 'tls': wrong argument count, at Caddyfile:7",
            "parsing caddyfile tokens for 'tls': wrong argument count",
        ),
        (
            "wrong argument count, at Caddyfile:2 import chain ['Caddyfile:5 (import s)']",
            "wrong argument count",
        ),
        ("unexpected token 'x', at Caddyfile:2 import chain: ['']", "unexpected token 'x'"),
        ("open /etc/Caddyfile:2: no such file", "open /etc/Caddyfile:2: no such file"),
        (
            "loading config: loading new config: loading http app module: provision http: server srv0: setting up route"
            " handlers: route 1: loading handler modules: position 0: loading module 'subroute': provision"
            " http.handlers.subroute: setting up subroutes: route 0: loading handler modules: position 0: loading module"
            " 'authentication': provision http.handlers.authentication: loading authentication providers: module name"
            " 'http_basic': provision http.authentication.providers.http_basic: base64-decoding password: illegal base64"
            " data at input byte 8",
            "http.authentication.providers.http_basic: base64-decoding password: illegal base64 data at input byte 8",
        ),
        (
            "loading config: loading new config: setting up custom log 'log0': unrecognized log level: warning",
            "setting up custom log 'log0': unrecognized log level: warning",
        ),
    ],
)
def test_a_refusal_is_told_without_the_line_of_a_text_that_nobody_has(words: str, told: str) -> None:
    fragment = Fragment("a", "container a", 0)
    assert str(Refusal(words, Configuration("")).problem(fragment)) == f"container a: caddy refuses it: {told}"


def test_a_refusal_that_others_only_renumbered_is_no_other_problem() -> None:
    memory, fragment = Memory(lambda: 0.0), Fragment("a", "container a", 0)
    for number in (24, 7):
        words = f"server srv0: setting up route handlers: route {number}: no module"
        problem = Refusal(words, Configuration(""), at_load=True).problem(fragment)
        memory.reject(fragment, problem, "", None, is_by_rule=False)
    assert "route 24" in memory.rejections["a"].problem.message
    problem = Refusal("something else", Configuration(""), at_load=True).problem(fragment)
    memory.reject(fragment, problem, "", None, is_by_rule=False)
    assert "something else" in memory.rejections["a"].problem.message


def test_a_refusal_without_a_line_names_the_label_that_has_its_word() -> None:
    labels = {"caddy_1": "(s)", "caddy_1.log": "", "caddy_2": "http://a.test", "caddy_2.handle.import": "s"}
    fragment = testing.fragment(testing.container(labels=labels))
    words = (
        "parsing caddyfile tokens for 'handle': directive 'log' is not an ordered HTTP handler, so it cannot be used"
    )
    told = Refusal(words, Configuration("")).problem(fragment)
    assert told.label == "caddy_1.log"


def test_an_output_passes_on_the_whole_refusal_because_the_reason_stands_at_its_end() -> None:
    def load() -> None:
        raise CaddyRefusal(f"{'loading module: ' * 60}illegal base64 data")

    with pytest.raises(CaddyRefusal, match=r"illegal base64 data$"):
        Contribution("output", "admin", load).run(load, check=lambda made: made, promised=(CaddyRefusal,))
