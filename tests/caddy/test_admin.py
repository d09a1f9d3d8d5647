"""The admin client and the managed child, with a real Caddy."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.command import CommandAdapter, find_caddy
from dockcaddy.caddy.process import CaddyProcess, with_defaults
from dockcaddy.caddy.words import refused_line
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, SettingsError
from hanging import hang


@pytest.fixture
def client(process: CaddyProcess) -> AdminClient:
    return AdminClient(process.admin)


def test_adapt_gives_caddys_json(client: AdminClient) -> None:
    adapted = json.loads(client.adapt("http://a.test:8080 {\n\trespond hi\n}\n"))
    assert adapted["apps"]["http"]["servers"]["srv0"]["listen"] == [":8080"]


def test_a_refusal_keeps_caddys_words_and_line(client: AdminClient) -> None:
    with pytest.raises(CaddyRefusal) as caught:
        client.adapt("http://a.test {\n\tbogus\n}\n")
    assert "unrecognized directive: bogus" in str(caught.value)
    assert refused_line(str(caught.value)) == 2


def test_a_configuration_that_does_not_load_leaves_the_old_one(
    client: AdminClient, process: CaddyProcess, free_port
) -> None:
    good = with_defaults(client.adapt(f"http://a.test:{free_port()} {{\n\trespond hi\n}}\n"), process.admin)
    client.load(good)
    before = client.config()
    bad = with_defaults(client.adapt("https://b.test:8443 {\n\ttls /no/cert.pem /no/key.pem\n}\n"), process.admin)
    with pytest.raises(CaddyRefusal, match=r"/no/cert.pem"):
        client.load(bad)
    assert client.config() == before


def test_the_connection_is_kept_and_survives_a_restart(client: AdminClient, process: CaddyProcess, eventually) -> None:
    client.config()
    kept = client._connection
    client.config()
    assert client._connection is kept
    old = process.pid
    os.kill(old, signal.SIGKILL)
    eventually(lambda: process.pid not in (None, old) and process.starts == 2)
    assert client.config()


def test_a_hanging_endpoint_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = AdminClient(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        with pytest.raises(CaddyUnreachable, match="does not answer"):
            client.config()


def test_nobody_there_is_told_with_the_url(free_port: Callable[[], int]) -> None:
    url = f"localhost:{free_port()}"
    with pytest.raises(CaddyUnreachable, match=url):
        AdminClient(url).config()


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("http://localhost:2019", (None, "localhost", 2019)),
        ("localhost:2020", (None, "localhost", 2020)),
        ("tcp/127.0.0.1:2019", (None, "127.0.0.1", 2019)),
        (":2019", (None, "localhost", 2019)),
        ("http://[::1]:2019", (None, "::1", 2019)),
        ("unix//run/caddy.sock", ("/run/caddy.sock", "", 0)),
        ("unix:///run/caddy.sock", ("/run/caddy.sock", "", 0)),
    ],
)
def test_every_spelling_of_an_address_is_understood(url: str, parsed: tuple) -> None:
    client = AdminClient(url)
    assert (client._unix_path, client._host, client._port) == parsed


@pytest.mark.parametrize("url", ["ftp://localhost:2019", "http://localhost:x", "unix/relative.sock"])
def test_what_is_not_spoken_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        AdminClient(url)


def test_a_killed_child_is_started_again_at_once_and_told(process: CaddyProcess, eventually) -> None:
    told = threading.Event()
    process.on_start = lambda crashes: None if crashes else told.set()
    os.kill(process.pid, signal.SIGKILL)
    assert told.wait(5)


def test_how_often_it_crashed_is_told_and_that_somebody_ended_it_is_none(process: CaddyProcess, eventually) -> None:
    told: list[int] = []
    process.on_start = told.append
    # Caddy quits at once with status 2
    for number, sign in enumerate((signal.SIGQUIT, signal.SIGKILL), start=1):
        os.kill(process.pid, sign)
        eventually(lambda number=number: len(told) == number)
    assert told == [1, 0]


def test_it_ends_while_its_thread_is_starting(caddy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path / "state")

    def interrupted(thread: threading.Thread) -> None:
        raise SystemExit

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(SystemExit):
        process.start()
    process.stop(0)
    assert process.pid is None


def test_stop_leaves_no_process(caddy: str, tmp_path: Path) -> None:
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path)
    process.start()
    pid = process.pid
    process.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_that_was_made_while_it_was_told_to_stop_is_ended(caddy: str, tmp_path: Path, monkeypatch) -> None:
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path)
    made, spawn = [], process._spawn

    def stopped_meanwhile() -> object:
        made.append(spawn())
        process._stopping.set()
        return made[-1]

    monkeypatch.setattr(CaddyProcess, "_spawn", lambda self: stopped_meanwhile())
    process._folder.mkdir()
    process._watch()
    assert made[0].poll() is not None


def test_the_child_ends_with_a_killed_parent(caddy: str, tmp_path: Path, eventually) -> None:
    code = f"""
        import time
        from pathlib import Path
        from dockcaddy.caddy.process import CaddyProcess
        process = CaddyProcess(Path({caddy!r}), "unix/{tmp_path}/admin.sock", Path({str(tmp_path)!r}))
        process.start()
        print(process.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    eventually(lambda: not _lives(pid))


def test_where_no_file_can_be_written_caddy_starts_all_the_same(caddy: str, tmp_path: Path, eventually) -> None:
    """As on a full disk."""
    for name in ("caddy.pid", "start.json"):
        (tmp_path / name).mkdir()
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path, initial=lambda: b'{"apps":{}}')
    process.start()
    try:
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        eventually(lambda: process.starts == 2)
        client = AdminClient(f"unix/{tmp_path}/admin.sock")
        assert json.loads(client.config())["apps"] == {}
        client.close()
    finally:
        process.stop()


