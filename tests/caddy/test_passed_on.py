"""The access log comes out as Caddy writes it, and Caddy never waits for whoever reads it."""

import fcntl
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddy.passed_on import PassedOn, is_passed_on

REQUEST = {"remote_ip": "127.0.0.1", "method": "GET", "host": "a.test", "uri": '/":"http.log.access"', "headers": {}}


def line(logger: str, level: str = "info") -> bytes:
    given = {"level": level, "ts": 1.5, "logger": logger, "msg": "handled request", "request": REQUEST}
    return json.dumps(given, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "passed",
    [
        line("http.log.access"),
        line("http.log.access", "error"),
        line("http.log.access.log0"),
        line("http.log.access.log0").replace(b'"level":"info",', b""),
        b'2026/11/28 13:36:54.506\t\x1b[34mINFO\x1b[0m\thttp.log.access.log0\thandled request\t{"status": 401}',
        b'127.0.0.1 - - [28/Nov/2026:13:36:54 +0000] "GET / HTTP/1.1" 200 2',
        b"panic: oh no",
    ],
)
def test_access_lines_and_what_is_not_in_caddys_usual_form_are_passed_on(passed: bytes) -> None:
    assert is_passed_on(passed)


@pytest.mark.parametrize("ours", [line("http.log.error", "error"), line("admin.api"), b"Error: loading initial config"])
def test_caddys_other_lines_are_not(ours: bytes) -> None:
    assert not is_passed_on(ours)


def test_lines_are_dropped_while_nobody_reads_and_the_rest_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockcaddy.caddy.passed_on.PATIENCE", 1)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 8192)
    passed_on = PassedOn(writing)
    lines = [b"%06d " % number + b"x" * (6000 if number % 3 == 0 else 100) for number in range(200)]
    passed_on.write(lines)
    assert 150 < passed_on.dropped() < 200
    assert passed_on.dropped() == 0
    os.read(reading, 1 << 16)
    passed_on.write([b"after"])
    assert os.read(reading, 1 << 16).lstrip(b"\n") == b"after\n"
    os.close(reading)
    passed_on.write([b"nobody is there"])
    assert passed_on.dropped() == 1
    os.close(writing)


RUN = """
import sys, time
from pathlib import Path
from dockcaddy import logs
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.process import CaddyProcess, with_defaults

logs.configure("info", "text")
process = CaddyProcess(Path(sys.argv[1]), f"unix/{sys.argv[2]}/admin.sock", Path(sys.argv[2]) / "state")
process.start()
client = AdminClient(process.admin)
client.load(with_defaults(client.adapt(sys.stdin.read()), process.admin))
Path(sys.argv[2], "ready").touch()
while not Path(sys.argv[2], "end").exists():
    time.sleep(0.01)
process.stop()
"""


@pytest.mark.process
def test_a_real_caddys_access_log_comes_out_at_both_streams(
    caddy: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    ports = [free_port() for _ in range(3)]
    logs = ("log", "log {\n output stdout\n}", "log {\n format console\n}")
    sites = [f"http://:{port} {{\n {log}\n respond hi\n}}\n" for port, log in zip(ports, logs, strict=True)]
    command = [sys.executable, "-c", RUN, caddy, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("".join(sites))
        process.stdin.close()
        process.stdin = None
        while not (tmp_path / "ready").exists() and process.poll() is None:
            time.sleep(0.01)
        for port in ports:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/?of={port}").close()
        (tmp_path / "end").touch()
        out, err = process.communicate()
    (usual,) = (json.loads(each) for each in err.splitlines() if each.startswith("{"))
    assert (usual["logger"], usual["status"], usual["request"]["uri"]) == ("http.log.access", 200, f"/?of={ports[0]}")
    (to_stdout,) = map(json.loads, out.splitlines())
    assert to_stdout["request"]["uri"] == f"/?of={ports[1]}"
    (for_people,) = (each for each in err.splitlines() if f"/?of={ports[2]}" in each)
    assert "\thttp.log.access.log1\thandled request\t{" in for_people
    assert "caddy: " not in for_people
