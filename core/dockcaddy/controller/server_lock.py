"""The lock on the servers: the mark of the configuration says who leads, and a counter of Caddy shows that it is alive.

Caddy replaces the mark only if it is still the one that was read (`If-Match`), which reloads it: once for each new leader.
The leader shows that it is alive by requests of an unusual method for Caddy's metrics. Caddy counts them by method, and
its log has no line about them. So a server needs nothing but a stock Caddy.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from attrs import define, field, frozen

from dockcaddy.caddy import AdminClient
from dockcaddy.caddy.watched import BEAT, Mark, Vitals, vitals_of
from dockcaddy.controller.discovery import Target
from dockcaddy.controller.election import LockUnavailable, Record
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.settings import limits


@frozen
class _Seen:
    """A server's `@id`, None without a configuration, and its vitals then."""

    text: str | None
    vitals: Vitals

    @property
    def mark(self) -> Mark | None:
        """Who leads, as far as this server knows."""
        return Mark.of(self.text)


@define
class _Client:
    """The connection to one server. Its mark is read only if its vitals say that its configuration has changed."""

    client: AdminClient
    _seen: _Seen | None = None

    def look(self, method: str) -> _Seen:
        """What the server has. Raises CaddyUnreachable."""
        vitals, before = vitals_of(self.client, method), self._seen
        is_same = before is not None and vitals.since and vitals.since == before.vitals.since
        text = before.text if before is not None and is_same else self.client.mark()
        self._seen = _Seen(text, vitals)
        return self._seen


@define(eq=False)
class ServerLock:
    """The lock on all servers that answer. Where they differ, the highest term counts, then the name of the controller."""

    connect: Callable[[Target], AdminClient]
    _term: int = 0
    _holder: str = ""
    _clients: dict[Target, _Client] = field(factory=dict)
    _work: ThreadPoolExecutor = field(
        factory=lambda: ThreadPoolExecutor(limits.MAX_LOCKED_AT_ONCE, thread_name_prefix="lock")
    )

    def use(self, targets: Sequence[Target]) -> None:
        """The servers are these from now on."""
        self._clients = {each: self._clients.get(each) or _Client(self.connect(each)) for each in targets}

    @property
    def mark(self) -> Mark | None:
        """What this controller marks configurations with, None before it has led."""
        return Mark(self._term, self._holder) if self._holder else None

    def read(self) -> Record | None:
        """See Lock."""
        return _record(self._look("GET"))

    def take(self, me: str, before: Record | None) -> bool:
        """See Lock. The first server with a configuration decides; one without any is marked when it gets one."""
        seen = self._look(BEAT)
        now = _highest(seen)
        if (now.term, now.holder) != ((before.term, before.holder) if before is not None else (0, "")):
            return False
        self._term, self._holder = max(now.term, self._term) + 1, me
        places = sorted((each for each in seen if seen[each].text is not None), key=lambda target: target.url)
        # all of them are marked, whatever the others say
        marked = [self._replace(target, seen[target], me) for target in places]
        return all(marked[:1])

    def renew(self, me: str) -> bool:
        """See Lock."""
        highest = _highest(self._look(BEAT))
        return (highest.term, highest.holder) <= (self._term, me)

    def release(self, me: str) -> None:
        """See Lock."""
        for target, seen in self._look("GET").items():
            if seen.mark is not None and seen.mark.holder == me:
                self._replace(target, seen, "")

    def _replace(self, target: Target, seen: _Seen, holder: str) -> bool:
        try:
            return self._clients[target].client.replace_mark(seen.text or "", str(Mark(self._term, holder)))
        except (CaddyUnreachable, CaddyRefusal):
            return False

    def _look(self, method: str) -> Mapping[Target, _Seen]:
        """What the servers that answer have. Raises LockUnavailable if none answers."""
        clients = self._clients
        pending = {target: self._work.submit(client.look, method) for target, client in clients.items()}
        found = {}
        for target, future in pending.items():
            with contextlib.suppress(CaddyUnreachable):
                found[target] = future.result()
        if not found:
            raise LockUnavailable("no server answers" if clients else "there is no server")
        return found


def _highest(seen: Mapping[Target, _Seen]) -> Mark:
    marks = [each.mark for each in seen.values()]
    return max((mark for mark in marks if mark), key=lambda mark: (mark.term, mark.holder), default=Mark())


def _record(seen: Mapping[Target, _Seen]) -> Record | None:
    """What the servers say together; None if none is marked."""
    if not any(each.mark for each in seen.values()):
        return None
    highest = _highest(seen)
    ours = [(target.url, each.vitals.beats) for target, each in seen.items() if each.mark == highest]
    return Record(highest.holder, highest.term, tuple(sorted(each for each in ours if each[1])) or None)
