"""A real Swarm of several nodes on this machine, which a program outside of this project starts and ends."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field
from real_engine import with_dockcaddy

# the command that starts a Swarm; `--name`, `--exec` and `--down` as that program has them
START_SWARM = "DOCKCADDY_TESTS_START_SWARM"
# as every browser and proxy, it asks once more where a connection ended without an answer, see visiting.py
_VISITS = """
import http.client, itertools, sys, time

def ask(method):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    connection.request(method, "/", headers={"Host": sys.argv[2]})
    answer = connection.getresponse()
    body = answer.read().decode()
    return answer.status, body.split("Hostname: ")[-1].split()[0] if "Hostname: " in body else body.strip()[:80]

for method in itertools.cycle(sys.argv[3:]):
    try:
        try:
            answer = ask(method)
        except (ConnectionResetError, http.client.RemoteDisconnected):
            answer = ask(method)
        print(*answer, flush=True)
    except OSError as error:
        print(type(error).__name__, "", flush=True)
    time.sleep(0.02)
"""
_GET = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
connection.request("GET", "/", headers={"Host": sys.argv[2]})
print(connection.getresponse().read().decode())
"""
# a web server that is slow to start, and then makes the file that its health check looks for
_SLOW = """
import http.server, pathlib, signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Hostname: {socket.gethostname()}\\n".encode())

    do_POST = do_GET
    log_message = print

time.sleep(1)
server = http.server.ThreadingHTTPServer(("", 80), Handler)
pathlib.Path("/tmp/ready").touch()
server.serve_forever()
"""


@define(eq=False)
class Visits:
    """Requests to one site, one after the other: the status and the host name that each got."""

    process: "subprocess.Popen[str]"
    got: list[tuple[str, str]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            status, _, host = line.strip().partition(" ")
            self.got.append((status, host))

    @property
    def latest(self) -> set[str]:
        """The host names of the last 24 requests."""
        return {host for _, host in self.got[-24:] if host}

    def end(self) -> None:
        """Send no more."""
        self.process.kill()
        self.process.wait()

    @property
    def failures(self) -> list[str]:
        """The statuses of those that failed."""
        return [status for status, _ in self.got if status != "200"]

    @property
    def status(self) -> str:
        """The status of the last request."""
        return self.got[-1][0] if self.got else ""


@define(eq=False)
class RealSwarm:
    """The Swarm. Its first node is the manager."""

    command: list[str]
    name: str
    sockets: dict[str, str] = field(factory=dict)
    urls: dict[str, str] = field(factory=dict)
    certificates: str = ""
    _visits: list[Visits] = field(factory=list)

    @classmethod
    def started(cls, *options: str) -> "RealSwarm":
        """Start one: with three nodes, unless an option says how many."""
        made = cls(shlex.split(os.environ[START_SWARM]), f"t{uuid.uuid4().hex[:5]}")
        try:
            made._read(made._run(*options, "--images", "whoami,python"))
        except BaseException:
            made.leave_nothing()
            raise
        return made

    def _run(self, *arguments: str) -> str:
        command = [*self.command, "--name", self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @classmethod
    def two_engines(cls) -> "RealSwarm":
        """Start one with two nodes. Each answers at a TCP port with TLS too, also to a client beside them."""
        return cls.started("--engine-tcp", "--nodes", "2")

    def _read(self, said: str) -> None:
        state = re.search(r"(/\S+/swarm\.json)", said)
        assert state, said
        document: dict[str, Any] = json.loads(Path(state[1]).read_text())
        self.sockets = {node["name"]: node["docker_host"] for node in document["nodes"]}
        self.urls = {node["name"]: node.get("tcp") or "" for node in document["nodes"]}
        self.certificates = document.get("client_certs") or ""

    def cut(self, node: str) -> None:
        """Pull a node's cable."""
        self._run("--cut", node)

    def heal(self, node: str) -> None:
        """Plug it in again."""
        self._run("--heal", node)

    def beside(self, *command: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command on a machine beside the nodes."""
        return subprocess.Popen([*self.command, "--name", self.name, "--exec", "net", *command], text=True, **options)

    def docker(self, *arguments: str, node: str = "node1") -> str:
        """Run the docker command at a node; gives what it prints."""
        command = ["docker", "--host", self.sockets[node], *arguments]
        for _ in range(5):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            # the Swarm itself has changed the object in the meantime, and docker does not ask again
            if "update out of sequence" not in done.stderr:
                break
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def output(self, *arguments: str, node: str = "node1") -> str:
        """Run the docker command at a node; gives what it prints, errors too."""
        command = ["docker", "--host", self.sockets[node], *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr

    def service(self, name: str, *options: str, slow: bool = False, **labels: str) -> None:
        """Create a service with labels on network `front`; `__` stands for a dot in a key.

        It is traefik/whoami, or with `slow` a server that takes a second to start, with a health check.
        """
        given = [f"--label={key.replace('__', '.')}={value}" for key, value in labels.items()]
        common = ("--detach", "--no-resolve-image", "--network=front", f"--name={name}")
        check = ("--health-cmd=test -f /tmp/ready", "--health-interval=1s", "--health-start-period=60s") if slow else ()
        image = ("python:3.11-slim", "python3", "-c", _SLOW) if slow else ("traefik/whoami",)
        self.docker("service", "create", *common, *given, *check, *options, *image)

    def power(self, verb: str, node: str) -> None:
        """`crash` a node, which ends everything on it at once, or `start` it."""
        self._run(f"--{verb}", node)

    def nodes_of(self, service: str) -> set[str]:
        """The nodes on which a service's tasks are to run."""
        tasks = self.docker(
            "service", "ps", "--filter=desired-state=running", "--format={{.Node}} {{.CurrentState}}", service
        )
        return {line.split()[0] for line in tasks.splitlines() if " Running" in line}

    def run_dockcaddy(self, caddy: str, port: int, *options: str) -> None:
        """`dockcaddy run` in a container of the manager, on network `front`. Its sites are at `port` of that node."""
        command = ("python3", "-m", "dockcaddy", "run", *options)
        place = ("--name=dockcaddy", "--network=front", f"--publish={port}:80")
        # or a connection that is just being made when Caddy takes a configuration may be reset, docs/reliability.md
        place = (*place, "--sysctl=net.ipv4.tcp_migrate_req=1")
        place = (*place, *((f"--volume={self.certificates}:/certificates:ro",) if self.certificates else ()))
        self.docker("run", "--detach", *place, *with_dockcaddy(caddy), "python:3.11-slim", *command)

    def visit(self, port: int, host: str, node: str = "node1", methods: Sequence[str] = ("GET", "POST")) -> Visits:
        """Send requests to a site, one after the other, from a node's network until the end."""
        command = [
            *self.command,
            "--name",
            self.name,
            "--exec",
            node,
            sys.executable,
            "-c",
            _VISITS,
            str(port),
            host,
            *methods,
        ]
        made = Visits(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        self._visits.append(made)
        return made

    def get(self, port: int, host: str) -> str:
        """The body of one response."""
        return self._run("--exec", "node1", sys.executable, "-c", _GET, str(port), host)

    def leave_nothing(self) -> None:
        """End it."""
        try:
            for each in self._visits:
                each.end()
        finally:
            self._run("--down")
