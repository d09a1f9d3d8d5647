"""A real Podman of its own: its service with the Docker-compatible API, and what runs on it. Nothing of another one is touched."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import visiting
from attrs import define, field
from real_engine import docker, hostname

IMAGE = "traefik/whoami"
# no limits that a container on a test machine may not raise, and events that do not need systemd
_SETTINGS = """
[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
# a shell in an image that has none: the machine's
_SHELL = [f"--volume={folder}:{folder}:ro" for folder in ("/bin", "/lib", "/lib64", "/usr") if Path(folder).exists()]


def can_be_started() -> bool:
    """Whether Podman is installed, and may make networks."""
    return shutil.which("podman") is not None and os.geteuid() == 0


@define(eq=False)
class RealPodman:
    """Podman with all that it keeps in `folder`, and its service."""

    folder: Path
    service: "subprocess.Popen[bytes] | None" = None
    image: str = ""
    _environment: dict[str, str] = field(factory=dict)

    @property
    def socket(self) -> str:
        """The service's URL."""
        return f"unix://{self.folder}/podman.sock"

    def start(self) -> None:
        """Start the service, and give it the image."""
        settings = self.folder / "containers.conf"
        settings.write_text(_SETTINGS)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(settings)}
        docker("save", "--output", str(self.folder / "image.tar"), IMAGE)
        loaded = self.podman("load", "--quiet", "--input", str(self.folder / "image.tar"))
        self.image = loaded.rpartition("\n")[2].rpartition(" ")[2].split(",")[0]
        with (self.folder / "log").open("wb") as log:
            self.service = subprocess.Popen(
                [*self._command, "system", "service", "--time=0", self.socket],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        socket, deadline = self.folder / "podman.sock", time.monotonic() + 20
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert socket.exists(), (self.folder / "log").read_text()

    @property
    def _command(self) -> list[str]:
        places = {"root": "root", "runroot": "run", "tmpdir": "tmp", "network-config-dir": "networks"}
        return [
            "podman",
            *(f"--{option}={self.folder / name}" for option, name in places.items()),
            "--storage-driver=vfs",
        ]

    def podman(self, *arguments: str) -> str:
        """Run the podman command; gives what it prints."""
        done = subprocess.run(
            [*self._command, *arguments], env=self._environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, name: str, *options: str, command: tuple[str, ...] = (), site: str = "", port: int = 80) -> None:
        """Start a container; with a site of this name, if one is given."""
        self.podman("run", "--detach", f"--name={name}", *_labels(site, port), *options, self.image, *command)

    def run_checked(self, name: str, site: str) -> None:
        """Start a container that is healthy as long as its file `/bad` is not there."""
        self.run(name, *_SHELL, "--health-cmd=test ! -e /bad", "--health-retries=1", "--health-interval=1h", site=site)

    def run_dockcaddy(self, name: str, caddy: str, *options: str) -> None:
        """Start this very dockcaddy in a container, with the service's socket where Docker's is."""
        python = Path(sys.executable).resolve()
        folders = [each for each in sys.path if Path(each).is_absolute() and Path(each).is_dir()]
        mounts = {each for each in (*folders, sys.base_prefix, caddy) if not each.startswith("/usr/")} - {"/usr"}
        given = [f"--volume={each}:{each}:ro" for each in sorted(mounts)]
        given += [
            f"--volume={self.folder}/podman.sock:/var/run/docker.sock",
            f"--env=PYTHONPATH={os.pathsep.join(folders)}",
        ]
        given += [
            f"--env=PATH={Path(caddy).parent}",
            "--env=XDG_DATA_HOME=/tmp",
            "--tmpfs=/tmp",
            f"--entrypoint={python}",
        ]
        self.run(name, *_SHELL, *given, *options, command=("-m", "dockcaddy", "run", "--state-directory=/tmp/state"))

    def set_health(self, name: str, *, healthy: bool) -> None:
        """Make a container healthy or not, and have Podman find out, for which it needs a timer of systemd otherwise."""
        self.podman("exec", name, "rm" if healthy else "touch", *(("-f",) if healthy else ()), "/bad")
        probe = [*self._command, "healthcheck", "run", name]
        assert (
            subprocess.run(probe, env=self._environment, capture_output=True, check=False).returncode == 0
        ) is healthy

    def remove_containers(self) -> None:
        """Remove all pods, containers and networks."""
        self.podman("pod", "rm", "--all", "--force", "--time=0")
        # the newest first, because it may use the network of an older one
        for name in reversed(self.podman("ps", "--all", "--quiet", "--sort=created").split()):
            self.podman("rm", "--force", "--ignore", "--time=0", name)
        self.podman("network", "prune", "--force")

    def leave_nothing(self) -> None:
        """Remove everything, and end the service."""
        self.remove_containers()
        if self.service is not None:
            self.service.terminate()
            self.service.wait(10)


def _labels(site: str, port: int) -> list[str]:
    labels: Mapping[str, str] = {"caddy": f"http://{site}", "caddy.reverse_proxy": f"{{{{upstreams {port}}}}}"}
    return [f"--label={key}={value}" for key, value in labels.items()] if site else []


def answers(port: int, host: str) -> str:
    """The short id of the container that answers for a site, `""` if none does."""
    try:
        return hostname(visiting.body(port, host))
    except (ConnectionRefusedError, ConnectionResetError):
        # without any site, Caddy does not listen
        return ""
