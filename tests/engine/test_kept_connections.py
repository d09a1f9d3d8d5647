"""Calls to an engine over connections that stay open: real sockets, and responses of every kind."""

import gc
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dockcaddy.engine import Connection
from dockcaddy.engine.api.failures import Failure, failure_of
from dockcaddy.engine.api.unix_connections import Answer, Reading
from docker.errors import NotFound
from scripted_engine import Reply, ScriptedEngine, answer, chunked
from work import lines_run

Eventually = Callable[..., None]
Inspect = Callable[[str], Any]
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


@pytest.fixture(params=["waiting", "begun"])
def inspect(request: pytest.FixtureRequest, connection: Connection) -> Inspect:
    """Both ways to inspect a container. The client is that of the connection at the time of the call."""

    def begun(id: str) -> Any:
        found: Queue[Any] = Queue()
        assert connection.client().begin_inspect(id, found.put)
        result = found.get()
        if isinstance(result, Exception):
            raise result
        return result

    return begun if request.param == "begun" else lambda id: connection.client().inspect_container(id)


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
    scripted: ScriptedEngine, inspect: Inspect, eventually: Eventually
) -> None:
    scripted.reply = in_turn(answer(b'{"Id": "a"}', is_kept=False), CLOSED, answer(b'{"Id": "b"}'), CLOSED)
    assert inspect("a") == {"Id": "a"}
    eventually(lambda: not scripted.opened)
    assert inspect("b") == {"Id": "b"}
    # one that ends just when a request is sent, too, but not again and again
    assert failure(lambda: inspect("c")).cause == ("Remote end closed connection without response")
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
    scripted: ScriptedEngine, inspect: Inspect, sent: Reply, cause: str
) -> None:
    scripted.reply = in_turn(sent)
    assert failure(lambda: inspect("a")).cause == cause
    assert len(scripted.heads) == 1
    scripted.reply = in_turn(answer(b"{}"))
    assert inspect("a") == {}


def test_what_is_forbidden_or_missing(scripted: ScriptedEngine, connection: Connection, inspect: Inspect) -> None:
    scripted.reply = in_turn((b"HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>403</h1>", False))
    refused = failure(connection.client().networks)
    assert refused.is_forbidden and refused.cause == "GET /networks: 403, allow NETWORKS=1"
    scripted.reply = in_turn(answer(b'{"message": "No such container: a"}', "404 Not Found"))
    with pytest.raises(NotFound, match="No such container: a"):
        inspect("a")


