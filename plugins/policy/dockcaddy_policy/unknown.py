"""Variables whose values would be forbidden in a label: the operator sets the value, but the label chooses the variable.

`root {$XDG_DATA_HOME}` serves Caddy's keys, `reverse_proxy {$CADDY_ADMIN}` its admin API.
"""

import posixpath
import re

from dockcaddy import Context

from dockcaddy_policy.folders import wrong_log, wrong_root
from dockcaddy_policy.lines import Line

_VARIABLE = re.compile(r"\{(?:\$|env\.)(\w+)(?::([^{}]*))?\}")
# replaces a variable that may contain digits; those with a name as below contain none
_DIGITS = "\0"
_NO_DIGITS = re.compile(r"PATH|PREFIX|SUFFIX|ROUTE|URI|SCHEME|DOMAIN", re.IGNORECASE)
_PORT_OF_PIECES = re.compile(r":\+?(?=[\d-]*\0)[\d\0-]{2,}")
_ONLY_PORT_OF_PIECES = re.compile(r"\+?(?=[\d-]*\0)[\d\0-]{2,}")
_OF_THE_PROXY = re.compile(
    r"^ADMIN$|CADDY_ADMIN|ADMIN_?(?:API|ADDR|ADDRESS|LISTEN|ENDPOINT|SOCKET|PORT)|^DOCKER_HOST$|DOCKER_SOCK|^(?:DOCK)?CADDY_DOCKER"
    r"|^DOCKCADDY_",
    re.IGNORECASE,
)
_OF_FOLDERS = re.compile(
    r"(?:^|_)(?:ROOT|WWW|WEB|WEBROOT|SITE|PUBLIC|HTML|HTDOCS|STATIC|DOCS?|DOCUMENT|ASSETS?|FRONTEND|DIST)(?:_|\d|$)",
    re.IGNORECASE,
)
# these folders contain more than a site, even if the name also matches the above: DATA_ROOT, DOCKER_ROOT
_OF_THE_HOST = re.compile(
    r"DATA|CONF|DOCKER|CADDY|XDG|HOME|BACKUP|STATE|STORAGE|VOLUME|SECRET|CERT|HOST|SYS", re.IGNORECASE
)
_OF_PATHS = re.compile(
    r"PATH|FILE|DIR|FOLDER|HOME|CERT|PWD|ROOT|CONFIG|DATA|STATE|SOCK|TMP|TEMP|^_$|^SHELL$|^OLDPWD$", re.IGNORECASE
)
_OF_LOGS = re.compile(r"LOG", re.IGNORECASE)
_PROXIES = (
    "reverse_proxy",
    "php_fastcgi",
    "forward_auth",
    "to",
    "dynamic",
    "a",
    "srv",
    "health_upstream",
    "proxy",
    "upstream",
    "dial",
)
# in these a single number is a port
_ONLY_PORTS = (
    "port",
    "health_port",
    "http_port",
    "https_port",
    "alt_http_port",
    "alt_tlsalpn_port",
    "dynamic",
    "a",
    "import",
)
_PORTS = ("", "bind", "output", *_ONLY_PORTS, *_PROXIES)
_URLS = (
    "acme_ca",
    "ca",
    "dir",
    "test_dir",
    "issuer",
    "cert_issuer",
    "get_certificate",
    "ask",
    "permission",
    "endpoint",
    "url",
    "forward_proxy_url",
    "network_proxy",
)


def chosen(line: Line, context: Context) -> str:
    """Why a variable is refused in this line, whether or not it is secret."""
    for token in line.arguments:
        found = _VARIABLE.search(token)
        reason = _reason(line, token, found, context) if found else ""
        if reason:
            return reason
    return ""


def _reason(line: Line, token: str, found: re.Match[str], context: Context) -> str:
    name = line.name
    if name in (*_PORTS, *_URLS) and _is_port_of_pieces(token, may_be_only_port=name in _ONLY_PORTS):
        return f"{found[0]} could turn {token} into any port"
    if (
        name in (*_PORTS, *_URLS)
        and name not in ("", "bind")
        and any(_OF_THE_PROXY.search(variable) for variable, _ in _VARIABLE.findall(token))
    ):
        return f"{token} belongs to the proxy"
    if name in (*_PROXIES, "import", "output") and re.match(r"\s*unix", token, re.IGNORECASE):
        return f"{found[0]} could choose the socket"
    if name == "root" or (name == "vars" and line.values[:1] == ("root",)):
        return _of_root(token, found, context)
    if name == "output" and line.arguments[:1] == ("file",):
        return _of_log(line, token, found, context)
    if name == "import" and token is line.arguments[0] and not found.start() and _OF_PATHS.search(found[1]):
        return f"{token} could be any file"
    return ""


def _is_port_of_pieces(token: str, *, may_be_only_port: bool) -> bool:
    """Whether variables could form a port with each other or with digits next to them. Defaults are tried too."""
    for text in (_VARIABLE.sub(_sample, token), _VARIABLE.sub(lambda match: match[2] or _sample(match), token)):
        if _PORT_OF_PIECES.search(text) or (may_be_only_port and _ONLY_PORT_OF_PIECES.fullmatch(text)):
            return True
    return False


def _sample(variable: re.Match[str]) -> str:
    return "x" if _NO_DIGITS.search(variable[1]) else _DIGITS


def _of_root(token: str, found: re.Match[str], context: Context) -> str:
    if found.start():
        return wrong_root(posixpath.dirname(token[: found.start()]) or ".", context)
    is_folder_of_sites = _OF_FOLDERS.search(found[1]) is not None and _OF_THE_HOST.search(found[1]) is None
    return "" if is_folder_of_sites else f"by its name {found[0]} could be any folder"


def _of_log(line: Line, token: str, found: re.Match[str], context: Context) -> str:
    if not found.start() and not _OF_LOGS.search(found[1]):
        return f"by its name {found[0]} could be any folder"
    path = token if found.start() else "/var/log/" + token[found.end() :].lstrip("/")
    path = _VARIABLE.sub("{args[0]}", path)
    named = path if found.start() or found.end() < len(token) else f"{path}x.log"
    return wrong_log(named, context.proxy, is_global=line.is_global)
