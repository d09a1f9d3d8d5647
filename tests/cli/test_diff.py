"""`dockcaddy diff`: what would change in what Caddy accepted last."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.engine import from_snapshot
from dockcaddy.reconcile.last_good import LastGood
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.engines import options_for
from dockcaddy.run.environment import Environment
from dockcaddy.settings.table import Settings
from observed import Observed
from snapshots import snapshot_of
from status_server import served

Labels = Mapping[str, str]
WEB = {"caddy": "web.test", "caddy.reverse_proxy": "{{upstreams 80}}"}
BLOG = {"caddy": "blog.test", "caddy.respond": "hello"}
COMPOSE = """\
name: shop
services:
  web:
    image: nginx
    labels:
      caddy: web.test
      caddy.reverse_proxy: "{{upstreams 80}}"
"""


@pytest.fixture
def running(sandbox: Path) -> Callable[..., tuple[str, ...]]:
    """What runs: containers by name with their labels. Gives the options of `diff`."""

    def keep(**containers: Labels) -> tuple[str, ...]:
        settings = Settings(ingress_networks=("web",))
        named = {name.replace("_", "-"): labels for name, labels in containers.items()}
        inventory = from_snapshot(snapshot_of(named), options_for(settings))
        fragments = pipeline_for(Environment(settings, plugins.load(), {})).fragments(inventory)
        (sandbox / "state").mkdir(exist_ok=True)
        LastGood(sandbox / "state" / "last-good.db").keep(b"{}", {each.key: each for each in fragments})
        return ("--state-directory", "state", "--ingress-networks", "web")

    return keep


def test_the_same_is_status_zero(dockcaddy: Callable, running: Callable, snapshot: Callable, caddy: str) -> None:
    options = running(web=WEB, blog=BLOG)
    result = dockcaddy("diff", "--caddy", caddy, *options, "--inventory", snapshot(web=WEB, blog=BLOG))
    assert (result.status, result.out) == (0, "no difference\n")
    assert result.err.count("\n") == 1 and "compared with what caddy accepted last" in result.err


def test_what_is_merged_of_several_is_no_difference(
    dockcaddy: Callable, running: Callable, snapshot: Callable, caddy: str
) -> None:
    containers = {
        "web": {**WEB, "caddy.encode": "gzip", "caddy.log": ""},
        "more": {"caddy": "web.test", "caddy.tls": "internal"},
        "old": {"caddy": "http://old.test", "caddy.respond": "x"},
    }
    options = (*running(**containers), "--caddy", caddy)
    result = dockcaddy("diff", *options, "--inventory", snapshot(**containers))
    assert (result.status, result.out) == (0, "no difference\n")
    # of what is gone, only its own lines are
    del containers["more"], containers["old"]
    lines = dockcaddy("diff", *options, "--inventory", snapshot(**containers)).out.splitlines()
    assert [each for each in lines if each.lstrip().startswith("-")][:1] == ["  -     tls internal"]
    assert not [each for each in lines if each.lstrip().startswith("+")]


def test_what_differs_is_shown_by_site_and_container(
    dockcaddy: Callable, running: Callable, snapshot: Callable, caddy: str
) -> None:
    options = running(web=WEB, old={"caddy": "old.test", "caddy.respond": "x"})
    changed = {**WEB, "caddy.header": "X y"}
    result = dockcaddy("diff", "--caddy", caddy, *options, "--inventory", snapshot(web=changed, blog=BLOG))
    assert result.status == 2 and "compared with what caddy accepted last" in result.err
    assert result.out == (
        "added blog.test  # container blog\n"
        "  + blog.test {\n"
        "  +     respond hello\n"
        "  + }\n"
        "changed web.test  # container web\n"
        "    web.test {\n"
        "  +     header X y\n"
        "        reverse_proxy 172.20.0.5:80\n"
        "    }\n"
        "removed old.test  # container old\n"
        "  - old.test {\n"
        "  -     respond x\n"
        "  - }\n"
        "1 added, 1 changed, 1 removed\n"
    )


def test_json(dockcaddy: Callable, running: Callable, snapshot: Callable, caddy: str) -> None:
    options = (*running(web=WEB), "--caddy", caddy, "--json")
    same = json.loads(dockcaddy("diff", *options, "--inventory", snapshot(web=WEB)).out)
    assert same == {"same": True, "changes": []}
    made = json.loads(dockcaddy("diff", *options, "--inventory", snapshot(web=WEB, blog=BLOG)).out)
    (change,) = made["changes"]
    assert (change["site"], change["kind"], change["resources"]) == ("blog.test", "added", ["container blog"])


@pytest.mark.compose
def test_a_project_that_is_up_has_no_difference_whatever_its_addresses(
    dockcaddy: Callable, running: Callable, sandbox: Path, caddy: str
) -> None:
    (sandbox / "compose.yaml").write_text(COMPOSE)
    options = (*running(shop_web_1=WEB, blog=BLOG)[:2], "--caddy", caddy, "--compose", "compose.yaml")
    result = dockcaddy("diff", *options)
    assert (result.status, result.out) == (0, "no difference\n")
    assert result.err.count("\n") == 1 and "compared with what caddy accepted last" in result.err
    # other projects stay, a service that is gone does not
    options = (*running(shop_web_1=WEB, shop_old_1={**BLOG, "caddy": "old.test"}, blog=BLOG)[:2], *options[2:])
    result = dockcaddy("diff", *options)
    assert result.status == 2 and result.out.startswith("removed old.test") and "blog.test" not in result.out


@pytest.mark.compose
def test_a_new_container_does_not_win_a_conflict_because_it_is_in_a_file(
    dockcaddy: Callable, running: Callable, sandbox: Path, caddy: str
) -> None:
    text = COMPOSE.replace("web.test", "blog.test").replace('reverse_proxy: "{{upstreams 80}}"', "respond: mine")
    (sandbox / "compose.yaml").write_text(text)
    options = (*running(blog={**WEB, "caddy": "blog.test"})[:2], "--caddy", caddy, "--compose", "compose.yaml")
    result = dockcaddy("diff", *options)
    assert result.status == 0 and result.out == "no difference\n"
    assert "error: compose.yaml:" in result.err and "container blog" in result.err


def test_a_caddy_that_does_not_answer_is_named(
    dockcaddy: Callable, running: Callable, snapshot: Callable, caddy: str, sandbox: Path
) -> None:
    options = (*running(web=WEB), "--caddy", caddy)
    world = Observed.make()
    world.caddy.down = True
    world.turn()
    with served(world.keeper, sandbox / "state"):
        result = dockcaddy("diff", *options, "--inventory", snapshot(web=WEB))
    assert (result.status, result.out) == (0, "no difference\n")
    assert "warning: caddy at localhost:2019 does not answer: compared with what it accepted last\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--state-directory", "nowhere"), "name its --state-directory"),
        (("--no-such-option",), "no option"),
        (("--inventory", "missing.json"), "cannot be read"),
        (("--docker-sockets", "unix:///nowhere.sock"), "/nowhere.sock"),
    ],
)
def test_an_error_is_status_one(dockcaddy: Callable, snapshot: Callable, arguments: tuple[str, ...], said: str) -> None:
    given = () if "--inventory" in arguments or "--docker-sockets" in arguments else ("--inventory", snapshot(web=WEB))
    result = dockcaddy("diff", *given, *arguments)
    assert (result.status, result.out) == (1, "") and said in result.err


def test_a_broken_file_is_an_error_and_stays(dockcaddy: Callable, snapshot: Callable, sandbox: Path) -> None:
    (sandbox / "state").mkdir()
    path = sandbox / "state" / "last-good.db"
    path.write_text("no database at all, and longer than a header would be")
    result = dockcaddy("diff", "--state-directory", "state", "--inventory", snapshot(web=WEB))
    assert result.status == 1 and "cannot be read" in result.err
    assert path.read_text().startswith("no database")


LISTENING = """\
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind({socket!r})
os.setuid({user})
listening.listen()
print("listens", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def started(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Starts a process that looks like a `dockcaddy run` in a folder, with these arguments and variables."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (sandbox / "elsewhere").mkdir()
    (sandbox / "state").mkdir()
    program = sandbox / "elsewhere" / "dockcaddy"
    with ExitStack() as ending:

        def start(*arguments: str, user: int = os.getuid(), **variables: str) -> None:
            program.write_text(LISTENING.format(socket=str(sandbox / "state" / "status.sock"), user=user))
            process = ending.enter_context(
                subprocess.Popen(
                    [sys.executable, str(program), "run", *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=variables,
                    cwd=program.parent,
                )
            )
            ending.callback(process.kill)
            assert process.stdout is not None and process.stdout.readline()

        yield start


def test_what_is_not_said_is_as_the_running_one_was_started(
    dockcaddy: Callable, running: Callable, snapshot: Callable, started: Callable, sandbox: Path, caddy: str
) -> None:
    running(web=WEB)
    (sandbox / "elsewhere" / "base").write_text("base.test {\n\trespond hello\n}\n")
    (sandbox / "elsewhere" / "dockcaddy.toml").write_text('ingress_networks = ["web"]\n')
    started("--label-prefix=site", "--caddyfile-path", "base", "--log-level", "error", DOCKCADDY_HTTP_PORT="8080")
    labels = {key.replace("caddy", "site", 1): value for key, value in WEB.items()}
    given = ("diff", "--caddy", caddy, "--state-directory", "state", "--inventory", snapshot(web=labels))
    result = dockcaddy(*given)
    assert result.status == 2
    # only what was not accepted before differs
    assert "\n  +     http_port 8080\n" in result.out and "\nadded base.test  # caddyfile " in result.out
    assert "web.test" not in result.out
    told = "info: with the options of the dockcaddy that runs here: --caddyfile-path, --label-prefix, DOCKCADDY_HTTP_PORT\n"
    assert told in result.err
    assert "removed web.test" in dockcaddy(*given, "--label-prefix", "caddy").out


def test_options_that_are_not_understood_are_not_taken_over(
    dockcaddy: Callable, running: Callable, snapshot: Callable, started: Callable, sandbox: Path, caddy: str
) -> None:
    options = running(web=WEB)
    started("--no-such-option")
    result = dockcaddy("diff", "--caddy", caddy, *options, "--inventory", snapshot(web=WEB))
    assert (result.status, result.out) == (0, "no difference\n") and "are not understood" in result.err


@pytest.mark.root
def test_options_of_another_user_are_not_taken_over(
    dockcaddy: Callable,
    running: Callable,
    snapshot: Callable,
    started: Callable,
    caddy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dockcaddy.run.running.SIGNS", ())
    options = running(web=WEB)
    started("--plugin", "bad.py", user=65534)
    result = dockcaddy("diff", "--caddy", caddy, *options, "--inventory", snapshot(web=WEB))
    assert (result.status, result.out) == (0, "no difference\n") and "is of another user" in result.err
