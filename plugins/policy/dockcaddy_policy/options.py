"""Global options that affect every site, and that Caddy's JSON does not show."""

import re

from dockcaddy import DIRECTIVES, GLOBAL_OPTIONS, SUBROUTES, Context

from dockcaddy_policy.lines import Line

# directives that handle or authenticate requests: other sites rely on their order
_HANDLERS = frozenset(
    each.name
    for each in DIRECTIVES.values()
    if each.ordered and (each.terminal or each.authenticates or each.name in SUBROUTES)
)
_STANDARD = frozenset(each.name for each in DIRECTIVES.values() if each.ordered)
# names of global options, including those of Caddy's plugins
TOP_OPTIONS = GLOBAL_OPTIONS | {"layer4", "frankenphp", "supervisor", "security", "import"}
# of two servers with one name Caddy keeps only one
_OWN_NAME = re.compile(r"srv[0-9]+|remaining_auto_https_redirects|.*\{.*")


def shared_order(line: Line, context: Context) -> str:
    """Why this order is refused because it changes other sites; `""` if it does not."""
    directive = "".join(line.arguments[:1])
    is_order = line.place == "order" and (directive in _STANDARD or "{" in directive)
    return "it would affect every site" if is_order else ""


def unsafe_option(line: Line, context: Context) -> str:
    """Why this option is refused because it could stop other sites; `""` if it could not."""
    first = "".join(line.arguments[:1])
    is_unsafe = (
        first in _HANDLERS if line.place == "order" else line.place == "servers/name" and _OWN_NAME.fullmatch(first)
    )
    return "it would affect every site" if is_unsafe else ""
