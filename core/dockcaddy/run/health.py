"""Whether the `dockcaddy run` of this container is healthy: it runs, and so does its Caddy."""

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.run.own_admin import own_address
from dockcaddy.settings.table import Settings

# a Caddy that loads a large configuration answers late; in seconds
PATIENCE = 8.0
# the output to our own Caddy, which has no target
_OWN = "admin"


def check_caddy(settings: Settings) -> str:
    """What runs, in words. Raises CaddyUnreachable where our Caddy does not answer."""
    address = _own_caddy(settings)
    if not address:
        return "dockcaddy runs"
    client = AdminClient(address, timeout=PATIENCE, connect_timeout=PATIENCE)
    client.admin_settings()
    client.close()
    return f"dockcaddy runs, and caddy answers at {address}"


def _own_caddy(settings: Settings) -> str:
    """The admin address of the Caddy that dockcaddy starts, `""` where others start it."""
    is_server = settings.mode == "server"
    if not is_server and (settings.has_servers or settings.running_caddy or _OWN not in settings.output):
        return ""
    return own_address(settings, settings.state_path())
