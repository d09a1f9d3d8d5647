"""The label `caddy_status` of dockcaddy's own container: the status as a site.

    caddy_status: status.example.org
    caddy_status.basic_auth.admin: $2a$14$...

What the other labels say stands in front of it, as in any site. On other containers the label is one like `caddy_1`.
"""

from collections.abc import Iterable

from dockcaddy import Context, Label

SITE = "caddy_status"
# who is asked for a login, a certificate or an address
_GUARDS = (
    "basic_auth",
    "basicauth",
    "forward_auth",
    "authorize",
    "authenticate",
    "tls",
    "import",
    "abort",
    "handle",
    "route",
    "@",
)


def with_status(context: Context, labels: tuple[Label, ...], *, has_socket: bool) -> Iterable[Label]:
    """The labels, with the proxy to the socket."""
    site = next((each for each in labels if each.key == SITE), None)
    own = context.engine.caddy
    if site is None or own is None or own.id != context.resource.id:
        return labels
    if not has_socket:
        context.warn("status.socket is false, so there is nothing to serve here", site.origin)
        return labels
    inside = [each.key.removeprefix(f"{SITE}.") for each in labels if each.key.startswith(f"{SITE}.")]
    if not any(_name(each).startswith(_GUARDS) for each in inside):
        context.warn(
            f"everybody who reaches this site sees the status: ask for a login, like {site.origin}.basic_auth.NAME: HASH",
            site.origin,
        )
    proxy = Label(f"{SITE}.reverse_proxy", f"unix/{context.proxy.status_socket}", site.origin)
    return (*labels, proxy)


def _name(path: str) -> str:
    """The directive of `0_basic_auth.admin`."""
    number, _, rest = path.partition("_")
    return rest if number.isdecimal() else path