def test_a_first_configuration_of_many_megabytes_is_read_whole(caddy: str, tmp_path: Path) -> None:
    sites = [{"match": [{"host": [f"{number}.test"]}], "terminal": True} for number in range(50_000)]
    config = {"apps": {"http": {"servers": {"srv0": {"listen": [f"unix/{tmp_path}/http.sock"], "routes": sites}}}}}
    process = CaddyProcess(
        Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path, initial=lambda: json.dumps(config).encode()
    )
    process.start()
    try:
        client = AdminClient(f"unix/{tmp_path}/admin.sock")
        assert json.loads(client.config())["apps"] == config["apps"]
        client.close()
    finally:
        process.stop()


@pytest.mark.parametrize("hangs", [False, True])
def test_an_orphan_of_an_earlier_run_is_ended(caddy: str, tmp_path: Path, hangs: bool) -> None:
    config = tmp_path / "start.json"
    config.write_bytes(with_defaults(b"{}", f"unix/{tmp_path}/other.sock"))
    orphan = subprocess.Popen([caddy, "run", "--config", str(config)], stderr=subprocess.DEVNULL)
    birth = Path(f"/proc/{orphan.pid}/stat").read_text().rpartition(")")[2].split()[19]
    (tmp_path / "caddy.pid").write_text(f"{orphan.pid} {birth}")
    process = CaddyProcess(Path(caddy), f"unix/{tmp_path}/admin.sock", tmp_path)
    reaper = threading.Thread(target=orphan.wait, daemon=True)
    reaper.start()
    if hangs:
        os.kill(orphan.pid, signal.SIGSTOP)
    process.start()
    process.stop()
    assert orphan.poll() is not None


