"""Labels that have no effect although their author expects one. Pure.

They are no errors: each is a warning with what to write.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from attrs import frozen

from dockcaddy.caddyfile import SITE_DIRECTIVES
from dockcaddy.compile.template_hints import Signatures, misread_addresses, unbraced
from dockcaddy.engine.records.ignored_labels import Oversight, first_name, ignored
from dockcaddy.engine.records.label_keys import Keys, once, under
from dockcaddy.engine.records.stopped import CHOICES
from dockcaddy.engine.records.stopped import LABEL as WHEN_STOPPED

# options of a proxy that name upstreams, or may
_SOURCES = frozenset(("to", "dynamic", "import"))
_PROXY = frozenset(("reverse_proxy",))
_TO_UPSTREAMS = frozenset(("reverse_proxy", "php_fastcgi", "to"))
_LOCAL = re.compile(r"(?<!\S)(?:[a-z0-9+]+://)?(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?(?!\S)")
_LOGINS = frozenset(("basic_auth", "basicauth"))
_BCRYPT = re.compile(r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}")
# Caddy comes to them after `try_files`: https://caddyserver.com/docs/caddyfile/directives#directive-order
_TRYING = frozenset(("try_files",))
_FILES = frozenset(("file_server",))
_AFTER_TRYING = frozenset(("reverse_proxy", "php_fastcgi", "handle", "handle_path", "route", "respond"))

# what Caddy 2.11 still reads, and what it is called now
_DEPRECATED = {
    "basicauth": "basic_auth",
    "skip_log": "log_skip",
    "health_path": "health_uri",
    "trusted_ca_cert": "trust_pool",
    "trusted_ca_cert_file": "trust_pool",
    "tls_trusted_ca_certs": "tls_trust_pool",
    "forward_proxy_url": "network_proxy",
}


@frozen
class Site:
    """`PREFIX` or `PREFIX_1`, and what its keys alone tell.

    `proxies` are the keys of proxies, each with whether an option may name upstreams. `to_upstreams` are those whose values
    are upstreams, `logins` those with passwords. Those `tried` are of `try_files` beside a `file_server`, and Caddy comes to those `after` them later. It `is_bare`
    where another resource has to define what the site does.
    """

    head: str
    is_bare: bool
    proxies: Sequence[tuple[str, bool]]
    to_upstreams: Sequence[str]
    logins: Sequence[str]
    tried: Sequence[str]
    after: Sequence[str]
    forgotten: Sequence[Oversight]
    deprecated: Sequence[Oversight]


@once
def sites(labels: Keys, prefix: str) -> Sequence[Site]:
    """The sites that these keys are about."""
    beneath: dict[str, list[str]] = {}
    for key in under(labels, prefix):
        head = prefix + key[len(prefix) :].partition(".")[0]
        keys = beneath.setdefault(head, [])
        if key != head:
            keys.append(key)
    return [
        Site(
            head,
            head in labels and not keys,
            [(key, _has_source(labels, key)) for key in _ending(keys, _PROXY)],
            _ending(keys, _TO_UPSTREAMS),
            [key for key in keys if not _LOGINS.isdisjoint(map(first_name, key.split(".")[1:]))],
            _beneath(head, keys, _TRYING) if _beneath(head, keys, _FILES) else [],
            _beneath(head, keys, _AFTER_TRYING),
            [] if head in labels else _forgotten(head, keys),
            _deprecated(keys, head),
        )
        for head, keys in beneath.items()
    ]


def in_labels(
    labels: Mapping[str, str], prefix: str, signatures: Signatures, *, beside_caddy: bool = False
) -> Iterator[Oversight]:
    """Probable mistakes in the labels under the prefix, and labels that only look as if they were under it.

    `signatures` are those of the template functions. Those of a resource that is `beside_caddy` are read by a Caddy in another
    container, with another `localhost`.
    """
    found = sites(tuple(labels), prefix)
    for site in found:
        for key in site.to_upstreams:
            if meant := unbraced(labels[key], signatures):
                yield Oversight(key, f"it is taken for names of hosts: write {meant}")
            if beside_caddy and (local := _LOCAL.search(labels[key])):
                remedy = "for this one write {{upstreams PORT}}, with the port inside it"
                yield Oversight(key, f'"{local[0]}" is the container that Caddy runs in: {remedy}')
        for key in site.logins:
            if _is_damaged(labels[key]):
                remedy = "in a Compose file write $$ for each $, elsewhere one $"
                yield Oversight(key, f"the hash of the password is not whole, so nobody can log in: {remedy}")
    yield from ignored(labels, prefix)
    chosen = labels.get(WHEN_STOPPED)
    if chosen is not None and chosen.strip().lower() not in CHOICES:
        yield Oversight(WHEN_STOPPED, f'"{chosen}" is none of {", ".join(CHOICES)}: the setting --when-stopped counts')
    for site in found:
        yield from site.forgotten
        address = labels.get(site.head, "")
        for word, instead in misread_addresses(address) if "{{" not in address else ():
            yield Oversight(site.head, f'"{word}" is taken for the name of a host: {instead}')
        for key, has_source in site.proxies:
            if why := _without_upstreams(key, labels[key].strip(), has_source):
                yield Oversight(key, why)
        yield from _rewritten(site, labels)
        yield from site.deprecated


def _is_damaged(value: str) -> bool:
    """Whether it ends with something that only begins like a hash of bcrypt: a part of it was taken for a variable."""
    last = value.rpartition(" ")[2]
    return last.startswith(("$2", "$$2")) and _BCRYPT.fullmatch(last) is None


def _ending(keys: Sequence[str], names: frozenset[str]) -> Sequence[str]:
    """The keys that end in one of these names."""
    return [key for key in keys if first_name(key.rpartition(".")[2]) in names]


def _beneath(head: str, keys: Sequence[str], names: frozenset[str]) -> Sequence[str]:
    """The keys of directives of these names that are in no block of the site."""
    return [key for key in keys if "." not in (name := key[len(head) + 1 :]) and first_name(name) in names]


def _rewritten(site: Site, labels: Mapping[str, str]) -> Iterator[Oversight]:
    """Directives with a path that no request has any more: `try_files` has no matcher and comes first."""
    for key in site.tried:
        last = labels[key].rpartition(" ")[2].partition("?")[0]
        for other in site.after:
            path = labels[other].partition(" ")[0]
            if last.startswith("/") and "{" not in last and path.startswith("/") and not _is_at(last, path):
                remedy = f"put this into {site.head}.handle_0: {path}, and try_files and file_server into {site.head}.handle_1"
                yield Oversight(
                    other, f"no request comes to it, because try_files makes {last} of its paths first: {remedy}"
                )


def _is_at(path: str, pattern: str) -> bool:
    return path.startswith(pattern.partition("*")[0]) if "*" in pattern else path == pattern


def _has_source(labels: Keys, key: str) -> bool:
    return any(first_name(each[len(key) + 1 :]) in _SOURCES for each in labels if each.startswith(f"{key}."))


def _without_upstreams(key: str, value: str, has_source: bool) -> str:
    """What to say of `reverse_proxy: 8080`, where Caddy takes the number for a host, and of a proxy without upstreams."""
    if value.isdecimal():
        return f'"{value}" is taken for the name of a host: write {{{{upstreams {value}}}}}'
    return "" if value or has_source else f'it names no upstream: write {key}: "{{{{upstreams PORT}}}}"'


def _forgotten(head: str, keys: Sequence[str]) -> Sequence[Oversight]:
    message = f'without a label "{head}" it is taken for a global option: name the site, {head}: app.example.org'
    meant = (key for key in keys if first_name(key[len(head) + 1 :]) in SITE_DIRECTIVES)
    return [Oversight(key, message) for key in islice(meant, 1)]


def _deprecated(keys: Sequence[str], head: str) -> Sequence[Oversight]:
    """Directives and options that Caddy has renamed. Its own warning names no label."""
    found = []
    named: set[tuple[str, ...]] = set()
    for key in keys:
        parts = key[len(head) + 1 :].split(".")
        for place, name in enumerate(map(first_name, parts), start=1):
            if name in _DEPRECATED and (at := (head, *parts[:place])) not in named:
                named.add(at)
                found.append(Oversight(key, f"{name} is deprecated in caddy: write {_DEPRECATED[name]}"))
    return found
