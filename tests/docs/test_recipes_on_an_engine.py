"""The recipes on a real engine, with stand-ins for their images: visitors get what the page promises."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket
import yaml
from attrs import frozen
from own_image import built_image
from ports import free_port
from real_engine import Containers, docker
from real_engine_fixtures import containers

__all__ = ["containers"]

pytestmark = pytest.mark.engine

HOW_TO = Path(__file__).parent.parent.parent / "docs/how-to"
STAND_IN = Path(__file__).parent / "stand_in_service.py"
PORT = re.compile(r"\{\{upstreams (\d+)\}\}")
ALICE = ("--cookie", "user=alice")
# the login services, and where they say who it is
USERS = {
    "Authelia": "Remote-User",
    "authentik": "X-Authentik-Username",
    "Tinyauth": "Remote-User",
    "oauth2-proxy": "X-Auth-Request-User",
}

Eventually = Callable[..., None]


@frozen
class Visitor:
    """Asks the sites of a proxy."""

    https: int
    http: int

    def get(self, url: str, *options: str) -> str:
        """The response with its headers, as curl prints it."""
        there = ("--connect-to", f"::127.0.0.1:{self.https if url.startswith('https') else self.http}")
        command = ["curl", "--silent", "--insecure", "--include", "--max-time", "50", *there, *options, url]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


@frozen
class Recipes:
    """Runs recipes beside a proxy: `up` is a context."""

    visitor: Visitor
    mark: str
    folder: Path

    @contextmanager
    def up(self, page: str, heading: str) -> Iterator[Visitor]:
        """The containers of a recipe, on the proxy's network."""
        file = self.folder / "compose.json"
        file.write_text(json.dumps(self._with_stand_ins(_compose(page, heading))))
        compose = ("compose", "--project-name", f"{self.mark}-recipe", "--file", str(file))
        try:
            docker(*compose, "up", "--detach")
            yield self.visitor
        finally:
            docker(*compose, "down", "--timeout", "1")

    def _with_stand_ins(self, compose: dict[str, Any]) -> dict[str, Any]:
        for name, service in compose["services"].items():
            ports = sorted(set(PORT.findall(str(service["labels"]))))
            service |= {"image": "python:3.11-slim", "command": ["python3", "/stand_in_service.py"]}
            if "h2c" in str(service["labels"]):
                service |= {"image": built_image(), "command": ["run", "--config", "/h2c.caddyfile"]}
            service["environment"] = {"NAME": name, "PORTS": " ".join(ports)}
            if "php_fastcgi" in str(service["labels"]):
                service["environment"]["FASTCGI"] = "1"
            kept = [each for each in service.get("volumes", ()) if not each.startswith(".")]
            service["volumes"] = [*kept, *(f"{path}:/{path.name}:ro" for path in (STAND_IN, self._h2c()))]
            service.pop("env_file", None)
        for kind in ("networks", "volumes"):
            for name, settings in compose.get(kind, {}).items():
                settings["name"] = f"{self.mark}-{name}"
        return compose

    def _h2c(self) -> Path:
        """The configuration of a Caddy that understands HTTP/2 without TLS and nothing else."""
        path = self.folder / "h2c.caddyfile"
        path.write_text("{\n\tservers {\n\t\tprotocols h2c\n\t}\n}\n:50051 {\n\trespond {http.request.proto}\n}\n")
        path.chmod(0o644)
        return path


