"""Handing configurations to one output: nothing twice, failures again with a growing pause."""

import logging
from collections.abc import Callable

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, DockcaddyError, OutputError, own_fault
from dockcaddy.hookspecs import Output
from dockcaddy.merge.configuration import Configuration

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 1.5


@define
class Delivery:
    """One output and what it was last given. `clock` gives seconds; one that `is_live` has a Caddy that can refuse.

    `failure` says why it could not deliver, `doubt` why it cannot tell whether what it delivered is in force.
    """

    name: str
    output: Output
    clock: Callable[[], float]
    is_live: bool = False
    wanted: Configuration | None = None
    failure: str = ""
    doubt: str = ""
    _delivered: Configuration | None = None
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def retry_at(self) -> float | None:
        """When a failed delivery is tried again, in seconds of the clock."""
        return self._backoff.retry_at

    def offer(self, configuration: Configuration) -> None:
        """Deliver unless it is what the output has. Raises CaddyRefusal, and then the output keeps what it had.

        Any other failure is kept in `failure` and tried again from `retry_at` on.
        """
        self.wanted = configuration
        if self._has(configuration):
            self._succeeded(configuration)
        elif self._backoff.is_due(self.clock()):
            self._write(configuration)

    def check(self) -> None:
        """Try again what failed, and put right what somebody else has changed."""
        if self.wanted is None:
            return
        if self.retry_at is None:
            self._look()
        self.offer(self.wanted)

    def restarted(self) -> None:
        """The other side has started anew: what it was started with may be what it had, and need not be sent again."""
        self._backoff.succeeded()
        self._look()

    def _has(self, configuration: Configuration) -> bool:
        held = self._delivered
        return held is not None and held.text == configuration.text and held.adapted == configuration.adapted

    def still_holds(self, configuration: Configuration) -> bool:
        """Whether the other side has this configuration; not where it does not answer."""
        return self._holds(configuration) is True

    def close(self) -> None:
        """Release what the output holds; what goes wrong there is no reason to keep anything else open."""
        try:
            self.output.close()
        except Exception as error:
            logger.warning("output %s: cannot be closed: %s", self.name, _told(error))

    def _look(self) -> None:
        if self._delivered is not None and self._holds(self._delivered) is False:
            self._delivered = None

    def _holds(self, configuration: Configuration) -> bool | None:
        """Whether it has the configuration; None where the output itself is at fault and nothing is known."""
        try:
            held = self.output.holds(configuration)
        except (OutputError, CaddyUnreachable):
            return False
        except Exception as error:
            self.doubt = _told(error)
            return None
        self.doubt = ""
        return held

    def _write(self, configuration: Configuration) -> None:
        try:
            self.output.write(configuration)
        except CaddyRefusal:
            raise
        except Exception as error:  # whatever it is, it must not stop the others
            self._failed(_told(error))
        else:
            self._succeeded(configuration)

    def _failed(self, reason: str) -> None:
        self.failure = reason
        self._backoff.failed(self.clock())
        self._delivered = None

    def _succeeded(self, configuration: Configuration) -> None:
        self._delivered = configuration
        self.failure = ""
        self._backoff.succeeded()


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, DockcaddyError) else own_fault(error)
