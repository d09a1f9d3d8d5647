"""What our own Caddy is asked while nothing changes, and what is noticed of what somebody else does. With a real Caddy."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.caddy.loaders import CaddyLoader, ExternalCaddy
from dockcaddy.caddy.process import CaddyProcess, with_defaults
from dockcaddy.errors import CaddyUnreachable
from hanging import hang

CHECKS = 20
PATH = "/config/apps/http/servers/ours"
REQUESTS = re.compile(r'^caddy_admin_http_requests_total\{.*path="([^"]*)"\} (\d+)', re.MULTILINE)


@pytest.fixture
def loader(process: CaddyProcess) -> CaddyLoader:
    client = AdminClient(process.admin)
    return CaddyLoader(client, lambda config: client.load(with_defaults(config, process.admin)), is_direct=True)


def config(name: str) -> bytes:
    return json.dumps({"apps": {"http": {"servers": {name: {"listen": [], "routes": []}}}}}).encode()


def requests(client: AdminClient) -> dict[str, int]:
    """How often Caddy was asked for what, as it counts."""
    return {path: int(count) for path, count in REQUESTS.findall(client.metrics())}


def test_while_nothing_changes_our_caddy_is_not_asked_for_what_is_long(
    loader: CaddyLoader, process: CaddyProcess, eventually: Callable[..., None]
) -> None:
    loader.load(config("ours"))
    known, other = loader.since(), AdminClient(process.admin)

    def is_left_alone() -> bool:
        before = requests(other)
        assert known and [loader.since() for _ in range(CHECKS)] == [known] * CHECKS
        # one was the look at the requests
        return requests(other) == {**before, "/metrics": before["/metrics"] + 1}

    # the endpoint of the configuration before may end a connection some time after the load
    eventually(is_left_alone, looks=100)


def test_a_caddy_of_somebody_else_may_have_something_before_it(process: CaddyProcess) -> None:
    client, other = AdminClient(process.admin), AdminClient(process.admin)
    loader = CaddyLoader(client, ExternalCaddy(client).load)
    loader.load(config("ours"))
    before = requests(other)["/metrics"]
    assert all(loader.since() for _ in range(CHECKS))
    assert requests(other)["/metrics"] == before + CHECKS + 1


def other_load(client: AdminClient, process: CaddyProcess) -> None:
    client.load(with_defaults(config("theirs"), process.admin))


def same_load(client: AdminClient, process: CaddyProcess) -> None:
    # as `caddy reload --force`
    client._exchange("POST", "/load", client.config(), "application/json", {"Cache-Control": "must-revalidate"})


def change_within(client: AdminClient, process: CaddyProcess) -> None:
    client.request("PATCH", f"{PATH}/listen", b'["127.0.0.1:0"]', "application/json")


def deletion(client: AdminClient, process: CaddyProcess) -> None:
    client.request("DELETE", PATH)


def crash(client: AdminClient, process: CaddyProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("change", [other_load, same_load, change_within, deletion, crash])
def test_whatever_somebody_does_to_our_caddy_is_noticed(
    change: Callable[[AdminClient, CaddyProcess], None],
    loader: CaddyLoader,
    process: CaddyProcess,
    eventually: Callable[..., None],
) -> None:
    loader.load(config("ours"))
    known = loader.since()
    assert loader.since() == known
    change(AdminClient(process.admin), process)

    def is_noticed() -> bool:
        try:
            return loader.since() not in (known, ())
        except CaddyUnreachable:
            return False

    eventually(is_noticed)


def test_a_configuration_that_was_just_being_taken_is_noticed(
    loader: CaddyLoader, process: CaddyProcess, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    loader.load(config("ours"))
    known = loader.since()
    certificate, slow = tmp_path / "certificate.pem", tmp_path / "slow.pem"
    names = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=a.test"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *names, *files], check=True, capture_output=True)
    os.mkfifo(slow)
    # Caddy has new connections for it already, and waits for the file
    files = [{"certificate": str(slow), "key": str(tmp_path / "key.pem")}]
    theirs = {"tls": {"certificates": {"load_files": files}}}
    given = with_defaults(json.dumps({"apps": theirs}).encode(), process.admin)
    loading = threading.Thread(target=AdminClient(process.admin).load, args=(given,))
    loading.start()
    with slow.open("wb") as written:
        client = loader.client
        eventually(lambda: client._connection is None or not client.has_kept(client._connection))
        assert [loader.since() for _ in range(3)] == [known] * 3
        written.write(certificate.read_bytes())
    loading.join()
    assert b"load_files" in loader.config()
    eventually(lambda: loader.since() != known)


def test_a_caddy_of_ours_that_hangs_is_noticed(loader: CaddyLoader, process: CaddyProcess) -> None:
    loader.load(config("ours"))
    known = loader.since()
    assert process.pid is not None
    hang(process.pid)
    for _ in range(2):
        with pytest.raises(CaddyUnreachable, match="timed out"):
            loader.since()
    os.kill(process.pid, signal.SIGCONT)
    assert loader.since() == known
