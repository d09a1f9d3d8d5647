"""Whatever happens, an operator reads what it is, why, and what to do, by every way that there is: one table.

A case happens in a world, which is a running dockcaddy with a real engine and a real Caddy. Its row has what each view says.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

import proxy
import pytest
from attrs import frozen
from forwarding import engine_at
from operators_views import LISTENER, Said, World, readable
from ports import free_port
from real_engine import Containers
from servers import StockCaddy, waited_for

pytestmark = pytest.mark.engine

Eventually = Callable[..., None]


@frozen
class Case:
    """What may be the case: its world, what `wait` and `try` are asked about, and what each view says, as in `Said.is_like`."""

    world: str
    subject: str
    url: str
    says: Mapping[str, Said]


def row(world: str, subject: str, url: str, **says: str | tuple[int, str]) -> Case:
    """A row of the table. Without an exit status, a command ends well. Some views also say what is the case besides."""
    made: dict[str, Said] = {}
    for name, said in says.items():
        status, text = said if isinstance(said, tuple) else (0, said)
        view = name.rstrip("_")
        made[view] = Said(200 if view in OVER_HTTP else status, f"...{text}..." if view in OF_EVERYTHING else text)
    return Case(world, subject, url, {**made, "hook": made["events"]})


OVER_HTTP, OF_EVERYTHING = ("page", "metrics", "events"), ("status", "page", "metrics", "events")
VIEWS: Mapping[str, Callable[[World, Case], Said]] = {
    "status": lambda world, case: world.command("status"),
    "wait": lambda world, case: world.command("wait", case.subject.format_map(world.words), "--timeout", "0s"),
    "diff": lambda world, case: world.command("diff"),
    "try": lambda world, case: world.command("try", case.url.format_map(world.words)),
    "page": lambda world, case: readable(world.get("/")),
    "metrics": lambda world, case: world.get("/metrics"),
    # server-sent events, and what the hook `dockcaddy_events` hears
    "events": lambda world, case: Said(200, "".join(world.stream)),
    "hook": lambda world, case: Said(200, world.diary),
}

CASES = {
    "a healthy site": row(
        "sites", "well.test", "https://well.test:{port}/",
        status="ok https://well.test:{port} -> {well} ...:80 (for ",
        wait="well.test is ready\n",
        diff="no difference\n...",
        try_="site     well.test:{port}\nmatched  host well.test\nanswer   reverse_proxy to ...:80, which gets GET /\n"
        "made by  container {well} caddy.reverse_proxy\ninfo: with the options of the dockcaddy that runs here: ...\n",
        page="well.test:{port} open ↗ ✓ Accepted : yes, Accepted ✓ Programmed : yes, Programmed ✓ Ready : yes, UpstreamsHealthy "
        "✓ yes {well} ...:80",
        metrics='dockcaddy_events_total{{kind="SiteUp"}} 3.0\n...dockcaddy_events_total{{kind="EngineLost"}} 0.0\n...'
        'dockcaddy_sites{{condition="Ready",reason="UpstreamsHealthy",status="True"}} 2.0\n...'
        'dockcaddy_engine_up{{engine="local"}} 1.0\n...dockcaddy_caddy_up 1.0\n',
        events="SiteUp site well.test:{port} \n",
    ),
    "labels that caddy refuses": row(
        "sites", "bad.test", "https://bad.test:{port}/",
        status="!! https://bad.test:{port}: RefusedByCaddy (for ...)\n   label caddy.reverse_proxy.nonsense: caddy refuses it: ",
        wait=(1, "error: bad.test: not ready after 0 s: RefusedByCaddy: label caddy.reverse_proxy.nonsense: caddy refuses it: ...nonsense\n"),
        diff="no difference\n...error: container {bad}: label caddy.reverse_proxy.nonsense: caddy refuses it: ...",
        try_=(1, "site     none\nanswer   nothing: no site has this name, and without a certificate for it the connection fails\n"
        "problem  container {bad}: RefusedByCaddy: label caddy.reverse_proxy.nonsense: caddy refuses it: ...nonsense\ninfo: ..."),
        page="error bad.test:{port} RefusedByCaddy for ... label caddy.reverse_proxy.nonsense: caddy refuses it: ",
        metrics='dockcaddy_events_total{{kind="SiteRefused"}} 2.0\n...'
        'dockcaddy_sites{{condition="Programmed",reason="RefusedByCaddy",status="False"}} 1.0\n...dockcaddy_quarantined 1.0\n',
        events="SiteRefused container {bad} label caddy.reverse_proxy.nonsense: caddy refuses it: ",
    ),
    "an unhealthy container": row(
        "sites", "ill.test", "https://ill.test:{port}/",
        status="!! https://ill.test:{port}: Unhealthy (for ...)\n   no upstream is healthy: {ill} ...:80 fails its health check: docker inspect shows ",
        wait=(1, "error: ill.test: not ready after 0 s: Unhealthy: no upstream is healthy: {ill} ...:80 fails its health check: docker inspect shows ..."),
        diff="no difference\n...",
        try_="site     ill.test:{port}\n...reverse_proxy to ...:80, which gets GET /\nmade by  container {ill} caddy.reverse_proxy\n"
        "problem  Unhealthy: no upstream is healthy: {ill} ...:80 fails its health check: docker inspect shows ...\ninfo: ...",
        page="error ill.test:{port} Unhealthy for ... no upstream is healthy: {ill} ...:80 fails its health check: ",
        metrics='dockcaddy_sites{{condition="Ready",reason="Unhealthy",status="False"}} 1.0\n',
        events="SiteDown site ill.test:{port} no upstream is healthy: {ill} ",
    ),
    "a conflict": row(
        "sites", "{newer}", "https://shared.test:{port}/",
        status="!! container {newer}: ConflictsWith (for ...)\n   label caddy.respond: ...container {older}...: use another address or path",
        wait=(1, "error: {newer}: not ready after 0 s: ConflictsWith: label caddy.respond: ...container {older}...: use another address or path\n"),
        diff="no difference\n...error: container {newer}: label caddy.respond: ...container {older}...",
        try_="site     shared.test:{port}\n...made by  container {older} caddy.reverse_proxy\n"
        "problem  container {newer}: ConflictsWith: label caddy.respond: ...container {older}...: use another address or path\ninfo: ...",
        page="error container {newer} ConflictsWith for ... label caddy.respond: ",
        metrics='dockcaddy_resources{{condition="Accepted",reason="ConflictsWith",status="False"}} 1.0\n',
        events="SiteRefused container {newer} label caddy.respond: ...container {older}",
    ),
    "a certificate that cannot be had": row(
        "sites", "web.example.org", "https://web.example.org:{port}/",
        status="!! https://web.example.org:{port}: NoCertificate (for ...)\n"
        "   there is no certificate for web.example.org, caddy tries again: ...connection refused",
        wait=(1, "error: web.example.org: not ready after 0 s: NoCertificate: there is no certificate for web.example.org, caddy tries again: ..."),
        diff="no difference\n...",
        try_='site     web.example.org:{port}\n...answer   200 "x"\nmade by  container {acme} caddy.respond\n'
        "problem  NoCertificate: there is no certificate for web.example.org, caddy tries again: ...\ninfo: ...",
        page="error web.example.org:{port} NoCertificate for ... there is no certificate for web.example.org, caddy tries again: ",
        metrics='dockcaddy_events_total{{kind="CertificateFailed"}} 1.0\n...'
        'dockcaddy_sites{{condition="Ready",reason="NoCertificate",status="False"}} 1.0\n',
        events="CertificateFailed certificate web.example.org ...SiteDown site web.example.org:{port} there is no certificate for web.example.org, ",
    ),
    "an engine that is down": row(
        "without_engine", "web.test", "https://web.test:{port}/",
        status="!! engine {engine}: DoesNotAnswer (for ...)\n   unix://{socket} does not answer: ...start Docker...?? https://web.test:{port}: EngineUnreachable (for ...)\n"
        "   its health is not known: {web} ...:80 is on engine {engine}, which does not answer\n",
        wait=(1, "error: web.test: not ready after 0 s: EngineUnreachable: its health is not known: "
        "{web} ...:80 is on engine {engine}, which does not answer; engine {engine}: unix://{socket} does not answer: ...start Docker...\n"),
        diff=(1, "...error: unix://{socket} does not answer: Connection refused: start Docker...\n"),
        try_=(3, "...error: unix://{socket} does not answer: Connection refused: start Docker...\n"),
        page="error engine {engine} DoesNotAnswer for ... ...start Docker...warning web.test:{port} EngineUnreachable",
        metrics='dockcaddy_events_total{{kind="EngineLost"}} 1.0\n...'
        'dockcaddy_sites{{condition="Ready",reason="EngineUnreachable",status="Unknown"}} 1.0\n...'
        'dockcaddy_engine_up{{engine="{engine}"}} 0.0\n...dockcaddy_caddy_up 1.0\n',
        events="EngineLost engine {engine} ...start Docker",
    ),
    "a caddy that is down": row(
        "without_caddy", "web.test", "https://web.test:{port}/",
        status="!! caddy: DoesNotAnswer (for ...)\n   caddy at {caddy} does not answer: connection refused, start it, ...?? https://web.test:{port}: CaddyUnreachable",
        wait=(1, "error: web.test: not ready after 0 s: CaddyUnreachable: caddy at {caddy} does not answer: connection refused, start it, ...\n"),
        diff="no difference\n...warning: caddy at {caddy} does not answer: ...: compared with what it accepted last\n",
        try_="site     web.test:{port}\n...made by  container {web} caddy.reverse_proxy\n"
        "problem  CaddyUnreachable: caddy at {caddy} does not answer: connection refused, start it, ...\ninfo: ...",
        page="Problems error caddy DoesNotAnswer for ... caddy at {caddy} does not answer: ...correct --caddy-admin "
        "warning web.test:{port} CaddyUnreachable",
        metrics='dockcaddy_events_total{{kind="CaddyLost"}} 1.0\n...'
        'dockcaddy_sites{{condition="Programmed",reason="CaddyUnreachable",status="Unknown"}} 1.0\n...'
        'dockcaddy_engine_up{{engine="local"}} 1.0\n...dockcaddy_caddy_up 0.0\n',
        events="CaddyLost caddy caddy at {caddy} does not answer: ",
    ),
}  # fmt: skip


def _says(world: World, case: Case, view: str) -> bool:
    return case.says[view].is_like(VIEWS[view](world, case), world.words)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_operator_reads_what_it_is_and_what_to_do(case: Case, view: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(case.world)
    expected, said = case.says[view], VIEWS[view](world, case)
    assert expected.is_like(said, world.words), (
        f"{said.status}\n{said.text}\nand not {expected.status}\n{expected.text}"
    )


# --- the worlds

PROXY = {"caddy__tls": "internal", "caddy__reverse_proxy": "{{upstreams 80}}"}
Begin = Callable[..., World]


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory, eventually: Eventually) -> Iterator[Begin]:
    """Starts a dockcaddy for which others' containers do not count, and hears its events."""
    with ExitStack() as ended:

        def start(*options: str) -> World:
            containers = Containers(f"dc{uuid.uuid4().hex[:8]}")
            ended.callback(containers.remove_all)
            folder = tmp_path_factory.mktemp("world")
            options = ("--constraint", f"Label(`test`, `{containers.mark}`)", *options)
            program = proxy.start(folder, free_port(), *options, *LISTENER)
            ended.callback(program.leave_nothing)
            world = World(folder, program, containers, {"port": str(program.port)})
            world.listen(eventually)
            return world

        yield start


