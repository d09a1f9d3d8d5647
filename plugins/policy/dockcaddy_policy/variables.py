"""Where Caddy keeps an environment variable to itself, and where it would be sent to somebody."""

import re
from collections.abc import Callable, Collection

from attrs import frozen
from dockcaddy import Context, split_matcher

from dockcaddy_policy.folders import SECRETS_FOLDERS, is_mounted
from dockcaddy_policy.lines import ROUTES, Line
from dockcaddy_policy.options import TOP_OPTIONS
from dockcaddy_policy.placeholders import BRACES, FILE_OF_VARIABLE
from dockcaddy_policy.secret_names import looks_secret
from dockcaddy_policy.settings import PolicySettings
from dockcaddy_policy.unknown import chosen

_VARIABLE = re.compile(rf"\{{\$[^}}]*\}}?|{BRACES}env\.[^}}]*\}}?")
_WHOLE = re.compile(r"\{(?:\$|env\.)([\w.-]+)(?::([^{}]*))?\}")
# `{file.base}` and `{file.ext}` are parts of the request's path
_READS_FILE = re.compile(r"\{file\.(?!(?:base|ext)\})|\{[\\}]+file\.")
# files that are none, or never end
_NO_SECRETS = re.compile(r"\{file\.(?:/(?:proc|sys|dev)(?:/|\})|(?:.*/)?\.\.(?:/|\}))")
# what follows in a name of something that nobody may know
_SECRET = re.compile(r"PASS|PW|SECRET|TOKEN|KEY|CRED|AUTH|HASH|PRIV|SIGN|JWT|DSN|CODE|SALT|SEED", re.IGNORECASE)


@frozen
class Named:
    """Variables whose names end in one of the `words`: then they hold `what`, which everybody may know.

    More may follow, as in `EMAIL_ADDRESS`, but where it `is_sent` no `EMAIL_PASSWORD`. What `is_secret` may be a file of
    secrets too, and any number of them.
    """

    what: str
    words: str
    is_sent: bool = True
    is_secret: bool = False

    def fits(self, name: str) -> bool:
        """Whether a variable of this name may stand here."""
        found = re.match(f".*(?:{self.words})(?![a-z0-9])(.*)", name, re.IGNORECASE)
        return found is not None and not (self.is_sent and _SECRET.search(found[1]))


_ANY = Named("anything", "", is_sent=False, is_secret=True)
_NONE = Named("nothing", "(?!)")
_MAIL = Named("a mail address", "MAIL")
_KEY_ID = Named("a key's id", "KID|KEY_?ID")
_USER = Named("a user's name", "USER|NAME|LOGIN|MAIL")
_SERVER = Named("a URL", "URL|URI|CA|DIR|DIRECTORY|SERVER|ENDPOINT|ASK")
_FILE = Named("a path", "FILE|PATH|DIR|FOLDER|CERT|CERTIFICATE|CRT|PEM|(?:CERT|SSL|TLS)_?KEY|ROOT|CA", is_sent=False)
_HASH = Named("a hash", "HASH|HASHES|ALGORITHM|ALGO")
_MAIL_OR_FILE = Named("a mail address or a path", f"{_MAIL.words}|{_FILE.words}")

_ISSUER = "(?:(?:tls/)?issuer|cert_issuer)"
_DNS = f"(?:(?:(?:tls|ech|{_ISSUER})/)?dns|acme_dns|dynamic_dns/provider)"
# By place, or place and first argument: how the variables in its arguments are named; what follows is another option,
# if it is not `_ANY`. What goes to a server that another label may have chosen (a CA) is named; what only
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
        _DNS: (_NONE, _ANY),
        f"{_DNS}/.+": (_ANY,),
        f"(?:(?:{'|'.join(sorted(ROUTES))})/)*reverse_proxy/lb_policy cookie": (_NONE, _NONE, _ANY),
    }.items()
]
_BASIC_AUTH = ("basic_auth", "basicauth")
_ALGORITHMS = ("bcrypt", "argon2", "scrypt")
# of a storage, and of what else is no part of Caddy, the label names the server too: only what is named for it goes there
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

# options that are a server even where no URL stands in them
_SERVER_OPTIONS = """
    server server_url endpoint endpoint_url url uri api_url api_uri base_url base_uri host hostname api_host
    address addr api_address api_endpoint api_base auth_url auth_endpoint proxy proxy_url
"""
SERVERS = tuple(_SERVER_OPTIONS.split())
# what the documentation of a provider says to write, by what the provider is called
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
    """Why a variable may not stand in this line."""
    settings = context.settings(PolicySettings)
    found = [match[0] for token in line.tokens if "{" in token for match in _VARIABLE.finditer(token)]
    if not found:
        return ""
    if settings.environment == "none":
        return f'labels hold no variables, as [policy] environment = "none" says: {found[0]}'
    secrets = [each for each in found if _is_secret(each, settings.secrets)]
    is_guarded = settings.environment == "guarded" and secrets != []
    wrong = _misplaced(line, secrets[0], lambda token: _first_secret(token, settings.secrets)) if is_guarded else ""
    return wrong or chosen(line, context)


