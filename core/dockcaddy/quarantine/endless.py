"""What Caddy comes to no end with counts as refused, as long as Caddy itself answers."""

import contextlib
from collections.abc import Callable

from attrs import frozen

from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.merge.assembly import EMPTY


@frozen
class Ending:
    """Refuses texts that `adapt` comes to no end with."""

    adapt: Callable[[str], bytes]

    def __call__(self, text: str) -> bytes:
        """Caddy's JSON. Raises CaddyRefusal and CaddyUnreachable."""
        try:
            return self.adapt(text)
        except CaddyUnreachable as error:
            if not self.is_the_cause(error):
                raise
            raise CaddyRefusal("adapting it does not finish") from error

    def is_the_cause(self, error: CaddyUnreachable) -> bool:
        """Whether what was tried took too long, because Caddy itself answers."""
        if not isinstance(error.__cause__, TimeoutError):
            return False
        with contextlib.suppress(CaddyUnreachable):
            self.adapt(EMPTY)
            return True
        return False