@pytest.mark.parametrize("size", [0, 1, 30_000_000])
@pytest.mark.parametrize("pack", [answer, chunked])
def test_a_response_of_any_size(
    scripted: ScriptedEngine, inspect: Inspect, pack: Callable[..., Reply], size: int
) -> None:
    expected = {"Id": "a", "Env": ["é" * (size // 2)]}
    scripted.reply = in_turn(pack(json.dumps(expected, ensure_ascii=False).encode()))
    assert inspect("a") == expected
    assert inspect("a") == expected
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
def test_every_form_of_a_response_is_read(scripted: ScriptedEngine, inspect: Inspect, sent: Reply) -> None:
    scripted.reply = in_turn(sent)
    for _ in range(2):
        assert inspect("a") == {}
    assert scripted.connections == (1 if sent[1] else 2)


def test_an_inspect_takes_little_work(connection: Connection) -> None:
    client = connection.client()
    client.inspect_container("a")
    lines = lines_run(lambda: client.inspect_container("b"))
    assert 0 < lines <= MOST_LINES


def test_a_response_is_not_kept_until_garbage_is_collected(
    scripted: ScriptedEngine, connection: Connection, inspect: Inspect
) -> None:
    scripted.reply = lambda path: answer(b'{"Id": "of this test only"}')
    response = inspect("a")

    def is_of_this_test(each: Any) -> bool:
        match each:
            case Answer():
                return b"of this test only" in each.body
            case Reading():
                return b"of this test only" in b"".join(each._body)
        return bool(each == response)

    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(5):
            inspect("a")
        gc.collect()
        # threads of other tests may leave garbage of their own
        assert not [each for each in gc.garbage if type(each) in (dict, Answer, Reading) and is_of_this_test(each)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_text_that_is_not_in_utf_8_is_no_error(scripted: ScriptedEngine, inspect: Inspect) -> None:
    scripted.reply = in_turn(answer(b'{"Env": ["\xff"]}'))
    assert inspect("a") == {"Env": ["\ufffd"]}


@pytest.mark.parametrize("sent", [b"", b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Id"'])
def test_a_slow_response_is_an_error(
    scripted: ScriptedEngine, connection: Connection, inspect: Inspect, sent: bytes
) -> None:
    released = threading.Event()

    def late(path: str) -> Reply:
        next(iter(scripted.opened)).sendall(sent)
        released.wait(10)
        return CLOSED

    scripted.reply = late
    client = connection.client()
    client.timeout = 0.2
    assert failure(lambda: inspect("a")).cause == "timed out"
    assert len(scripted.heads) == 1
    released.set()
    # the late response is not the next call's
    scripted.reply = in_turn(answer(b'{"Id": "b"}'))
    assert inspect("b") == {"Id": "b"}


def test_a_redirect_is_followed(scripted: ScriptedEngine, inspect: Inspect) -> None:
    def moved(path: str) -> Reply:
        location = "http+docker://localhost/v1.41/containers/b/json"
        return answer(b"", "301 Moved Permanently", f"Location: {location}\r\n") if "/a/" in path else answer(b"[1]")

    scripted.reply = moved
    assert inspect("a") == [1]


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


# --- several at a time, without a thread for each


def begun(connection: Connection, ids: Iterable[str], more: Callable[[str], str] = str) -> "Queue[Any]":
    """What the inspects of these containers give, in the order in which it comes. Each begins the inspect of what `more` gives for it."""
    found: Queue[Any] = Queue()

    def begin(id: str) -> None:
        def done(result: Any) -> None:
            found.put(result)
            if (following := more(id)) != id:
                begin(following)

        assert connection.client().begin_inspect(id, done)

    for id in ids:
        begin(id)
    return found


def by_id(path: str) -> Reply:
    return answer(json.dumps({"Id": path.split("/")[3]}).encode())


def test_one_thread_makes_the_inspects_that_others_begin(scripted: ScriptedEngine, connection: Connection) -> None:
    scripted.reply = by_id
    connection.client()
    threads = set[str]()

    def noted(id: str) -> str:
        threads.add(threading.current_thread().name)
        return f"{id}-" if len(id) < 20 else id

    found = begun(connection, ["a", "b", "c"], noted)
    got = [found.get(timeout=10)["Id"] for _ in range(3 * 20)]
    assert sorted(got) == sorted(f"{id}{'-' * more}" for id in "abc" for more in range(20))
    assert threads == {"requests to an engine"}
    assert scripted.connections <= 3


def test_the_thread_ends_with_the_last_response_and_another_begins_later(
    scripted: ScriptedEngine, connection: Connection, eventually: Eventually
) -> None:
    scripted.reply = by_id
    for id in ("a", "b"):
        assert begun(connection, [id]).get(timeout=10) == {"Id": id}
        eventually(lambda: "requests to an engine" not in {each.name for each in threading.enumerate()})
    assert scripted.connections == 1


def test_one_that_hangs_delays_no_other(scripted: ScriptedEngine, connection: Connection) -> None:
    released = threading.Event()

    def reply(path: str) -> Reply:
        if "/hangs/" in path:
            released.wait(10)
        return by_id(path)

    scripted.reply = reply
    found = begun(connection, ["hangs", *map(str, range(20))])
    assert {found.get(timeout=10)["Id"] for _ in range(20)} == {*map(str, range(20))}
    # also one that begins while the thread does nothing but wait for it
    assert begun(connection, ["later"]).get(timeout=10) == {"Id": "later"}
    released.set()
    assert found.get(timeout=10) == {"Id": "hangs"}


def test_all_connections_that_the_engine_closed_meanwhile_are_opened_again(
    scripted: ScriptedEngine, connection: Connection, eventually: Eventually
) -> None:
    scripted.reply = by_id
    found = begun(connection, map(str, range(8)))
    assert len({found.get(timeout=10)["Id"] for _ in range(8)}) == 8
    for each in [*scripted.opened]:
        each.shutdown(socket.SHUT_RDWR)
    found = begun(connection, map(str, range(8)))
    assert len({found.get(timeout=10)["Id"] for _ in range(8)}) == 8


def test_an_engine_that_is_gone_is_an_error_of_each(
    scripted: ScriptedEngine, connection: Connection, tmp_path: Path
) -> None:
    connection.client()
    Path(f"{tmp_path}/engine.sock").unlink()
    found = begun(connection, ["a", "b"])
    assert [type(found.get(timeout=10)) for _ in range(2)] == [FileNotFoundError] * 2
