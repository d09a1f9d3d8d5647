"""Natural label values that Caddy would refuse or misread, made what their author meant.

Each idiom has one safe reading; what is already right, or quoted, is left alone. Measured with Caddy 2.11.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache

import dockcaddy
from attrs import evolve, field, frozen
from dockcaddy import Context, Label, LabelTransformer, SettingsSection

_ORDER_AND_SUFFIX = re.compile(r"(?:\d+_)?(.+?)(?:_\d+)?", re.DOTALL)
_STATUS = re.compile(r"[1-5]\d\d")
_STATUS_OR_PLACEHOLDER = re.compile(r"[1-5]\d\d|\{.*\}")
_URL = re.compile(r"((?:[a-z][a-z0-9+.-]*://)?[^/?\s]+)([/?]\S*)")
_LISTED = (",", ";")

Rewrite = Callable[[tuple[Label, ...]], Iterable[Label]]


@frozen
class Idiom:
    """One idiom: what it is called, what it does, an example of what it takes and gives, and how.

    It is looked at only where a key holds one of the words it is about.
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
            close = get_close_matches(name, known, n=1)
            raise ValueError(f'off: no idiom "{name}"' + (f', did you mean "{close[0]}"' if close else ""))


@frozen
class IdiomSettings:
    """The section `[idioms]`."""

    off: tuple[str, ...] = field(
        default=(), validator=_check_names, metadata={"help": "idioms to leave alone, by name"}
    )


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[idioms]`."""
    return SettingsSection("idioms", IdiomSettings)


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """One transformer for each idiom, in the order of the table."""
    return [LabelTransformer(idiom.name, _switchable(idiom), order=place) for place, idiom in enumerate(IDIOMS)]


def _switchable(idiom: Idiom) -> Callable[[Context, tuple[Label, ...]], Iterable[Label]]:
    def apply(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
        off = context.settings(IdiomSettings).off
        concerned = any(word in label.key for label in labels for word in idiom.about)
        return idiom.rewrite(labels) if concerned and idiom.name not in off else labels

    return apply


# --- keys and values


@lru_cache(maxsize=4096)
def names_of(key: str) -> tuple[str, ...]:
    """The names on a key's path, without order numbers and `_N`: `caddy.route.0_forward_auth` -> caddy, route, ..."""
    return tuple(_name(segment) for segment in key.replace("\\.", "\0").split("."))


def _name(segment: str) -> str:
    match = _ORDER_AND_SUFFIX.fullmatch(segment)
    return (match[1] if match else segment).replace("\0", ".")


def _above(key: str) -> Iterator[str]:
    """The keys that a key stands under."""
    return (key[:at] for at, character in enumerate(key) if character == ".")


def _plain_words(value: str) -> list[str]:
    """The words of a value in which nothing is quoted, escaped or commented; else none."""
    words = value.split()
    if "\\" in value or any(word[0] in '"`#' for word in words):
        return []
    return words


def quoted(text: str) -> str:
    """Text as one token of a label's value."""
    if text and not re.search(r"[\s\"`\\#]", text):
        return text
    return f"`{text}`" if "`" not in text else '"' + text.replace('"', '\\"') + '"'


def _is_matcher(word: str) -> bool:
    return word == "*" or word[0] in "/@"


def _after_matcher(words: list[str]) -> tuple[list[str], list[str]]:
    return (words[:1], words[1:]) if words and _is_matcher(words[0]) else ([], words)


def _each(directive: str, change: Callable[[list[str]], list[str] | None]) -> Rewrite:
    """Rewrite the words of one directive's value, behind its matcher; None leaves it alone."""

    def rewrite(labels: tuple[Label, ...]) -> Iterator[Label]:
        for label in labels:
            meant = directive in label.key and "." in label.key and names_of(label.key)[-1] == directive
            words = _plain_words(label.value) if meant else []
            matcher, rest = _after_matcher(words)
            changed = change(rest) if rest else None
            yield label if changed is None else evolve(label, value=" ".join([*matcher, *changed]))

    return rewrite


# --- the idioms


def _respond(words: list[str]) -> list[str] | None:
    """`503 Service Unavailable` and `Service Unavailable 503`: a status and its text."""
    if len(words) < 2:
        return None
    ends_with_status = bool(_STATUS_OR_PLACEHOLDER.fullmatch(words[-1]))
    if _STATUS.fullmatch(words[0]) and not (len(words) == 2 and ends_with_status):
        return [quoted(" ".join(words[1:])), words[0]]
    if ends_with_status:
        return [quoted(" ".join(words[:-1])), words[-1]] if len(words) > 2 else None
    return [quoted(" ".join(words))]


