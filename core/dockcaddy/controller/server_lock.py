"""The lock on the servers: the mark of the configuration says who leads, and a counter of Caddy shows that it is alive.

Caddy replaces the mark only if it is still the one that was read (`If-Match`), which reloads it: once for each new leader.
The leader shows that it is alive by requests of an unusual method for Caddy's metrics. Caddy counts them by method, and
its log has no line about them. So a server needs nothing but a stock Caddy.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from attrs import define, field

from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.vitals import BEAT
from dockcaddy.caddy.watched import Mark
from dockcaddy.controller.discovery import Target
from dockcaddy.controller.election import LockUnavailable, Record
from dockcaddy.controller.marked_server import MarkedServer, Seen, results

# all servers are waited for together for this long, in seconds
LOOK = 1.0
# one server is waited for while it takes the mark, which is a reload, in seconds
MARKING = 1.5
# a new leader marks all servers within so many looks; a mark that only a minority has for longer is no leader's
ODD_LOOKS = 3
# looks at which most servers have no mark count less: they may be loading their first configuration
WITHOUT_MARK = 0.2
# a server without the leader's mark gets it with its configuration, or else after so many looks
BARE_LOOKS = 2

_Found = Mapping[MarkedServer, Seen]


@define(eq=False)
class ServerLock:
    """The lock on all servers that answer. Where they differ, the highest term counts, then the name of the controller.

    `connect` makes the connection to a server, `clock` gives seconds, `look` and `marking` are patience in seconds.
    """

    connect: Callable[[Target], AdminClient]
    clock: Callable[[], float] = time.monotonic
    look: float = LOOK
    marking: float = MARKING
    _term: int = 0
    _holder: str = ""
    _beats: int = 0
    _bare_looks: int = 0
    _servers: dict[Target, MarkedServer] = field(factory=dict)

    def use(self, targets: Sequence[Target]) -> None:
        """The servers are these from now on."""
        known = self._servers
        self._servers = {
            each: known.get(each) or MarkedServer(each, self.connect(each), self.clock)
            for each in sorted(targets, key=lambda target: target.url)
        }

    @property
    def mark(self) -> Mark | None:
        """What this controller marks configurations with, None before it has led."""
        return Mark(self._term, self._holder) if self._holder else None

    def read(self) -> Record | None:
        """See Lock."""
        found = _believed(self._look("GET"))
        highest = _highest(found)
        if highest is None:
            return None
        marked = [seen for seen in found.values() if seen.mark == highest]
        self._beats += any(seen.is_risen for seen in marked)
        return Record(highest.holder, highest.term, self._beats if any(each.vitals.since for each in marked) else None)

    def take(self, me: str, before: Record | None) -> bool:
        """See Lock. The first server that can be marked decides."""
        found = self._look("GET")
        now = _highest(_believed(found))
        if now != (Mark(before.term, before.holder) if before is not None else None):
            return False
        # above the marks that are not believed too: they may be those of a controller that was faster
        top = _highest(found) or Mark()
        # what this controller marked already, though it took too long, need not be marked again
        mark = top if now == top and top.holder == me else Mark(top.term + 1, me)
        if mark != now and not self._is_marked(found, mark):
            return False
        self._term, self._holder, self._bare_looks = mark.term, me, 0
        return True

    def renew(self, me: str) -> bool:
        """See Lock. It is ours where a server has our mark, and none that is believed has a higher one."""
        found = self._look(BEAT)
        mine, highest = Mark(self._term, me), _highest(_believed(found))
        if highest is not None and _rank(highest) > _rank(mine):
            return self._is_doubtful(found, highest)
        for server, seen in found.items():
            server.bare_looks = 0 if seen.mark == mine else server.bare_looks + 1
        if any(seen.mark == mine for seen in found.values()):
            self._bare_looks = 0
            self._mark_all(found, mine)
            return True
        self._bare_looks += 1
        # servers that have lost everything get the mark with their configuration
        return (highest is None and self._bare_looks < BARE_LOOKS) or self._is_marked(found, mine)

    def release(self, me: str) -> None:
        """See Lock. One server says so, which is one reload."""
        found, mine = self._look("GET"), Mark(self._term, me)
        for server in [each for each in found if found[each].mark == mine]:
            work = partial(server.set_mark, found[server], Mark(self._term + 1))
            if results({server: work}, self.marking) or server.is_busy:
                return

    def _look(self, method: str) -> _Found:
        """What the servers that answer in time have. Raises LockUnavailable if none does."""
        servers = list(self._servers.values())
        found: _Found = results({each: partial(each.look, method) for each in servers}, self.look)
        if not found:
            raise LockUnavailable("no server answers" if servers else "there is no server")
        usual, count = Counter(seen.mark for seen in found.values()).most_common(1)[0]
        if 2 * count > len(found):
            for server, seen in found.items():
                step = 1.0 if usual is not None else WITHOUT_MARK
                server.odd_looks = 0.0 if seen.mark in (None, usual) else server.odd_looks + step
        return found

    def _is_marked(self, found: _Found, mark: Mark) -> bool:
        """Mark the first server that can be, and then the others. Returns False if another controller was faster.

        Raises LockUnavailable if none can be marked.
        """
        # one without a configuration decides only if no other one does
        for server in sorted(_believed(found), key=lambda each: found[each].text is None):
            if not server.can_be_marked:
                continue
            done = results({server: partial(server.set_mark, found[server], mark)}, self.marking)
            if server in done:
                if done[server]:
                    self._mark_all({each: seen for each, seen in found.items() if seen.text is not None}, mark)
                return bool(done[server])
        raise LockUnavailable(f"no server can be marked: {_reason(found)}")

    def _mark_all(self, found: _Found, mark: Mark) -> None:
        """Begin to mark those servers that need it, and do not wait."""
        for server, seen in found.items():
            is_due = seen.mark is not None or server.bare_looks >= BARE_LOOKS
            if _rank(seen.mark or Mark()) < _rank(mark) and is_due and server.can_be_marked:
                server.begin(partial(server.set_mark, seen, mark))

    def _is_doubtful(self, found: _Found, highest: Mark) -> bool:
        """False if another controller leads. Raises LockUnavailable if only a minority of the servers says so."""
        servers = [server for server, seen in found.items() if seen.mark == highest]
        if all(server.odd_looks for server in servers):
            raise LockUnavailable(
                f"{servers[0].target} says that controller {highest.holder} leads, most servers do not"
            )
        return False


def _believed(found: _Found) -> _Found:
    return {server: seen for server, seen in found.items() if server.odd_looks < ODD_LOOKS}


def _rank(mark: Mark) -> tuple[int, str]:
    return mark.term, mark.holder


def _highest(found: _Found) -> Mark | None:
    return max((seen.mark for seen in found.values() if seen.mark is not None), key=_rank, default=None)


def _reason(servers: Iterable[MarkedServer]) -> str:
    return next((f"{each.target}: {each.problem}" for each in servers if each.problem), "it takes long")
