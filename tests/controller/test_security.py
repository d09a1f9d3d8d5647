"""Labels are kept from the admin endpoints of servers, and a controller proves who it is to those that want to know."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from attrs import evolve
from dockcaddy import testing
from dockcaddy.caddy.admin import AdminClient
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, SettingsError
from dockcaddy.model import ControlledServer, EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.run.connections import tls_for
from dockcaddy.run.controller import NoCommonFolder, controller_for
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings
from judging import Court
from policies import loaded
from proxy import Proxy
from servers import site
from stand_in_engine import StandInEngine

SERVER = ControlledServer("container edge", ("10.9.0.5", "172.18.0.5"), "2020")


def refusals(court: Court, upstream: str, settings: Settings, own: dict[str, str] | None = None) -> list[str]:
    labels = {"caddy": "a.test", "caddy.reverse_proxy": upstream, **(own or {})}
    container = evolve(testing.container("web", labels=labels), targets=("172.18.0.9",))
    engine = EngineInventory("local", (container,), servers=(SERVER,))
    pipeline = Pipeline(loaded(), proxy=proxy_of(settings, loaded()))
    return [str(each) for each in court.resolve(pipeline, Inventory((engine,))).problems]


CONTROLLER = Settings(mode="controller", admin="off", caddy_admin=("http://far.example:2021",))


@pytest.mark.parametrize(
    "upstream", ["edge:2019", "10.9.0.5:2020", "172.18.0.5:2020", "10.9.0.6:2019", "far.example:2021"]
)
def test_no_upstream_is_the_admin_endpoint_of_a_server(court: Court, upstream: str) -> None:
    assert any("admin API" in each for each in refusals(court, upstream, CONTROLLER))


@pytest.mark.parametrize("upstream", ["app:2020", "10.9.0.5:8080", "{{upstreams 2019}}"])
def test_other_upstreams_are_nobodys_admin_endpoint(court: Court, upstream: str) -> None:
    assert not any("admin API" in each for each in refusals(court, upstream, CONTROLLER))


def test_a_server_does_not_offer_its_own_admin_endpoint(court: Court) -> None:
    assert any(
        "admin API" in each
        for each in refusals(court, "{{upstreams 2019}}", CONTROLLER, {"caddy_controlled_server": ""})
    )


def test_servers_have_no_folder_in_common() -> None:
    with pytest.raises(CaddyRefusal, match="no folder in common"):
        NoCommonFolder().adapt("")


def test_addresses_stay_in_the_configuration(
    engine: StandInEngine, start_proxy: Callable[..., Proxy], eventually: Callable[..., None], servers
) -> None:
    (server,) = servers(1)
    engine.add("a", {"caddy": site("a")["caddy"], "caddy.reverse_proxy": "{{upstreams 80}}"})
    options = ("--mode", "controller", "--caddy-admin", server.url, "--set", "upstreams.dynamic=true")
    controller = start_proxy(*options)
    eventually(lambda: server.has("a.test"))
    assert "{file." not in json.dumps(server.config)
    eventually(lambda: controller.said("servers of a controller have no folder in common") == 1)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with an authority, and what it signed for a server and for a controller."""

    def run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name in ("server", "client"):
        run("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext")
        run("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem")
    return tmp_path


class _Admin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"null"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def behind_tls(certificates: Path) -> Iterator[str]:
    """The URL of an admin endpoint that wants a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Admin)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.process
def test_a_controller_has_a_client_certificate(behind_tls: str, certificates: Path) -> None:
    files = {f"caddy_admin_{name}": str(certificates / file) for name, file in _FILES.items()}
    settings = Settings(mode="controller", caddy_admin=(behind_tls,), **files)
    assert controller_for(settings) is not None
    client = AdminClient(behind_tls, tls=tls_for(settings))
    assert client.config() == b"null"
    client.close()
    for missing in ({"caddy_admin_cert": "", "caddy_admin_key": ""}, {"caddy_admin_ca": ""}):
        with pytest.raises(CaddyUnreachable):
            AdminClient(behind_tls, 2, tls=tls_for(evolve(settings, **missing))).config()


_FILES = {"ca": "ca.pem", "cert": "client.pem", "key": "client.key"}


def test_files_that_are_no_certificates_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(SettingsError, match=r"--caddy-admin-cert .*x.pem: "):
        tls_for(Settings(caddy_admin_cert=str(tmp_path / "x.pem")))
    with pytest.raises(SettingsError, match="set --caddy-admin-cert"):
        tls_for(Settings(caddy_admin_key="/x.key"))
