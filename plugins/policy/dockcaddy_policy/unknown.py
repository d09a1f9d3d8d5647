"""Variables that Caddy reads while it runs (`{env.X}`), in places where their values are not known.

The operator sets the value, but the label chooses the variable: `root {env.XDG_DATA_HOME}` serves Caddy's keys.
"""

import posixpath
import re

from dockcaddy import Context

from dockcaddy_policy.folders import wrong_root

_VARIABLE = re.compile(r"\{env\.(\w+)\}")
# replaces a variable that may contain digits; those with a name as below contain none
_DIGITS = "\0"
_NO_DIGITS = re.compile(r"PATH|PREFIX|SUFFIX|ROUTE|URI|SCHEME|DOMAIN", re.IGNORECASE)
_PORT_OF_PIECES = re.compile(r":\+?(?=[\d-]*\0)[\d\0-]{2,}")
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
_OF_LOGS = re.compile(r"LOG", re.IGNORECASE)


def filled(text: str, value: str = "sample") -> str:
    """The text with a value for each variable."""
    return _VARIABLE.sub(value, text)


def wrong_address(text: str) -> str:
    """Why the variables in an address are refused; `""` if they are not."""
    names = _VARIABLE.findall(text)
    if any(map(_OF_THE_PROXY.search, names)):
        return f"{text} belongs to the proxy"
    if names and text.strip().lower().startswith("unix"):
        return f"{{env.{names[0]}}} could choose the socket"
    sample = _VARIABLE.sub(lambda found: "x" if _NO_DIGITS.search(found[1]) else _DIGITS, text)
    return f"{text} could become any port" if _PORT_OF_PIECES.search(sample) else ""


def wrong_folder(text: str, context: Context) -> str:
    """Why a folder with a variable in it is refused; `""` if it is not."""
    found = _VARIABLE.search(text)
    if found is None or found.start():
        return wrong_root(posixpath.dirname(text[: found.start()]) or "." if found else text, context)
    is_of_sites = _OF_FOLDERS.search(found[1]) is not None and _OF_THE_HOST.search(found[1]) is None
    return "" if is_of_sites else f"by its name {found[0]} could be any folder"


def log_path(text: str) -> str:
    """The path of a log with values for its variables; `""` if it could be any file."""
    found = _VARIABLE.match(text)
    if found is None:
        return filled(text)
    rest = text[found.end() :] or "/x.log"
    return f"/var/log/{filled(rest.lstrip('/'))}" if _OF_LOGS.search(found[1]) else ""
