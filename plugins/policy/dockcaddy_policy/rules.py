"""The rules. Permission to start a container must not give control over the proxy."""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from attrs import frozen
from dockcaddy import Context, LabelError

from dockcaddy_policy.addresses import parsed, wrong_argument, wrong_listener, wrong_port, wrong_upstream, wrong_url
from dockcaddy_policy.expressions import expression
from dockcaddy_policy.folders import climbs, may_import, request_placeholder, wrong_log, wrong_root, wrong_storage
from dockcaddy_policy.lines import DATA, SNIPPET, Line
from dockcaddy_policy.options import NAMES, SHARED, shared_option, unsafe_option
from dockcaddy_policy.placeholders import built
from dockcaddy_policy.variables import SERVERS, dns_server, environment, file_placeholder

Reason = Callable[[Line, Context], str]

ANY = "*"


@frozen
class Rule:
    """A rule: its name, its help, the names of the lines it checks, and a function for the reason (`""`: allowed).

    `about` holds names of directives and options, `""` for a site's addresses, or `*` for every line. With
    `shows_refused`, `render --raw` prints the refused labels, because they are common in existing setups. With `as_written`, the
    rule sees variables as written in the label; the other rules see their possible values.
    """

    name: str
    help: str
    about: tuple[str, ...]
    reason: Reason
    shows_refused: bool = False
    as_written: bool = False


def _import(line: Line, context: Context) -> str:
    if line.name != "import":
        return _in_place_of_a_file(line)
    pattern, *words = line.arguments or ("",)
    if line.path and (line.path[-1] in (*DATA, "dns", "acme_dns", "storage") or _is_of_log_fields(line)):
        return f"{pattern} contains directives, {line.path[-1]} contains data"
    if not may_import(pattern, context.proxy):
        return f"{pattern} is not in the base Caddyfile's folder"
    climbing = next(filter(climbs, words), "")
    return f"{climbing} could lead out of a folder" if climbing else ""


def _in_place_of_a_file(line: Line) -> str:
    """Why this name of a snippet is refused: `import` prefers a snippet to a file with the same name."""
    name = line.tokens[0]
    return f"{name} could be the name of a file that others import" if name.startswith("(") and "/" in name else ""


def _is_of_log_fields(line: Line) -> bool:
    """Whether the lines here are named after fields of a log. The formats `console` and `json` contain options instead."""
    return "format" in line.path and not {"console", "json"}.issuperset(line.above[1:2] or ("",))


def _admin_option(line: Line, context: Context) -> str:
    return f"{line.name} belongs to the operator" if len(line.path) == 1 and line.is_global else ""


def _upstream(line: Line, context: Context) -> str:
    if line.name == "import":
        return _first(wrong_argument, line.arguments[1:], context)
    words = line.values
    if "{" in words:
        message = f"a value cannot open a block: give each line of it a label of its own, like {line.label}.NAME"
        raise LabelError(line.label, message)
    if line.name in ("dynamic", "a", "srv"):
        return _dynamic(line, context)
    if line.name == "output":
        words = line.arguments[1:] if line.arguments[:1] == ("net",) else ()
    if line.name in ("port", "health_port"):
        words = tuple(f"localhost:{word}" for word in words)
    return _first(wrong_upstream, words, context)


def _dynamic(line: Line, context: Context) -> str:
    """Check `dynamic a NAME PORT`, or the same source as a line in `dynamic multi` or in a snippet."""
    source, *words = line.arguments or ("",) if line.name == "dynamic" else line.tokens
    if source == "srv":
        return "the ports of SRV records are not known beforehand"
    return wrong_upstream(":".join(words), context) if len(words) > 1 else ""


def _url(line: Line, context: Context) -> str:
    plain = next(filter(_PLAIN_HTTP.match, line.arguments), "")
    is_of_certificates = line.name in _CA_OPTIONS or line.arguments[:1] == ("acme",)
    return _first(wrong_url, line.arguments, context) or (
        f"{plain} could be any server: certificates need https" if plain and is_of_certificates else ""
    )


def _first(check: Callable[[str, Context], str], words: tuple[str, ...], context: Context) -> str:
    return next((reason for word in words if (reason := check(word, context))), "")


def _listening(line: Line, context: Context) -> str:
    if line.name in _PORT_OPTIONS:
        return wrong_port("".join(line.arguments), context.proxy)
    words = line.arguments if line.name else line.addresses
    if line.name == "layer4":
        words += tuple(word for child in line.block.children for word in child.keys)
    if line.name == "bind" and any(parsed(word).is_ip for word in words):
        return "other sites would be unreachable at that address"
    return next((reason for word in words if (reason := wrong_listener(word, context.proxy))), "")


def _log_file(line: Line, context: Context) -> str:
    if line.name == "insecure_secrets_log":
        return "it would log the keys of TLS connections"
    if line.arguments[:1] != ("file",):
        return ""
    return wrong_log("".join(line.arguments[1:2]), context.proxy, is_global=line.is_global)


def _log_hosts(line: Line, context: Context) -> str:
    if {"log", "import"}.isdisjoint(line.path[1:]) and line.path != (SNIPPET,):
        return ""
    hosts = [host for host in line.hosts if host.strip("*.")]
    other = next((name for name in line.arguments if not any(fnmatchcase(name, host) for host in hosts)), "")
    return f"{other} is not a host of the site: visitors of other sites would be logged" if other else ""


def _root(line: Line, context: Context) -> str:
    if line.name == "vars" and not line.is_matcher and "{" in "".join(line.values[:1]):
        return f"{line.values[0]} could become the root"
    return _first(wrong_root, _folders(line), context)


