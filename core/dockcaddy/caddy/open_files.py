"""How many files Caddy may have open: after a reload the connections to upstreams that it had before stay open for a while.

With too few, Caddy answers 502 and logs "too many open files".
"""

import contextlib
import logging
import resource
from pathlib import Path

from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

# the most that the kernel lets a process have (https://docs.kernel.org/admin-guide/sysctl/fs.html#nr-open)
_MOST = Path("/proc/sys/fs/nr_open")


def raise_limit() -> None:
    """Let this process and its children open as many files as they may; warn where these are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (_most(), hard):
        # only root may have more than the hard limit
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), max(wanted, hard)))
            break
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= allowed < limits.FEW_OPEN_FILES:
        logger.warning(
            "caddy may open %d files only, with many visitors it answers 502: allow more, for example with "
            "LimitNOFILE=1048576 (systemd), --ulimit nofile=1048576 (docker) or ulimit -n",
            allowed,
        )


def _most() -> int:
    try:
        return int(_MOST.read_text())
    except (OSError, ValueError):
        return 0
