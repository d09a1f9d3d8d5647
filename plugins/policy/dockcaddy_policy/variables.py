"""Where Caddy keeps an environment variable to itself, and where it would be sent to somebody."""

import re

from attrs import frozen
from dockcaddy import Context

from dockcaddy_policy.lines import ROUTES, Line
from dockcaddy_policy.placeholders import BRACES

_VARIABLE = re.compile(rf"\{{\$[^}}]*\}}?|{BRACES}env\.[^}}]*\}}?")
_WHOLE = re.compile(r"\{(?:\$|env\.)([\w.-]+)(?::([^{}]*))?\}")


# what follows in a name of something that nobody may know
_SECRET = re.compile(r"PASS|PW|SECRET|TOKEN|KEY|CRED|AUTH|HASH|PRIV|SIGN|JWT|DSN|CODE|SALT|SEED", re.IGNORECASE)


@frozen
class Named:
    """Variables whose names end in one of the `words`: then they hold `what`, which everybody may know.

    More may follow, as in `EMAIL_ADDRESS`, but where it `is_sent` no `EMAIL_PASSWORD`.
    """

    what: str
    words: str
    is_sent: bool = True

    def fits(self, name: str) -> bool:
        """Whether a variable of this name may stand here."""
        found = re.match(f".*(?:{self.words})(?![a-z0-9])(.*)", name, re.IGNORECASE)
        return found is not None and not (self.is_sent and _SECRET.search(found[1]))


_ANY = Named("anything", "")
_NONE = Named("nothing", "(?!)")
_MAIL = Named("a mail address", "MAIL")
_KEY_ID = Named("a key's id", "KID|KEY_?ID")
_USER = Named("a user's name", "USER|NAME|LOGIN|MAIL")
_SERVER = Named("a URL", "URL|URI|CA|DIR|DIRECTORY|SERVER|ENDPOINT|ASK")
_FILE = Named("a path", "FILE|PATH|DIR|FOLDER|CERT|CERTIFICATE|CRT|PEM|(?:CERT|SSL|TLS)_?KEY|ROOT|CA", is_sent=False)
_MAIL_OR_FILE = Named("a mail address or a path", f"{_MAIL.words}|{_FILE.words}")

_ISSUER = "(?:(?:tls/)?issuer|cert_issuer)"
_DNS = f"(?:(?:(?:tls|ech|{_ISSUER})/)?dns|acme_dns)"
# By place, or place and first argument: how the variables in its arguments are named; what follows is another option,
# if it is not `_ANY`. What goes to a server that another label may have chosen (a CA) is told by its name; what only
# signs, or goes to a fixed one, is not.
_KEPT = [
    (re.compile(place), names)
    for place, names in {
        "tls": (_MAIL_OR_FILE, _FILE),
        f"{_ISSUER} zerossl": (_NONE, _ANY),
        "tls/ca|acme_ca|on_demand_tls/ask": (_SERVER,),
        "tls/get_certificate|on_demand_tls/permission": (_NONE, _SERVER),
        "tls/(ca_root|load)|acme_ca_root": (_FILE,),
        r"tls/client_auth/(.+/)?\w+_file": (_FILE,),
        f"(tls|{_ISSUER})/eab": (_KEY_ID, _ANY),
        "acme_eab/key_id": (_KEY_ID,),
        "acme_eab/mac_key": (_ANY,),
        f"email|{_ISSUER}/email": (_MAIL,),
        f"{_ISSUER}/(test_)?dir": (_SERVER,),
        f"{_ISSUER}/trusted_roots": (_FILE,),
        f"{_ISSUER}/account_key": (_ANY,),
        _ISSUER: (_NONE, _SERVER),
        f"{_DNS}|storage": (_NONE, _ANY),
        f"({_DNS}|storage)/.+": (_ANY,),
    }.items()
]
_BASIC_AUTH = ("basic_auth", "basicauth")

# options that are a server even where no URL stands in them
_SERVER_OPTIONS = """
    server server_url endpoint endpoint_url url uri api_url api_uri base_url base_uri host hostname api_host
    address addr api_address api_endpoint api_base auth_url auth_endpoint proxy proxy_url
"""
SERVERS = tuple(_SERVER_OPTIONS.split())


def environment(line: Line, context: Context) -> str:
    """Why a variable may not stand in this line."""
    found = next((match for match in map(_VARIABLE.search, line.tokens) if match), None)
    if found is None:
        return ""
    if line.path[-1:] != () and line.path[-1] in _BASIC_AUTH and ROUTES.issuperset(line.path[:-1]):
        return _first_wrong(line.tokens, (_USER, _ANY))
    places = (line.place, " ".join((line.place, *line.arguments[:1])))
    names = next((names for place, names in _KEPT if any(map(place.fullmatch, places))), None)
    if names is None or _VARIABLE.search(line.name):
        return f"{found[0]} could be sent out"
    if _is_rfc2136(line) and line.name != "key":
        return f"{found[0]} would be sent to the server"
    return _first_wrong(line.arguments, names)


def _first_wrong(tokens: tuple[str, ...], names: tuple[Named, ...]) -> str:
    for at, token in enumerate(tokens):
        found = _VARIABLE.search(token)
        if found is None:
            continue
        whole = _WHOLE.fullmatch(token)
        wanted = names[at] if at < len(names) else names[-1] if names[-1] == _ANY else _NONE
        if whole is None:
            return f"{found[0]} could be a part of what is sent out"
        if not wanted.fits(whole[1]):
            return f"{found[0]} could be sent out, by its name it should hold {wanted.what}"
    return ""


def dns_server(line: Line, context: Context) -> str:
    """Why a DNS provider may not have this server: it would be sent the token, also one of another label."""
    if re.fullmatch(_DNS, line.place):
        found = next((token for token in line.arguments[1:] if "://" in token), "")
    elif re.fullmatch(f"{_DNS}/.+", line.place) and not _is_rfc2136(line):
        found = next((token for token in line.arguments if _is_literal_server(line.name, token)), "")
    else:
        return ""
    return f"{found} would be sent the token" if found else ""


def _is_rfc2136(line: Line) -> bool:
    """Whether it belongs to the one provider that sends no token: it signs with its `key`."""
    return line.above[1:2] == ("rfc2136",)


def _is_literal_server(name: str, token: str) -> bool:
    variable = _WHOLE.fullmatch(token)
    if variable is not None and not variable[2]:
        return False
    if name not in SERVERS:
        return "://" in token
    # `endpoint` may be a region's name
    return name != "endpoint" or any(sign in token for sign in ".:/")
