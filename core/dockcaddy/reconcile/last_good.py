"""What Caddy accepted last, on disk: the whole configuration, and the fragment of each resource.

Caddy starts with it at once, even while the engine is down; a resource that can no longer be rendered stays as it was.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import Factory, define, field, frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import CaddyfileError, is_site
from dockcaddy.compile.stopped_page import is_page
from dockcaddy.errors import OutputError
from dockcaddy.files import Database
from dockcaddy.fragment import Fragment
from dockcaddy.incremental import Difference

_SCHEMA = """
create table if not exists configuration (id integer primary key check (id = 1), json blob not null);
create table if not exists fragment (
    key text primary key, owner text not null, seniority integer not null, addresses text not null, text text not null
) without rowid;
pragma user_version = 1;
"""
_FRAGMENTS = "select key, owner, seniority, addresses, text from fragment"
_JSON = "select json from configuration"


@frozen
class Remembered:
    """What an earlier run saved: Caddy's JSON (`b""` without any) and the fragments by key."""

    json: bytes = b""
    fragments: Mapping[str, Fragment] = field(factory=dict)


@define
class LastGood:
    """The file of the last good configuration, readable by its owner only. Its errors are logged, never raised."""

    path: Path
    _kept: tuple[Fragment, ...] | None = None
    _kept_json: bytes = b""
    _database: Database = field(
        default=Factory(
            lambda self: Database(self.path, "last good configuration", _SCHEMA, patience=1, synchronous="normal"),
            takes_self=True,
        ),
        init=False,
    )

    def load(self) -> Remembered:
        """What an earlier run saved; empty where the file cannot be read."""
        return Remembered(self.json(), _by_key(self._read(_FRAGMENTS)))

    def read_only(self) -> Remembered:
        """What the dockcaddy that runs has saved; its file stays as it is. Raises OutputError."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=1)) as connection:
                rows = connection.execute(_FRAGMENTS).fetchall()
                saved = connection.execute(_JSON).fetchone()
        except sqlite3.Error as error:
            reason = f"cannot be read: {error}"
            if "no such table" in str(error):
                reason = "nothing was kept yet: the log of dockcaddy says why"
            raise OutputError(f"last good configuration {self.path}: {reason}") from error
        return Remembered(saved[0] if saved else b"", _by_key(rows))

    def json(self) -> bytes:
        """Caddy's JSON alone, `b""` without any. No fragment is parsed."""
        return next((json for (json,) in self._read(_JSON)), b"")

    def _read(self, query: str) -> Sequence[tuple[Any, ...]]:
        try:
            with contextlib.closing(self._database.connect()) as connection:
                return connection.execute(query).fetchall()
        except (OSError, sqlite3.Error) as error:
            self._database.failed("read", error)
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                # no longer a database: a new one is needed
                self.path.unlink(missing_ok=True)
            return ()

    def keep(self, json: bytes, fragments: Mapping[str, Fragment]) -> None:
        """Save what was accepted; only what has changed since the last time is written."""
        now = tuple(fragments.values())
        difference = Difference.of(self._kept or (), now)
        before = {each.key: each for each in difference.gone}
        gone = [key for key in before if key not in fragments]
        changed = [each for each in difference.new if _differ(before.get(each.key), each)]
        if self._kept is not None and not gone and not changed and json == self._kept_json:
            return
        try:
            with contextlib.closing(self._database.connect()) as connection, connection:
                if self._kept is None:
                    connection.execute("delete from fragment")
                is_there = connection.execute("select 1 from configuration").fetchone() is not None
                # that of ten thousand sites has megabytes
                if self._kept is None or json != self._kept_json or not is_there:
                    connection.execute("insert or replace into configuration values (1, ?)", (json,))
                connection.executemany("delete from fragment where key = ?", [(key,) for key in gone])
                connection.executemany("insert or replace into fragment values (?, ?, ?, ?, ?)", map(_row, changed))
        except (OSError, sqlite3.Error) as error:
            self._database.failed("written", error)
            return
        self._kept, self._kept_json = now, json
        self._database.succeeded()


def _differ(before: Fragment | None, fragment: Fragment) -> bool:
    return before is None or (before.content, before.addresses) != (fragment.content, fragment.addresses)


def _row(fragment: Fragment) -> tuple[str, str, int, str, str]:
    return fragment.key, fragment.owner, fragment.seniority, " ".join(fragment.addresses), fragment.content


def _by_key(rows: Iterable[tuple[Any, ...]]) -> dict[str, Fragment]:
    made = (_fragment(*columns) for columns in rows)
    return {each.key: each for each in made if each is not None}


def _fragment(key: str, owner: str, seniority: int, addresses: str, text: str) -> Fragment | None:
    try:
        blocks = caddyfile.parse(text, owner)
    except CaddyfileError:
        return None
    shows_page = any(is_site(each) and is_page(each) for each in blocks)
    return Fragment(key, owner, seniority, blocks, addresses=tuple(addresses.split()), is_page=shows_page)
