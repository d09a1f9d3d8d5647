"""Rewrite natural label values that Caddy would refuse or misread, so that they work as intended.

Each idiom has exactly one safe reading. Correct and quoted values stay as they are. Verified with Caddy 2.11.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

import dockcaddy
from attrs import field, frozen
from dockcaddy import Context, Label, LabelTransformer, SettingsSection

from dockcaddy_idioms.directives import (
    Change,
    IsAbout,
    Rewrite,
    by_words,
    forward_auth,
    is_policy,
    is_switch,
    of,
    policy,
    redirect,
    respond,
    switch,
    upstreams,
    without_commas,
)
from dockcaddy_idioms.expressions import expression, may_be_expression
from dockcaddy_idioms.headers import has_values, header_blocks, header_value, is_in_block
from dockcaddy_idioms.values import with_value


@frozen
class Idiom:
    """One idiom: its name, its help, an example before and after, and which labels it is about, by their keys.

    Either it changes the `value` of each of them, or it rewrites all `labels`, where some are of these.
    """

    name: str
    help: str
    example: tuple[str, str]
    is_about: IsAbout
    value: Change | None = None
    labels: Rewrite | None = None

    def changed(self, label: Label) -> Label:
        """The label with its new value."""
        value = None if self.value is None else self.value(label)
        return label if value is None else with_value(label, value)


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


def _apply(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
    """Rewrite the labels by each idiom in the order of the table."""
    return _rewritten(labels, context.settings(IdiomSettings).off)


def _rewritten(labels: Iterable[Label], off: Collection[str], first: int = 0) -> Iterable[Label]:
    """The labels, rewritten by the idioms of the table from the `first` one on."""
    labels = list(labels)
    for number, places in _concerned(tuple([label.key for label in labels])):
        idiom = IDIOMS[number]
        if number < first or idiom.name in off:
            continue
        rewritten = labels if idiom.labels is None else idiom.labels(labels, places)
        if rewritten is not labels:
            # there may be other keys now
            return _rewritten(rewritten, off, number + 1)
        for place in places:
            labels[place] = idiom.changed(labels[place])
    return labels


@lru_cache(maxsize=256)
def _concerned(keys: tuple[str, ...]) -> Sequence[tuple[int, Sequence[int]]]:
    """The idioms about some of these keys, which thousands of containers have, by number; each with the places of the keys."""
    found = enumerate([place for place, key in enumerate(keys) if idiom.is_about(key)] for idiom in IDIOMS)
    return [(number, places) for number, places in found if places]


IDIOMS: tuple[Idiom, ...] = (
    Idiom(
        "respond-status",
        "`respond` with a status and its text, or with a body of several words",
        ("caddy.respond: 503 Service Unavailable", "respond `Service Unavailable` 503"),
        of("respond"),
        by_words(respond),
    ),
    Idiom(
        "redir-status-first",
        "`redir` with the status before the target",
        ("caddy.redir: 301 https://example.org", "redir https://example.org 301"),
        of("redir"),
        by_words(redirect),
    ),
    Idiom(
        "forward-auth-path",
        "`forward_auth` with a path in its URL",
        ("caddy.forward_auth: http://auth:8000/api/auth/", "forward_auth http://auth:8000 { uri /api/auth/ }"),
        of("forward_auth"),
        labels=forward_auth,
    ),
    Idiom(
        "header-block",
        "`header_up`, `header_down` and `request_header` with a label for each field",
        ("caddy.reverse_proxy.header_up.X-Real: x", "header_up X-Real x"),
        is_in_block,
        labels=header_blocks,
    ),
    Idiom(
        "header-values",
        "header values with commas, semicolons and several words",
        ("caddy.header.Cache-Control: public, max-age=60", "header { Cache-Control `public, max-age=60` }"),
        has_values,
        header_value,
    ),
    Idiom(
        "encode-commas",
        "encodings separated by commas",
        ("caddy.encode: gzip, zstd", "encode gzip zstd"),
        of("encode"),
        by_words(without_commas),
    ),
    Idiom(
        "upstream-commas",
        "upstreams separated by commas, or with a trailing slash",
        ("caddy.reverse_proxy: http://a:80/, http://b:80/", "reverse_proxy http://a:80 http://b:80"),
        of("reverse_proxy"),
        by_words(upstreams),
    ),
    Idiom(
        "policy-dashes",
        "`lb_policy` with dashes instead of underscores",
        ("caddy.reverse_proxy.lb_policy: round-robin", "lb_policy round_robin"),
        is_policy,
        policy,
    ),
    Idiom(
        "expression-quotes",
        "an expression of several words that contains quotes",
        ('caddy.@get.expression: {method} == "GET"', '@get { expression `{method} == "GET"` }'),
        may_be_expression,
        expression,
    ),
    Idiom(
        "switch",
        "a directive without arguments that is turned on or off by a truth value",
        ('caddy.file_server: "true"', "file_server"),
        is_switch,
        labels=switch,
    ),
)  # fmt: skip


def table() -> Iterator[Mapping[str, str]]:
    """A row for each idiom, for the docs."""
    for idiom in IDIOMS:
        yield {"name": idiom.name, "help": idiom.help, "label": idiom.example[0], "becomes": idiom.example[1]}
