"""Calls to an engine over connections that stay open: real sockets, and responses of every kind."""

import gc
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httptools
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dockcaddy.engine import Connection
from dockcaddy.engine.api.failures import Failure, failure_of
from dockcaddy.engine.api.unix_connections import Answer, _Reading
from docker.errors import NotFound
from scripted_engine import Reply, ScriptedEngine, answer, chunked
from work import lines_run

Eventually = Callable[..., None]
CLOSED: Reply = (b"", False)
OK = b"HTTP/1.1 200 OK\r\n"
# 850 with an object of requests, 683 with Python's own client, 111 when this was written
MOST_LINES = 130


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedEngine]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{tmp_path}/engine.sock")
    with ScriptedEngine(listener) as made:
        yield made


@pytest.fixture
def connection(scripted: ScriptedEngine, tmp_path: Path) -> Connection:
    return Connection(f"unix://{tmp_path}/engine.sock", api_version="1.41")


def in_turn(*replies: Reply) -> Callable[[str], Reply]:
    """Each reply once, and the last one from then on."""
    left = list(replies)
    return lambda path: left.pop(0) if len(left) > 1 else left[0]


def failure(call: Callable[[], Any]) -> Failure:
    with pytest.raises(Exception) as raised:
        call()
    return failure_of(raised.value)


def test_calls_share_a_connection(scripted: ScriptedEngine, connection: Connection) -> None:
    client = connection.client()
    for number in range(5):
        client.inspect_container(f"c{number}")
    client.containers(all=True, filters={"id": ["a b", "c"]})
    client.networks()
    assert scripted.connections == 1
    assert scripted.paths[:5] == [f"/v1.41/containers/c{number}/json" for number in range(5)]
    listed = urlsplit(scripted.paths[5])
    query = {key: values[0] for key, values in parse_qs(listed.query).items()}
    assert listed.path == "/v1.41/containers/json"
    assert query == {"limit": "-1", "all": "1", "size": "0", "trunc_cmd": "0", "filters": '{"id": ["a b", "c"]}'}
    assert "Host: localhost\r\n" in scripted.heads[0] and "User-Agent: docker-sdk-python" in scripted.heads[0]


def test_a_connection_that_the_engine_closed_meanwhile_is_opened_again(
    scripted: ScriptedEngine, connection: Connection, eventually: Eventually
) -> None:
    scripted.reply = in_turn(answer(b'{"Id": "a"}', is_kept=False), CLOSED, answer(b'{"Id": "b"}'), CLOSED)
    assert connection.client().inspect_container("a") == {"Id": "a"}
    eventually(lambda: not scripted.opened)
    assert connection.client().inspect_container("b") == {"Id": "b"}
    # one that ends just when a request is sent, too, but not again and again
    assert failure(lambda: connection.client().inspect_container("c")).cause == (
        "Remote end closed connection without response"
    )
    assert [path[-6] for path in scripted.paths] == list("abbcc")


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (
            (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Id"', False),
            "Response ended prematurely",
        ),
        (chunked(b'{"Id": ', is_complete=False), "Response ended prematurely"),
        (answer(b"<html>"), "Expecting value: line 1 column 1 (char 0)"),
        (
            (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n", False),
            'not an HTTP response (Invalid character in chunk size): "HTTP/1.1 200 OK\\r\\n'
            'Transfer-Encoding: chunked\\r\\n\\r\\n-1\\r\\n{}\\r\\n"',
        ),
        (
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", False),
            'not an HTTP response (Expected HTTP/, RTSP/ or ICE/): "SSH-2.0-OpenSSH_9.2p1\\r\\n"',
        ),
        (
            (b"HTTP/1.1 OK\r\n\r\n{}", False),
            'not an HTTP response (Invalid status code): "HTTP/1.1 OK\\r\\n\\r\\n{}"',
        ),
        ((OK + b"X: y\r\n" * 11_000 + b"\r\n{}", False), "the headers of the response have more than 65536 bytes"),
        (
            (OK + b"X: " + b"y" * 65_536 + b"\r\n\r\n{}", False),
            "the headers of the response have more than 65536 bytes",
        ),
        (answer(b'{"message": "it fails"}', "500 Internal Server Error"), "it fails"),
        (answer(b"", "502 Bad Gateway"), "GET /containers/a/json: 502 Bad Gateway"),
    ],
)
def test_what_is_no_proper_response_is_an_error(
    scripted: ScriptedEngine, connection: Connection, sent: Reply, cause: str
) -> None:
    scripted.reply = in_turn(sent)
    assert failure(lambda: connection.client().inspect_container("a")).cause == cause
    assert len(scripted.heads) == 1
    scripted.reply = in_turn(answer(b"{}"))
    assert connection.client().inspect_container("a") == {}


