"""New plain sites with certificates: Caddy obtains them at the first handshake, for the sites that are in the folder. Pure.

Caddy asks itself whether a host has a site, by a route that looks into the same folder, so that it needs nobody. What is in
the configuration keeps its certificates as they are: its names are listed in a policy of their own, in front of the one for
new names (https://caddyserver.com/docs/automatic-https#on-demand-tls).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve

from dockcaddy.caddyjson.certificates import INTERNAL
from dockcaddy.caddyjson.document import Document, Json, Route, Server
from dockcaddy.settings import limits

_HOST_PATTERN = r"^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$"
ASK_PATH = "/.well-known/dockcaddy/site"
_OWN_HOST = "127.0.0.1"
_ASKED = "{http.request.uri.query.domain}"
HOST = "{http.request.host}"
# so many labels a new name may have; a policy of Caddy names each number of them
_LABELS = range(2, 6)
# settings of a server
_OF_CERTIFICATES = frozenset(("automatic_https", "tls_connection_policies"))
# they get certificates from another place, or none
_IS_OTHER = re.compile(r"[\d.]+|.*:.*|.*\.ts\.net")


def is_secure(document: Document, server: Server) -> bool:
    """Whether a site that is added to this server gets a certificate, and nothing else changes for the others."""
    is_ordinary = server.ports == {str(document.https_port)} and _OF_CERTIFICATES.isdisjoint(server.settings)
    return is_ordinary and _can_ask(document)


def is_new_name(document: Document, host: str) -> bool:
    """Whether Caddy obtains a certificate for this host at the first handshake: of its kind it has obtained some."""
    if _IS_OTHER.fullmatch(host) or host.count(".") + 1 not in _LABELS:
        return False
    return any(is_internal(each) is is_internal(host) for each in _names(document))


def is_internal(host: str) -> bool:
    """Whether Caddy itself issues the certificate of a host, where no setting says otherwise."""
    return f".{host}".endswith(INTERNAL)


def with_certificates(document: Document, folders: Sequence[str]) -> Document:
    """The document, in which the hosts in these folders get certificates, and redirects from plain HTTP."""
    return _with_policies(_with_asked(document, folders))


def _can_ask(document: Document) -> bool:
    """Whether Caddy can ask itself at the port of plain HTTP, and its certificates are those that it obtains by itself."""
    automation = document.app("tls").get("automation") or {}
    policies = automation.get("policies") or ()
    plain = f":{document.http_port}"
    servers = [each for each in document.servers.values() if each.listens_at(document.http_port)]
    if automation.get("on_demand") or any(each.get("on_demand") for each in policies):
        return False
    if any(each.listen != [plain] or _OWN_HOST in each.hosts for each in servers):
        return False
    names = list(_names(document))
    is_fine = all(not _IS_OTHER.fullmatch(each) and "*" not in each and "{" not in each for each in names)
    return is_fine and len(names) <= limits.MAX_EXPRESS_CERTIFICATES


def _names(document: Document) -> Iterator[str]:
    """The names that Caddy may obtain certificates for."""
    port = str(document.http_port)
    yield from (document.app("tls").get("certificates") or {}).get("automate") or ()
    for server in document.servers.values():
        skipped = set(server.automatic_https.get("skip") or ())
        if server.ports != {port}:
            yield from (host for host in server.hosts if host not in skipped)


def _with_asked(document: Document, folders: Sequence[str]) -> Document:
    """The document with a server for plain HTTP that says which hosts have a site, and redirects these."""
    plain = f":{document.http_port}"
    found = next((name for name, each in document.servers.items() if each.listen == [plain]), "")
    logs = next((each.settings["logs"] for each in document.servers.values() if "logs" in each.settings), None)
    server = document.servers[found] if found else Server({"listen": [plain], **({"logs": logs} if logs else {})})
    routes = server.routes
    place = next((place for place, each in enumerate(routes) if not each.hosts), len(routes))
    routes = (*routes[:place], _asked(folders), _redirected(folders), *routes[place:])
    return evolve(document, servers={**document.servers, found or "express": evolve(server, routes=routes)})


def _asked(folders: Sequence[str]) -> Route:
    """The route that answers whether a host has a site, to Caddy only."""
    known = {"match": in_folders(folders, _ASKED), "handle": [_response(200)], "terminal": True}
    names = {"match": [is_name(_ASKED)], "handle": [{"handler": "subroute", "routes": [known]}]}
    match = {"path": [ASK_PATH], "remote_ip": {"ranges": [f"{_OWN_HOST}/32"]}}
    handle = [{"handler": "subroute", "routes": [names, {"handle": [_response(403)]}]}]
    return Route({"match": [match], "handle": handle, "terminal": True})


def _redirected(folders: Sequence[str]) -> Route:
    """The route that redirects these hosts, as Caddy does for hosts that it knows."""
    location = {"Location": [f"https://{HOST}{{http.request.uri}}"]}
    response = {**_response(308), "headers": location, "close": True}
    known = {"match": in_folders(folders, HOST), "handle": [response], "terminal": True}
    return Route({"match": [is_name(HOST)], "handle": [{"handler": "subroute", "routes": [known]}]})


def in_folders(folders: Iterable[str], host: str) -> list[Json]:
    """The matchers for a placeholder's hosts that have a file in one of these folders."""
    return [{"file": {"root": each, "try_files": [f"/{host}/*"]}} for each in folders]


def is_name(host: str) -> Json:
    """The matcher for a placeholder's hosts that are names, and neither a path nor another name of a folder."""
    return {"vars_regexp": {host: {"pattern": _HOST_PATTERN}}}


def _response(status: int) -> Json:
    return {"handler": "static_response", "status_code": status}


def _with_policies(document: Document) -> Document:
    tls = document.app("tls")
    automation = tls.get("automation") or {}
    policies: Sequence[Json] = automation.get("policies") or ()
    base = next((each for each in policies if not each.get("subjects")), {})
    named = [each for each in policies if each.get("subjects")]
    has_policy = {host for each in named for host in each["subjects"]}
    names = list(_names(document))
    # Caddy has a policy of its own for internal names
    public = sorted({each for each in names if not is_internal(each)} - has_policy)
    added: list[Json] = [{**base, "subjects": public}] if public else []
    if any(map(is_internal, names)):
        issuers = [{"module": "internal"}]
        suffixes = [f"{'.'.join('*' * count)}{name}" for name in INTERNAL for count in range(1, max(_LABELS))]
        added.append({**base, "issuers": issuers, "subjects": suffixes, "on_demand": True})
    if not all(map(is_internal, names)):
        added.append({**base, "subjects": [".".join(["*"] * count) for count in _LABELS], "on_demand": True})
    permission = {"module": "http", "endpoint": f"http://{_OWN_HOST}:{document.http_port}{ASK_PATH}"}
    given = [*named, *added, *([base] if base else [])]
    automation = {**automation, "policies": given, "on_demand": {"permission": permission}}
    return document.with_app("tls", {**tls, "automation": automation})
