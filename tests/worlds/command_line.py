"""The command line, called in this process."""

import io
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from dockcaddy.cli import main


@frozen
class Result:
    """What a call left behind."""

    status: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def dockcaddy(
    sandbox: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Call]:
    """Calls `dockcaddy ARGUMENTS` in an empty folder; `given` is its standard input."""
    logger = logging.getLogger("dockcaddy")
    before = (logger.handlers[:], logger.level, logger.propagate)

    def call(*arguments: str, given: str = "") -> Result:
        monkeypatch.setattr(sys, "argv", ["dockcaddy", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsysbinary.readouterr()
        return Result(int(ended.value.code or 0), told.out.decode(), told.err.decode())

    yield call
    logger.handlers[:], logger.level, logger.propagate = before
