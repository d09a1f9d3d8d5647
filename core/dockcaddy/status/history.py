"""The history of the status on disk: the last events, and since when conditions are as they are.

It is an extra. A file that cannot be read or written is logged and nothing more; a damaged one is made anew.
"""

import contextlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from attrs import Factory, define, field

from dockcaddy.files import Database
from dockcaddy.settings import limits
from dockcaddy.status.dates import Dates
from dockcaddy.status.model import Condition, Conditions, ConditionType, Event, EventKind, State

Known = dict[str, Conditions]
_SCHEMA = """
create table if not exists event (id integer primary key, time real not null, kind text not null, subject text not null,
    reason text not null, message text not null, sites text not null);
create table if not exists condition (subject text not null, type text not null, state text not null, reason text not null,
    since real not null, primary key (subject, type)) without rowid;
pragma user_version = 1;
"""
_TYPES, _STATES, _KINDS = get_args(ConditionType), get_args(State), get_args(EventKind)


@define
class HistoryFile:
    """A file that is readable by its owner only. Its errors are logged, never raised."""

    path: Path
    # the loop waits neither for another process nor for the disk; what a crash of the machine damages is made anew
    _database: Database = field(
        default=Factory(
            lambda self: Database(self.path, "history of the status", _SCHEMA, patience=0, synchronous="off"),
            takes_self=True,
        ),
        init=False,
    )

    def load(self) -> tuple[Known, Sequence[Event]]:
        """What an earlier run kept, nothing where the file cannot be read: the conditions by subject, and the last events, the oldest first."""
        known: defaultdict[str, dict[str, Condition]] = defaultdict(dict)
        events: list[Event] = []
        try:
            with contextlib.closing(self._database.connect()) as connection:
                for subject, type, state, reason, since in connection.execute(
                    "select subject, type, state, reason, since from condition"
                ):
                    if type in _TYPES and state in _STATES:
                        known[subject][type] = Condition(type, state, reason, "", float(since))
                rows = connection.execute(
                    "select time, kind, subject, reason, message, sites from event order by id desc limit ?",
                    (limits.MAX_HISTORY,),
                )
                events = [_event(row) for row in rows if row[1] in _KINDS]
        except (OSError, sqlite3.Error, ValueError, TypeError) as error:
            self._database.failed("read", error)
            if not isinstance(error, sqlite3.OperationalError):
                # no longer what we wrote: a new one is needed
                with contextlib.suppress(OSError):
                    self.path.unlink(missing_ok=True)
            return {}, ()
        whole = {subject: each for subject, each in known.items() if len(each) == len(_TYPES)}
        return {subject: Conditions(*[each[type] for type in _TYPES]) for subject, each in whole.items()}, events[::-1]

    def keep(self, dates: Dates, events: Sequence[Event]) -> None:
        """Write what changed. Conditions that could not be written are written with the next change."""
        if not dates.changed and not dates.gone and not events:
            return
        rows = [
            (subject, each.type, each.state, each.reason, each.since)
            for subject in dates.changed
            for each in dates.known.get(subject, ())
        ]
        try:
            with contextlib.closing(self._database.connect()) as connection, connection:
                connection.executemany("delete from condition where subject = ?", [(each,) for each in dates.gone])
                connection.executemany("insert or replace into condition values (?, ?, ?, ?, ?)", rows)
                connection.executemany(
                    "insert into event (time, kind, subject, reason, message, sites) values (?, ?, ?, ?, ?, ?)",
                    map(_row, events),
                )
                if events:
                    last = "select max(id) - ? from event"
                    connection.execute(f"delete from event where id <= ({last})", (limits.MAX_HISTORY,))
        except (OSError, sqlite3.Error) as error:
            self._database.failed("written", error)
            return
        dates.changed.clear()
        dates.gone.clear()
        self._database.succeeded()


def _row(event: Event) -> tuple[Any, ...]:
    return event.time, event.kind, event.subject, event.reason, event.message, json.dumps(event.sites)


def _event(row: tuple[Any, ...]) -> Event:
    time, kind, subject, reason, message, sites = row
    return Event(float(time), kind, str(subject), str(reason), str(message), tuple(map(str, json.loads(sites))))
