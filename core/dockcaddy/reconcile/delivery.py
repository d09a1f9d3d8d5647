"""Configurations are handed to the outputs: nothing is sent twice, failures are retried with backoff."""

import logging
from collections.abc import Callable, Iterator, Sequence

from attrs import define, field

from dockcaddy.backoff import Backoff
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, DockcaddyError, OutputError, own_fault
from dockcaddy.hookspecs import Output
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.settings import limits
from dockcaddy.status.model import Load, Result
from dockcaddy.status.observation import Failure, unreachable

logger = logging.getLogger("dockcaddy")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 1.5


@define
class Delivery:
    """One output and the configuration that it has. `clock` gives seconds; a live output has a Caddy that can refuse.

    `caddy` is how messages name the one who refuses, `failure` says why it could not deliver, `doubt` why it is unknown whether what it delivered is in force.
    `loads` are those since they were taken last.
    """

    name: str
    output: Output
    clock: Callable[[], float]
    is_live: bool = False
    caddy: str = "caddy"
    wanted: Configuration | None = None
    failure: str = ""
    doubt: str = ""
    loads: list[Load] = field(factory=list)
    _delivered: Configuration | None = None
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def retry_at(self) -> float | None:
        """When a failed delivery is tried again, in seconds of the clock."""
        return self._backoff.retry_at

    def offer(self, configuration: Configuration) -> None:
        """Deliver unless the output has it. Raises CaddyRefusal, and then the output keeps what it had.

        Any other failure is kept in `failure`; the output is tried again from `retry_at` on.
        """
        if self.has(configuration):
            self._succeeded(configuration)
        elif self._backoff.is_due(self.clock()):
            self._write(configuration)
        self.wanted = configuration

    def check(self) -> None:
        """Try again what failed, and put right what somebody else has changed. Raises CaddyRefusal."""
        if self.wanted is None:
            return
        if self.retry_at is None:
            self._look()
        self.offer(self.wanted)

    def restarted(self) -> None:
        """The other side has restarted: deliver again at the next offer, unless it came up with what it had."""
        self._backoff.succeeded()
        self._look()

    def still_holds(self, configuration: Configuration) -> bool:
        """Whether the other side has this configuration; not where it does not answer."""
        return self._holds(configuration) is True

    def close(self) -> None:
        """Release what the output holds. Never raises, so that everything else is closed too."""
        try:
            self.output.close()
        except Exception as error:
            logger.warning("output %s: cannot be closed: %s", self.name, _reason(error))

    def has(self, configuration: Configuration) -> bool:
        """Whether it was delivered and, as far as is known, nobody has changed it since."""
        held = self._delivered
        if held is None or held is configuration:
            return held is not None
        return held.says_the_same_as(configuration) and held.adapted == configuration.adapted

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
            self.doubt = _reason(error)
            return None
        self.doubt = ""
        return held

    def _write(self, configuration: Configuration) -> None:
        began = self.clock()
        try:
            self.output.write(configuration)
        except CaddyRefusal:
            self._loaded("refused", began)
            raise
        except Exception as error:  # whatever it is, it must not stop the others
            self._loaded("failed", began)
            self._failed(_reason(error))
        else:
            self._loaded("accepted", began)
            self._succeeded(configuration)

    def _loaded(self, result: Result, began: float) -> None:
        # nobody need take them
        del self.loads[: -limits.MAX_LOADS]
        self.loads.append(Load(result, self.clock() - began))

    def _failed(self, reason: str) -> None:
        self.failure = reason
        self._backoff.failed(self.clock())
        self._delivered = None

    def _succeeded(self, configuration: Configuration) -> None:
        self._delivered = configuration
        self.failure = ""
        self._backoff.succeeded()


@define
class Outputs:
    """All outputs."""

    deliveries: Sequence[Delivery]
    # the Caddy that refused what was offered last
    refusing: str = ""

    @property
    def live(self) -> list[Delivery]:
        """The outputs whose Caddy can refuse a configuration."""
        return [each for each in self.deliveries if each.is_live]

    def offer_live(self, configuration: Configuration) -> bool:
        """Have every live output take the configuration. Raises CaddyRefusal where one refuses it.

        Returns whether a Caddy has accepted it; not where none answers.
        """
        self.refusing = ""
        for delivery in self.live:
            try:
                delivery.offer(configuration)
            except CaddyRefusal:
                self.refusing = delivery.caddy
                raise
        return self.is_accepted

    @property
    def is_accepted(self) -> bool:
        """Whether a Caddy has accepted what was offered last, or there is none that could refuse it."""
        return not self.live or any(not delivery.failure for delivery in self.live)

    def have(self, configuration: Configuration | None) -> bool:
        """Whether every live output has this configuration, of those that there are."""
        return configuration is not None and bool(self.live) and all(each.has(configuration) for each in self.live)

    def offer(self, configuration: Configuration, *, to_live: bool = True) -> bool:
        """Hand an accepted configuration to every output, or to those that are not live.

        Returns whether no live one has failed.
        """
        for delivery in self.deliveries:
            if delivery.is_live and not to_live:
                continue
            try:
                delivery.offer(configuration)
            except CaddyRefusal as refusal:
                delivery.failure = str(refusal)
        return not any(delivery.failure for delivery in self.live)

    def check(self) -> bool:
        """Put right what failed, or was changed by somebody else. Returns whether all could take what they had."""
        can_take = True
        for delivery in self.deliveries:
            try:
                delivery.check()
            except CaddyRefusal:
                can_take = False
        return can_take

    def caddy_started(self) -> None:
        """Caddy may have lost its configuration: deliver where it has."""
        for delivery in self.live:
            delivery.restarted()

    def still_hold(self, configuration: Configuration) -> bool:
        """Whether every live output has this configuration; not where one does not answer."""
        return all(delivery.still_holds(configuration) for delivery in self.live)

    def any_still_holds(self, configuration: Configuration) -> bool:
        """Whether a live output has this configuration: some sites are served by it, whatever the others do."""
        return any(delivery.still_holds(configuration) for delivery in self.live)

    def close(self) -> None:
        """Close all of them."""
        for delivery in self.deliveries:
            delivery.close()

    def problems(self) -> list[Problem]:
        """Which outputs fail, and why."""
        troubles = [(each.name, each.failure or each.doubt) for each in self.deliveries]
        return [Problem(f"output {name}", "", trouble) for name, trouble in troubles if trouble]

    @property
    def failure(self) -> Failure | None:
        """Why a live output does not have what was offered last."""
        return next((unreachable(each.failure) for each in self.live if each.failure), None)

    def take_loads(self) -> tuple[Load, ...]:
        """The loads of live outputs since the last call."""
        taken = tuple(load for delivery in self.live for load in delivery.loads)
        for delivery in self.deliveries:
            delivery.loads.clear()
        return taken

    def retries(self) -> Iterator[float]:
        """When failed deliveries are tried again, in seconds of the clock."""
        return (each.retry_at for each in self.deliveries if each.retry_at is not None)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, DockcaddyError) else own_fault(error)