def _chosen_root(line: Line, context: Context) -> str:
    found = next(filter(None, (request_placeholder(folder, line.addresses) for folder in _folders(line))), "")
    return f"the folder is not known beforehand: {found}" if found else ""


def _folders(line: Line) -> tuple[str, ...]:
    """The folders from which Caddy may serve files. `vars root` is the same as `root`."""
    if line.is_global or line.path[1:2] == ("log",):
        return ()
    if line.name == "vars":
        return line.values[1:] if line.values[:1] == ("root",) and not line.is_matcher else ()
    # a directive's folder is the last argument, an option's the first
    return tuple(word for word in line.arguments[:-1] if "*" not in word and word[:1] != "@") + line.arguments[-1:]


def _storage(line: Line, context: Context) -> str:
    is_files = line.place == "storage" and line.arguments[:1] == ("file_system",)
    is_root = line.place == "storage/root" and line.above[1:2] == ("file_system",)
    folders = line.arguments if is_root else line.arguments[1:] if is_files else ()
    return next((reason for folder in folders if (reason := wrong_storage(folder, context.proxy))), "")


def _templates(line: Line, context: Context) -> str:
    if line.name == "browse" and not line.arguments:
        return ""
    return "Caddy's templates can read its environment and its files" if line.path else ""


def _programs(line: Line, context: Context) -> str:
    if line.name == "events" and len(line.path) > 1 and "import" not in line.path:
        # an option with this name, as in a rate limit
        return ""
    return f"{line.name} runs programs with Caddy's rights"


_PORT_OPTIONS = ("http_port", "https_port", "alt_http_port", "alt_tlsalpn_port")
_UPSTREAM_LINES = """
    reverse_proxy php_fastcgi forward_auth to dynamic a srv port health_upstream health_port
    import output proxy upstream dial
"""
# ACME servers send Caddy further URLs to call, so their own URL must be https
_PLAIN_HTTP = re.compile(r"(?:\{\$[^{}:]*:)?http://", re.IGNORECASE)
_CA_OPTIONS = ("acme_ca", "ca", "dir", "test_dir")
_URL_LINES = """
    acme_ca ca dir test_dir issuer cert_issuer get_certificate ask permission
    endpoint endpoints url forward_proxy_url network_proxy
"""

RULES = (
    Rule(
        "environment",
        "`{env.*}` and `{$*}` with names of secrets only in directives that keep them secret: `tls`, `dns`, `acme_*`, `storage`, "
        "`basic_auth`; no variable that could select a folder of Caddy or its admin API",
        (ANY,),
        environment,
        as_written=True,
    ),
    Rule(
        "dns-servers",
        "no server of a DNS provider that only the label names: it would get the token",
        (ANY, "dns", "acme_dns", *SERVERS),
        dns_server,
        as_written=True,
    ),
    Rule(
        "files", "`{file.*}` only in the same directives as secret variables", (ANY,), file_placeholder, as_written=True
    ),
    Rule(
        "built-placeholders",
        "no placeholder or directive that is assembled from parts",
        (ANY,),
        built,
        as_written=True,
    ),
    Rule(
        "expressions",
        "no expression that reads a placeholder by its name, or by a name from the request",
        (ANY,),
        expression,
    ),
    Rule("imports", "`import` only of snippets and of files in the base Caddyfile's folder", ("import", ""), _import),
    Rule("admin", "no global option `admin` or `persist_config`", ("admin", "persist_config"), _admin_option),
    Rule(
        "upstreams",
        "no upstream that is the admin API or an engine's socket, or that a request could turn into one",
        tuple(_UPSTREAM_LINES.split()),
        _upstream,
    ),
    Rule(
        "urls",
        "no URL of the admin API, or of a server that a request could choose",
        tuple(_URL_LINES.split()),
        _url,
    ),
    Rule(
        "listeners",
        "no listener on the admin API's port; `bind` only with sockets (`unix//run/x.sock`)",
        ("", "bind", "default_bind", "layer4", *_PORT_OPTIONS),
        _listening,
    ),
    Rule(
        "log-files",
        "logs only in `/var/log`; a site's log also in a folder `logs` or a file `*.log` outside Caddy's folders",
        ("output", "insecure_secrets_log"),
        _log_file,
    ),
    Rule("log-hosts", "no `hostnames` of other sites in a site's log", ("hostnames",), _log_hosts),
    Rule(
        "roots",
        "no `root` or `file_server` in folders of Caddy, dockcaddy or the system",
        ("root", "vars"),
        _root,
    ),
    Rule(
        "chosen-roots",
        "no `root` whose folder a request can choose; `{host}` only in sites with a host name",
        ("root", "vars"),
        _chosen_root,
        shows_refused=True,
    ),
    Rule("storage", "no `storage` for certificates and keys outside Caddy's folders", ("storage", "root"), _storage),
    Rule(
        "templates",
        "no `templates`, and no template for `browse`: they can read Caddy's environment and files",
        ("templates", "browse"),
        _templates,
        shows_refused=True,
    ),
    Rule(
        "programs",
        "no directive that runs programs: `exec`, `cgi`, `events`, `frankenphp`, `supervisor`",
        ("exec", "cgi", "events", "frankenphp", "supervisor"),
        _programs,
    ),
    Rule(
        "global-options",
        "no global option that could stop other sites, except in labels of Caddy's container",
        NAMES,
        unsafe_option,
    ),
    Rule(
        "shared-options",
        "no change of HTTP ports, `auto_https` or the order of Caddy's directives, except by labels of Caddy's container",
        SHARED,
        shared_option,
        shows_refused=True,
    ),
)
