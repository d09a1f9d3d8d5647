"""The image as caddy-docker-proxy's users run it: their compose files and command lines, with the image's name changed."""

import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define
from own_image import processes
from ports import free_port
from real_engine import docker, hostname, logs
from visiting import body

pytestmark = pytest.mark.engine

Eventually = Callable[..., None]
USER = "65532"
# the shape of caddy-docker-proxy's README, with ports and names that are free here
PROXY = """
services:
  caddy:
    image: {image}
    ports:
      - "127.0.0.1:{http}:80"
      - "127.0.0.1:{https}:443"
    environment:
      - CADDY_INGRESS_NETWORKS={network}
    networks:
      - caddy
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - caddy_data:/data
    restart: unless-stopped

networks:
  caddy:
    external: true
    name: {network}

volumes:
  caddy_data: {{}}
"""
WHOAMI = """
services:
  whoami:
    image: traefik/whoami
    networks:
      - caddy
    labels:
      caddy: whoami.example.com
      caddy.reverse_proxy: "{{{{upstreams 80}}}}"
      caddy.tls: internal

networks:
  caddy:
    external: true
    name: {network}
"""


@define
class Site:
    """The compose projects of somebody who used caddy-docker-proxy."""

    folder: Path
    project: str
    http: int
    https: int

    def compose(self, name: str, *arguments: str) -> str:
        """Run docker compose on the project of a file."""
        command = ["docker", "compose", "-p", f"{self.project}-{name}", "-f", f"{self.folder}/{name}.yaml", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def caddy(self) -> str:
        """The container of Caddy."""
        return f"{self.project}-proxy-caddy-1"

    @contextmanager
    def _secure(self, host: str) -> Iterator[ssl.SSLSocket]:
        """A connection to a site over TLS, whoever signed its certificate."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            yield secure

    def certificate(self, host: str = "whoami.example.com") -> bytes:
        """What Caddy shows to a visitor of a site, `b""` where it has none yet."""
        try:
            with self._secure(host) as secure:
                return secure.getpeercert(binary_form=True) or b""
        except OSError:
            return b""

    def answer(self, host: str = "whoami.example.com") -> str:
        """What a visitor gets over HTTPS."""
        try:
            with self._secure(host) as secure:
                secure.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                return secure.makefile("rb").read().decode()
        except OSError:
            return ""


@pytest.fixture(scope="module")
def site(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, mark = tmp_path_factory.mktemp("site"), f"dci{os.getpid()}"
    made = Site(folder, mark, free_port(), free_port())
    for name, text in (("proxy", PROXY), ("whoami", WHOAMI)):
        written = text.format(image=image, http=made.http, https=made.https, network=f"{mark}-caddy")
        (folder / f"{name}.yaml").write_text(written)
    docker("network", "create", f"{mark}-caddy")
    try:
        made.compose("proxy", "up", "-d")
        made.compose("whoami", "up", "-d")
        yield made
    finally:
        made.compose("whoami", "down", "-v", "--timeout", "1")
        made.compose("proxy", "down", "-v", "--timeout", "1")
        docker("network", "rm", f"{mark}-caddy")


def test_only_the_name_of_the_image_changes(site: Site, eventually: Eventually) -> None:
    eventually(lambda: hostname(site.answer()))
    assert body(site.http, "whoami.example.com") == "status 308"


def test_neither_dockcaddy_nor_caddy_is_root_and_no_process_is_a_zombie(site: Site, eventually: Eventually) -> None:
    eventually(lambda: hostname(site.answer()))
    docker("exec", site.caddy, "dockcaddy", "healthcheck")
    found = processes(site.caddy)
    # dockcaddy, its Caddy, and the one that adapts
    assert [user for user, *_ in found] == [USER, USER, USER]
    assert not any(state.startswith("Z") for _, state, _ in found)


def test_certificates_are_kept_also_those_that_caddy_docker_proxy_wrote_as_root(
    site: Site, eventually: Eventually
) -> None:
    eventually(site.certificate)
    before = site.certificate()
    site.compose("proxy", "stop")
    docker(
        "run", "--rm", f"--volumes-from={site.caddy}", "--entrypoint=chown", "python:3.11-slim", "-R", "0:0", "/data"
    )
    site.compose("proxy", "up", "-d", "--force-recreate")
    eventually(site.certificate)
    assert site.certificate() == before
    assert {user for user, *_ in processes(site.caddy)} == {USER}
    assert "not kept" not in logs(site.caddy)