def test_a_strange_caddy_at_the_address_is_not_taken_for_ours(caddy: str, tmp_path: Path, free_port) -> None:
    address = f"localhost:{free_port()}"
    strange = CaddyProcess(Path(caddy), address, tmp_path / "strange", initial=lambda: b'{"apps":{}}')
    strange.start()
    try:
        with pytest.raises(CaddyUnreachable, match="another caddy already answers"):
            CaddyProcess(Path(caddy), address, tmp_path / "ours").start()
    finally:
        strange.stop()


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_caddy_that_is_not_there_is_told() -> None:
    with pytest.raises(CaddyUnreachable, match="is not an executable program"):
        find_caddy("/nowhere/caddy")


def test_the_program_on_disk_adapts_and_refuses_alike(caddy: str) -> None:
    adapter = CommandAdapter(Path(caddy))
    assert b'"handler":"static_response"' in adapter.adapt("http://a.test {\n\trespond hi\n}\n")
    with pytest.raises(CaddyRefusal, match="unrecognized directive: bogus") as caught:
        adapter.adapt("http://a.test {\n\tbogus\n}\n")
    assert refused_line(str(caught.value)) == 2


def test_our_admin_endpoint_is_kept_whatever_a_configuration_says() -> None:
    config = json.loads(with_defaults(b'{"admin":{"disabled":true,"listen":"0.0.0.0:1","origins":["x"]}}', "unix//a"))
    assert config["admin"] == {"listen": "unix//a", "origins": ["x"]}
    assert json.loads(with_defaults(b'{"apps":{}}', "unix//a")) == {"admin": {"listen": "unix//a"}, "apps": {}}
    assert json.loads(with_defaults(b"null", "tcp/x:1")) == {"admin": {"listen": "tcp/x:1"}}


# Caddy 2.11 ends with a panic as soon as it logs
DEADLY = {"logging": {"logs": {"default": {"core": {"module": "mock"}}}}}


def test_a_configuration_that_ends_caddy_is_refused(client: AdminClient, process: CaddyProcess) -> None:
    deadly = with_defaults(json.dumps(DEADLY).encode(), process.admin)
    with pytest.raises(CaddyRefusal, match="caddy crashes"):
        client.load(deadly)
    assert client.config()
    client.load(with_defaults(b"{}", process.admin))


def test_a_caddy_that_is_killed_while_it_loads_is_given_the_same_again(
    client: AdminClient, process: CaddyProcess, free_port
) -> None:
    site = f"http://a.test:{free_port()} {{\n\trespond hi\n}}\n"
    config = with_defaults(client.adapt(site), process.admin)
    hang(process.pid)
    killing = threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL))
    killing.start()
    # asked a moment ago, so that it is not asked for a sign of life
    client._last_answer = float("inf")
    client.load(config)
    assert b"a.test" in client.config()


def test_a_configuration_that_caddy_comes_to_no_end_with_is_refused(process: CaddyProcess, free_port) -> None:
    client = AdminClient(process.admin, timeout=1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        authority = f"trust_pool http {{\nendpoints http://127.0.0.1:{silent.getsockname()[1]}\n}}"
        text = f"https://a.test:{free_port()} {{\ntls internal {{\nclient_auth {{\n{authority}\n}}\n}}\n}}\n"
        with pytest.raises(CaddyRefusal, match="does not finish"):
            client.load(with_defaults(client.adapt(text), process.admin))


def test_a_caddy_that_hangs_has_refused_nothing(client: AdminClient, process: CaddyProcess) -> None:
    client = AdminClient(process.admin, timeout=0.5)
    client.config()
    hang(process.pid)
    client._last_answer = float("inf")
    with pytest.raises(CaddyUnreachable):
        client.load(with_defaults(b"{}", process.admin))
    os.kill(process.pid, signal.SIGCONT)


def test_the_reason_stays_the_same_while_a_caddy_hangs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        client = AdminClient(f"unix/{tmp_path}/s", timeout=0.1, connect_timeout=0.1, remedy="start it")
        said = set()
        for _ in range(2):
            with pytest.raises(CaddyUnreachable) as raised:
                client.adapt("")
            said.add(str(raised.value))
        assert said == {f"caddy at unix/{tmp_path}/s does not answer: timed out, start it"}
