"""Builds with hatchling, and says at once where Python is too old.

Left to itself pip looks through every release of every dependency first, for minutes. So this file, and no other, is
written for every Python that there is.
"""

import sys

OLDEST = (3, 11)

if sys.version_info[:2] < OLDEST:
    told = "dockcaddy needs Python {}.{} or newer, and this is Python {}.{}: make the environment with a newer one, {}"
    numbers = OLDEST + tuple(sys.version_info[:2])
    sys.exit(told.format(*numbers, "python3.11 -m venv .venv"))

from hatchling.build import *  # noqa: E402, F403  where Python is too old, hatchling is not asked for