def test_what_is_forbidden_or_missing(scripted: ScriptedEngine, connection: Connection) -> None:
    scripted.reply = in_turn((b"HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>403</h1>", False))
    refused = failure(connection.client().networks)
    assert refused.is_forbidden and refused.cause == "GET /networks: 403, allow NETWORKS=1"
    scripted.reply = in_turn(answer(b'{"message": "No such container: a"}', "404 Not Found"))
    with pytest.raises(NotFound, match="No such container: a"):
        connection.client().inspect_container("a")


@pytest.mark.parametrize("size", [0, 1, 30_000_000])
@pytest.mark.parametrize("pack", [answer, chunked])
def test_a_response_of_any_size(
    scripted: ScriptedEngine, connection: Connection, pack: Callable[..., Reply], size: int
) -> None:
    expected = {"Id": "a", "Env": ["é" * (size // 2)]}
    scripted.reply = in_turn(pack(json.dumps(expected, ensure_ascii=False).encode()))
    assert connection.client().inspect_container("a") == expected
    assert connection.client().inspect_container("a") == expected
    assert scripted.connections == 1


@pytest.mark.parametrize(
    "sent",
    [
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n1;x=y\r\n{\r\n01\r\n}\r\n0\r\nX-Trailer: y\r\n\r\n", True),
        (OK + b"\r\n{}", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}", True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", False),
        (OK + b"Content-Length: 2\r\n\r\n{}and more", False),
        (OK + b"Content-Length: 2\r\n\r\n{}" + OK + b"Content-Length: 2\r\n\r\n[]", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"HTTP/1.1 200\nContent-Length:2\n\n{}", True),
    ],
)
def test_every_form_of_a_response_is_read(scripted: ScriptedEngine, connection: Connection, sent: Reply) -> None:
    scripted.reply = in_turn(sent)
    for _ in range(2):
        assert connection.client().inspect_container("a") == {}
    assert scripted.connections == (1 if sent[1] else 2)


def test_an_inspect_takes_little_work(connection: Connection) -> None:
    client = connection.client()
    client.inspect_container("a")
    lines = lines_run(lambda: client.inspect_container("b"))
    assert 0 < lines <= MOST_LINES


def test_a_response_is_not_kept_until_garbage_is_collected(scripted: ScriptedEngine, connection: Connection) -> None:
    scripted.reply = lambda path: answer(b'{"Id": "of this test only"}')
    client = connection.client()
    response = client.inspect_container("a")
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(5):
            client.inspect_container("a")
        gc.collect()
        # all that a call makes; threads of other tests may leave garbage of their own
        made = (httptools.HttpResponseParser, Answer, _Reading)
        assert not [each for each in gc.garbage if isinstance(each, made) or each == response]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_text_that_is_not_in_utf_8_is_no_error(scripted: ScriptedEngine, connection: Connection) -> None:
    scripted.reply = in_turn(answer(b'{"Env": ["\xff"]}'))
    assert connection.client().inspect_container("a") == {"Env": ["\ufffd"]}


@pytest.mark.parametrize("sent", [b"", b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Id"'])
def test_a_slow_response_is_an_error(scripted: ScriptedEngine, connection: Connection, sent: bytes) -> None:
    released = threading.Event()

    def late(path: str) -> Reply:
        next(iter(scripted.opened)).sendall(sent)
        released.wait(10)
        return CLOSED

    scripted.reply = late
    client = connection.client()
    client.timeout = 0.2
    assert failure(lambda: client.inspect_container("a")).cause == "timed out"
    assert len(scripted.heads) == 1
    released.set()
    # the late response is not the next call's
    scripted.reply = in_turn(answer(b'{"Id": "b"}'))
    assert client.inspect_container("b") == {"Id": "b"}


def test_a_redirect_is_followed(scripted: ScriptedEngine, connection: Connection) -> None:
    def moved(path: str) -> Reply:
        location = "http+docker://localhost/v1.41/containers/b/json"
        return answer(b"", "301 Moved Permanently", f"Location: {location}\r\n") if "/a/" in path else answer(b"[1]")

    scripted.reply = moved
    assert connection.client().inspect_container("a") == [1]


def test_each_thread_gets_its_own_response(scripted: ScriptedEngine, connection: Connection) -> None:
    scripted.reply = lambda path: answer(json.dumps({"Id": path.split("/")[3]}).encode())
    client = connection.client()
    ids = [f"c{number}" for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        assert [found["Id"] for found in threads.map(client.inspect_container, ids)] == ids
    assert scripted.connections <= 8


def test_no_connection_is_left_open(scripted: ScriptedEngine, connection: Connection, eventually: Eventually) -> None:
    connection.client().networks()
    assert len(scripted.opened) == 1
    connection.forget()
    gc.collect()
    eventually(lambda: not scripted.opened)
    client = connection.client()
    client.networks()
    client.close()
    eventually(lambda: not scripted.opened)
    assert scripted.connections == 2


def test_the_headers_of_dockers_configuration_are_sent_and_podmans_are_read(
    scripted: ScriptedEngine, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Mine": "yes"}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    scripted.reply = in_turn(answer(b"[]", headers="Libpod-Api-Version: 4.3.1\r\n"))
    connection.client().networks()
    assert "X-Mine: yes\r\n" in scripted.heads[0] and connection.is_podman


# --- TCP and TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and cert.pem and key.pem that are good for both ends."""
    folder, key, authority = tmp_path_factory.mktemp("certificates"), *(ec.generate_private_key(ec.SECP256R1()),) * 2
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("ca", "engine")]
    for file, subject, is_authority in (("ca", names[0], True), ("cert", names[1], False)):
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(names[0], subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / f"{file}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture
def at_port() -> Iterator[ScriptedEngine]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    with ScriptedEngine(listener) as made:
        yield made


@pytest.fixture
def with_tls(at_port: ScriptedEngine, certificates: Path) -> ScriptedEngine:
    at_port.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{certificates}/ca.pem")
    at_port.tls.verify_mode = ssl.CERT_REQUIRED
    at_port.tls.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    return at_port


@pytest.fixture(autouse=True)
def others_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of other servers does not count for an engine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere.pem")


def url(engine: ScriptedEngine) -> str:
    return f"tcp://127.0.0.1:{engine.listener.getsockname()[1]}"


def test_an_engine_at_a_port(at_port: ScriptedEngine) -> None:
    connection = Connection(url(at_port), api_version="1.41")
    for _ in range(3):
        assert connection.client().inspect_container("a") == {}
    assert at_port.connections == 1


def test_a_path_before_that_of_the_api_is_kept(at_port: ScriptedEngine) -> None:
    Connection(f"{url(at_port)}/engine", api_version="1.41").client().networks()
    assert at_port.paths == ["/engine/v1.41/networks?filters=%7B%7D"]


def test_tls_with_the_certificate_of_a_client(with_tls: ScriptedEngine, certificates: Path) -> None:
    connection = Connection(url(with_tls), str(certificates), "1.41")
    for _ in range(3):
        assert connection.client().inspect_container("a") == {}
    assert with_tls.connections == 1
    with_tls.reply = in_turn(answer(b"[1]", is_kept=False), answer(b"[2]"))
    assert [connection.client().networks() for _ in range(2)] == [[1], [2]]


def test_tls_without_what_it_needs_is_an_error(with_tls: ScriptedEngine, certificates: Path, tmp_path: Path) -> None:
    assert with_tls.tls is not None
    # a later version says it after the handshake
    with_tls.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    (tmp_path / "ca.pem").write_bytes((certificates / "ca.pem").read_bytes())
    without_certificate = Connection(url(with_tls), str(tmp_path), "1.41")
    said = failure(lambda: without_certificate.client().networks())
    assert "handshake failure" in said.cause and "--docker-certs-path" in said.remedy
    empty = tmp_path / "empty"
    empty.mkdir()
    without_authority = Connection(url(with_tls), str(empty), "1.41")
    said = failure(lambda: without_authority.client().networks())
    assert "certificate verify failed" in said.cause and "--docker-certs-path" in said.remedy
    assert not with_tls.heads
