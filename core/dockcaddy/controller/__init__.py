"""A controller configures servers: Caddys that run by themselves, found by their labels or given by URL.

`discovery.py` says which servers there are, `server.py` keeps one of them configured, `fleet.py` all of them. Of several
controllers one leads: `election.py` decides when, by a lock in the Swarm (`swarm_lock.py`) or on the servers
(`server_lock.py`).
"""

from dockcaddy.controller.discovery import Target
from dockcaddy.controller.election import Election, Leadership, Lock, Unlocked
from dockcaddy.controller.fleet import Fleet
from dockcaddy.controller.server import Server, Wanted

__all__ = ["Election", "Fleet", "Leadership", "Lock", "Server", "Target", "Unlocked", "Wanted"]
