"""What Caddy takes and everybody would then suffer from: found, or made harmless."""

from collections.abc import Collection

from dockcaddy.hazards.certificates import with_own_certificates
from dockcaddy.hazards.connections import with_own_connections
from dockcaddy.hazards.error_pages import with_own_errors
from dockcaddy.hazards.harm import Hazard, hazards
from dockcaddy.hazards.lines import harmful_lines
from dockcaddy.hazards.log_servers import with_patience
from dockcaddy.hazards.own_addresses import is_loopback_of_another
from dockcaddy.hazards.redirects import with_own_redirects
from dockcaddy.hazards.trust import without_installed_trust

__all__ = ["Hazard", "harmful_lines", "hazards", "is_loopback_of_another", "made_safe"]


def made_safe(config: bytes, everybodys: Collection[str] = ()) -> bytes:
    """The configuration (JSON), in which no site waits for, answers for, shuts out or takes a certificate from another.

    The same bytes where nothing is to be changed. What is said for the hosts `everybodys` is meant for all.
    """
    config = without_installed_trust(with_patience(config))
    config = with_own_connections(with_own_certificates(config), everybodys)
    return with_own_redirects(with_own_errors(config, everybodys), everybodys)
