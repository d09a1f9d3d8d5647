"""A JSON Schema of Compose files whose labels editors complete, and in which they underline what is misspelt. Pure.

It flags only what is nearly a word of Caddy's or a function of ours: Caddy's plugins bring words that nobody knows here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dockcaddy.caddyfile import DIRECTIVES, GLOBAL_OPTIONS
from dockcaddy.caddyfile.subdirectives import SUBDIRECTIVES

Json = dict[str, Any]

COMPOSE_SCHEMA = "https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json"
_DOCS = "https://caddyserver.com/docs/caddyfile"
# shorter words have too many neighbours that mean something else
_SHORTEST = 5
_NESTING = ("handle", "handle_path", "route", "handle_errors")
# words that Caddy's plugins have, and that look like Caddy's own
_OTHERS = ("handlers", "authorize", "events", "replace", "headers")


def compose_schema(prefix: str, functions: Mapping[str, str], known: Iterable[str] = ()) -> Json:
    """The schema for labels under the prefix.

    `functions` are the template functions to complete, with their signatures; `known` are all others.
    """
    wrong = [_unlike(word, pattern) for word, pattern in _wrong_functions(functions, (*functions, *known))]
    labels = {"$ref": "#/$defs/labels"}
    service = {"properties": {"labels": labels, "deploy": {"properties": {"labels": labels}}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Compose file with labels for dockcaddy",
        "allOf": [{"$ref": COMPOSE_SCHEMA}],
        "properties": {"services": {"additionalProperties": service}},
        "$defs": {
            "labels": {
                "if": {"type": "array"},
                "then": _list(prefix, functions, wrong),
                "else": _mapping(prefix, functions),
            },
            "value": _value(functions, wrong),
        },
    }


def _mapping(prefix: str, functions: Mapping[str, str]) -> Json:
    value = {"$ref": "#/$defs/value"}
    wrong = {pattern: _meaning(word) for word, pattern in _wrong_keys(prefix)}
    ours = rf"^{re.escape(prefix)}(?:_[0-9]+)?(?:\.|$)"
    return {"properties": dict(_keys(prefix, functions)), "patternProperties": {ours: value, **wrong}}


def _list(prefix: str, functions: Mapping[str, str], wrong_calls: list[Json]) -> Json:
    """`- KEY=VALUE`."""
    wrong = [_unlike(word, pattern.replace("(?:$|", "(?:=|$|")) for word, pattern in _wrong_keys(prefix)]
    examples = [f"{key}=" for key, _ in _keys(prefix, functions)]
    return {"items": {"type": ["string", "number", "boolean"], "examples": examples, "allOf": [*wrong, *wrong_calls]}}


def _value(functions: Mapping[str, str], wrong: list[Json]) -> Json:
    calls = [f"{{{{{signature}}}}}" for signature in functions.values()]
    return {"type": ["string", "number", "boolean", "null"], "examples": calls, "allOf": wrong}


def _meaning(word: str) -> Json:
    return {"not": {}, "errorMessage": f'did you mean "{word}"?'}


def _unlike(word: str, pattern: str) -> Json:
    return {"not": {"type": "string", "pattern": pattern}, "errorMessage": f'did you mean "{word}"?'}


def _keys(prefix: str, functions: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    """The labels to complete."""
    yield prefix, {"description": "the address of the site, as in a Caddyfile", "examples": ["example.org"]}
    upstreams = [f"{{{{{name} 80}}}}" for name in functions if name == "upstreams"]
    for name, directive in DIRECTIVES.items():
        examples = {"examples": upstreams} if directive.upstreams and upstreams else {}
        text = f"Caddy's directive {name}: {_DOCS}/directives/{name}"
        yield f"{prefix}.{name}", {"description": text, **examples}
        for sub in SUBDIRECTIVES.get(name, ()):
            yield f"{prefix}.{name}.{sub}", {"description": f"{sub} of {name}: {_DOCS}/directives/{name}"}
    for name in sorted(GLOBAL_OPTIONS - DIRECTIVES.keys()):
        text = f"Caddy's global option {name}, of a container without a site: {_DOCS}/options"
        yield f"{prefix}.{name}", {"description": text}
    yield f"{prefix}_ingress_network", {"description": "the network on which Caddy reaches the container"}


def _wrong_keys(prefix: str) -> Iterator[tuple[str, str]]:
    """Each word with a pattern for the keys in which it is misspelt."""
    start = rf"^{re.escape(prefix)}(?:_[0-9]+)?\.(?:(?:[0-9]+_)?(?:{'|'.join(_NESTING)})(?:_[0-9]+)?\.)*(?:[0-9]+_)?"
    words = [*DIRECTIVES, *sorted(GLOBAL_OPTIONS - DIRECTIVES.keys())]
    yield from _wrong_words(start, words, (*words, *_OTHERS))
    for word in dict.fromkeys(sub for subs in SUBDIRECTIVES.values() for sub in subs):
        owners = [name for name, subs in SUBDIRECTIVES.items() if word in subs]
        nested = rf"{start}(?:{'|'.join(owners)})(?:_[0-9]+)?\.(?:[0-9]+_)?"
        yield from _wrong_words(nested, [word], {sub for name in owners for sub in SUBDIRECTIVES[name]})
    known = "|".join(sorted(DIRECTIVES, key=len, reverse=True))
    if near := _near(prefix):
        rest = rf"(?:_[0-9]+)?\.(?:[0-9]+_)?(?:{known})(?:_[0-9]+)?(?:$|\.)"
        yield prefix, rf"^(?!{re.escape(prefix)}[._])(?:{near}){rest}"


def _wrong_words(start: str, words: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    end = r"(?:_[0-9]+)?(?:$|\.)"
    known = tuple(known)
    for word in words:
        if near := _near(word):
            yield word, f"{start}(?!(?:{_right(near, known)}){end})(?:{near}){end}"


def _right(near: str, known: Iterable[str]) -> str:
    """Those of the known words that the pattern takes for misspelt ones."""
    return "|".join(sorted(filter(re.compile(near).fullmatch, known), key=len, reverse=True))


def _wrong_functions(functions: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    # where a function stands, not a variable or a text
    start = r"(?:\{\{-? *|[(|] *|\b(?:if|not|and|or|with|range|else if) +|:= *)"
    known = tuple(known)
    for name in functions:
        if near := _near(name).replace("[^.=]", "[A-Za-z]"):
            yield name, rf"{start}(?!(?:{_right(near, known)})\b)(?:{near})(?![A-Za-z0-9_.])(?=[^}}]*\}}\}})"


def _near(word: str) -> str:
    """A pattern for what differs from the word in one letter, or in two that are swapped; `""` for a short word."""
    if len(word) < _SHORTEST:
        return ""
    # the first letter is right in most mistakes, and tells most words apart
    changed = [f"{word[:place]}[^.=]{{0,2}}{word[place + 1 :]}" for place in range(1, len(word))]
    swapped = [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(len(word) - 1)
        if word[place] != word[place + 1]
    ]
    return "|".join([*changed, *swapped])
