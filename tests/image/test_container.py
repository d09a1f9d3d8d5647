"""One container of the image: its command line, its user, its health, its end, and more modules for its Caddy."""

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import visiting
from own_image import PROJECT, build, processes, socket_group
from real_engine import Containers, docker, logs

pytestmark = pytest.mark.engine

Eventually = Callable[..., None]
USER = "65532"
GROUP = 4242
SOCKET = "--volume=/var/run/docker.sock:/var/run/docker.sock"
# a program with more modules for the test at the end; without it a script that pretends
WITH_MODULES = "DOCKCADDY_TESTS_CADDY_WITH_MODULES"
PRETENDING = """#!/bin/sh
if [ "$1" = list-modules ]; then echo layer4; fi
exec /usr/libexec/caddy "$@"
"""
SLOW_SERVER = """
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked", flush=True)
        time.sleep(2)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"slow")
http.server.HTTPServer(("", 80), Handler).serve_forever()
"""


def inspected(container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", container))[0]
    return found


def ask(container: str, host: str) -> str:
    """What the Caddy of a container answers on port 80, `""` while there is no answer."""
    try:
        return visiting.body(80, host, address=inspected(container)["NetworkSettings"]["IPAddress"])
    except OSError:
        return ""


@pytest.fixture
def containers(containers: Containers) -> Containers:
    """Their labels have a prefix of their own, so that nothing else on the engine is served."""
    containers.prefix = containers.mark
    return containers


@pytest.fixture
def run(containers: Containers, image: str) -> Callable[..., str]:
    """Starts a container of the image with options of `docker run`, and arguments of `docker-proxy` after `--`."""

    def start(*options: str, arguments: tuple[str, ...] = ()) -> str:
        command = ("docker-proxy", "--label-prefix", containers.prefix, *arguments)
        return containers.run("proxy", SOCKET, *options, image=image, command=command)

    return start


def test_the_command_lines_of_caddy_docker_proxy_and_of_caddy(run: Callable[..., str], eventually: Eventually) -> None:
    flags = ("--mode", "standalone", "--polling-interval=10s", "--process-caddyfile=0", "--proxy-service-tasks=false")
    more = ("--ingress-networks", "bridge", "--scan-stopped-containers", "--event-throttle-interval", "50ms")
    proxy = run("--env=CADDY_DOCKER_LOG_LEVEL=DEBUG", arguments=(*flags, *more))
    eventually(lambda: "watching docker" in logs(proxy))
    lines = [f"{program} version" for program in ("caddy", "/bin/caddy", "/usr/local/bin/caddy")]
    lines += ["caddy hash-password --plaintext x", "/bin/caddy docker-proxy --help", "caddy caddy docker-proxy --help"]
    said = docker("exec", proxy, "sh", "-ec", "\n".join(lines))
    assert [line[:2] for line in said.splitlines()[:4]] == ["v2", "v2", "v2", "$2"]
    assert said.count("--ingress-networks") == 2
    assert docker("exec", proxy, "dockcaddy", "healthcheck").startswith("dockcaddy runs, and caddy answers")


def test_without_root_the_group_of_the_socket_is_asked_for(run: Callable[..., str], eventually: Eventually) -> None:
    proxy = run("--user=1000:1000")
    eventually(lambda: "Permission denied" in logs(proxy))
    assert (
        "in a container: --group-add $(stat -c %g /var/run/docker.sock), in compose group_add, or --user root"
        in logs(proxy)
    )


def test_without_root_the_group_of_the_socket_is_enough(run: Callable[..., str], eventually: Eventually) -> None:
    options = ("--user=1000:1000", f"--group-add={socket_group()}", "--cap-drop=ALL", "--read-only", "--volume=/data")
    proxy = run(*options, "--volume=/config", "--security-opt=no-new-privileges")
    eventually(lambda: "watching docker" in logs(proxy))
    assert [user for user, *_ in processes(proxy)] == ["1000", "1000"]
    assert "root" not in logs(proxy) and "cannot" not in logs(proxy)


def test_sockets_in_caddys_form_count_and_links_lead_nowhere(
    run: Callable[..., str], eventually: Eventually, tmp_path: Path
) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/app").symlink_to("/srv")
    (tmp_path / "srv").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "caddy.sock"))
        os.chown(tmp_path / "caddy.sock", 0, GROUP)
        (tmp_path / "caddy.sock").chmod(0o660)
        mounts = [f"--volume={tmp_path}/{name}" for name in ("log:/var/log", "srv:/srv", "caddy.sock:/caddy.sock")]
        proxy = run(*mounts, arguments=("--caddy-admin", "unix//caddy.sock|0660"))
        eventually(lambda: USER in [user for user, *_ in processes(proxy)])
        assert str(GROUP) in docker("exec", proxy, "sh", "-c", "grep Groups /proc/1/status").split()
    assert (tmp_path / "log").stat().st_uid == int(USER)
    assert (tmp_path / "srv").stat().st_uid == 0


