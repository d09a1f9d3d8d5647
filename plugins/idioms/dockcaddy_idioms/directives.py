"""Idioms of the arguments of a directive."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set

from dockcaddy import UPSTREAM_DIRECTIVES, Label

from dockcaddy_idioms.places import above, is_directive, is_option, names_of
from dockcaddy_idioms.values import after_matcher, is_filled_in, plain_words, quoted, with_value

# by a key: whether an idiom is about the label
IsAbout = Callable[[str], bool]
# what the label's value becomes, None where it stays
Change = Callable[[Label], str | None]
# what the labels become, by all of them and the places of those that the idiom is about
Rewrite = Callable[[Sequence[Label], Collection[int]], Iterable[Label]]

# a status after a body, as Caddy reads it
_STATUS = re.compile(r"[1-9]\d\d")
_STATUS_OR_PLACEHOLDER = re.compile(r"[1-9]\d\d|\{.*\}")
_CODES = ("temporary", "permanent", "html")
# https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing
_POLICIES = frozenset(
    ("round_robin", "weighted_round_robin", "random_choose", "least_conn", "ip_hash", "client_ip_hash", "uri_hash")
)
_NETWORK = re.compile(r"(?:unix|tcp|udp|ip|fd)[a-z0-9+]*", re.IGNORECASE)
# a placeholder or an IPv6 address may contain characters that otherwise begin a path
_HOST = re.compile(r"(?:\{[^{}]*\}|\[[^\[\]]*\]|[^/?#\s{}\[\]])+")


def of(directive: str) -> IsAbout:
    """Whether a label's value are the arguments of the directive."""

    def is_about(key: str) -> bool:
        names = names_of(key)
        return names[-1] == directive and is_directive(names)

    return is_about


def by_words(change: Callable[[list[str]], list[str] | None]) -> Change:
    """A change of the words after the matcher."""

    def changed(label: Label) -> str | None:
        matcher, rest = after_matcher(plain_words(label.value))
        made = change(rest) if rest else None
        return None if made is None else " ".join([*matcher, *made])

    return changed


def respond(words: list[str]) -> list[str] | None:
    """`503 Service Unavailable` and `Service Unavailable 503`: a status and its text."""
    if len(words) < 2 or is_filled_in(words[0]):
        return None
    ends_with_status = bool(_STATUS_OR_PLACEHOLDER.fullmatch(words[-1]))
    if _STATUS.fullmatch(words[0]) and not (len(words) == 2 and ends_with_status):
        return [quoted(" ".join(words[1:])), words[0]]
    if ends_with_status:
        return [quoted(" ".join(words[:-1])), words[-1]] if len(words) > 2 else None
    return [quoted(" ".join(words))]


def redirect(words: list[str]) -> list[str] | None:
    """`301 https://example.org`: the status comes first, as in nginx."""
    if len(words) == 2 and _STATUS.fullmatch(words[0]) and not _STATUS.fullmatch(words[1]) and words[1] not in _CODES:
        return [words[1], words[0]]
    return None


def without_commas(words: list[str]) -> list[str] | None:
    """`gzip, zstd`: a list with commas."""
    if not any("," in word for word in words) or any("{" in word for word in words):
        return None
    return [piece for word in words for piece in word.split(",") if piece]


def upstreams(words: list[str]) -> list[str] | None:
    """`http://a:80/, http://b:80/`: commas between upstreams, and a trailing slash."""
    changed = []
    for word in words:
        bare = word.removesuffix(",")
        if "," in bare:
            return None
        scheme, sign, rest = bare.rpartition("://")
        if rest.endswith("/") and rest.count("/") == 1 and not _NETWORK.fullmatch(rest[:-1]):
            bare = scheme + sign + rest[:-1]
        changed.append(bare)
    return changed if changed != words else None


def is_policy(key: str) -> bool:
    """Whether the label's value begins with a policy's name."""
    names = names_of(key)
    return names[-1] == "lb_policy" and is_option(names, *UPSTREAM_DIRECTIVES)


def policy(label: Label) -> str | None:
    """`round-robin`: Caddy spells policies with underscores."""
    dashed = next(iter(label.value.split()), "")
    meant = dashed.replace("-", "_")
    return label.value.replace(dashed, meant, 1) if meant != dashed and meant in _POLICIES else None


_SWITCHES = frozenset(
    ("file_server", "encode", "templates", "metrics", "tls_insecure_skip_verify", "skip_log", "log_skip", "abort")
)
_ON, _OFF = frozenset(("true", "on", "yes")), frozenset(("false", "off", "no"))


def switch(labels: Sequence[Label], concerned: Collection[int]) -> Iterable[Label]:
    """A directive without arguments that is turned on or off by a truth value."""
    # few have any
    on = {place for place in concerned if _truth(labels[place]) in _ON}
    off = {labels[place].key for place in concerned if _truth(labels[place]) in _OFF}
    return _switched(labels, on, off) if on or off else labels


def _switched(labels: Sequence[Label], on: Collection[int], off: Set[str]) -> Iterator[Label]:
    sites = {label.key for label in labels if "." not in label.key and label.value.strip()}
    for place, label in enumerate(labels):
        if off and (label.key in off or not off.isdisjoint(above(label.key))):
            continue
        is_on = place in on and not _takes_anything(label.key, sites)
        yield with_value(label, "") if is_on else label


def _truth(label: Label) -> str:
    return label.value.strip().lower()


def is_switch(key: str) -> bool:
    """Whether a label's value would be arguments of a directive that takes none."""
    names = names_of(key)
    if names[-1] not in _SWITCHES or len(names) < 2:
        return False
    if names[-1] == "tls_insecure_skip_verify" and names[-2] == "transport":
        return is_option(names[:-1], *UPSTREAM_DIRECTIVES)
    return is_directive(names)


def _takes_anything(key: str, sites: set[str]) -> bool:
    """Whether Caddy ignores the arguments: of `templates`, and of the global option `metrics`."""
    names = names_of(key)
    return names[-1] == "templates" or (names[1:] == ("metrics",) and key.partition(".")[0] not in sites)


def forward_auth(labels: Sequence[Label], concerned: Collection[int]) -> Iterator[Label]:
    """A path in the URL of forward_auth, which Caddy expects as `uri`."""
    with_uri = {key for label in labels if names_of(label.key)[-1] == "uri" for key in above(label.key)}
    places = frozenset(concerned)
    for place, label in enumerate(labels):
        matcher, rest = after_matcher(plain_words(label.value)) if place in places else ([], [])
        server, path = _without_path(rest[0]) if len(rest) == 1 else ("", "")
        if not path:
            yield label
            continue
        yield with_value(label, " ".join([*matcher, server]))
        if label.key not in with_uri:
            yield Label(f"{label.key}.uri", path if path.startswith("/") else f"/{path}", label.origin)


def _without_path(url: str) -> tuple[str, str]:
    """The server and the path after it; `""` if there is no path, or if Caddy reads all of it as a network address."""
    scheme, sign, rest = url.rpartition("://") if "://" in url.partition("{")[0] else ("", "", url)
    host = _HOST.match(rest)
    if host is None or (not sign and _NETWORK.fullmatch(host[0])):
        return url, ""
    return scheme + sign + host[0], rest[host.end() :]
