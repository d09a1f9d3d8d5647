"""Places in which Caddy keeps an environment variable secret. Elsewhere it could be sent to visitors or servers."""

import re
from collections.abc import Callable, Collection

from attrs import frozen
from dockcaddy import GLOBAL_OPTIONS, Context, split_matcher

from dockcaddy_policy.folders import SECRETS_FOLDERS, is_mounted
from dockcaddy_policy.lines import GLOBAL, ROUTES, Line
from dockcaddy_policy.secret_names import looks_secret
from dockcaddy_policy.settings import PolicySettings

# If a text is only a placeholder, Caddy strips all braces: it reads `{}env.X}` too
BRACES = r"\{[\\{}]*"
# its path may contain variables
_FILE_OF_VARIABLE = re.compile(r"\{file\.(?:[^{}\\]|\{\$\w+(?::[^{}]*)?\})*\}")
_VARIABLE = re.compile(rf"\{{\$[^}}]*\}}?|{BRACES}env\.[^}}]*\}}?")
_WHOLE = re.compile(r"\{(?:\$|env\.)([\w.-]+)(?::([^{}]*))?\}")
# `{file.base}` and `{file.ext}` are parts of the request's path
_READS_FILE = re.compile(r"\{file\.(?!(?:base|ext)\})|\{[\\}]+file\.")
# special files, and paths that could lead to them
NO_SECRETS = re.compile(r"\{file\.(?:/(?:proc|sys|dev)(?:/|\})|(?:.*/)?\.\.(?:/|\}))")
# words in the rest of a name that mark a secret
_SECRET = re.compile(r"PASS|PW|SECRET|TOKEN|KEY|CRED|AUTH|HASH|PRIV|SIGN|JWT|DSN|CODE|SALT|SEED", re.IGNORECASE)


@frozen
class Fitting:
    """The variables that fit an argument: their names contain one of the `words`, so that they hold `what`.

    The name may go on, as in `EMAIL_ADDRESS`. With `is_sent`, Caddy sends the value out, so that `EMAIL_PASSWORD` does not
    fit. With `is_secret`, files of secrets fit too, and all further arguments may be secrets.
    """

    what: str
    words: str
    is_sent: bool = True
    is_secret: bool = False

    def fits(self, name: str) -> bool:
        """Whether a variable of this name may stand here."""
        found = re.match(f".*(?:{self.words})(?![a-z0-9])(.*)", name, re.IGNORECASE)
        return found is not None and not (self.is_sent and _SECRET.search(found[1]))


_ANY = Fitting("anything", "", is_sent=False, is_secret=True)
_NONE = Fitting("nothing", "(?!)")
_MAIL = Fitting("a mail address", "MAIL")
_KEY_ID = Fitting("a key's id", "KID|KEY_?ID")
_USER = Fitting("a user's name", "USER|NAME|LOGIN|MAIL")
_SERVER = Fitting("a URL", "URL|URI|CA|DIR|DIRECTORY|SERVER|ENDPOINT|ASK")
_FILE = Fitting("a path", "FILE|PATH|DIR|FOLDER|CERT|CERTIFICATE|CRT|PEM|(?:CERT|SSL|TLS)_?KEY|ROOT|CA", is_sent=False)
_HASH = Fitting("a hash", "HASH|HASHES|ALGORITHM|ALGO")
_MAIL_OR_FILE = Fitting("a mail address or a path", f"{_MAIL.words}|{_FILE.words}")