def _compose(page: str, heading: str) -> dict[str, Any]:
    """The Compose file of a recipe."""
    text = (HOW_TO / f"{page}.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```yaml\n(services:\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page}: {heading}"
    made: dict[str, Any] = yaml.safe_load(found[1])
    return made


@pytest.fixture
def recipes(containers: Containers, tmp_path: Path) -> Iterator[Recipes]:
    """A proxy of the image, whose certificates are its own authority's."""
    visitor = Visitor(free_port(), free_port())
    network = containers.network("caddy")
    volumes = {f"{containers.mark}-{name}": f"/srv/{name}" for name in ("static", "blog")}
    for volume in volumes:
        docker("volume", "create", volume)
    published = (f"--publish=127.0.0.1:{visitor.https}:443", f"--publish=127.0.0.1:{visitor.http}:80")
    mounts = ["--volume=/var/run/docker.sock:/var/run/docker.sock"]
    mounts += [f"--volume={volume}:{folder}:ro" for volume, folder in volumes.items()]
    local = {"caddy__local_certs": ""}
    containers.run("proxy", f"--network={network}", *published, *mounts, image=built_image(), **local)
    yield Recipes(visitor, containers.mark, tmp_path)
    containers.remove_all()
    docker("volume", "rm", *volumes)


@pytest.mark.parametrize("service", USERS)
def test_only_who_is_logged_in_reaches_the_application(recipes: Recipes, service: str, eventually: Eventually) -> None:
    with recipes.up("login", service) as visitor:
        site = "https://app.example.org/private"
        eventually(lambda: "path: /private" in visitor.get(site, *ALICE))
        stranger = visitor.get(site)
        assert "path: /private" not in stranger and re.match(
            r"HTTP/2 302 \n(?:.+\n)*location: ", stranger.replace("\r", "")
        )
        # what a visitor writes into the header is not believed
        header = USERS[service]
        assert "path: /private" not in visitor.get(site, "--header", f"{header}: eve")
        assert f"{header}: alice" in visitor.get(site, *ALICE, "--header", f"{header}: eve")


def test_the_pages_of_a_login_on_the_applications_own_site_need_no_login(
    recipes: Recipes, eventually: Eventually
) -> None:
    with recipes.up("login", "oauth2-proxy") as visitor:
        eventually(lambda: "service: oauth2-proxy" in visitor.get("https://app.example.org/oauth2/sign_in"))
        sent = visitor.get("https://app.example.org/a?b=c")
        assert "location: /oauth2/sign_in?rd=https://app.example.org/a?b=c" in sent


def test_one_password(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("login", "One password, without another service") as visitor:
        eventually(lambda: visitor.get("https://app.example.org/").startswith("HTTP/2 401"))
        assert "service: app" in visitor.get("https://app.example.org/", "--user", "alice:wonderland")
        assert visitor.get("https://app.example.org/", "--user", "alice:x").startswith("HTTP/2 401")


def test_a_name_that_the_internet_does_not_know(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("certificates", "On your own machine") as visitor:
        eventually(lambda: "service: app" in visitor.get("https://app.home.arpa/"))


def test_websockets(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "WebSockets") as visitor:
        eventually(lambda: "service: chat" in visitor.get("https://chat.example.org/"))
        options = {"cert_reqs": 0, "check_hostname": False, "server_hostname": "chat.example.org"}
        connection = websocket.create_connection(
            f"wss://127.0.0.1:{visitor.https}/", host="chat.example.org", sslopt=options, timeout=20
        )
        connection.send("hello")
        assert connection.recv() == "hello"
        connection.close()


def test_several_ports(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "Several ports of one container") as visitor:
        eventually(lambda: "port: 9000" in visitor.get("https://s3.example.org/"))
        eventually(lambda: "port: 9001" in visitor.get("https://console.example.org/"))


def test_several_containers_on_one_site(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "Several containers on one site") as visitor:
        eventually(lambda: "service: web" in visitor.get("https://example.org/a"))
        eventually(lambda: "service: api\nport: 8000\npath: /b" in visitor.get("https://example.org/api/b"))


def test_www_is_redirected(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "Redirect www") as visitor:
        eventually(lambda: "service: web" in visitor.get("https://example.org/"))
        told = visitor.get("https://www.example.org/a?b")
        assert told.startswith("HTTP/2 301") and "location: https://example.org/a?b" in told


def test_static_files_come_from_the_volume(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "Static files from a volume") as visitor:
        eventually(lambda: visitor.get("https://example.org/static/hello.txt").endswith("a file\n"))
        assert "service: app" in visitor.get("https://example.org/")


def test_grpc_is_http_2_without_tls(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "gRPC") as visitor:
        eventually(lambda: visitor.get("https://grpc.example.org/").endswith("HTTP/2.0"))


def test_php_runs_scripts_and_caddy_serves_files(recipes: Recipes, eventually: Eventually) -> None:
    with recipes.up("sites", "PHP") as visitor:
        eventually(lambda: "script: /srv/blog/public/index.php" in visitor.get("https://blog.example.org/a/post"))
        assert visitor.get("https://blog.example.org/style.css").endswith("a style\n")
