"""The label `caddy_status` of dockcaddy's own container: the status as a site.

    caddy_status: status.example.org
    caddy_status.basic_auth.admin: $2a$14$...

It becomes a site like `caddy_1`, with a proxy to the socket. What the other labels say stands in front of it, as in any site.
"""

import re
from collections.abc import Iterable

from dockcaddy import Context, Label

SITE = "caddy_status"
# who is asked for a login, a certificate or an address
_GUARDS = ("basic_auth", "basicauth", "forward_auth", "authorize", "authenticate", "tls", "import", "abort", "@")
_NUMBER = re.compile(r"caddy_(\d+)(?:\.|\Z)")


def with_status(context: Context, labels: tuple[Label, ...], *, has_socket: bool) -> Iterable[Label]:
    """The labels, with those of the status and the proxy to its socket."""
    if SITE not in context.resource.labels:
        return labels
    given = {key: value for key, value in context.resource.labels.items() if key == SITE or key.startswith(f"{SITE}.")}
    own = context.engine.caddy
    if own is None or own.id != context.resource.id:
        context.warn("it has an effect on the container that dockcaddy and its Caddy run in only", SITE)
        return labels
    if not has_socket:
        context.warn("status.socket is false, so there is nothing to serve here", SITE)
        return labels
    inside = [_name(key.removeprefix(f"{SITE}.")) for key in given if key != SITE]
    if not any(each.startswith(_GUARDS) for each in inside):
        context.warn(
            f"everybody who reaches this site sees the status: ask for a login with {SITE}.basic_auth.NAME", SITE
        )
    site = f"caddy_{_unused(labels)}"
    made = [Label(f"{site}{key.removeprefix(SITE)}", value, key) for key, value in sorted(given.items())]
    return (*labels, *made, Label(f"{site}.reverse_proxy", f"unix/{context.proxy.status_socket}", SITE))


def _unused(labels: Iterable[Label]) -> int:
    """A number that no other site has."""
    return max((int(found[1]) for each in labels if (found := _NUMBER.match(each.key))), default=0) + 1


def _name(path: str) -> str:
    """The directive of `0_basic_auth.admin`."""
    number, _, rest = path.partition("_")
    return rest if number.isdecimal() else path