_ISSUER = "(?:(?:tls/)?issuer|cert_issuer)"
_DNS = f"(?:(?:(?:tls|ech|{_ISSUER})/)?dns|acme_dns|dynamic_dns/provider)"
# By place, or by place and first argument: the variables that fit each argument. Further arguments are other options,
# unless the last entry is `_ANY`. If another label may have chosen the server (a CA), the name of the variable has to fit.
# If the value only signs, or goes to a fixed server, any name fits.
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
        _DNS: (_NONE, _ANY),
        f"{_DNS}/.+": (_ANY,),
        f"(?:(?:{'|'.join(sorted(ROUTES))})/)*reverse_proxy/lb_policy cookie": (_NONE, _NONE, _ANY),
    }.items()
]
# global options that are no apps of Caddy's plugins, or apps whose secrets have a place above
_NO_APPS = GLOBAL_OPTIONS | {"layer4", "frankenphp", "supervisor", "import", "dynamic_dns"}
_BASIC_AUTH = frozenset(("basic_auth", "basicauth"))
_ALGORITHMS = ("bcrypt", "argon2", "scrypt")
# for storage and other plugins of Caddy the label chooses the server too: only variables with these words in their names fit
_NAMES_OF = {
    "crowdsec": "CROWDSEC|BOUNCER",
    "tailscale": "TAILSCALE|TS",
    "s3": "S3|AWS|MINIO|R2|B2",
    "dynamodb": "DYNAMO|AWS",
    "gcs": "GCS|GCP|GOOGLE",
    "postgres": "POSTGRES|PG|DB|DATABASE",
    "postgresql": "POSTGRES|PG|DB|DATABASE",
    "security": "SECURITY|AUTH|AUTHP|JWT|OAUTH|OAUTH2|OIDC|SAML|LDAP|CLIENT_SECRET|GOOGLE|GITHUB|GITLAB|MICROSOFT|AZURE|"
    "FACEBOOK|DISCORD|LINKEDIN|OKTA|COGNITO|KEYCLOAK|AUTHELIA|AUTHENTIK|ZITADEL",
}

# options whose value is a server, even if it is not a URL
_SERVER_OPTIONS = """
    server server_url endpoint endpoint_url url uri api_url api_uri base_url base_uri host hostname api_host
    address addr api_address api_endpoint api_base auth_url auth_endpoint proxy proxy_url
"""
SERVERS = tuple(_SERVER_OPTIONS.split())
# servers from the documentation of each provider
_OWN_SERVERS = {
    "namecheap": "api.namecheap.com api.sandbox.namecheap.com",
    "acmedns": "auth.acme-dns.io",
    "joohoi_acme_dns": "auth.acme-dns.io",
    "dnsmadeeasy": "api.dnsmadeeasy.com api.sandbox.dnsmadeeasy.com",
    "easydns": "rest.easydns.net sandbox.rest.easydns.net",
    "inwx": "api.domrobot.com api.ote.domrobot.com",
    "simplydotcom": "api.simply.com",
    "rcodezero": "my.rcodezero.at",
    "googledomains": "acmedns.googleapis.com",
}


def environment(line: Line, context: Context) -> str:
    """Why a variable is refused in this line; `""` if there is none, or it is allowed."""
    settings = context.settings(PolicySettings)
    found = [match[0] for token in line.tokens if "{" in token for match in _VARIABLE.finditer(token)]
    if not found:
        return ""
    if settings.environment == "none":
        return f'[policy] environment = "none" allows no variables in labels: {found[0]}'
    secrets = [each for each in found if _is_secret(each, settings.secrets)]
    is_guarded = settings.environment == "guarded" and secrets != []
    return _misplaced(line, secrets[0], lambda token: _first_secret(token, settings.secrets)) if is_guarded else ""


def file_placeholder(line: Line, context: Context) -> str:
    """Why the placeholder of a file is refused in this line; `""` if there is none, or it is allowed."""
    found = next(filter(_READS_FILE.search, line.tokens), "")
    if not found:
        return ""
    if context.settings(PolicySettings).environment == "none":
        return f'[policy] environment = "none" allows no files in labels: {found}'
    if NO_SECRETS.search(found) or _is_of_resource(found, context):
        return f"{found} is not a file of secrets"
    return _misplaced(line, found, lambda token: token if _READS_FILE.search(token) else "")


def _is_of_resource(token: str, context: Context) -> bool:
    """Whether the resource has the file mounted: it could be a pipe then, and Caddy would wait for its end."""
    path = token.removeprefix("{file.").removesuffix("}")
    return path.startswith("/") and not path.startswith(SECRETS_FOLDERS) and is_mounted(path, context)


def _is_secret(variable: str, secrets: tuple[str, ...]) -> bool:
    whole = _WHOLE.fullmatch(variable)
    # an unusual spelling could hide the real name
    return whole is None or looks_secret(whole[1], secrets)


def _first_secret(token: str, secrets: tuple[str, ...]) -> str:
    return next((match[0] for match in _VARIABLE.finditer(token) if _is_secret(match[0], secrets)), "")


