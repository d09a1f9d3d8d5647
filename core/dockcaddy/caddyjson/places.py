"""Which part of a configuration Caddy's message is about. Pure.

Caddy sets up one module within another. Its message names the way to the one that it refuses, such as
`loading http app module: provision http: server srv0: setting up route handlers: route 3: loading handler modules: position 0`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

# what Caddy says as it goes on to a part, by a name, and the keys of what the part is in
_STEPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "log": (r"setting up custom log '(?P<log>[^']+)'", ("logging", "logs")),
    "default_log": (r"setting up (?P<default_log>default) log", ("logging", "logs")),
    "app": (r"loading (?P<app>\w+) app module", ("apps",)),
    "server": (r"\bserver (?P<server>.+?): setting up", ("servers",)),
    "route": (r"(?:route handlers|route matchers|subroutes): route (?P<route>\d+)", ("routes",)),
    "error": (r"error handling routes: route (?P<error>\d+)", ("errors", "routes")),
    "connection": (r": connection policy (?P<connection>\d+)", ("tls_connection_policies",)),
    "automation": (r"provisioning automation policy (?P<automation>\d+)", ("automation", "policies")),
    "certificates": (r"loading (?P<certificates>certificates)", ()),
    "handler": (r"loading handler modules: position (?P<handler>\d+)", ("handle",)),
    "matcher": (r"loading matcher modules: module name '(?P<matcher>\w+)'", ("match",)),
}
_STEP = re.compile("|".join(pattern for pattern, _ in _STEPS.values()))
# all that Caddy says from one step to the next before it is within a part of one site
_BETWEEN = re.compile(
    r"(?:loading (?:new )?config: )*|: provision \w+: (?:getting tls app: )?| (?:TLS connection policies)?"
)
_FIRST = frozenset(("log", "default_log", "app"))
# parts that can be left out, and nothing else changes
_REMOVABLE = frozenset(("log", "default_log", "route", "error", "connection", "automation"))

Path = tuple[str | int, ...]


@frozen
class Place:
    """A part of a configuration: the innermost one on the way that Caddy names.

    `hosts` are those that it is for; before them come those of the parts around it. `names` has the name of the named route
    that it is in. `removable` is the path to what can be left out for it, if anything.
    """

    path: Path = ()
    part: Any = None
    hosts: tuple[frozenset[str], ...] = ()
    names: frozenset[str] = field(factory=frozenset)
    removable: Path = ()

    @classmethod
    def of(cls, words: str, config: Any) -> "Place":
        """The place that a message of Caddy's names in a decoded configuration.

        What follows is what Caddy quotes, also from labels: it leads no farther than within the part of their own site.
        """
        path: Path = ()
        part, hosts, removable, end = config, list[frozenset[str]](), path, 0
        for step in _STEP.finditer(words):
            name = str(step.lastgroup)
            if name in _FIRST if removable else not _BETWEEN.fullmatch(words, end, step.start()):
                break
            end = step.end()
            if name == "server" and (route := _named_route(words[step.start() :], part)):
                return cls(path, part, (), frozenset((route,)))
            before = () if name in _FIRST else path
            try:
                further = (*before, *_key(name, step[name], part))
                part = _at(config, further)
            except (LookupError, TypeError):
                break
            path = further
            if found_hosts := _hosts_of_log(config, path) if name == "log" else _hosts(part):
                hosts.append(found_hosts)
            removable = path if name in _REMOVABLE else removable
        return cls(path, part, tuple(hosts), frozenset(), removable)

    def removed_from(self, config: Any) -> bool:
        """Leave it out of the configuration that it is in: only what it is for stays. Returns whether that changes anything."""
        if not self.removable:
            return False
        around, key = _at(config, self.removable[:-1]), self.removable[-1]
        kept = {name: around[key][name] for name in ("subjects",) if name in around[key]}
        if around[key] == kept:
            return False
        around[key] = kept
        return True

    def within(self, config: Any) -> Any:
        """What another configuration has at the same path; None where there is nothing."""
        try:
            return _at(config, self.path)
        except (LookupError, TypeError):
            return None


def values_in(part: Any) -> Iterator[str]:
    """Every text and number within a decoded part, and every key."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield key
            yield from values_in(value)
    elif isinstance(part, list):
        for each in part:
            yield from values_in(each)
    elif part is not None:
        yield str(part)


def _key(name: str, said: str, part: Any) -> Path:
    """The path from a part to the one that Caddy goes on to."""
    keys = _STEPS[name][1]
    if name == "matcher":
        having = [place for place, each in enumerate(part["match"]) if said in each]
        # which one it was is not said
        return (*keys, *having, said) if len(having) == 1 else ()
    if name in ("log", "default_log", "app", "server", "certificates"):
        return (*keys, said)
    return (*keys, int(said))


def _named_route(words: str, http: Any) -> str:
    """The named route that a message begins with, `""` for none. It may be named like anything else that Caddy says."""
    for name, server in (http.get("servers") or {}).items():
        for route in server.get("named_routes") or ():
            # Caddy 2.11 has the names in the wrong order
            if words.startswith(
                tuple(f"server {a}: setting up named route '{b}'" for a, b in ((route, name), (name, route)))
            ):
                return str(route)
    return ""


def _at(config: Any, path: Path) -> Any:
    for key in path:
        config = config[key]
    return config


def _hosts(part: Any) -> frozenset[str]:
    """The hosts that a route or a policy is for."""
    if not isinstance(part, Mapping):
        return frozenset()
    match = part.get("match") or ()
    matches = match if isinstance(match, list) else [match] if match else []
    named = (host for each in matches for key in ("host", "sni") for host in each.get(key) or ())
    return frozenset((*named, *(part.get("subjects") or ())))


def _hosts_of_log(config: Any, path: Path) -> frozenset[str]:
    servers = ((config.get("apps") or {}).get("http") or {}).get("servers") or {}
    names = ((server.get("logs") or {}).get("logger_names") or {} for server in servers.values())
    return frozenset(host for each in names for host, loggers in each.items() if path[-1] in loggers)
