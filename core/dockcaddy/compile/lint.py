"""Labels that have no effect although their author expects one. Pure.

They are no errors: each is a warning with what to write.
"""

from collections.abc import Iterator, Mapping, Sequence

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


def in_labels(labels: Mapping[str, str], prefix: str) -> Iterator[Oversight]:
    """Probable mistakes in the labels under the prefix, and labels that only look as if they were under it."""
    yield from ignored(labels, prefix)
    chosen = labels.get(WHEN_STOPPED)
    if chosen is not None and chosen.strip().lower() not in CHOICES:
        yield Oversight(WHEN_STOPPED, f'"{chosen}" is none of {", ".join(CHOICES)}: the setting --when-stopped counts')
    for head, keys in _by_site(tuple(labels), prefix).items():
        if head not in labels:
            yield from _forgotten_site(head, keys)
        for word, instead in misread_addresses(labels.get(head, "")) if "{{" not in labels.get(head, "") else ():
            yield Oversight(head, f'"{word}" is taken for the name of a host: {instead}')
        yield from _proxies_without_upstreams(labels, keys)
        yield from _deprecated(keys, head)


def without_braces(labels: Mapping[str, str], prefix: str, signatures: Signatures) -> Iterator[Oversight]:
    """Proxies whose upstreams are a template without its braces: `upstreams 80`, or `/api/* upstreams 80`."""
    for keys in _by_site(tuple(labels), prefix).values():
        for key in _ending(keys, _TO_UPSTREAMS):
            if meant := unbraced(labels[key], signatures):
                yield Oversight(key, f"it is taken for names of hosts: write {meant}")


def bare_sites(labels: Mapping[str, str], prefix: str) -> frozenset[str]:
    """The site labels without directives: another resource has to define what the site does."""
    return frozenset(head for head, keys in _by_site(tuple(labels), prefix).items() if head in labels and not keys)


@once
def _by_site(labels: Keys, prefix: str) -> Mapping[str, Keys]:
    """Each `PREFIX` and `PREFIX_1` with the keys under it."""
    sites: dict[str, list[str]] = {}
    for key in under(labels, prefix):
        head = prefix + key[len(prefix) :].partition(".")[0]
        keys = sites.setdefault(head, [])
        if key != head:
            keys.append(key)
    return {head: tuple(keys) for head, keys in sites.items()}


@once
def _ending(keys: Keys, names: frozenset[str]) -> Sequence[str]:
    """The keys that end in one of these names."""
    return [key for key in keys if first_name(key.rpartition(".")[2]) in names]


def _proxies_without_upstreams(labels: Mapping[str, str], keys: Keys) -> Iterator[Oversight]:
    """`reverse_proxy: 8080`, where Caddy takes the number for a host, and a proxy without upstreams."""
    for key in _ending(keys, _PROXY):
        value = labels[key].strip()
        if value.isdecimal():
            yield Oversight(key, f'"{value}" is taken for the name of a host: write {{{{upstreams {value}}}}}')
        elif not value and not any(
            first_name(each[len(key) + 1 :]) in _SOURCES for each in labels if each.startswith(f"{key}.")
        ):
            yield Oversight(key, f'it names no upstream: write {key}: "{{{{upstreams PORT}}}}"')


def _forgotten_site(head: str, keys: Sequence[str]) -> Iterator[Oversight]:
    for key in keys:
        if first_name(key[len(head) + 1 :]) in SITE_DIRECTIVES:
            yield Oversight(
                key, f'without a label "{head}" it is taken for a global option: name the site, {head}: app.example.org'
            )
            return


@once
def _deprecated(keys: Keys, head: str) -> Sequence[Oversight]:
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