def _misplaced(line: Line, found: str, secret_in: Callable[[str], str]) -> str:
    """Why the variable or file `found` is refused in this line: Caddy would not keep it secret."""
    inside = not _BASIC_AUTH.isdisjoint(line.path[-1:]) and ROUTES.issuperset(line.path[:-1])
    names = (_USER, _ANY) if inside else _names_of_arguments(line)
    if names is None or (not inside and secret_in(line.name)):
        return f"{found} could be sent out"
    if _is_rfc2136(line) and line.name != "key":
        return f"{found} would be sent to the server"
    return _first_wrong(line.tokens if inside else line.arguments, names, secret_in)


def _names_of_arguments(line: Line) -> tuple[Fitting, ...] | None:
    if line.name in _BASIC_AUTH and ROUTES.issuperset(line.path):
        return _names_of_login(line.arguments)
    if line.place == "storage":
        return (_NONE, _named_for("".join(line.arguments[:1]), "STORAGE|CADDY|CERT"))
    if line.place.startswith("storage/"):
        return (_named_for("".join(line.above[1:2]), "STORAGE|CADDY|CERT"),)
    app = "".join(line.path[1:2]) if line.path[:1] == (GLOBAL,) else ""
    if app.isidentifier() and app not in _NO_APPS:
        return (_named_for(app),)
    places = (line.place, " ".join((line.place, *line.arguments[:1])))
    return next((names for place, names in _KEPT if any(map(place.fullmatch, places))), None)


def _names_of_login(words: tuple[str, ...]) -> tuple[Fitting, ...]:
    """Of `basic_auth [MATCHER] [ALGORITHM [REALM]]`: every client sees the realm, so that it cannot hold a secret."""
    matcher, rest = split_matcher(words)
    is_taken = not rest or _could_be_algorithm(rest[0])
    return (*((_NONE,) if matcher else ()), _HASH, _NONE if is_taken else _HASH)


def _could_be_algorithm(word: str) -> bool:
    """Whether Caddy may read the word as an algorithm: it is one, is assembled from parts, or is an argument of a snippet."""
    is_open = "{" in word and re.fullmatch(r"\{\$\w+\}|\{env\.\w+\}", word) is None
    return is_open or any(algorithm in word.lower() for algorithm in _ALGORITHMS)


def _named_for(module: str, others: str = "(?!)") -> Fitting:
    words = _NAMES_OF.get(module.lower(), re.escape(module) or "(?!)")
    return Fitting(f"a secret of {module}", rf"(?:^|_|\b)(?:{others}|{words})\w*", is_sent=False, is_secret=True)


def _first_wrong(tokens: tuple[str, ...], names: tuple[Fitting, ...], secret_in: Callable[[str], str]) -> str:
    for at, token in enumerate(tokens):
        found = secret_in(token)
        if not found:
            continue
        wanted = names[at] if at < len(names) else names[-1] if names[-1].is_secret else _NONE
        whole = _WHOLE.fullmatch(token)
        is_file = _FILE_OF_VARIABLE.fullmatch(token) is not None and wanted.is_secret
        if whole is None and not is_file:
            return f"{found} could be sent out as a part of other text"
        if not wanted.fits(whole[1] if whole else re.sub(r"\W", "_", token)):
            return f"{found} could be sent out: its name should say that it holds {wanted.what}"
    return ""


def dns_server(line: Line, context: Context) -> str:
    """Why this server of a DNS provider is refused: Caddy would send it the token, even that of another label."""
    if re.fullmatch(_DNS, line.place):
        found = next((token for token in line.arguments[1:] if "://" in token), "")
    elif re.fullmatch(f"{_DNS}/.+", line.place) and not _is_rfc2136(line):
        own = _OWN_SERVERS.get("".join(line.above[1:2]), "").split()
        found = next((token for token in line.arguments if _is_literal_server(line.name, token, own)), "")
    else:
        return ""
    return f"{found} would be sent the token" if found else ""


def _is_rfc2136(line: Line) -> bool:
    """Whether the provider is RFC 2136, which sends no token: it signs with its `key`."""
    return line.above[1:2] == ("rfc2136",)


def _is_literal_server(name: str, token: str, own: Collection[str]) -> bool:
    variable = _WHOLE.fullmatch(token)
    server = re.fullmatch(r"https://([\w.-]+)(?:/[\w./-]*)?", token)
    if server is not None and server[1] in own:
        return False
    if variable is not None and not variable[2]:
        return False
    if name not in SERVERS or not token:
        return "://" in token
    # `endpoint` may be the name of a region
    return name != "endpoint" or any(sign in token for sign in ".:/")
