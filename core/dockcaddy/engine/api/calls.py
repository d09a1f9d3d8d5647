"""The open calls to an engine: which are late, and which have timed out."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import define, field

from dockcaddy.engine.api.work import Threads, Work
from dockcaddy.logs import report_own_fault
from dockcaddy.settings import limits

Taker = Callable[[Any], None]


@define(eq=False)
class Call:
    """A call, and what happens with its response or error. Times are in seconds."""

    kind: str
    about: str
    begun: float
    ask: Callable[[], Any]
    take: Taker
    fail: Callable[[Exception], None]
    is_over: bool = False
    is_late: bool = False

    def seems_late(self, now: float) -> bool:
        """Whether passes no longer wait for it."""
        return self.is_late or now >= self.begun + limits.ENGINE_PATIENCE


@define(eq=False)
class Calls:
    """The open calls. Callers hold `lock`. Responses are applied while it is held, and then it is notified, unless the next
    call has begun with the response: whoever waits for many would wake up for each of them.

    `given_up` is called after a timeout, so that the next call uses another connection.
    """

    clock: Callable[[], float]
    lock: threading.Condition
    given_up: Callable[[], None]
    work: Work = field(factory=Threads)
    open: list[Call] = field(factory=list)
    answers: int = 0
    _begun: int = 0
    _hung: set[tuple[str, str]] = field(factory=set)

    def begin(
        self,
        kind: str,
        ask: Callable[[], Any],
        take: Taker,
        fail: Callable[[Exception], None],
        about: str = "",
        begin: Callable[[Taker], bool] = lambda done: False,
    ) -> None:
        """Begin a call. Its response goes to `take`; its error, or an error in `take`, goes to `fail`.

        `begin` may begin it without waiting, and returns whether it does; otherwise a thread waits for `ask`.
        """
        call = Call(kind, about, self.clock(), ask, take, fail, is_late=(kind, about) in self._hung)
        self.open.append(call)
        self._begun += 1
        done = partial(self._answered, call)
        if not begin(done):
            self.work.perform(ask, done)

    def of(self, kind: str) -> list[Call]:
        """The open calls of a kind."""
        return [call for call in self.open if call.kind == kind]

    def awaited(self, kind: str = "") -> list[Call]:
        """The open calls that passes wait for, of one kind or of all."""
        now = self.clock()
        return [call for call in self.open if not call.seems_late(now) and kind in ("", call.kind)]

    def give_up(self) -> None:
        """End the calls that have timed out."""
        now = self.clock()
        for call in [call for call in self.open if now >= call.begun + limits.ENGINE_CALL_TIMEOUT]:
            self._hung.add((call.kind, call.about))
            self.given_up()
            self._end(call, TimeoutError(f"no answer within {limits.ENGINE_CALL_TIMEOUT:.0f} s"))

    def next_due(self) -> float | None:
        """When the next call becomes late or times out."""
        now = self.clock()
        return min(
            (
                each.begun + (limits.ENGINE_CALL_TIMEOUT if each.seems_late(now) else limits.ENGINE_PATIENCE)
                for each in self.open
            ),
            default=None,
        )

    def close(self) -> None:
        """Ignore all further responses."""
        for call in self.open:
            call.is_over = True
        self.work.close()

    def _answered(self, call: Call, answer: Any) -> None:
        with self.lock:
            if not call.is_over:
                self._hung.discard((call.kind, call.about))
                try:
                    self._end(call, answer)
                except Exception as error:
                    report_own_fault(f"{call.kind} of an engine", error)

    def _end(self, call: Call, answer: Any) -> None:
        call.is_over = True
        self.open.remove(call)
        self.answers += 1
        begun = self._begun
        try:
            if isinstance(answer, Exception):
                raise answer
            call.take(answer)
        except Exception as error:
            # also if the response is not what an engine sends
            call.fail(error)
        if self._begun == begun:
            self.lock.notify_all()
