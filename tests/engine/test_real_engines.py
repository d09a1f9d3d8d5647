"""Two real engines at TCP ports with TLS, whose containers have the same addresses; one is cut off and comes back.

They are nodes of one Swarm, so that they have an overlay network in common.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define
from real_swarm import RealSwarm

Eventually = Callable[..., None]
pytestmark = pytest.mark.swarm


@pytest.fixture(scope="module")
def engines() -> Iterator[RealSwarm]:
    made = RealSwarm.two_engines()
    try:
        for node, name in (("node1", "one"), ("node2", "two")):
            run(made, node, name)
        yield made
    finally:
        made.leave_nothing()


def run(engines: RealSwarm, node: str, name: str, *options: str) -> None:
    """A container with a site of its name, on port 80, which the engine publishes somewhere."""
    labels = (f"--label=caddy=http://{name}.test", "--label=caddy.reverse_proxy={{upstreams 80}}")
    engines.docker(
        "run",
        "-d",
        f"--name={name}",
        f"--hostname={name}",
        *(options or ("-p80",)),
        *labels,
        "traefik/whoami",
        node=node,
    )


@define
class Program:
    """`dockcaddy run` beside the engines. Its Caddyfile and its log are files in a folder."""

    process: "subprocess.Popen[str]"
    folder: Path

    @property
    def text(self) -> str:
        return (self.folder / "Caddyfile").read_text() if (self.folder / "Caddyfile").exists() else ""

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def start(engines: RealSwarm, tmp_path: Path, caddy: str) -> Iterator[Callable[..., Program]]:
    """Start dockcaddy with both engines, in an environment whose proxy and certificates are for other servers."""
    started: list[Program] = []
    files = engines.certificates
    context = f"host={engines.urls['node2']},ca={files}/ca.pem,cert={files}/cert.pem,key={files}/key.pem"
    made = ("docker", "--config", str(tmp_path / "docker"), "context", "create", "nas", "--docker", context)
    subprocess.run(made, check=True, capture_output=True)
    (tmp_path / "dockcaddy.toml").write_text(
        f'[[engines]]\nname = "first"\nurl = "{engines.urls["node1"]}"\ncerts_path = "{files}"\n'
        '[[engines]]\nname = "second"\ncontext = "nas"\n'
    )
    other = {
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": f"{tmp_path}/none",
        "DOCKER_HOST": "",
    }

    def begin(*options: str) -> Program:
        outputs = ("--output", "admin", "--output", f"caddyfile={tmp_path}/Caddyfile")
        place = ("--state-directory", f"{tmp_path}/state", "--config", f"{tmp_path}/dockcaddy.toml", "--caddy", caddy)
        with (tmp_path / "log").open("a") as log:
            process = engines.beside(
                sys.executable, "-m", "dockcaddy", "run", *place, *outputs, *options,
                stdout=log, stderr=log, env={**os.environ, **other},
            )  # fmt: skip
        started.append(Program(process, tmp_path))
        return started[-1]

    yield begin
    for each in started:
        each.end()


def test_each_site_leads_to_its_own_engine_and_one_that_is_cut_off_costs_nobody_anything(
    engines: RealSwarm, start: Callable[..., Program], eventually: Eventually
) -> None:
    program = start()
    one, two = (engines.visit(80, f"{name}.test", "net") for name in ("one", "two"))
    eventually(lambda: (one.latest, two.latest) == ({"one"}, {"two"}), 10_000)
    assert "172.17.0.2" not in program.text
    run(engines, "node2", "hidden", "--expose=80")
    eventually(lambda: "http://hidden.test" in program.text)
    said = "container hidden: label caddy.reverse_proxy: it has no address that caddy reaches: port 80 is not"
    eventually(lambda: f"{said} published on engine second: publish it (docker run --publish 80" in program.log)
    engines.cut("node2")
    eventually(lambda: "engine second: " in program.log and "the last configuration stays" in program.log, 10_000)
    assert "engine second: docker context nas does not answer: " in program.log
    # the other engine is heard, and nothing is taken away
    failures = len(one.failures)
    run(engines, "node1", "late")
    eventually(lambda: "http://late.test" in program.text)
    assert "http://two.test" in program.text and "10.199.0.12:" in program.text
    assert one.latest == {"one"} and len(one.failures) == failures
    # a new start does not forget what the other one had, but for as long as the option says
    program.end()
    (program.folder / "Caddyfile").unlink()
    program = start("--engine-retention", "8s")
    eventually(lambda: "http://late.test" in program.text, 10_000)
    assert "http://two.test" in program.text and "10.199.0.12:" in program.text
    eventually(lambda: "http://two.test" not in program.text, 10_000)
    eventually(lambda: "engine second: does not answer since dockcaddy started, its sites were rem" in program.log)
    assert "http://late.test" in program.text and one.latest == {"one"}
    engines.heal("node2")
    eventually(lambda: two.latest == {"two"} and two.status == "200", 10_000)
    run(engines, "node2", "back")
    eventually(lambda: "http://back.test" in program.text, 10_000)
    assert "engine second: answers again" in program.log


def test_an_overlay_network_that_caddys_container_is_on_leads_to_another_engine(
    engines: RealSwarm, caddy: str, eventually: Eventually
) -> None:
    engines.docker("network", "create", "--driver=overlay", "--attachable", "front")
    sockets = f"unix:///var/run/docker.sock,{engines.urls['node2']}"
    engines.run_dockcaddy(
        caddy, 8080, "--docker-sockets", sockets, "--docker-names", "one,two", "--docker-certs-path", ",/certificates"
    )
    for name, options in (("wide", ("--network=front",)), ("narrow", ("-p80",))):
        run(engines, "node2", name, *options)
    visits = {name: engines.visit(8080, f"{name}.test") for name in ("wide", "narrow", "two")}
    eventually(lambda: all(each.latest == {name} for name, each in visits.items()), 10_000)
    # what is on no common network is reached at the host of its engine
    for words in ("live: http://wide.test -> wide 10.0.", "live: http://narrow.test -> narrow 10.199.0.12:"):
        eventually(lambda words=words: words in engines.output("logs", "dockcaddy"))
