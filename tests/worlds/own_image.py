"""The project's image, built without a package index: pip fetches the wheels here, and the build finds them in its context."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tomli
from real_engine import docker

PROJECT = Path(__file__).parent.parent.parent
TAG = "dockcaddy-tests-image"
# what .dockerignore lets into the context
CONTEXT = (
    "Dockerfile",
    ".dockerignore",
    "build_backend.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "core",
    "plugins",
    "image",
)


def built_image() -> str:
    """The image's name. It is built where it is not there, or its files have changed."""
    mark = f"{TAG}:{_digest()}"
    known = subprocess.run(["docker", "image", "inspect", mark], capture_output=True, check=False)
    if known.returncode:
        with tempfile.TemporaryDirectory() as name:
            context = Path(name)
            for each in CONTEXT:
                copy = shutil.copytree if (PROJECT / each).is_dir() else shutil.copy
                copy(PROJECT / each, context / each)
            download_wheels(context / "wheels", *_requirements())
            build(context, mark, "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/src/wheels")
    return mark


def build(context: Path, tag: str, *arguments: str) -> None:
    """Build an image without any network, with `NAME=VALUE` build arguments."""
    given = [part for each in arguments for part in ("--build-arg", each)]
    command = ["docker", "build", "--network=none", "-q", "-t", tag, *given, str(context)]
    done = subprocess.run(
        command, env={**os.environ, "DOCKER_BUILDKIT": "0"}, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def download_wheels(folder: Path, *requirements: str) -> None:
    """Put the wheels of requirements, and of what they require, into a folder: for Python 3.11 on this kind of machine."""
    machine = platform.machine()
    platforms = [f"--platform={each}" for each in (f"manylinux2014_{machine}", f"manylinux_2_28_{machine}", "any")]
    pip = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), "--only-binary=:all:"]
    command = [*pip, "--python-version=3.11", "--implementation=cp", *platforms, *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr


def socket_group() -> int:
    """The group of the engine's socket."""
    return Path("/var/run/docker.sock").stat().st_gid


def processes(container: str) -> list[list[str]]:
    """Of each process of a container: its user's id, its state, its command."""
    rows = docker("top", container, "-o", "pid,uid,state,args").splitlines()[1:]
    return [row.split(maxsplit=3)[1:] for row in rows]


def _requirements() -> Iterator[str]:
    settings = tomli.loads((PROJECT / "pyproject.toml").read_text())
    yield from settings["project"]["dependencies"]
    yield from settings["project"]["optional-dependencies"]["caddy"]
    yield from (each.partition(";")[0] for each in settings["build-system"]["requires"])


def _digest() -> str:
    digest = hashlib.sha256()
    for each in CONTEXT:
        found = sorted((PROJECT / each).rglob("*")) if (PROJECT / each).is_dir() else [PROJECT / each]
        for path in found:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(PROJECT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
