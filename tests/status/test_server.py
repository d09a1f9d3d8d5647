"""The status over HTTP: what is answered, to whom, and that no client can do anything to the loop."""

import base64
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from attrs import evolve
from clock import Clock
from dockcaddy import EventKind, ServiceContext, Status, Update, plugins
from dockcaddy.errors import PluginFault
from dockcaddy.model import Proxy
from dockcaddy.plugins.services import GuardedService
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy_status import StatusSettings
from dockcaddy_status.figures import FIGURES
from dockcaddy_status.server import CONNECTIONS
from dockcaddy_status.stream import LISTENERS, WAITING, Streams
from observed import Observed
from ports import free_port
from status_server import Served, connected, eventually, served

WEB = {"caddy": "http://web.test", "caddy.respond": "x"}


def test_the_socket_is_its_owners_alone(site: Served) -> None:
    assert stat.S_IMODE(site.path.stat().st_mode) == 0o600


def test_sites_have_their_conditions(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    document = site.get("/api/v1/sites").document
    assert document["caddy"]["up"] and document["engines"][0]["name"] == "local" and document["complete"]
    (found,) = document["sites"]
    assert found["name"] == "http://web.test" and found["resources"] == ["container web"] and found["served"]
    assert [(each["type"], each["status"], each["reason"]) for each in found["conditions"]] == [
        ("Accepted", "True", "Accepted"),
        ("Programmed", "True", "Programmed"),
        ("Ready", "True", "NoUpstreams"),
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["conditions"][2]["since"])


def test_resources_problems_and_history_are_there_too(world: Observed, site: Served) -> None:
    world.put("web", {"caddy": "http://web.test", "caddy.bogus": "x"})
    world.turn()
    (resource,) = site.get("/api/v1/resources").document["resources"]
    assert (resource["key"], resource["sites"]) == ("local/web", ["http://web.test"])
    (problem,) = site.get("/api/v1/problems").document["problems"]
    assert problem["resource"] == "container web" and "bogus" in problem["message"]
    assert site.get("/api/v1/history").document["history"][0]["kind"] == "SiteRefused"
    assert site.get("/api/v1/certificates").document["certificates"] == []


def test_each_line_of_the_caddyfile_has_its_label(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    lines = site.get("/api/v1/caddyfile").document["lines"]
    assert [each["text"] for each in lines[:3]] == ["http://web.test {", "\trespond x", "}"]
    assert lines[1]["origins"] == [{"resource": "container web", "label": "caddy.respond"}]


def test_what_has_not_changed_is_not_sent_again(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    tag = site.get("/api/v1/sites").headers["etag"]
    assert site.get("/api/v1/sites", headers={"If-None-Match": tag}).status == 304
    world.put("other", {"caddy": "http://other.test", "caddy.respond": "x"})
    world.turn()
    assert site.get("/api/v1/sites", headers={"If-None-Match": tag}).status == 200


def test_it_is_ready_when_a_configuration_is_live(world: Observed, site: Served) -> None:
    assert site.get("/healthz").status == 200
    assert site.get("/readyz").status == 503
    world.turn()
    assert site.get("/readyz").status == 200
    world.caddy.down = True
    world.put("web", WEB)
    world.turn()
    answer = site.get("/readyz")
    assert answer.status == 503 and b"does not answer" in answer.body


def test_events_say_what_happened_and_what_is_different(world: Observed, site: Served) -> None:
    world.turn()
    assert eventually(lambda: b"dockcaddy_passes_total 1.0" in site.get("/metrics").body)
    with site.events() as following:
        assert following()[0] == "revision"
        world.put("web", WEB)
        world.turn()
        kind, event = following()
        assert (kind, event["kind"], event["subject"]) == ("event", "SiteUp", "site http://web.test")
        kind, change = following()
        assert kind == "status" and [each["name"] for each in change["sites"]] == ["http://web.test"]
        assert [each["name"] for each in change["resources"]] == ["web"]
        world.engine.resources.clear()
        world.turn()
        assert following()[1]["kind"] == "SiteGone"
        assert following()[1]["gone"] == {"sites": ["http://web.test"], "resources": ["local/web"]}


def test_every_metric_is_there_and_no_other(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.put("bad", {"caddy": "http://bad.test", "caddy.bogus": "x"})
    world.turn()
    assert eventually(lambda: b"dockcaddy_passes_total 1.0" in site.get("/metrics").body)
    text = site.get("/metrics").body.decode()
    named = {name for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE) if name.startswith("dockcaddy_")}
    assert named == {each.name for each in FIGURES if each.name.startswith("dockcaddy_")}
    assert {each.name for each in FIGURES} <= set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert 'dockcaddy_sites{condition="Ready",reason="NoUpstreams",status="True"} 1.0' in text
    assert 'dockcaddy_sites{condition="Ready",reason="NotProgrammed",status="False"} 1.0' in text
    assert 'dockcaddy_reloads_total{result="accepted"} 1.0' in text
    assert "dockcaddy_event_to_live_seconds_count 1.0" in text
    assert "dockcaddy_quarantined 1.0" in text
    assert 'dockcaddy_engine_up{engine="local"} 1.0' in text and "dockcaddy_caddy_up 1.0" in text


def test_what_never_happened_is_counted_too_so_that_the_first_time_is_an_increase(site: Served) -> None:
    text = site.get("/metrics").body.decode()
    for kind in get_args(EventKind):
        assert f'dockcaddy_events_total{{kind="{kind}"}} 0.0' in text
    for result in ("accepted", "refused", "failed"):
        assert f'dockcaddy_reloads_total{{result="{result}"}} 0.0' in text


def test_it_can_only_be_read(site: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert site.get("/api/v1/sites", method).status == 405
    assert site.get("/api/v1/nothing").status == 404


def test_browsers_are_given_strict_rules(site: Served) -> None:
    headers = site.get("/api/v1/sites", headers={"Origin": "https://evil.test"}).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


# --- the port


def test_a_loopback_port_answers_to_its_own_name_only(world: Observed, tmp_path: Path) -> None:
    with served(world.keeper, tmp_path, free_port()) as site:
        for host in ("localhost", f"127.0.0.1:{site.port}", "[::1]:1"):
            assert site.get_tcp("/api/v1/sites", {"Host": host}).status == 200
        for host in ("evil.test", "127.0.0.1.evil.test", "", "localhost.evil.test:80"):
            assert site.get_tcp("/api/v1/sites", {"Host": host}).status == 421


def test_the_caddyfile_is_not_for_everybody_on_the_machine(world: Observed, tmp_path: Path) -> None:
    with served(world.keeper, tmp_path, free_port()) as site:
        assert site.get_tcp("/api/v1/caddyfile").status == 403


def test_a_port_with_a_token_asks_for_it(world: Observed, tmp_path: Path) -> None:
    with served(world.keeper, tmp_path, free_port(), "secret") as site:
        answer = site.get_tcp("/api/v1/sites")
        assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic")
        basic = base64.b64encode(b"me:secret").decode()
        for given in ("Bearer secret", f"Basic {basic}"):
            assert site.get_tcp("/api/v1/caddyfile", {"Authorization": given}).status == 200
        for given in ("Bearer wrong", "Bearer", "Basic !", "secret", "Basic " + base64.b64encode(b"secret:").decode()):
            assert site.get_tcp("/api/v1/sites", {"Authorization": given}).status == 401
        assert site.get_tcp("/healthz").status == 200


def guarded(proxy: Proxy, settings: StatusSettings) -> GuardedService:
    context = ServiceContext(lambda section: settings, proxy, Clock())
    return GuardedService(next(each for each in plugins.load().services if each.name == "status"), context)


def test_beyond_loopback_a_token_is_needed(tmp_path: Path) -> None:
    made = guarded(Proxy(status_socket=str(tmp_path / "s"), status_listen="0.0.0.0:1"), StatusSettings())
    with pytest.raises(PluginFault, match=r"no loopback address and there is no token: set status\.token_file"):
        made.start()


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("\n", "is empty")])
def test_a_token_file_without_a_token_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    made = guarded(Proxy(status_socket=str(tmp_path / "s")), StatusSettings(token_file=str(file)))
    with pytest.raises(PluginFault, match=reason):
        made.start()


def test_where_it_cannot_listen_it_says_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "status.sock").write_text("")
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        made = guarded(Proxy(status_socket=str(tmp_path / "status.sock"), status_listen=where), StatusSettings())
        made.start()
        first, second = made.problems()
        assert "there is a file that is no socket" in first
        assert "in use" in second and "--status-listen" in second
        made.stop()


def test_what_an_earlier_run_left_is_replaced_and_nothing_is_left(world: Observed, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / "status.sock"))
    with served(world.keeper, tmp_path) as site:
        assert site.get("/healthz").status == 200
    assert not (tmp_path / "status.sock").exists()