@pytest.fixture(scope="module")
def happened(eventually: Eventually) -> Callable[[World, str], None]:
    """Waits until the events of all cases of a world were heard."""

    def wait(world: World, name: str) -> None:
        for case in CASES.values():
            for view in ("events", "hook"):
                if case.world == name:
                    eventually(partial(_says, world, case, view), looks=9_000)

    return wait


@pytest.fixture(scope="module")
def sites(begin: Begin, happened: Callable[[World, str], None], tmp_path_factory: pytest.TempPathFactory) -> World:
    base = tmp_path_factory.mktemp("base") / "Caddyfile"
    base.write_text("{\n\tacme_ca https://127.0.0.1:1/directory\n\tskip_install_trust\n}\n")
    world = begin("--caddyfile-path", str(base), "--http-port", str(free_port()))
    world.site("older", host="shared.test", **PROXY)
    world.site("acme", host="web.example.org", caddy__respond="x")
    world.site("bad", caddy__reverse_proxy__nonsense="x")
    world.site("well", **PROXY)
    check = ("--health-cmd=/nothing", "--health-interval=1s", "--health-retries=1")
    world.site("ill", *check, **PROXY)
    # engines know the time of creation in seconds
    world.site("newer", host="shared.test", caddy__tls="internal", caddy__respond="b")
    happened(world, "sites")
    return world


@pytest.fixture(scope="module")
def without_engine(
    begin: Begin,
    happened: Callable[[World, str], None],
    eventually: Eventually,
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    path = tmp_path_factory.mktemp("engine") / "docker.sock"
    with engine_at(path):
        world = begin("--docker-sockets", f"unix://{path}")
        world.site("web", **PROXY)
        eventually(lambda: "SiteUp" in world.diary)
    world.words |= {"engine": "local", "socket": str(path)}
    happened(world, "without_engine")
    return world


@pytest.fixture(scope="module")
def without_caddy(
    begin: Begin,
    happened: Callable[[World, str], None],
    eventually: Eventually,
    caddy: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    server = StockCaddy(caddy, tmp_path_factory.mktemp("caddy"), f"127.0.0.1:{free_port()}")
    server.start()
    try:
        waited_for(server.url).close()
        world = begin("--caddy-admin", server.url)
        world.words["caddy"] = server.url
        world.site("web", **PROXY)
        eventually(lambda: "SiteUp" in world.diary)
    finally:
        server.kill()
    happened(world, "without_caddy")
    return world
