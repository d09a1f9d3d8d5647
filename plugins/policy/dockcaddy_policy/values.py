"""Checks of single values in Caddy's JSON: addresses, folders, log files, durations, expressions."""

import json
import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from math import inf
from typing import Any

from attrs import frozen
from dockcaddy import Context

from dockcaddy_policy.addresses import parsed, wrong_listener, wrong_port, wrong_upstream, wrong_url
from dockcaddy_policy.expressions import wrong_expression
from dockcaddy_policy.folders import request_placeholder, wrong_log, wrong_storage
from dockcaddy_policy.unknown import filled, log_path, wrong_address, wrong_folder

_SECOND = 1_000_000_000
# a site's own log; other logs are everybody's
_OF_A_SITE = "http.log.access."
# the addresses of the internet; more than an eighth of them counts as everybody
_ADDRESSES, _ADDRESSES_6 = IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3")
_SHARE = 8


@frozen
class Place:
    """Where a value stands: whose it is, and the hosts of its route (none where every host is meant)."""

    context: Context
    hosts: tuple[str, ...] = ()


Reason = Callable[[Any, Place], str]


@frozen
class Check:
    """A check of a value for a rule: the reason why it is refused, `""` where it is allowed."""

    rule: str
    reason: Reason


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return () if value is None else (str(value),)


def _of_each(check: Callable[[str, Context], str]) -> Reason:
    """The check of each of some words."""
    return lambda value, place: next(filter(None, (check(word, place.context) for word in _words(value))), "")


def _upstream(word: str, context: Context) -> str:
    text = word
    if "{" in word:
        own = f"{{file.{context.proxy.address_folder}/"
        # dockcaddy writes addresses to these files
        text = re.sub(rf"{re.escape(own)}[\w.-]+\}}", "sample", word)
    return wrong_address(text) or wrong_upstream(filled(re.sub(r":\{env\.\w+\}$", ":80", text)), context)


def _dynamic(source: Any, place: Place) -> str:
    return _upstream(f"{source.get('name', '')}:{source.get('port') or 80}", place.context)


def _port(port: str, context: Context) -> str:
    return wrong_port(port, context.proxy)


def _health_port(port: Any, place: Place) -> str:
    return wrong_upstream(f"localhost:{port}", place.context)


def _url(url: str, context: Context) -> str:
    return wrong_address(url) or ("" if filled(url, "") == "" else wrong_url(filled(url), context))


def _certificate_url(url: str, context: Context) -> str:
    # ACME servers send Caddy further URLs to call
    plain = url.strip().lower().startswith("http://")
    return _url(url, context) or (f"{url} could be any server: certificates need https" if plain else "")


def _listener(address: str, context: Context) -> str:
    found = parsed(address)
    if found.is_ip and found.host:
        return f"{address}: other sites would be unreachable at that address"
    return wrong_listener(address, context.proxy)


def _root(path: Any, place: Place) -> str:
    return wrong_folder(str(path), place.context)


def _chosen(path: Any, place: Place) -> str:
    found = request_placeholder(filled(str(path)), place.hosts)
    return f"the folder is not known beforehand: {found}" if found else ""


def _variables(values: Any, place: Place) -> str:
    """Of the variables of a site, that with the name `root` is the folder of its files."""
    return next((f"{name} could become the root" for name in values if "{" in name), "")


def _log(log: Any, place: Place) -> str:
    writer = log.get("writer") or {}
    if writer.get("output") != "file":
        return ""
    path = str(writer.get("filename") or "")
    if not log_path(path):
        return f"by its name {path} could be any folder"
    return wrong_log(log_path(path), place.context.proxy, is_global=_is_global(log))


def _shared_log(log: Any, place: Place) -> str:
    writer = (log.get("writer") or {}).get("output") or "stderr"
    return "it would affect every site" if _is_global(log) and writer not in ("stderr", "stdout", "file") else ""


def _is_global(log: Any) -> bool:
    return not any(str(each).startswith(_OF_A_SITE) for each in log.get("include") or ())


def _default_log(logs: Any, place: Place) -> str:
    includes = (logs.get("default") or {}).get("include") or ()
    return "the log default: it would affect every site" if includes else ""


