"""Rewrite natural label values that Caddy would refuse or misread, so that they work as intended.

Each idiom has exactly one safe reading. Correct and quoted values stay as they are. Verified with Caddy 2.11.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache

import dockcaddy
from attrs import field, frozen
from dockcaddy import Context, Label, LabelTransformer, SettingsSection

from dockcaddy_idioms.directives import (
    SWITCHES,
    Rewrite,
    each_value,
    forward_auth,
    policies,
    redirect,
    respond,
    switch,
    upstreams,
    without_commas,
)
from dockcaddy_idioms.expressions import expressions
from dockcaddy_idioms.headers import header_blocks, header_values


@frozen
class Idiom:
    """One idiom: its name, its help, an example before and after, and the rewrite.

    The rewrite is called only if a label's key contains one of the words in `about`.
    """

    name: str
    help: str
    about: tuple[str, ...]
    example: tuple[str, str]
    rewrite: Rewrite


def _check_names(settings: "IdiomSettings", attribute: object, names: tuple[str, ...]) -> None:
    known = [idiom.name for idiom in IDIOMS]
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f'did you mean "{close[0]}"' if close else f"expected one of {', '.join(known)}"
            raise ValueError(f'off: no idiom "{name}", {hint}')


@frozen
class IdiomSettings:
    """The section `[idioms]`."""

    off: tuple[str, ...] = field(default=(), validator=_check_names, metadata={"help": "names of idioms to turn off"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[idioms]`."""
    return SettingsSection("idioms", IdiomSettings)


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """One transformer for all idioms, after those that are in no order."""
    return [LabelTransformer("idioms", _apply, order=1)]


def _apply(context: Context, labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """Rewrite the labels by each idiom in the order of the table."""
    off = context.settings(IdiomSettings).off
    for place in _concerned(tuple([label.key for label in labels])):
        if IDIOMS[place].name not in off:
            labels = tuple(IDIOMS[place].rewrite(labels))
    return labels


@lru_cache(maxsize=1024)
def _concerned(keys: tuple[str, ...]) -> tuple[int, ...]:
    """The places of the idioms that may be about these keys, which thousands of containers have. A rewrite adds none of the words."""
    text = "\n".join(keys)
    return tuple(place for place, idiom in enumerate(IDIOMS) if any(word in text for word in idiom.about))


IDIOMS: tuple[Idiom, ...] = (
    Idiom(
        "respond-status",
        "`respond` with a status and its text, or with a body of several words",
        ("respond",),
        ("caddy.respond: 503 Service Unavailable", "respond `Service Unavailable` 503"),
        each_value("respond", respond),
    ),
    Idiom(
        "redir-status-first",
        "`redir` with the status before the target",
        ("redir",),
        ("caddy.redir: 301 https://example.org", "redir https://example.org 301"),
        each_value("redir", redirect),
    ),
    Idiom(
        "forward-auth-path",
        "`forward_auth` with a path in its URL",
        ("forward_auth",),
        ("caddy.forward_auth: http://auth:8000/api/auth/", "forward_auth http://auth:8000 { uri /api/auth/ }"),
        forward_auth,
    ),
    Idiom(
        "header-block",
        "`header_up`, `header_down` and `request_header` with a label for each field",
        ("header_up", "header_down", "request_header"),
        ("caddy.reverse_proxy.header_up.X-Real: x", "header_up X-Real x"),
        header_blocks,
    ),
    Idiom(
        "header-values",
        "header values with commas, semicolons and several words",
        ("header",),
        ("caddy.header.Cache-Control: public, max-age=60", "header { Cache-Control `public, max-age=60` }"),
        header_values,
    ),
    Idiom(
        "encode-commas",
        "encodings separated by commas",
        ("encode",),
        ("caddy.encode: gzip, zstd", "encode gzip zstd"),
        each_value("encode", without_commas),
    ),
    Idiom(
        "upstream-commas",
        "upstreams separated by commas, or with a trailing slash",
        ("reverse_proxy",),
        ("caddy.reverse_proxy: http://a:80/, http://b:80/", "reverse_proxy http://a:80 http://b:80"),
        each_value("reverse_proxy", upstreams),
    ),
    Idiom(
        "policy-dashes",
        "`lb_policy` with dashes instead of underscores",
        ("lb_policy",),
        ("caddy.reverse_proxy.lb_policy: round-robin", "lb_policy round_robin"),
        policies,
    ),
    Idiom(
        "expression-quotes",
        "an expression of several words that contains quotes",
        ("expression", "@", "not", "lb_retry_match"),
        ('caddy.@get.expression: {method} == "GET"', '@get { expression `{method} == "GET"` }'),
        expressions,
    ),
    Idiom(
        "switch",
        "a directive without arguments that is turned on or off by a truth value",
        tuple(SWITCHES),
        ('caddy.file_server: "true"', "file_server"),
        switch,
    ),
)  # fmt: skip


def table() -> Iterator[Mapping[str, str]]:
    """A row for each idiom, for the docs."""
    for idiom in IDIOMS:
        yield {"name": idiom.name, "help": idiom.help, "label": idiom.example[0], "becomes": idiom.example[1]}
