"""The rules about the text of labels: what Caddy's JSON would not show, or shows too late.

Caddy fills in variables and imports files while it adapts, and the order of directives is not in its JSON.
"""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from attrs import frozen
from dockcaddy import DIRECTIVES, SUBROUTES, Context, SiteAddress

from dockcaddy_policy.folders import may_import
from dockcaddy_policy.lines import SNIPPET, Line
from dockcaddy_policy.variables import SERVERS, dns_server, environment, file_placeholder

ANY = "*"

_VARIABLE = re.compile(r"\{\$(\w+)(?::([^{}]*))?\}")
_ARGUMENT = re.compile(r"\{args\[\d+\]\}")
_OF_PATHS = re.compile(
    r"PATH|FILE|DIR|FOLDER|HOME|CERT|PWD|ROOT|CONFIG|DATA|STATE|SOCK|TMP|TEMP|^_$|^SHELL$|^OLDPWD$", re.IGNORECASE
)
_STANDARD = frozenset(each.name for each in DIRECTIVES.values() if each.ordered)
# directives that handle or authenticate requests: other sites rely on their order
_HANDLERS = frozenset(
    each for each in _STANDARD if DIRECTIVES[each].terminal or DIRECTIVES[each].authenticates or each in SUBROUTES
)
# of two servers with one name Caddy keeps only one
_OWN_NAME = re.compile(r"srv[0-9]+|remaining_auto_https_redirects|.*\{.*")


@frozen
class Rule:
    """A rule: its name, the names of the lines it checks, and a function for the reason (`""`: allowed).

    `about` holds names of directives and options, `""` for a site's addresses, or `*` for every line. With
    `shows_refused`, `render --raw` prints the refused labels, because they are common in existing setups.
    """

    name: str
    about: tuple[str, ...]
    reason: Callable[[Line, Context], str]
    shows_refused: bool = False


def _import(line: Line, context: Context) -> str:
    found = next((reason for words in _readings(line.tokens) if (reason := _imported(words, line, context))), "")
    return found or ("" if line.path else _in_place_of_a_file(line))


def _readings(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of a line after Caddy fills in variables. One that does not exist becomes its default, or nothing."""
    for by in ("", r"\2", "value") if any("{$" in token for token in tokens) else ():
        yield tuple(word for token in tokens if (word := _VARIABLE.sub(by, token)) or not token)
    yield tokens


def _imported(words: tuple[str, ...], line: Line, context: Context) -> str:
    """Why a line of these words is refused: it imports a file, or could with an argument of a snippet."""
    name, pattern = (*words, "", "")[:2]
    if name == "import":
        variable = _VARIABLE.match(pattern)
        if variable is not None and _OF_PATHS.search(variable[1]):
            return f"{pattern} could be any file"
        is_allowed = "{$" in pattern or may_import(pattern, context.proxy)
        return "" if is_allowed else f"{pattern} is not in the base Caddyfile's folder"
    is_alone = _ARGUMENT.fullmatch(name) and len(words) == 1 and not line.block.children
    return f"{name} could become an import" if "{args" in name and name[0] != "@" and not is_alone else ""


def _in_place_of_a_file(line: Line) -> str:
    """Why this name of a snippet is refused: `import` prefers a snippet to a file with the same name."""
    name = line.tokens[0]
    return f"{name} could be the name of a file that others import" if name.startswith("(") and "/" in name else ""


def _log_hosts(line: Line, context: Context) -> str:
    if {"log", "import"}.isdisjoint(line.path[1:]) and line.path != (SNIPPET,):
        return ""
    hosts = [host for each in line.addresses if (host := SiteAddress.parse(each).host).strip("*.")]
    other = next((name for name in line.arguments if not any(fnmatchcase(name, host) for host in hosts)), "")
    return f"{other} is not a host of the site: visitors of other sites would be logged" if other else ""


def _unsafe_option(line: Line, context: Context) -> str:
    first = "".join(line.arguments[:1])
    is_unsafe = (
        first in _HANDLERS if line.place == "order" else line.place == "servers/name" and _OWN_NAME.fullmatch(first)
    )
    return "it would affect every site" if is_unsafe else ""


def _shared_order(line: Line, context: Context) -> str:
    directive = "".join(line.arguments[:1])
    is_shared = line.place == "order" and (directive in _STANDARD or "{" in directive)
    return "it would affect every site" if is_shared else ""


RULES = (
    Rule("environment", (ANY,), environment),
    Rule("dns-servers", (ANY, "dns", "acme_dns", *SERVERS), dns_server),
    Rule("files", (ANY,), file_placeholder),
    Rule("imports", (ANY, "import", ""), _import),
    Rule("log-hosts", ("hostnames",), _log_hosts),
    Rule("global-options", ("order", "name"), _unsafe_option),
    Rule("shared-options", ("order",), _shared_order, shows_refused=True),
)
