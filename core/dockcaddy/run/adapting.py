"""Which Caddy adapts what: whole configurations the one that serves them, fragments a limited one of our own first."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import define, frozen

from dockcaddy.caddy.command import CommandAdapter
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddyjson.site_routes import ForEach
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, TooLargeError
from dockcaddy.hookspecs import Adapter

# begins the name of a variable that Caddy replaces as it adapts
_VARIABLE = "{$"


@define
class FirstAdapter:
    """Asks the first adapter that answers; with `asks_all`, what one refuses may be adapted by the next one."""

    adapters: tuple[Adapter, ...]
    asks_all: bool = False

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text. Raises CaddyRefusal, or CaddyUnreachable where none answers."""
        failure: CaddyUnreachable | None = None
        refusal: CaddyRefusal | None = None
        for adapter in self.adapters:
            try:
                return adapter.adapt(caddyfile)
            except CaddyRefusal as error:
                refusal = refusal or error
                if not self.asks_all or isinstance(error, TooLargeError):
                    break
            except CaddyUnreachable as error:
                failure = failure or error
        try:
            raise (
                refusal
                or failure
                or CaddyUnreachable("no caddy to adapt with, install one: pip install 'dockcaddy[caddy]'")
            )
        finally:
            # an error that its own frame keeps would keep everything else in it until the next search for garbage
            del refusal, failure


@frozen
class FragmentAdapter:
    """Adapts fragments with a `limited` Caddy of our own first. `serves` is what adapts whole configurations.

    The limited one `counts` if it is the same Caddy: then `serves` is asked only where it does not run, and `others`, if given,
    may adapt what it refuses. If it does not count, or a text has variables, whose values it does not know, its answer only
    shows that the text can be adapted within the limits.
    """

    limited: Adapter
    serves: Adapter
    counts: bool
    others: Adapter | None = None

    def adapt(self, caddyfile: str) -> bytes:
        """See FirstAdapter."""
        counts = self.counts and _VARIABLE not in caddyfile
        try:
            made = self.limited.adapt(caddyfile)
            if counts:
                return made
        except TooLargeError:
            raise
        except CaddyRefusal:
            if counts and self.others is not None:
                return self.others.adapt(caddyfile)
            if counts:
                raise
        except CaddyUnreachable:
            pass
        return self.serves.adapt(caddyfile)


def fragment_adapter(adapters: Sequence[Adapter], program: Path | None, *, is_same: bool, asks_all: bool) -> Adapter:
    """What adapts fragments where these `adapters` adapt whole configurations.

    `is_same` where the `program` on disk is the one that serves; with `asks_all` others may adapt what it refuses.
    """
    whole = FirstAdapter(tuple(adapters), asks_all)
    if program is None:
        return whole
    others = [each for each in adapters if asks_all and not isinstance(each, CommandAdapter)]
    other = FirstAdapter(tuple(others)) if others else None
    return FragmentAdapter(LimitedAdapter(program), whole, is_same or asks_all, other)


def for_each() -> ForEach:
    """What asks an adapter for several texts, at the same time on the cores that this program leaves to Caddy.

    It goes on with its own work while Caddy adapts, unless there is only one core: Caddy has a low priority and a limit of time.
    """
    cores = os.cpu_count() or 1
    # one more text than other cores: Caddy has the next one while a response is read
    return ThreadPoolExecutor(cores, "dockcaddy-adapt").map if cores > 1 else map
