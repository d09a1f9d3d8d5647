"""The rules: what labels may not say, because whoever may start a container must not own the proxy by that."""

import re
from collections.abc import Callable

from attrs import frozen
from dockcaddy import Proxy

from dockcaddy_policy.lines import PLACEHOLDER, Line
from dockcaddy_policy.places import (
    LOG_FOLDER,
    chosen_by_visitor,
    listened_port,
    may_import,
    own_file,
    whole_argument,
    wrong_port,
    wrong_root,
    wrong_upstream,
)

Reason = Callable[[Line, Proxy], str]

ANY = "*"


@frozen
class Rule:
    """A rule: its name, a line of help, the names of the lines it looks at, and why it refuses one (`""`: it does not).

    `about` holds names of directives and options, `""` for a site's addresses, or `*` for every line. What a rule that
    `withholds` refuses is usual in labels that exist: `render` prints it.
    """

    name: str
    help: str
    about: tuple[str, ...]
    reason: Reason
    withholds: bool = False


_VARIABLE = re.compile(r"\{\$[^}]*\}?|\{env\.[^}]*\}?")
# where Caddy keeps a value to itself
_KEPT = frozenset(("tls", "dns", "storage", "basic_auth", "basicauth"))
# where it would be a part of what is sent to a server that the label names
_SENT = frozenset(("ca", "dir", "ask", "url", "endpoint", "get_certificate", "resolvers", "server", "server_url"))
# placeholders that are never the address of a server
_NO_ADDRESS = re.compile(r"\{(?:host|labels\.\d+|uri|path|file|dir|method|scheme|port|remote_host|upstream_hostport)\}")
_READS_BY_NAME = re.compile(r"\b(?:ph|caddyPlaceholder)\s*\(")
_OPEN_IN_TEXT = re.compile(r"'[^'{}]*[{}][^'{}]*'|\"[^\"{}]*[{}][^\"{}]*\"")
_NESTED = re.compile(r"\{[^{}]*\{|\}[^{}]*\}")


def _environment(line: Line, proxy: Proxy) -> str:
    found = next((match for match in map(_VARIABLE.search, line.tokens) if match), None)
    if found is None:
        return ""
    if not any(name in _KEPT or name.startswith("acme_") for name in (*line.path[1:], line.name)):
        return f"{found[0]} could be sent out"
    if line.name in ("basic_auth", "basicauth"):
        return f"{found[0]} would be sent out as the realm"
    whole = all(_VARIABLE.fullmatch(token) for token in line.tokens if _VARIABLE.search(token))
    if not whole or _SENT.intersection((*line.path, line.name)):
        return f"{found[0]} would be a part of what is sent out"
    return ""


def _file_placeholder(line: Line, proxy: Proxy) -> str:
    found = next((token for token in line.tokens if "{file." in token), "")
    return f"{found} reads a file" if found else ""


def _built_placeholder(line: Line, proxy: Proxy) -> str:
    """Placeholders put together of pieces, so that no other rule sees them whole."""
    if line.path and "{" in line.name and PLACEHOLDER.search(line.name):
        return f"{line.name} would become a directive"
    for token in line.tokens:
        if "{args" in token and not whole_argument(token) and _NESTED.search(token):
            return f"{token} would build a placeholder"
        if line.name == "import" and token.count("{") != token.count("}"):
            return f"{token} is a piece of a placeholder"
    return ""


def _expression(line: Line, proxy: Proxy) -> str:
    for token in line.tokens:
        if _READS_BY_NAME.search(token):
            return f"{token} reads placeholders by name"
    if line.name.startswith("@") or line.name == "expression" or any(name.startswith("@") for name in line.path):
        for token in line.arguments:
            if _OPEN_IN_TEXT.search(token) or ("{args" in token and not whole_argument(token)):
                return f"{token} could build a placeholder"
    return ""


def _import(line: Line, proxy: Proxy) -> str:
    pattern = line.arguments[0] if line.arguments else ""
    return "" if may_import(pattern, proxy) else f"{pattern} is not in the base Caddyfile's folder"


def _admin_option(line: Line, proxy: Proxy) -> str:
    return f"{line.name} belongs to the operator" if len(line.path) == 1 and line.is_global else ""


def _upstream(line: Line, proxy: Proxy) -> str:
    if line.name == "dynamic" and line.arguments[:1] == ("srv",):
        return "the ports of SRV records are not known beforehand"
    if line.name == "output" and line.arguments[:1] != ("net",):
        return ""
    dialled = ("port", "health_port")
    words = line.arguments
    if line.name == "dynamic":
        words += (":".join(line.arguments[1:3]),)
    elif line.name == "import":
        words = tuple(word for word in words if not _NO_ADDRESS.fullmatch(word))
    for word in words:
        reason = wrong_port(word, proxy) if line.name in dialled else _wrong_address(word, proxy)
        if reason:
            return reason
    return ""


