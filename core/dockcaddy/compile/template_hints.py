"""Remedies for common mistakes in templates, because Go's messages say only where it stopped. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping

_UNDEFINED = re.compile(r'function "(.+)" not defined')
_VARIABLE = re.compile(r'undefined variable "\$(.+)"')
_UNEXPECTED = re.compile(r'unexpected "(.)" in \w+')
_CHARACTER = re.compile(r"(?:bad|unrecognized) character(?: in action:)? (U\+[0-9A-F]+)")
_SINGLE_QUOTED = re.compile(r"malformed character constant: '(.*)|expected string; found '(.)'")
_ARGUMENTS = re.compile(r"wrong number of args for (\w+): want")
# with a matcher before it; the arguments are schemes and ports, without which it may be the name of a host
_UNBRACED = re.compile(r"\s*((?:[/@*]\S*\s+)?)(\w+)((?:\s+(?:\d+|https?|h2c))+)\s*\Z")
_SCHEME = re.compile(r"(https?)(?:/{1,2}|:/)(?=[^/:])")
_PORT = re.compile(r"\s(?::(\d+)|(\d+)/(?:tcp|udp))(?=[\s}])")
_CURLY_QUOTES = frozenset(("U+2018", "U+2019", "U+201C", "U+201D"))
# Go's templates have functions where other languages have signs
_INSTEAD_OF = {
    "=": 'compare with a function: {{if eq (env "A") "b"}}',
    "!": "negate with a function: {{if not (isHealthy)}}",
    "&": "join conditions with a function: {{if and (A) (B)}}",
    "|": "join conditions with a function: {{if or (A) (B)}}",
    ",": "arguments have a space between them, and no comma",
    "{": "a template has two braces on each side",
    "(": "arguments follow a function after a space, like {{upstreams 80}}",
    "}": 'close it with "}}"',
}

Signatures = Mapping[str, str]


def remedy(reason: str, template: str, signatures: Signatures, suggestion: str = "") -> str:
    """What to write instead, `""` where that is unknown.

    `reason` is the last part of Go's message, `signatures` are the functions there are, as people write them.
    """
    return next(filter(None, (each(reason, template, signatures, suggestion) for each in _REMEDIES)), "")


def single_braces(value: str, signatures: Signatures) -> str:
    """The template that was meant by `{upstreams 80}`, `""` where none was."""
    found = re.match(r"\s*\{\s*(\w+)(\s[^{}]*)?\}\s*\Z", value)
    if found is None or found[1] not in signatures:
        return ""
    # without arguments it may be a placeholder of Caddy's, unless the function takes some
    if not found[2] and not signatures[found[1]].startswith(f"{found[1]} ["):
        return ""
    return f"{{{{{found[1]}{(found[2] or '').rstrip()}}}}}"


def unbraced(value: str, signatures: Signatures) -> str:
    """What was meant by the upstreams `upstreams 80` without braces, `""` where they may be names of hosts."""
    found = _UNBRACED.match(value)
    if found is None or not signatures.get(found[2], "").startswith(f"{found[2]} ["):
        return ""
    return f"{found[1]}{{{{{found[2]}{found[3]}}}}}"


def _ends(reason: str, *_: object) -> str:
    if reason == "unclosed action":
        return 'close it with "}}"'
    return "{{end}} is missing" if reason == "unexpected EOF" else ""


def _undefined(reason: str, template: str, signatures: Signatures, suggestion: str) -> str:
    found = _UNDEFINED.fullmatch(reason)
    if found is None:
        return ""
    if suggestion:
        return f'did you mean "{suggestion}"'
    before = re.search(rf"(\w+)\s+{re.escape(found[1])}\b", template)
    return f'a text stands in double quotes: "{found[1]}"' if before and before[1] in signatures else ""


def _variable(reason: str, template: str, signatures: Signatures, suggestion: str) -> str:
    found = _VARIABLE.fullmatch(reason)
    if found is None:
        return ""
    name = found[1]
    return f"functions have no $: {{{{{name}}}}}" if name in signatures else f'for a variable: {{{{env "{name}"}}}}'


def _port(reason: str, template: str, *_: object) -> str:
    """`{{upstreams :80}}` and `{{upstreams 80/tcp}}`."""
    found = _PORT.search(template) if reason in ("expected :=", 'unexpected "/" in operand') else None
    return f"write the port as a number only: {found[1] or found[2]}" if found else ""


def _sign(reason: str, *_: object) -> str:
    found = _UNEXPECTED.fullmatch(reason)
    return _INSTEAD_OF.get(found[1], "") if found else ""


def _quotes(reason: str, *_: object) -> str:
    if found := _SINGLE_QUOTED.match(reason):
        text = (found[1] or found[2]).rstrip("'")
        return f'a text stands in double quotes: "{text}"'
    if found := _CHARACTER.match(reason):
        return 'write plain quotes: "' if found[1] in _CURLY_QUOTES else _INSTEAD_OF["("]
    return 'its closing " is missing' if reason == "unterminated quoted string" else ""


def _arguments(reason: str, template: str, signatures: Signatures, suggestion: str) -> str:
    found = _ARGUMENTS.match(reason)
    signature = signatures.get(found[1], "") if found else ""
    return f"write {{{{{signature}}}}}" if signature else ""


_Remedy = Callable[[str, str, Signatures, str], str]
_REMEDIES: tuple[_Remedy, ...] = (_ends, _undefined, _variable, _port, _sign, _quotes, _arguments)


def misread_addresses(text: str) -> Iterator[tuple[str, str]]:
    """Each word of a site's address that Caddy would read as another address, and what to write."""
    for word in text.replace(",", " ").split():
        scheme = _SCHEME.match(word)
        if scheme:
            yield word, f"write {scheme[1]}://{word[scheme.end() :]}"
        elif word.isdecimal():
            yield word, f"write :{word} for a port"
        elif word.lower() in ("true", "false", "yes", "no", "on", "off", "enabled"):
            yield word, "name the site: app.example.org"
