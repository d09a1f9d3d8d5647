"""The template engine does what Go's text/template does."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

# Go allows 100 000 nested templates; here the limit is lower, and its number stands in the message.
OTHER_LIMIT = {"stress-recursion-endless"}


@pytest.mark.process
def test_every_output_error_phase_and_message_is_gos() -> None:
    command = [sys.executable, str(FOLDER / "run_conformance.py"), str(FOLDER / "conformance"), "-v"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    failing = {line.split(" ", 1)[0] for line in told[:-1] if not line.startswith(" ")}
    assert failing <= OTHER_LIMIT, "\n".join(told)
    assert told[-1] == "614/614 outputs, 410/410 error phases, 409/410 error messages"
