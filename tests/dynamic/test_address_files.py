"""The files from which Caddy reads addresses: when they are written, and what happens where they cannot be."""

import os
from pathlib import Path

import pytest
from attrs import define, field, frozen
from clock import Clock
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.merge.configuration import Configuration
from dockcaddy_upstreams.address_files import AddressFiles, files_of, placeholder

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


def tell(files: AddressFiles, wanted: dict[str, str] = FILES) -> None:
    """As when Caddy has accepted a configuration that reads these files."""
    files.keep(wanted, only_these=True)


def found(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state/upstreams"


def test_each_place_has_a_file_that_anybody_may_read(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    tell(files)
    assert files.state == str(folder) and found(folder) == FILES
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o644}


def test_the_files_are_those_that_the_configuration_reads() -> None:
    @frozen
    class Read(Configuration):
        placeholders: dict[str, str] = field(factory=dict)

    noted = {placeholder("/run/x", "web-1", 0): "10.0.0.2", "{file./srv/other}": "text", "{env.NAME}": "x"}
    assert files_of(Read("", placeholders=noted)) == {"web-1.0.address": "10.0.0.2"}


def test_who_has_no_names_has_no_folder(folder: Path) -> None:
    tell(AddressFiles(folder, Clock()), {})
    assert not folder.exists()


def test_only_what_changed_is_written(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    tell(files)
    before = {each.name: each.stat().st_ino for each in folder.iterdir()}
    tell(files, FILES | {"web-1.1.address": "10.0.0.9"})
    after = {each.name: each.stat().st_ino for each in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"web-1.1.address"}


def test_what_was_added_goes_when_others_are_told(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    tell(files)
    files.keep({"new.0.address": "10.0.0.7"}, only_these=False)
    assert found(folder) == FILES | {"new.0.address": "10.0.0.7"}
    tell(files, {"new.0.address": "10.0.0.7"})
    assert found(folder) == {"new.0.address": "10.0.0.7"}


def test_the_next_run_takes_over_what_is_there_and_touches_nothing_of_others(folder: Path) -> None:
    tell(AddressFiles(folder, Clock()), FILES | {"old.0.address": "10.0.0.4"})
    (folder / "web-1.0.address.new").write_text("10.")
    (folder / "notes.txt").write_text("mine")
    before = (folder / "web-1.0.address").stat().st_ino
    tell(AddressFiles(folder, Clock()))
    assert found(folder) == FILES | {"notes.txt": "mine"}
    assert (folder / "web-1.0.address").stat().st_ino == before


def test_what_somebody_deleted_is_noticed_and_written_again(folder: Path) -> None:
    files = AddressFiles(folder, Clock())
    tell(files)
    assert files.holds()
    (folder / "web-1.0.address").unlink()
    os.utime(folder, ns=(1, 1))
    assert not files.holds()
    tell(files)
    assert found(folder) == FILES and files.holds()


def test_a_caddy_of_others_has_to_see_the_folder(folder: Path) -> None:
    reader = Reader()
    files = AddressFiles(folder, Clock(), {"caddy at x": reader})
    assert files.state == ""
    files.keep(FILES, only_these=False)
    assert files.state == str(folder)
    tell(files)
    assert files.state == str(folder) and found(folder) == FILES and reader.asked == 1


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
    tell(files)
    assert files.state == "" and words in files.failure and "--address-directory" in files.failure
    tell(files)
    assert reader.asked == 1
    reader.answer = None
    assert files.retry_at is not None
    clock.now = files.retry_at
    tell(files)
    assert (files.state, files.failure, files.retry_at) == (str(folder), "", None)


@pytest.mark.parametrize("name", ["a b", "{x}", "a\\b", 'a"b'])
def test_a_path_that_no_placeholder_can_name_is_told(tmp_path: Path, name: str) -> None:
    files = AddressFiles(tmp_path / name, Clock())
    assert files.state == ""
    tell(files)
    assert "a path that caddy is to read cannot have" in files.failure


def test_where_nothing_can_be_written_they_move_into_the_configuration(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "file").write_text("")
    files = AddressFiles(tmp_path / "file/upstreams", clock)
    assert files.state != ""
    tell(files)
    assert files.state == "" and "Not a directory" in files.failure


def test_the_pause_between_two_tries_grows_and_ends_with_the_names(tmp_path: Path) -> None:
    clock = Clock()
    files = AddressFiles(tmp_path / "a b", clock)
    pauses = []
    for _ in range(7):
        tell(files)
        assert files.retry_at is not None
        pauses.append(files.retry_at - clock.now)
        clock.now = files.retry_at
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    tell(files, {})
    assert (files.failure, files.retry_at) == ("", None)