def _redirect(words: list[str]) -> list[str] | None:
    """`301 https://example.org`: the status in front, as nginx has it."""
    if len(words) == 2 and _STATUS.fullmatch(words[0]) and not _STATUS.fullmatch(words[1]):
        return [words[1], words[0]]
    return None


def _without_commas(words: list[str]) -> list[str] | None:
    """`gzip, zstd`: a list with commas."""
    if not any("," in word for word in words):
        return None
    return [piece for word in words for piece in word.split(",") if piece]


def _upstreams(words: list[str]) -> list[str] | None:
    """`http://a:80/, http://b:80/`: commas between upstreams, a slash at their end."""
    changed = []
    for word in words:
        bare = word.removesuffix(",")
        if "," in bare:
            return None
        scheme, sign, rest = bare.rpartition("://")
        if rest.endswith("/") and rest.count("/") == 1 and not bare.startswith("unix/"):
            bare = scheme + sign + rest[:-1]
        changed.append(bare)
    return changed if changed != words else None


def _policy(words: list[str]) -> list[str] | None:
    """`round-robin`: Caddy's policies are spelled with underscores."""
    return [words[0].replace("-", "_"), *words[1:]] if "-" in words[0] else None


_SWITCHES = frozenset(
    ("file_server", "encode", "templates", "metrics", "tls_insecure_skip_verify", "skip_log", "log_skip", "abort")
)
_ON, _OFF = frozenset(("true", "on", "yes")), frozenset(("false", "off", "no"))


def _switch(labels: tuple[Label, ...]) -> Iterator[Label]:
    """A directive without arguments that is switched on or off by a truth value."""
    off = {
        label.key
        for label in labels
        if names_of(label.key)[-1] in _SWITCHES and label.value.strip().lower() in _OFF and "." in label.key
    }
    for label in labels:
        if label.key in off or not off.isdisjoint(_above(label.key)):
            continue
        switched = names_of(label.key)[-1] in _SWITCHES and label.value.strip().lower() in _ON
        yield evolve(label, value="") if switched and "." in label.key else label


def _forward_auth(labels: tuple[Label, ...]) -> Iterator[Label]:
    """A path in the URL of forward_auth, which Caddy wants as `uri`."""
    with_uri = {above for label in labels if names_of(label.key)[-1] == "uri" for above in _above(label.key)}
    for label in labels:
        words = _plain_words(label.value) if names_of(label.key)[-1] == "forward_auth" else []
        matcher, rest = _after_matcher(words)
        url = _URL.fullmatch(rest[0]) if len(rest) == 1 and not rest[0].startswith("unix/") else None
        if url is None:
            yield label
            continue
        yield evolve(label, value=" ".join([*matcher, url[1]]))
        if label.key not in with_uri:
            path = url[2] if url[2].startswith("/") else "/" + url[2]
            yield Label(f"{label.key}.uri", path, label.origin)


_FIELD_DIRECTIVES = frozenset(("header", "header_up", "header_down", "request_header"))
_NOT_FIELDS = frozenset(("defer", "match"))


def _header_values(labels: tuple[Label, ...]) -> Iterator[Label]:
    """A header's value of several words, which Caddy would take for a search and its replacement."""
    for label in labels:
        names = names_of(label.key) if "header" in label.key else ()
        if len(names) > 2 and names[-2] == "header" and not names[-3].startswith("@") and names[-1] not in _NOT_FIELDS:
            value = _one_value(names[-1], label.value)
            yield label if value is None else evolve(label, value=value)
        elif len(names) > 1 and names[-1] in _FIELD_DIRECTIVES and not names[-2].startswith("@"):
            yield _one_line_header(label, names[-1])
        else:
            yield label


def _one_line_header(label: Label, directive: str) -> Label:
    words = _plain_words(label.value)
    matcher, rest = _after_matcher(words) if directive in ("header", "request_header") else ([], words)
    if len(rest) < 3:
        return label
    value = _one_value(rest[0], " ".join(rest[1:]))
    return label if value is None else evolve(label, value=" ".join([*matcher, rest[0], value]))


def _one_value(name: str, text: str) -> str | None:
    """The text as one value; None where it is one, is quoted, or is a real search and replacement."""
    words = _plain_words(text)
    if len(words) < 2 or name.startswith("-"):
        return None
    if len(words) == 2 and not words[0].endswith(_LISTED):
        return None
    return quoted(text.strip())


