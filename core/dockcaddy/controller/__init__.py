"""A controller configures servers: Caddys that run by themselves, found by their labels or given by URL.

`discovery.py` says which servers there are, `server.py` keeps one of them configured, `fleet.py` all of them, and
`controller.py` is what the loop sees of that. Of several controllers one leads: `election.py` decides when, by a lock in
the Swarm (`swarm_lock.py`) or on the servers (`server_lock.py`).
"""

from dockcaddy.controller.controller import Controller, NoServers
from dockcaddy.controller.discovery import Target
from dockcaddy.controller.election import Election, Leadership, Lock, Unlocked
from dockcaddy.controller.fleet import Fleet
from dockcaddy.controller.server import Server, Wanted

__all__ = [
    "Controller",
    "Election",
    "Fleet",
    "Leadership",
    "Lock",
    "NoServers",
    "Server",
    "Target",
    "Unlocked",
    "Wanted",
]
