"""The status of everything: what each container, service and site is in, since when, and what to do about it.

`observation.py` is what a pass of the loop gives, `resources.py` and `sites.py` make conditions of it, `keeper.py` keeps them
from pass to pass and makes again only what changed, `events.py` says what that means, `history.py` keeps it across restarts.
`client.py` asks the dockcaddy that runs for it.
"""