def _wrong_address(word: str, proxy: Proxy) -> str:
    if word.startswith(("/", "@")) or word == "*":
        return ""
    return wrong_upstream(word, proxy)


def _listening(line: Line, proxy: Proxy) -> str:
    for word in line.arguments:
        port = word if line.name in ("http_port", "https_port") else listened_port(word)
        reason = wrong_port(port, proxy)
        if reason:
            return reason
        if word.startswith("unix") and "/" in word:
            return wrong_upstream(word, proxy)
    return ""


def _log_file(line: Line, proxy: Proxy) -> str:
    if line.arguments[:1] != ("file",):
        return ""
    return own_file(line.arguments[1] if len(line.arguments) > 1 else "", proxy)


def _root(line: Line, proxy: Proxy) -> str:
    return wrong_root(path, proxy) if (path := _folder(line)) else ""


def _chosen_root(line: Line, proxy: Proxy) -> str:
    found = chosen_by_visitor(path, line.addresses) if (path := _folder(line)) else ""
    return f"the folder is not known beforehand: {found}" if found else ""


def _folder(line: Line) -> str:
    """The folder that a line serves files from; `root` sets the variable of that name."""
    if line.name == "vars" and "root" not in line.arguments:
        return ""
    if line.path[1:2] in (("pki",), ("log",), ("storage",)):
        return ""
    return line.values[-1] if line.values else ""


def _templates(line: Line, proxy: Proxy) -> str:
    return "Caddy's templates can read its environment and its files" if line.path else ""


def _everybody(line: Line, proxy: Proxy) -> str:
    if not line.is_global:
        return ""
    harmful = _HARMFUL.get("/".join((*line.path[1:], line.name)))
    return "it would be so for every site" if harmful is not None and harmful(line.arguments) else ""


def _always(words: tuple[str, ...]) -> bool:
    return True


_HARMFUL: dict[str, Callable[[tuple[str, ...]], bool]] = {
    "default_bind": _always,
    "auto_https": lambda words: words[:1] in (("off",), ("disable_certs",)),
    "shutdown_delay": _always,
    "servers/listener_wrappers": _always,
    "servers/protocols": lambda words: "h1" not in words,
    "log/output": lambda words: words[:1] not in (("stderr",), ("stdout",)),
}

RULES = (
    Rule(
        "environment",
        "`{env.*}` and `{$*}` only where Caddy keeps them to itself: `tls`, `dns`, `acme_*`, `storage`, `basic_auth`",
        (ANY,),
        _environment,
    ),
    Rule("files", "no `{file.*}`", (ANY,), _file_placeholder),
    Rule(
        "built-placeholders", "no placeholder or directive that is put together of pieces", (ANY,), _built_placeholder
    ),
    Rule("expressions", "no expression that reads a placeholder by its name", (ANY,), _expression),
    Rule("imports", "`import` of snippets, and of files in the base Caddyfile's folder only", ("import",), _import),
    Rule("admin", "no global option `admin` or `persist_config`", ("admin", "persist_config"), _admin_option),
    Rule(
        "upstreams",
        "no upstream that is, or that a visitor could make, the admin API or an engine's socket",
        (
            "reverse_proxy",
            "php_fastcgi",
            "forward_auth",
            "to",
            "dynamic",
            "health_upstream",
            "health_port",
            "import",
            "forward_proxy_url",
            "network_proxy",
            "output",
            "port",
            "url",
        ),
        _upstream,
    ),
    Rule(
        "listeners",
        "nothing listens on the admin API's port",
        ("", "bind", "default_bind", "http_port", "https_port"),
        _listening,
    ),
    Rule("log-files", f"`log` writes files below `{LOG_FOLDER}` only", ("output",), _log_file),
    Rule(
        "roots",
        "`root` and `file_server` not on folders of Caddy, of dockcaddy or of the system",
        ("root", "vars"),
        _root,
    ),
    Rule(
        "chosen-roots",
        "no `root` whose folder a visitor can choose; `{host}` only in sites with a name",
        ("root", "vars"),
        _chosen_root,
        withholds=True,
    ),
    Rule(
        "templates",
        "no `templates`: they can read Caddy's environment and files",
        ("templates",),
        _templates,
        withholds=True,
    ),
    Rule(
        "global-options",
        "no global option that stops other people's sites",
        tuple(dict.fromkeys(key.rpartition("/")[2] for key in _HARMFUL)),
        _everybody,
    ),
)
