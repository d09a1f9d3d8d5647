"""Sends events to one target, in a thread of its own: bounded, limited in rate, again after failures."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from attrs import define, field
from dockcaddy import Backoff, Event, __version__

from dockcaddy_notify.formats import Request, request_for
from dockcaddy_notify.targets import NoSecret, Target

logger = logging.getLogger("dockcaddy")

# events that wait for a target that does not answer; older ones are counted
WAITING = 100
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
# an event that nobody took for so long is no longer news, in seconds
STALE = 1800.0
# seconds to connect, and between two parts of the response
PATIENCE = (5.0, 10.0)
# seconds for the whole, also of a target that sends its response byte by byte
WHOLE = 30.0
# statuses after which the same request may succeed
_AGAIN = frozenset((408, 425, 429))
_LATE = "it does not answer in time"


class Refused(Exception):
    """The target will not take this request, however often it is sent."""


class Failed(Exception):
    """The target may take it later."""


@define(eq=False)
class Sender:
    """Sends to `target`, at most `limit` messages a minute. `put` may be called from any thread and never waits."""

    target: Target
    template: str = ""
    limit: int = 20
    clock: Callable[[], float] = time.monotonic
    post: Callable[[Request], int] = field(factory=lambda: Post(WHOLE))
    _waiting: "deque[tuple[float, Event]]" = field(factory=deque)
    _sent: "deque[float]" = field(factory=deque)
    _dropped: int = 0
    _changed: threading.Condition = field(factory=threading.Condition)
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))
    _failure: str = ""

    def start(self) -> None:
        """Begin to send."""
        threading.Thread(target=self._work, name=f"notify {self.target}", daemon=True).start()

    def put(self, event: Event) -> None:
        """Another event."""
        with self._changed:
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append((self.clock(), event))
            self._changed.notify()

    @property
    def due(self) -> float | None:
        """When the next event may be sent, in seconds of the clock; None where none waits."""
        if not self._waiting:
            return None
        times = [self._waiting[0][0]]
        if self._backoff.retry_at is not None:
            times.append(self._backoff.retry_at)
        if len(self._sent) >= self.limit:
            times.append(self._sent[0] + 60.0)
        return max(times)

    def step(self) -> None:
        """Send the oldest event, if it may be sent now."""
        with self._changed:
            now, due = self.clock(), self.due
            if due is None or now < due:
                return
            since, event = self._waiting.popleft()
            more, self._dropped = self._dropped, 0
        try:
            self._send(event, more)
        except Failed as error:
            self._failed(str(error), self.clock())
            with self._changed:
                self._dropped += more
                if now < since + STALE and len(self._waiting) < WAITING:
                    self._waiting.appendleft((since, event))
                else:
                    self._dropped += 1
        except (Refused, NoSecret) as error:
            self._report(f"{error}, so it is not sent")
        else:
            self._succeeded(now)

    def _send(self, event: Event, more: int) -> None:
        url, login = self.target.address()
        try:
            request = request_for(self.target.kind, url, login, event, self.template, more)
        except Exception as error:
            raise Refused(f"the template fails: {error}") from error
        status = self.post(request)
        if status in _AGAIN or status >= 500:
            raise Failed(f"it answered with status {status}")
        if 300 <= status < 400:
            raise Refused(f"it redirects (status {status}): name the URL that it leads to; redirects are not followed")
        if status >= 300:
            raise Refused(f"it answered with status {status}")

    def _succeeded(self, now: float) -> None:
        self._sent.append(now)
        while len(self._sent) > self.limit:
            self._sent.popleft()
        self._backoff.succeeded()
        if self._failure:
            logger.info("notify %s: takes messages again", self.target)
        self._failure = ""

    def _failed(self, reason: str, now: float) -> None:
        self._backoff.failed(now)
        self._report(f"{reason}, it is tried again")

    def _report(self, message: str) -> None:
        if message != self._failure:
            logger.warning("notify %s: %s", self.target, message)
        self._failure = message

    def _work(self) -> None:
        while True:
            with self._changed:
                due = self.due
                pause = None if due is None else max(0.0, due - self.clock())
                if pause != 0.0:
                    self._changed.wait(pause)
                    continue
            self.step()


@define(eq=False)
class Post:
    """Sends requests, each in a thread of its own that has so many seconds. While a late one goes on, there is no other."""

    seconds: float
    _late: threading.Thread | None = None

    def __call__(self, request: Request) -> int:
        """Send it. Returns the status. Raises Failed, Refused."""
        outcome: list[int | Exception] = []

        def work() -> None:
            try:
                outcome.append(posted(request))
            except Exception as error:
                outcome.append(error)

        if self._late is None or not self._late.is_alive():
            self._late = threading.Thread(target=work, name="notify request", daemon=True)
            self._late.start()
            self._late.join(self.seconds)
        if not outcome:
            raise Failed(_LATE)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]


def posted(request: Request) -> int:
    """Send it. Returns the status; the rest of the response is not read. Raises Failed, Refused."""
    import requests  # noqa: PLC0415  slow to import, and only who sends needs it

    headers = {**request.headers, "User-Agent": f"dockcaddy/{__version__}"}
    try:
        with requests.post(
            request.url, data=request.body, headers=headers, timeout=PATIENCE, allow_redirects=False, stream=True
        ) as response:
            return response.status_code
    except requests.Timeout:
        raise Failed(_LATE) from None
    except requests.ConnectionError:
        # the message of requests has the URL, which may be a secret
        raise Failed("it cannot be reached") from None
    except (requests.RequestException, ValueError, UnicodeError):
        raise Refused("its URL cannot be used") from None