def file_placeholder(line: Line, context: Context) -> str:
    """Why a file may not be read here, as a secret or at all."""
    found = next(filter(_READS_FILE.search, line.tokens), "")
    if not found:
        return ""
    if context.settings(PolicySettings).environment == "none":
        return f'labels read no files, as [policy] environment = "none" says: {found}'
    if _NO_SECRETS.search(found) or _is_of_resource(found, context):
        return f"{found} is no file of secrets"
    return _misplaced(line, found, lambda token: token if _READS_FILE.search(token) else "")


def _is_of_resource(token: str, context: Context) -> bool:
    """Whether the resource has the file mounted: then it need not be one, and Caddy would wait for its end."""
    path = token.removeprefix("{file.").removesuffix("}")
    return path.startswith("/") and not path.startswith(SECRETS_FOLDERS) and is_mounted(path, context)


def _is_secret(variable: str, secrets: tuple[str, ...]) -> bool:
    whole = _WHOLE.fullmatch(variable)
    # what is spelled like nobody spells it is not what it seems
    return whole is None or looks_secret(whole[1], secrets)


def _first_secret(token: str, secrets: tuple[str, ...]) -> str:
    return next((match[0] for match in _VARIABLE.finditer(token) if _is_secret(match[0], secrets)), "")


def _misplaced(line: Line, found: str, secret_in: Callable[[str], str]) -> str:
    """Why what is found may not stand in this line: Caddy would not keep it to itself."""
    inside = line.path[-1:] != () and line.path[-1] in _BASIC_AUTH and ROUTES.issuperset(line.path[:-1])
    names = (_USER, _ANY) if inside else _names_of_arguments(line)
    if names is None or (not inside and secret_in(line.name)):
        return f"{found} could be sent out"
    if _is_rfc2136(line) and line.name != "key":
        return f"{found} would be sent to the server"
    return _first_wrong(line.tokens if inside else line.arguments, names, secret_in)


def _names_of_arguments(line: Line) -> tuple[Named, ...] | None:
    if line.name in _BASIC_AUTH and ROUTES.issuperset(line.path):
        return _names_of_login(line.arguments)
    if line.place == "storage":
        return (_NONE, _named_for("".join(line.arguments[:1]), "STORAGE|CADDY|CERT"))
    if line.place.startswith("storage/"):
        return (_named_for("".join(line.above[1:2]), "STORAGE|CADDY|CERT"),)
    app = line.path[1] if line.is_global and len(line.path) > 1 else ""
    if app == "security" or (app.isidentifier() and app not in (*TOP_OPTIONS, "dynamic_dns")):
        return (_named_for(app),)
    places = (line.place, " ".join((line.place, *line.arguments[:1])))
    return next((names for place, names in _KEPT if any(map(place.fullmatch, places))), None)


def _names_of_login(words: tuple[str, ...]) -> tuple[Named, ...]:
    """Of `basic_auth [MATCHER] [ALGORITHM [REALM]]`: every client sees the realm, unless Caddy takes none of it."""
    matcher, rest = split_matcher(words)
    is_taken = not rest or _could_be_algorithm(rest[0])
    return (*((_NONE,) if matcher else ()), _HASH, _NONE if is_taken else _HASH)


def _could_be_algorithm(word: str) -> bool:
    """Whether Caddy may take the word for an algorithm: it is one, or is put together, or given to a snippet."""
    is_open = "{" in word and re.fullmatch(r"\{\$\w+\}|\{env\.\w+\}", word) is None
    return is_open or any(algorithm in word.lower() for algorithm in _ALGORITHMS)


def _named_for(module: str, others: str = "(?!)") -> Named:
    words = _NAMES_OF.get(module.lower(), re.escape(module) or "(?!)")
    return Named(f"a secret of {module}", rf"(?:^|_|\b)(?:{others}|{words})\w*", is_sent=False, is_secret=True)


def _first_wrong(tokens: tuple[str, ...], names: tuple[Named, ...], secret_in: Callable[[str], str]) -> str:
    for at, token in enumerate(tokens):
        found = secret_in(token)
        if not found:
            continue
        wanted = names[at] if at < len(names) else names[-1] if names[-1].is_secret else _NONE
        whole = _WHOLE.fullmatch(token)
        is_file = FILE_OF_VARIABLE.fullmatch(token) is not None and wanted.is_secret
        if whole is None and not is_file:
            return f"{found} could be a part of what is sent out"
        if not wanted.fits(whole[1] if whole else re.sub(r"\W", "_", token)):
            return f"{found} could be sent out, by its name it should hold {wanted.what}"
    return ""


def dns_server(line: Line, context: Context) -> str:
    """Why a DNS provider may not have this server: it would be sent the token, also one of another label."""
    if re.fullmatch(_DNS, line.place):
        found = next((token for token in line.arguments[1:] if "://" in token), "")
    elif re.fullmatch(f"{_DNS}/.+", line.place) and not _is_rfc2136(line):
        own = _OWN_SERVERS.get("".join(line.above[1:2]), "").split()
        found = next((token for token in line.arguments if _is_literal_server(line.name, token, own)), "")
    else:
        return ""
    return f"{found} would be sent the token" if found else ""


def _is_rfc2136(line: Line) -> bool:
    """Whether it belongs to the one provider that sends no token: it signs with its `key`."""
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
    # `endpoint` may be a region's name
    return name != "endpoint" or any(sign in token for sign in ".:/")
