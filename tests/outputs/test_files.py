"""The file outputs: whole or not there, written only when they differ, kept where writing fails."""

from pathlib import Path

import dockcaddy
import pytest
from dockcaddy import FileOutput, OutputContext, target_file
from dockcaddy.errors import CaddyRefusal, OutputError
from dockcaddy.merge.configuration import Configuration
from dockcaddy_caddyfile import CaddyfileOutput
from dockcaddy_json import JsonOutput


def configuration(text: str) -> Configuration:
    return Configuration(text, (), b'{"from":"' + text.encode() + b'"}')


def test_the_file_holds_the_text_and_nothing_else_is_left(tmp_path: Path) -> None:
    output = CaddyfileOutput(tmp_path / "Caddyfile")
    output.write(configuration("one"))
    output.write(configuration("two"))
    assert [path.name for path in tmp_path.iterdir()] == ["Caddyfile"]
    assert (tmp_path / "Caddyfile").read_text() == "two"
    assert (tmp_path / "Caddyfile").stat().st_mode & 0o777 == 0o640


def test_equal_text_is_not_written_again(tmp_path: Path) -> None:
    output = CaddyfileOutput(tmp_path / "Caddyfile")
    output.write(configuration("one"))
    before = (tmp_path / "Caddyfile").stat().st_ino
    output.write(configuration("one"))
    assert (tmp_path / "Caddyfile").stat().st_ino == before


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"cannot write .*gone/Caddyfile: No such file or directory, the old file stays"
    ):
        CaddyfileOutput(tmp_path / "gone" / "Caddyfile").write(configuration("one"))


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = CaddyfileOutput(tmp_path / "Caddyfile")
    output.write(configuration("old"))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        output.write(configuration("new"))
    assert (tmp_path / "Caddyfile").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_changed_by_somebody_else_is_noticed(tmp_path: Path) -> None:
    output = CaddyfileOutput(tmp_path / "Caddyfile")
    output.write(configuration("one"))
    assert output.holds(configuration("one"))
    (tmp_path / "Caddyfile").write_text("other")
    assert not output.holds(configuration("one"))


def test_json_is_what_caddy_adapted(tmp_path: Path) -> None:
    output = JsonOutput(tmp_path / "caddy.json")
    output.write(configuration("one"))
    assert (tmp_path / "caddy.json").read_bytes() == b'{"from":"one"}'
    with pytest.raises(CaddyRefusal, match="has not been adapted"):
        output.write(Configuration("two"))


def test_an_output_of_a_plugin_says_only_what_the_file_holds(tmp_path: Path) -> None:
    class Length(FileOutput):
        def content(self, configuration: dockcaddy.Configuration) -> bytes:
            return str(len(configuration.text)).encode()

    context = OutputContext(lambda section: section(), pytest.fail, {"target": str(tmp_path / "length")})
    output = Length(target_file(context, "length"))
    output.write(configuration("four"))
    assert (tmp_path / "length").read_bytes() == b"4" and output.holds(configuration("five"))
    assert not output.holds(configuration("three"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "output x needs a path: --output x=PATH"),
        ({"target": "/"}, "output x=/: this is a folder, name a file in it"),
        (
            {"target": "/nowhere/x"},
            "output x=/nowhere/x: folder /nowhere does not exist, create it or name another one",
        ),
    ],
)
def test_a_target_where_no_file_can_be_is_an_error(options: dict[str, str], message: str) -> None:
    with pytest.raises(OutputError) as raised:
        target_file(OutputContext(lambda section: section(), pytest.fail, options), "x")
    assert str(raised.value) == message


def test_a_path_that_cannot_be_looked_at_is_told() -> None:
    # as in a folder that is closed to us, which root cannot have
    path = f"/tmp/{'x' * 300}/Caddyfile"
    context = OutputContext(lambda section: section(), lambda url="": None, {"target": path})  # type: ignore[arg-type,return-value]
    with pytest.raises(OutputError, match="cannot be read: File name too long, name another file"):
        target_file(context, "caddyfile")
