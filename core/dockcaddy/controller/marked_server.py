"""One server as a part of the lock. What hangs there holds a thread of its own and nothing else."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any

from attrs import define, field, frozen

from dockcaddy.backoff import Backoff
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.vitals import Vitals, vitals_of
from dockcaddy.caddy.watched import Mark
from dockcaddy.controller.discovery import Target
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

# a server that could not be marked is tried again after these, in seconds
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0


@frozen
class Seen:
    """A server's `@id`, None without a configuration, and its vitals then.

    `mark` is the controller that leads, as far as this server knows, `beats` how many it counted, and `is_risen` whether
    that is more than at the look before.
    """

    text: str | None
    vitals: Vitals
    mark: Mark | None
    beats: float
    is_risen: bool


@define(eq=False)
class MarkedServer:
    """The connection to one server. Its mark is read only if its vitals say that its configuration has changed.

    `odd_looks` and `bare_looks` count looks in a row: those at which it differed from most servers, and those at which it
    lacked the mark of this controller, which leads.
    """

    target: Target
    client: AdminClient
    clock: Callable[[], float]
    odd_looks: float = 0.0
    bare_looks: int = 0
    problem: str = ""
    _seen: Seen | None = None
    _job: "Future[Any] | None" = None
    _backoff: Backoff = field(factory=lambda: Backoff(FIRST_PAUSE, LONGEST_PAUSE))

    @property
    def is_busy(self) -> bool:
        """Whether something is still being done."""
        return self._job is not None and not self._job.done()

    @property
    def can_be_marked(self) -> bool:
        """Whether it is time to try."""
        return self._backoff.is_due(self.clock())

    def begin(self, work: Callable[[], Any]) -> "Future[Any] | None":
        """Do something in a thread of its own. None while something else is still being done."""
        if self.is_busy:
            return None
        job: Future[Any] = Future()
        self._job = job
        threading.Thread(target=_run, args=(job, work), name=f"lock of {self.target.url}", daemon=True).start()
        return job

    def look(self, method: str) -> Seen:
        """What the server has. Raises whatever its response causes."""
        vitals, before = vitals_of(self.client, method), self._seen
        is_same = before is not None and vitals.since and vitals.since == before.vitals.since
        text = before.text if before is not None and is_same else self.client.mark()
        mark = Mark.of(text)
        if mark is not None and mark.term > limits.MAX_TERM:
            mark = None
        beats = sum(float(each) for each in vitals.beats)
        self._seen = Seen(text, vitals, mark, beats, before is not None and beats > before.beats)
        return self._seen

    def set_mark(self, seen: Seen, mark: Mark) -> bool:
        """Replace the mark that was seen. Returns False if it has changed. Raises CaddyUnreachable and CaddyRefusal."""
        try:
            is_set = self.client.replace_mark(seen.text, str(mark))
        except (CaddyUnreachable, CaddyRefusal) as error:
            self._backoff.failed(self.clock())
            if not self.problem:
                logger.warning("%s: it cannot be marked as the leader's: %s; it is tried again", self.target, error)
            self.problem = str(error)
            raise
        self._backoff.succeeded()
        self.problem = ""
        return is_set


def _run(job: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        job.set_result(work())
    except Exception as error:
        # anything may be at the address of a server, and it may answer anything
        job.set_exception(error)


def results(works: Mapping[MarkedServer, Callable[[], Any]], patience: float) -> dict[MarkedServer, Any]:
    """The results of what all servers do at once, without those that fail or take longer than this, in seconds."""
    begun = {server: server.begin(work) for server, work in works.items()}
    jobs: Sequence[Future[Any]] = [job for job in begun.values() if job is not None]
    done = wait(jobs, patience).done
    return {server: job.result() for server, job in begun.items() if job in done and job.exception() is None}