def test_a_container_that_may_not_change_its_user_goes_on_as_root(
    run: Callable[..., str], eventually: Eventually
) -> None:
    proxy = run("--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE")
    eventually(lambda: "watching docker" in logs(proxy))
    assert "dockcaddy runs as root, because the container may not change its user" in logs(proxy)


def test_a_container_without_anything_to_write_to_serves(run: Callable[..., str], eventually: Eventually) -> None:
    proxy = run("--read-only")
    eventually(lambda: "watching docker" in logs(proxy))
    assert "using /dev/shm/dockcaddy-" in logs(proxy)
    assert [user for user, *_ in processes(proxy)] == [USER, USER]


def test_a_file_that_only_root_may_read_is_read(
    run: Callable[..., str], eventually: Eventually, tmp_path: Path
) -> None:
    (tmp_path / "Caddyfile").write_text("http://base.test {\n\trespond base\n}\n")
    (tmp_path / "Caddyfile").chmod(0o600)
    proxy = run(
        f"--volume={tmp_path}/Caddyfile:/etc/caddy/Caddyfile:ro",
        "--env=CADDY_DOCKER_CADDYFILE_PATH=/etc/caddy/Caddyfile",
    )
    eventually(lambda: ask(proxy, "base.test") == "base")
    assert "because user 65532 may not use /etc/caddy/Caddyfile" in logs(proxy)


def test_logs_are_written_where_caddy_docker_proxy_wrote_them(
    run: Callable[..., str], containers: Containers, eventually: Eventually, tmp_path: Path
) -> None:
    (tmp_path / "access.log").write_text("old\n")
    site = {
        "caddy": "http://logged.test",
        "caddy__respond": "hi",
        "caddy__log__output": "file /var/log/caddy/access.log",
    }
    containers.run("logged", **site)
    proxy = run(f"--volume={tmp_path}:/var/log/caddy")
    eventually(lambda: ask(proxy, "logged.test") == "hi")
    eventually(lambda: "logged.test" in (tmp_path / "access.log").read_text())


def test_its_health_is_that_of_caddy(run: Callable[..., str], eventually: Eventually) -> None:
    proxy = run("--health-interval=1s", "--health-retries=1", "--env=CADDY_ADMIN=off")

    def health() -> str:
        return str(inspected(proxy)["State"]["Health"]["Status"])

    eventually(lambda: health() == "healthy")
    docker("exec", proxy, "sh", "-c", "kill -STOP $(cut -d' ' -f1 /data/dockcaddy/caddy.pid)")
    eventually(lambda: health() == "unhealthy")


def test_docker_stop_lets_requests_finish(
    run: Callable[..., str], containers: Containers, eventually: Eventually
) -> None:
    labels = {"caddy": "http://slow.test", "caddy__reverse_proxy": "{{upstreams 80}}"}
    slow = containers.run("slow", image="python:3.11-slim", command=("python3", "-c", SLOW_SERVER), **labels)
    # port 80 without root, where the kernel keeps it from others
    proxy = run("--sysctl=net.ipv4.ip_unprivileged_port_start=1024")
    eventually(lambda: ask(proxy, "slow.test") == "slow")
    answers: list[str] = []
    visitor = threading.Thread(target=lambda: answers.append(ask(proxy, "slow.test")))
    asked = docker("logs", slow).count("asked")
    visitor.start()
    eventually(lambda: docker("logs", slow).count("asked") > asked)
    docker("stop", proxy)
    visitor.join()
    assert answers == ["slow"]
    state = inspected(proxy)["State"]
    # 137 is what `docker stop` leaves of a program that does not end in time
    assert state["ExitCode"] == 0
    assert processes(slow)


def test_an_image_with_more_modules(image: str, containers: Containers, eventually: Eventually, tmp_path: Path) -> None:
    program = os.environ.get(WITH_MODULES)
    if program:
        shutil.copy(program, tmp_path / "caddy")
    else:
        (tmp_path / "caddy").write_text(PRETENDING)
    (tmp_path / "xcaddy").write_text('#!/bin/sh\nfor last; do :; done\ninstall -m 755 /caddy "$last"\n')
    (tmp_path / "xcaddy").chmod(0o755)
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nCOPY caddy /\nCOPY xcaddy /usr/bin/\n")
    tags = (f"{containers.mark}-builder", f"{containers.mark}-modules")
    build(tmp_path, tags[0])
    build(PROJECT / "examples/image-with-modules", tags[1], f"BUILDER={tags[0]}", f"DOCKCADDY={image}")
    try:
        command = ("docker-proxy", "--label-prefix", containers.prefix)
        proxy = containers.run("proxy", SOCKET, image=tags[1], command=command)
        containers.run("web", caddy="http://web.test", caddy__respond="hi")
        eventually(lambda: ask(proxy, "web.test") == "hi")
        assert "layer4" in docker("exec", proxy, "caddy", "list-modules")
        # the pretending one becomes the image's own
        assert not program or any(command.startswith("/usr/bin/caddy run") for *_, command in processes(proxy))
    finally:
        containers.remove_all()
        docker("rmi", "-f", *tags)