def _header_blocks(labels: tuple[Label, ...]) -> Iterator[Label]:
    """`header_up.X-Field: value`: these directives have no block, each field is a line of its own."""
    parents = {
        label.key.rpartition(".")[0]
        for label in labels
        if len(names_of(label.key)) > 2 and names_of(label.key)[-2] in ("header_up", "header_down", "request_header")
    }
    bare = {label.key for label in labels if label.key in parents and not label.value.strip()}
    taken = {label.key for label in labels} - bare
    count = 0
    for label in labels:
        parent, _, segment = _split_last(label.key)
        if label.key in bare:
            continue
        if parent not in parents or names_of(parent)[-1] not in ("header_up", "header_down", "request_header"):
            yield label
            continue
        while f"{parent}_{count}" in taken:
            count += 1
        taken.add(f"{parent}_{count}")
        yield evolve(label, key=f"{parent}_{count}", value=f"{segment} {label.value}".strip())


_MATCHES = re.compile(r"(expression\s+)?(.*)", re.DOTALL)
_QUOTED_WHOLE = re.compile(r'"(?:\\"|[^"])*"')


def _expressions(labels: tuple[Label, ...]) -> Iterator[Label]:
    """An expression of several words with quotes in it, which the words of a label would lose."""
    for label in labels:
        name = names_of(label.key)[-1] if '"' in label.value else ""
        of_matcher = name.startswith("@") or name in ("not", "lb_retry_match")
        found = _MATCHES.fullmatch(label.value.strip()) if of_matcher or name == "expression" else None
        if found is None or bool(found[1]) is not of_matcher or not _loses_quotes(found[2]):
            yield label
        else:
            yield evolve(label, value=f"{found[1] or ''}`{found[2]}`")


def _loses_quotes(expression: str) -> bool:
    words = expression.split()
    is_plain = "`" not in expression and '\\"' not in expression and not any(word[0] == "#" for word in words)
    return is_plain and '"' in expression and len(words) > 1 and _QUOTED_WHOLE.fullmatch(expression) is None


def _split_last(key: str) -> tuple[str, str, str]:
    """A key's parent and the name of its last segment."""
    hidden = key.replace("\\.", "\0")
    parent, dot, segment = hidden.rpartition(".")
    return parent.replace("\0", "\\."), dot, _name(segment)


IDIOMS: tuple[Idiom, ...] = (
    Idiom(
        "respond-status",
        "respond with a status and its text, or a body of several words",
        ("respond",),
        ("caddy.respond: 503 Service Unavailable", "respond `Service Unavailable` 503"),
        _each("respond", _respond),
    ),
    Idiom(
        "redir-status-first",
        "redir with the status in front of the target",
        ("redir",),
        ("caddy.redir: 301 https://example.org", "redir https://example.org 301"),
        _each("redir", _redirect),
    ),
    Idiom(
        "forward-auth-path",
        "forward_auth with a path in its URL",
        ("forward_auth",),
        ("caddy.forward_auth: http://auth:8000/api/auth/", "forward_auth http://auth:8000 { uri /api/auth/ }"),
        _forward_auth,
    ),
    Idiom(
        "header-block",
        "header_up, header_down and request_header with a label for each field",
        ("header_up", "header_down", "request_header"),
        ("caddy.reverse_proxy.header_up.X-Real: x", "header_up X-Real x"),
        _header_blocks,
    ),
    Idiom(
        "header-values",
        "header values with commas, semicolons and several words",
        ("header",),
        ("caddy.header.Cache-Control: public, max-age=60", "header { Cache-Control `public, max-age=60` }"),
        _header_values,
    ),
    Idiom(
        "encode-commas",
        "encodings with commas between them",
        ("encode",),
        ("caddy.encode: gzip, zstd", "encode gzip zstd"),
        _each("encode", _without_commas),
    ),
    Idiom(
        "upstream-commas",
        "upstreams with commas between them or a slash at their end",
        ("reverse_proxy",),
        ("caddy.reverse_proxy: http://a:80/, http://b:80/", "reverse_proxy http://a:80 http://b:80"),
        _each("reverse_proxy", _upstreams),
    ),
    Idiom(
        "policy-dashes",
        "lb_policy spelled with dashes",
        ("lb_policy",),
        ("caddy.reverse_proxy.lb_policy: round-robin", "lb_policy round_robin"),
        _each("lb_policy", _policy),
    ),
    Idiom(
        "expression-quotes",
        "an expression of several words with quotes in it",
        ("expression", "@", "not", "lb_retry_match"),
        ('caddy.@get.expression: {method} == "GET"', '@get { expression `{method} == "GET"` }'),
        _expressions,
    ),
    Idiom(
        "switch",
        "a directive without arguments switched on or off by a truth value",
        tuple(_SWITCHES),
        ('caddy.file_server: "true"', "file_server"),
        _switch,
    ),
)  # fmt: skip


def table() -> Iterator[Mapping[str, str]]:
    """A row for each idiom, for the docs."""
    for idiom in IDIOMS:
        yield {"name": idiom.name, "help": idiom.help, "label": idiom.example[0], "becomes": idiom.example[1]}
