"""The files from which Caddy reads addresses: when they are written, and what happens where they cannot be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define
from clock import Clock
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.reconcile.address_files import AddressesMoved, AddressFiles

NAMES = {"web-1": ("10.0.0.2", "10.0.0.3"), "none": ("",)}
FILES = {"web-1.0.address": "10.0.0.2", "web-1.1.address": "10.0.0.3", "none.0.address": ""}


@define
class Reader:
    """A Caddy that reads what it is to import, or answers something else."""

    answer: Exception | bytes | None = None
    asked: int = 0

    def adapt(self, text: str) -> bytes:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Path(text.split()[1]).read_bytes() if self.answer is None else self.answer


@contextmanager
def moved(words: str) -> Iterator[None]:
    with pytest.raises(AddressesMoved, match=words):
        yield


def found(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state/upstreams"


def test_each_place_has_a_file_that_anybody_may_read(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    files.tell(NAMES)
    assert files.path == str(folder) and found(folder) == FILES
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o644}


def test_who_has_no_names_has_no_folder(folder: Path) -> None:
    AddressFiles(folder, Clock()).tell({})
    assert not folder.exists()


def test_only_what_changed_is_written(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    files.tell(NAMES)
    before = {each.name: each.stat().st_ino for each in folder.iterdir()}
    files.tell(NAMES | {"web-1": ("10.0.0.2", "10.0.0.9")})
    after = {each.name: each.stat().st_ino for each in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"web-1.1.address"}


def test_what_was_added_goes_when_others_are_told(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    files.tell(NAMES)
    files.add({"new": ("10.0.0.7",)})
    assert found(folder) == FILES | {"new.0.address": "10.0.0.7"}
    files.tell({"new": ("10.0.0.7",)})
    assert found(folder) == {"new.0.address": "10.0.0.7"}


def test_the_next_run_takes_over_what_is_there_and_touches_nothing_of_others(folder: Path) -> None:
    AddressFiles(folder, Clock()).tell(NAMES | {"old": ("10.0.0.4",)})
    (folder / "web-1.0.address.new").write_text("10.")
    (folder / "notes.txt").write_text("mine")
    before = (folder / "web-1.0.address").stat().st_ino
    AddressFiles(folder, Clock()).tell(NAMES)
    assert found(folder) == FILES | {"notes.txt": "mine"}
    assert (folder / "web-1.0.address").stat().st_ino == before


def test_what_somebody_deleted_is_noticed_and_written_again(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    files.tell(NAMES)
    assert not files.disturbed
    (folder / "web-1.0.address").unlink()
    os.utime(folder, ns=(1, 1))
    assert files.disturbed
    files.tell(NAMES)
    assert found(folder) == FILES and not files.disturbed


def test_a_caddy_of_others_has_to_see_the_folder(folder: Path) -> None:
    reader = Reader()
    files = AddressFiles(folder, Clock(), {"caddy at x": reader})
    assert files.path == ""
    with moved("again"):
        files.add(NAMES)
    files.tell(NAMES)
    assert files.path == str(folder) and found(folder) == FILES and reader.asked == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CaddyRefusal("File to import not found"), "caddy at x does not see it: File to import not found"),
        (b'{"apps":{}}', "caddy at x sees another folder there"),
        (CaddyUnreachable("caddy at x does not answer"), "does not answer"),
    ],
    ids=["not-there", "another-one", "silent"],
)  # fmt: skip
def test_where_it_does_not_addresses_stay_in_the_configuration_and_it_is_asked_again(
    folder: Path, answer: Exception | bytes, words: str
) -> None:
    clock, reader = Clock(), Reader(answer)
    files = AddressFiles(folder, clock, {"caddy at x": reader})
    files.tell(NAMES)
    assert files.path == "" and words in files.failure and "--address-directory" in files.failure
    files.tell(NAMES)
    assert reader.asked == 1
    reader.answer = None
    assert files.retry_at is not None
    clock.now = files.retry_at
    with moved("again"):
        files.tell(NAMES)
    assert (files.path, files.failure, files.retry_at) == (str(folder), "", None)


@pytest.mark.parametrize("name", ["a b", "{x}", "a\\b", 'a"b'])
def test_a_path_that_no_placeholder_can_name_is_told(tmp_path: Path, name: str) -> None:
    files = AddressFiles(tmp_path / name, Clock())
    assert files.path == ""
    files.tell(NAMES)
    assert "a path that caddy is to read cannot have" in files.failure


def test_where_nothing_can_be_written_they_move_into_the_configuration(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "file").write_text("")
    files = AddressFiles(tmp_path / "file/upstreams", clock)
    with moved("Not a directory"):
        files.tell(NAMES)
    assert files.path == ""


def test_the_pause_between_two_tries_grows_and_ends_with_the_names(tmp_path: Path) -> None:
    clock = Clock()
    files = AddressFiles(tmp_path / "a b", clock)
    pauses = []
    for _ in range(7):
        files.tell(NAMES)
        assert files.retry_at is not None
        pauses.append(files.retry_at - clock.now)
        clock.now = files.retry_at
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    files.tell({})
    assert (files.failure, files.retry_at) == ("", None)
