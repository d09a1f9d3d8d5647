"""What was accepted last survives the program."""

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from dockcaddy import caddyfile
from dockcaddy.files import Database
from dockcaddy.fragment import Fragment
from dockcaddy.reconcile.last_good import LastGood, Remembered


def fragment(key: str, text: str, *addresses: str) -> Fragment:
    return Fragment(key, f"container {key}", 7, caddyfile.parse(text, ""), addresses=addresses)


SITE = 'a.example.org {\n\trespond `say "a"`\n}\n'


def test_what_was_kept_is_there_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "last-good.db"
    LastGood(path).keep(b"{}", {"a": fragment("a", SITE, "172.18.0.2", "fd00::2")})
    remembered = LastGood(path).load()
    kept = remembered.fragments["a"]
    assert remembered.json == b"{}"
    assert (kept.owner, kept.seniority, kept.addresses) == ("container a", 7, ("172.18.0.2", "fd00::2"))
    assert kept.content == fragment("a", SITE).content


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    last_good = LastGood(tmp_path / "last-good.db")
    last_good.keep(b"{}", {})
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "last-good.db"
    last_good = LastGood(path)
    last_good.keep(b"{}", {"a": fragment("a", SITE), "b": fragment("b", SITE)})
    last_good.keep(b"{}", {"b": fragment("b", SITE)})
    assert set(LastGood(path).load().fragments) == {"b"}
    LastGood(path).keep(b"{}", {"c": fragment("c", SITE)})
    assert set(LastGood(path).load().fragments) == {"c"}


def test_nothing_is_written_when_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last_good = LastGood(tmp_path / "last-good.db")
    kept = {"a": fragment("a", SITE)}
    last_good.keep(b"{}", kept)
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: pytest.fail("written again"))
    last_good.keep(b"{}", {"a": fragment("a", SITE)})


def test_a_json_that_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "last-good.db"
    last_good = LastGood(path)
    last_good.keep(b"{}", {"a": fragment("a", SITE)})
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update configuration set json = 'as it was'")
    last_good.keep(b"{}", {"a": fragment("a", SITE), "b": fragment("b", SITE)})
    remembered = LastGood(path).load()
    assert remembered.json == "as it was" and set(remembered.fragments) == {"a", "b"}
    path.unlink()
    last_good.keep(b"{}", {"a": fragment("a", SITE)})
    assert LastGood(path).json() == b"{}"


def test_a_file_that_is_no_database_is_told_and_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "last-good.db"
    path.write_bytes(b"garbage, and quite a lot of it " * 100)
    assert LastGood(path).load() == Remembered()
    assert "cannot be read" in caplog.text
    LastGood(path).keep(b"{}", {})
    assert LastGood(path).load().json == b"{}"


def test_a_folder_that_cannot_be_written_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    last_good = LastGood(Path(os.devnull) / "last-good.db")
    last_good.keep(b"{}", {})
    last_good.keep(b"{}", {})
    assert last_good.load() == Remembered()
    assert caplog.text.count("cannot be written") == 1


FULL = "cannot be written: the disk is full: make room, or choose a --state-directory on another one"


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "full.db"
    database = Database(path, "last good configuration", "create table if not exists t (x);", 1, "normal")
    with contextlib.closing(database.connect()) as connection:
        # no page more, as where there is no room
        connection.execute("pragma max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("insert into t values (zeroblob(100000))")
    database.failed("written", raised.value)
    assert caplog.messages == [f"last good configuration {path}: {FULL}"]


@pytest.mark.parametrize(("free", "reason"), [(4096, FULL), (1 << 30, "cannot be written: disk I/O error")])
def test_an_error_of_the_disk_is_that_it_is_full_only_where_it_is(
    free: int, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    Database(tmp_path / "x.db", "history", "", 1, "off").failed("written", error)
    assert caplog.messages == [f"history {tmp_path / 'x.db'}: {reason}"]
