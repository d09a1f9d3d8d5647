"""The rules about the text of labels: what Caddy's JSON would not show, or shows too late.

Caddy fills in variables and imports files while it adapts, and the order of directives is not in its JSON.
"""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from attrs import frozen
from dockcaddy import Context

from dockcaddy_policy.folders import may_import
from dockcaddy_policy.lines import SNIPPET, Line
from dockcaddy_policy.options import shared_order, unsafe_option
from dockcaddy_policy.variables import SERVERS, dns_server, environment, file_placeholder

Reason = Callable[[Line, Context], str]

ANY = "*"

_VARIABLE = re.compile(r"\{\$(\w+)(?::([^{}]*))?\}")
_ARGUMENT = re.compile(r"\{args\[\d+\]\}")
_OF_PATHS = re.compile(
    r"PATH|FILE|DIR|FOLDER|HOME|CERT|PWD|ROOT|CONFIG|DATA|STATE|SOCK|TMP|TEMP|^_$|^SHELL$|^OLDPWD$", re.IGNORECASE
)


@frozen
class Rule:
    """A rule: its name, its help, the names of the lines it checks, and a function for the reason (`""`: allowed).

    `about` holds names of directives and options, `""` for a site's addresses, or `*` for every line. With
    `shows_refused`, `render --raw` prints the refused labels, because they are common in existing setups.
    """

    name: str
    help: str
    about: tuple[str, ...]
    reason: Reason
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
    hosts = [host for host in line.hosts if host.strip("*.")]
    other = next((name for name in line.arguments if not any(fnmatchcase(name, host) for host in hosts)), "")
    return f"{other} is not a host of the site: visitors of other sites would be logged" if other else ""


RULES = (
    Rule(
        "environment",
        "`{env.*}` and `{$*}` with names of secrets only in directives that keep them secret: `tls`, `dns`, `acme_*`, `storage`, "
        "`basic_auth`",
        (ANY,),
        environment,
    ),
    Rule(
        "dns-servers",
        "no server of a DNS provider that only the label names: it would get the token",
        (ANY, "dns", "acme_dns", *SERVERS),
        dns_server,
    ),
    Rule("files", "`{file.*}` only in the same directives as secret variables", (ANY,), file_placeholder),
    Rule(
        "imports", "`import` only of snippets and of files in the base Caddyfile's folder", (ANY, "import", ""), _import
    ),
    Rule("log-hosts", "no `hostnames` of other sites in a site's log", ("hostnames",), _log_hosts),
    Rule(
        "global-options",
        "no global option that could stop other sites, except in labels of Caddy's container",
        ("order", "name"),
        unsafe_option,
    ),
    Rule(
        "shared-options",
        "no change of HTTP ports, `auto_https` or the order of Caddy's directives, except by labels of Caddy's container",
        ("order",),
        shared_order,
        shows_refused=True,
    ),
)

# name -> help of the rules about Caddy's JSON alone
OF_DOCUMENTS = {
    "admin": "no global option `admin` or `persist_config`",
    "upstreams": "no upstream that is the admin API or an engine's socket, or that a request could turn into one",
    "urls": "no URL of the admin API, or of a server that a request could choose",
    "listeners": "no listener on the admin API's port; `bind` only with sockets (`unix//run/x.sock`)",
    "log-files": "logs only in `/var/log`; a site's log also in a folder `logs` or a file `*.log` outside Caddy's folders",
    "roots": "no `root` or `file_server` in folders of Caddy, dockcaddy or the system",
    "chosen-roots": "no `root` whose folder a request can choose; `{host}` only in sites with a host name",
    "storage": "no `storage` for certificates and keys outside Caddy's folders",
    "expressions": "no expression that reads a placeholder by its name, or by a name from the request",
    "templates": "no `templates`, and no template for `browse`: they can read Caddy's environment and files",
    "programs": "no directive that runs programs: `exec`, `cgi`, `events`, `frankenphp`, `supervisor`",
    "modules": "only modules and fields of the table, and the `modules` of the settings",
}