def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    made = guarded(Proxy(status_socket=f"/{'x' * 200}/status.sock"), StatusSettings())
    made.start()
    assert "--state-directory" in made.problems()[0]
    made.stop()


# --- clients that behave badly


def test_many_clients_that_ask_nothing_keep_nobody_out_for_long(world: Observed, site: Served) -> None:
    assert site.get("/healthz").status == 200
    idle = [connected(site.path) for _ in range(CONNECTIONS + 5)]
    world.put("web", WEB)
    world.turn()
    assert world.site("http://web.test")["Ready"].is_true
    # those that wait are ended, and others are answered
    assert eventually(lambda: site.get("/healthz").status == 200)
    for each in idle:
        each.close()


def test_headers_without_an_end_are_refused(site: Served) -> None:
    with connected(site.path) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        try:
            for _ in range(100):
                client.sendall(b"x" * 10_000)
        except OSError:
            pass
        else:
            pytest.fail("a megabyte of headers was read")
    assert site.get("/healthz").status == 200


def test_what_is_no_http_is_refused(site: Served) -> None:
    with connected(site.path) as client:
        client.sendall(b"\0\xff\x16\x03\x01\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
    assert site.get("/healthz").status == 200


def test_a_listener_that_reads_nothing_does_not_delay_the_loop_and_is_let_go(world: Observed, site: Served) -> None:
    with connected(site.path) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(10).startswith(b"HTTP/1.1")
        long = "x" * 4000
        for number in range(300):
            world.put("web", {"caddy": "http://web.test", "caddy.respond": f"{number} {long}", "caddy.bogus": long})
            world.turn()
        assert world.keeper.current.revision >= 2
        assert site.get("/healthz").status == 200


def test_messages_for_a_slow_listener_are_bounded() -> None:
    streams = Streams(Status())
    slow = streams.opened()
    for revision in range(1, 1000):
        streams.take(Update(Status(revision=revision)))
    assert slow.qsize() <= WAITING
    assert slow.get_nowait() == ""


def test_listeners_are_bounded(site: Served) -> None:
    listening = []
    for _ in range(LISTENERS):
        client = connected(site.path)
        client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in client.recv(15)
        listening.append(client)
    assert site.get("/api/v1/events").status == 503
    assert site.get("/api/v1/sites").status == 200
    for each in listening:
        each.close()
    assert eventually(lambda: site.get("/api/v1/sites").status == 200)


def test_updates_that_nobody_takes_are_bounded(tmp_path: Path) -> None:
    keeper = StatusKeeper()
    from dockcaddy_status.service import WAITING as KEPT
    from dockcaddy_status.service import StatusService

    service = StatusService(keeper, str(tmp_path / "status.sock"))
    # the server has not started yet: its first pass is not over
    service.start()
    for revision in range(KEPT + 500):
        service._updated(Update(evolve(keeper.current, revision=revision)))
    assert len(service._updates) == KEPT
    service.stop()


def test_what_happens_before_somebody_connects_is_counted(tmp_path: Path) -> None:
    from dockcaddy_status.service import WAITING as WAITS

    keeper = StatusKeeper()
    with served(keeper, tmp_path) as site:
        site.service._first_pass.set()
        for revision in range(WAITS + 500):
            site.service._updated(Update(evolve(keeper.current, revision=revision), is_pass=True))
            if revision % 100 == 0:
                assert eventually(lambda: not site.service._updates)
        assert f"dockcaddy_passes_total {WAITS + 500:.1f}" in site.get("/metrics").body.decode()


@pytest.mark.process
def test_nothing_large_is_imported_until_somebody_connects(tmp_path: Path) -> None:
    program = """
import socket, sys, threading
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy_status.service import StatusService

service = StatusService(StatusKeeper(), sys.argv[1])
service.start()
service._first_pass.set()
while "dockcaddy_status.figures" not in sys.modules:
    pass
print("uvicorn" in sys.modules)
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
    print(client.recv(15).decode(), "uvicorn" in sys.modules)
service.stop()
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "status.sock")], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "HTTP/1.1", "200", "OK", "True"]


def test_who_listens_is_let_go_at_the_end(world: Observed, tmp_path: Path) -> None:
    with served(world.keeper, tmp_path) as site, site.events() as following:
        assert following()[0] == "revision"
        site.service.stop()
        assert following() == ("", None)