def _storage(storage: Any, place: Place) -> str:
    return wrong_storage(str(storage["root"]), place.context.proxy) if storage.get("root") else ""


def _expression(value: Any, place: Place) -> str:
    text = str(value.get("expr", "") if isinstance(value, dict) else value)
    has_hosts = place.hosts != () and not any("*" in host or "{" in host for host in place.hosts)
    return wrong_expression(text, place.context, has_hosts=has_hosts)


def _everybody(value: Any, place: Place) -> str:
    # ranges, or sources with ranges
    words = re.findall(r'"([^"]*)"', json.dumps(value))
    return "it would trust every visitor" if _include_everybody(words) else ""


def _include_everybody(words: Iterable[str]) -> bool:
    """Whether the IP ranges among the words together include a large part of the internet."""
    ranges = [found for word in words if (found := _range(word))]
    fours = collapse_addresses(each for each in ranges if isinstance(each, IPv4Network))
    sixes = collapse_addresses(each for each in ranges if isinstance(each, IPv6Network))
    held = sum(each.num_addresses for each in fours)
    held_6 = sum(min(each.num_addresses, _ADDRESSES_6.num_addresses) for each in sixes if each.overlaps(_ADDRESSES_6))
    return held * _SHARE > _ADDRESSES.num_addresses or held_6 * _SHARE > _ADDRESSES_6.num_addresses


def _range(word: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        return None


def _client_authentication(policies: Any, place: Place) -> str:
    everybody = any("client_authentication" in each and not each.get("match") for each in policies or ())
    return "client_auth: it would affect every site" if everybody else ""


def always(reason: str) -> Reason:
    """Refuses whatever there is."""
    return lambda value, place: reason


def unless(allowed: Callable[[Any], bool]) -> Check:
    """Refuses an option of everybody whose value is not allowed."""
    return Check("global-options", lambda value, place: "" if allowed(value) else "it would affect every site")


def seconds(least: float, most: float = inf) -> Check:
    """Allows a duration in this range; 0 is Caddy's default."""
    return unless(lambda value: value == 0 or (_is_number(value) and least <= value / _SECOND <= most))


def amount(least: float, most: float) -> Check:
    """Allows a number in this range; 0 is Caddy's default."""
    return unless(lambda value: value == 0 or (_is_number(value) and least <= value <= most))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


ADMIN = Check("admin", always("it belongs to the operator"))
CERTIFICATE_URL = Check("urls", _of_each(_certificate_url))
CLIENT_AUTHENTICATION = Check("global-options", _client_authentication)
DEFAULT_LOG = Check("global-options", _default_log)
DYNAMIC = Check("upstreams", _dynamic)
EXPRESSION = Check("expressions", _expression)
FILE_SYSTEM = Check("chosen-roots", lambda name, place: f"a visitor could choose {name}" if "{" in str(name) else "")
HEALTH_PORT = Check("upstreams", _health_port)
LISTENER = Check("listeners", _of_each(_listener))
LOG = Check("log-files", _log)
NEVER = unless(lambda value: False)
PORT = Check("listeners", _of_each(_port))
PROGRAMS = Check("programs", always("it runs programs with Caddy's rights"))
# gRPC needs h2
PROTOCOLS = unless(lambda value: {"h1", "h2"}.issubset(value or ()))
RANGES = Check("global-options", _everybody)
ROOT = (Check("roots", _root), Check("chosen-roots", _chosen))
SECRETS_LOG = Check("log-files", always("it would log the keys of TLS connections"))
SHARED = Check("shared-options", always("it would affect every site"))
SHARED_LOG = Check("global-options", _shared_log)
SRV = Check("upstreams", always("the ports of SRV records are not known beforehand"))
STORAGE = Check("storage", _storage)
# without it, a site's client certificates can be avoided with the host name of another site
STRICT_SNI = unless(lambda value: value is not False)
TEMPLATES = Check("templates", always("Caddy's templates can read its environment and its files"))
UNLESS_SET = unless(lambda value: not value)
UPSTREAM = Check("upstreams", _of_each(_upstream))
URL = Check("urls", _of_each(_url))
VARIABLES = Check("roots", _variables)
