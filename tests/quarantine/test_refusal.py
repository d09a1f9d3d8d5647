"""How Caddy's refusals are told."""

import pytest
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
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
    ],
)
def test_a_refusal_is_told_without_the_line_of_a_text_that_nobody_has(words: str, told: str) -> None:
    fragment = Fragment("a", "container a", 0)
    assert str(Refusal(words, Configuration("")).problem(fragment)) == f"container a: caddy refuses it: {told}"
