"""`dockcaddy status` and `dockcaddy wait`."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from clock import Clock
from command_line import Call, dockcaddy
from dockcaddy import testing
from dockcaddy.cli.status import fitting
from dockcaddy.cli.wait import look, waited
from dockcaddy.model import Unserved
from dockcaddy.status.client import NotRunning, StatusClient
from dockcaddy.status.document import DOCUMENTS
from dockcaddy.status.view import Documents, drawn, overview
from dockcaddy_status.troubles import troubles
from judging import Court
from observed import Observed
from quarantining import quarantine_of
from status_server import Served, served

__all__ = ["dockcaddy"]

WEB = {"caddy": "http://web.test", "caddy.reverse_proxy": "{{upstreams 80}}"}
# a Caddy that may reach addresses that mean nothing here
ELSEWHERE = ("--caddy-admin", "http://localhost:2019")


def documents(world: Observed) -> Documents:
    made = {name: DOCUMENTS[name](world.keeper.current) for name in ("sites", "resources", "problems")}
    sites = made["sites"]
    return Documents(
        sites["sites"], made["resources"]["resources"], made["problems"]["problems"], sites["caddy"], sites["engines"]
    )


def shown(world: Observed, width: int = 0) -> str:
    return drawn(overview(documents(world), world.keeper.time()), width)


@pytest.fixture
def mixed(world: Observed) -> Observed:
    world.put("web", WEB)
    world.put("sick", {"caddy": "http://sick.test", "caddy.reverse_proxy": "{{upstreams 80}}"}, health="unhealthy")
    world.put("bad", {"caddy": "bad.test", "caddy.bogus": "x"})
    world.engine.unserved = (Unserved("container", "db", "db", "NoLabels"),)
    world.turn()
    world.clock.advance(240)
    return world


def test_what_is_wrong_comes_first_with_its_remedy(mixed: Observed) -> None:
    lines = shown(mixed).splitlines()
    assert lines[0] == "3 sites, 1 ready"
    assert lines[1] == "!! https://bad.test: RefusedByCaddy (for 4 min)" and "bogus" in lines[2]
    assert lines[3] == "!! http://sick.test: Unhealthy (for 4 min)" and "docker inspect" in lines[4]
    assert lines[5] == "ok http://web.test -> web 172.18.0.4:80 (for 4 min)"
    assert "1 without a site" in lines and lines[-1].startswith("-- container db: no labels of ours: add caddy:")


def test_what_has_no_site_is_listed_by_its_reason(mixed: Observed) -> None:
    names = {"db": "NoLabels", "cache": "NoLabels", "old": "Stopped"}
    mixed.engine.unserved = tuple(Unserved("container", name, name, why) for name, why in names.items())
    mixed.turn()
    lines = shown(mixed).splitlines()
    first, second = lines[lines.index("3 without a site") + 1 :]
    assert first.startswith("-- containers cache, db: no labels of ours: add") and second.startswith(
        "-- container old: it does not run"
    )


def test_caddys_own_container_needs_no_labels(mixed: Observed) -> None:
    mixed.engine.unserved = (
        Unserved("container", "db", "db", "NoLabels"),
        Unserved("container", "c", "proxy", "NoLabels"),
    )
    mixed.engine.caddy = testing.container("proxy", id="c")
    mixed.turn()
    assert "-- container proxy: Caddy runs in it" in shown(mixed).splitlines()


def test_a_container_without_an_address_is_named_once(mixed: Observed) -> None:
    mixed.change("web", targets=(), unreachable="it has network mode none: leave that out")
    mixed.turn()
    assert shown(mixed).count("it has no address that caddy reaches: it has network mode none") == 1
    assert len([each for each in troubles(mixed.keeper.current) if "no address" in each.message]) == 1


def test_a_small_window_shows_the_first_lines_of_what_is_watched() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 11))
    assert fitting(text, 11) == text
    assert fitting(text, 5) == "line 1\nline 2\nline 3\nand 7 more lines\n"
    assert fitting(text, 1) == "and 10 more lines\n"


def test_80_columns_are_enough(mixed: Observed) -> None:
    assert max(map(len, shown(mixed, 80).splitlines())) <= 80
    assert "\033" not in shown(mixed, 80)


def test_a_caddy_and_an_engine_that_do_not_answer_are_named_first(mixed: Observed) -> None:
    mixed.engine.down = mixed.caddy.down = True
    mixed.put("new", {"caddy": "new.test", "caddy.respond": "x"})
    mixed.turn()
    assert shown(mixed).splitlines()[:4] == [
        "!! caddy: DoesNotAnswer (for 0 s)",
        "   caddy at localhost:2019 does not answer",
        "!! engine local: DoesNotAnswer (for 0 s)",
        "   no answer",
    ]


def test_before_the_first_pass_is_over_caddy_is_starting(world: Observed) -> None:
    assert shown(world).splitlines()[:2] == [
        "?? caddy: Starting",
        "   caddy was given no configuration yet: the log says what that waits for",
    ]
    [trouble] = troubles(world.keeper.current)
    assert (trouble.severity, trouble.reason) == ("warning", "Starting")


def test_what_sites_have_in_common_is_said_once_below_them(mixed: Observed) -> None:
    mixed.put("a", {"caddy": "http://a.test, http://b.test", "caddy.reverse_proxy": "{{upstreams 80}}"})
    mixed.put("c", {"caddy": "http://c.test", "caddy.reverse_proxy": "{{upstreams 80}}"})
    mixed.turn()
    mixed.caddy.down = True
    mixed.put("new", {"caddy": "http://new.test", "caddy.respond": "x"})
    mixed.turn()
    lines = shown(mixed).splitlines()
    first = lines.index("?? http://a.test and 1 more: CaddyUnreachable (for 0 s)")
    assert lines[first + 1] == "?? http://c.test: CaddyUnreachable (for 0 s)"
    assert lines.count("   caddy at localhost:2019 does not answer") == 2


def test_status_asks_the_dockcaddy_that_runs(mixed: Observed, tmp_path: Path, dockcaddy: Call) -> None:
    with served(mixed.keeper, tmp_path):
        result = dockcaddy("status", "--state-directory", str(tmp_path))
        assert result.status == 0 and "!! http://sick.test: Unhealthy" in result.out
        assert "\033" not in result.out
        one = dockcaddy("status", "sick.test", "--state-directory", str(tmp_path)).out
        assert "!! Ready: Unhealthy" in one and "ok Programmed: Programmed" in one and "made by: container sick" in one
        found = json.loads(dockcaddy("status", "web", "--json", "--state-directory", str(tmp_path)).out)
        assert [each["name"] for each in found["resources"]] == ["web"] and found["sites"] == []
        unknown = dockcaddy("status", "wbe", "--state-directory", str(tmp_path))
        assert unknown.status == 2 and 'did you mean "web"' in unknown.err


def test_a_site_is_found_by_host_address_and_url(mixed: Observed) -> None:
    for word in ("web.test", "http://web.test", "http://web.test/", "WEB.test"):
        sites, _ = documents(mixed).named(word)
        assert [each["name"] for each in sites] == ["http://web.test"], word


def test_a_site_whose_container_has_stopped_leads_to_the_container(mixed: Observed) -> None:
    gone = ("http://gone.test", "www.gone.test:8080", "web.test")
    mixed.engine.unserved = (Unserved("container", "old", "old", "Stopped", gone),)
    mixed.turn()
    found = documents(mixed)
    for subject in ("gone.test", "http://gone.test", "GONE.test/", "www.gone.test"):
        sites, resources = found.named(subject)
        assert sites == [] and [each["name"] for each in resources] == ["old"]
    assert found.troubles([], "gone.test")[0].startswith("container old: Stopped: it does not run: ")
    # another container serves it
    sites, resources = found.named("web.test")
    assert [each["name"] for each in sites] == ["http://web.test"] and resources == []
    assert found.left_out(sites) == [] and found.troubles([], "web.test") == []


def test_wait_ends_once_the_site_is_ready(world: Observed, tmp_path: Path, dockcaddy: Call) -> None:
    world.put("web", WEB, health="starting")
    world.turn()
    with served(world.keeper, tmp_path) as site:
        client = StatusClient(site.path)
        assert look(client, "web.test").startswith("Starting: no upstream is healthy")
        looks: list[float] = []

        def sleep(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 3:
                world.change("web", health="healthy")
                world.turn()

        clock = Clock()
        assert waited(lambda: look(client, "web.test"), 60, clock, sleep) == ""
        assert len(looks) == 3
        result = dockcaddy("wait", "web.test", *ELSEWHERE, "--state-directory", str(tmp_path))
        assert (result.status, result.out) == (0, "web.test is ready\n")


def test_warnings_about_a_site_and_its_containers_are_shown_with_them(
    world: Observed, tmp_path: Path, dockcaddy: Call
) -> None:
    world.put("web", WEB | {"caddy.basicauth.bob": f"$2a$14${'x' * 53}"})
    world.put("other", {"caddy": "other.test", "caddy.respond": "x"})
    world.turn()
    warning = "container web: label caddy.basicauth.bob: basicauth is deprecated in caddy: write basic_auth"
    with served(world.keeper, tmp_path):
        for subject in ("web.test", "web"):
            shown = dockcaddy("status", subject, "--state-directory", str(tmp_path)).out
            assert shown.endswith(f"\n\nalso\n?? {warning}\n")
            waited = dockcaddy("wait", subject, *ELSEWHERE, "--state-directory", str(tmp_path))
            assert (waited.status, waited.err) == (0, f"warning: {warning}\n")
        assert "also" not in dockcaddy("status", "other.test", "--state-directory", str(tmp_path)).out


def test_wait_says_why_not(world: Observed, tmp_path: Path, dockcaddy: Call) -> None:
    world.put("web", {"caddy": "web.test", "caddy.bogus": "x"})
    world.turn()
    with served(world.keeper, tmp_path):
        result = dockcaddy("wait", "web.test", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert result.status == 1 and result.out == ""
        assert "web.test: not ready after 0 s: RefusedByCaddy" in result.err and "bogus" in result.err
        missing = dockcaddy("wait", "wbe.test", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert missing.status == 1 and 'no such container, did you mean "web.test"' in missing.err
    gone = dockcaddy("wait", "web.test", "--timeout", "0s", "--state-directory", str(tmp_path))
    assert gone.status == 1 and "no dockcaddy answers at" in gone.err
    assert dockcaddy("wait", "web.test", "--timeout", "soon").status == 2


@pytest.fixture
def contested(world: Observed, court: Court) -> Observed:
    pipeline = world.reconciler.pipeline
    world.reconciler.quarantine = quarantine_of(court.adapt, world.clock, rules=lambda: pipeline.document_rules)
    world.put("old", {"caddy": "a.test", "caddy.reverse_proxy": "{{upstreams 80}}"})
    world.put("new", {"caddy": "a.test", "caddy.respond": "y"})
    world.turn()
    return world


def test_a_site_without_one_of_its_containers_is_ready_and_that_is_said(
    contested: Observed, tmp_path: Path, dockcaddy: Call
) -> None:
    with served(contested.keeper, tmp_path):
        result = dockcaddy("wait", "a.test", *ELSEWHERE, "--state-directory", str(tmp_path))
        assert (result.status, result.out) == (0, "a.test is ready\n")
        assert result.err.startswith("warning: a.test: without container new: ConflictsWith: label caddy.respond: ")
        late = dockcaddy("wait", "new", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert late.status == 1 and "new: not ready after 0 s: ConflictsWith: " in late.err
        everything = dockcaddy("status", "--state-directory", str(tmp_path)).out.splitlines()
        assert everything[1].startswith("!! container new: ConflictsWith") and everything[3].startswith(
            "ok https://a.test"
        )
        shown = dockcaddy("status", "a.test", "--state-directory", str(tmp_path)).out
        assert shown.startswith("a.test\n") and "\ncontainer new\n!! Accepted: ConflictsWith" in shown


def test_a_container_whose_earlier_version_is_served_is_not_ready(
    world: Observed, tmp_path: Path, dockcaddy: Call
) -> None:
    world.put("web", WEB)
    world.turn()
    world.put("web", {**WEB, "caddy.bogus": "x"})
    world.turn()
    with served(world.keeper, tmp_path):
        late = dockcaddy("wait", "web", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert late.status == 1 and "LastKnownGood" in late.err and "bogus" in late.err
        result = dockcaddy("wait", "web.test", *ELSEWHERE, "--state-directory", str(tmp_path))
        assert result.status == 0 and "web.test: without container web: LastKnownGood: " in result.err


def test_what_is_not_there_may_be_on_an_engine_that_does_not_answer(
    world: Observed, tmp_path: Path, dockcaddy: Call
) -> None:
    world.engine.down = True
    world.turn()
    with served(world.keeper, tmp_path):
        late = dockcaddy("wait", "web.test", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert late.err.endswith(
            "there is no such site and no such container; caddy was given no configuration yet: the log says what that waits for; engine local: no answer\n"
        )


def test_wait_says_why_an_engine_does_not_answer(world: Observed, tmp_path: Path, dockcaddy: Call) -> None:
    world.put("web", WEB)
    world.turn()
    world.engine.down = True
    world.turn()
    with served(world.keeper, tmp_path):
        late = dockcaddy("wait", "web.test", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert late.err.endswith(
            "EngineUnreachable: its health is not known: web 172.18.0.4:80 is on engine local, which does not answer; "
            "engine local: no answer\n"
        )
        world.engine.down, world.caddy.down = False, True
        world.put("other", {"caddy": "other.test", "caddy.respond": "x"})
        world.turn()
        late = dockcaddy("wait", "web.test", "--timeout", "0s", "--state-directory", str(tmp_path))
        assert late.err.endswith("CaddyUnreachable: caddy at localhost:2019 does not answer\n")


def test_wait_says_that_nothing_listens_at_the_upstream(
    world: Observed, tmp_path: Path, dockcaddy: Call, free_port: Callable[[], int]
) -> None:
    closed_port = free_port()
    world.put("web", {"caddy": "http://web.test", "caddy.reverse_proxy": f"{{{{upstreams {closed_port}}}}}"})
    world.change("web", targets=("127.0.0.1",))
    world.put("twin", {"caddy": "http://twin.test", "caddy.reverse_proxy": f"192.0.2.300:x 127.0.0.1:{closed_port}"})
    world.turn()
    with served(world.keeper, tmp_path) as site:
        for subject in ("web.test", "web"):
            late = dockcaddy("wait", subject, "--timeout", "0s", "--state-directory", str(tmp_path))
            assert late.status == 1 and late.err == (
                f"error: {subject}: not ready after 0 s: ConnectionRefused: web 127.0.0.1:{closed_port} refuses connections: its "
                "program has to listen at this port and at 0.0.0.0, not only at 127.0.0.1: docker logs shows whether it still starts\n"
            )
            assert dockcaddy("wait", subject, *ELSEWHERE, "--state-directory", str(tmp_path)).status == 0
        # one upstream that is not known to refuse is enough
        assert look(StatusClient(site.path), "twin.test", connects=True) == ""
        with socket.create_server(("127.0.0.1", closed_port)):
            assert dockcaddy("wait", "web", "--timeout", "0s", "--state-directory", str(tmp_path)).status == 0


def test_wait_waits_no_longer_than_it_may() -> None:
    clock = Clock()
    assert waited(lambda: "Starting", 10, clock, clock.advance) == "Starting"
    assert 10 <= clock.now - 1000 <= 10.5


def test_what_has_not_changed_is_asked_for_and_not_sent(site: Served, world: Observed) -> None:
    client = StatusClient(site.path)
    first = client.document("sites")
    assert client.document("sites") is first
    world.turn()
    assert client.document("sites") is not first


def test_a_dockcaddy_that_hangs_is_told_from_one_that_does_not_run(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / "status.sock"))
        hanging.listen()
        with pytest.raises(NotRunning, match=r"does not answer within 0\.1 s: it is stopped or hangs"):
            StatusClient(tmp_path / "status.sock", 0.1).document("sites")


def test_a_socket_that_is_none_is_no_dockcaddy(tmp_path: Path) -> None:
    (tmp_path / "status.sock").write_text("")
    with pytest.raises(NotRunning, match="no dockcaddy answers"):
        StatusClient(tmp_path / "status.sock").document("sites")


def test_a_server_that_speaks_nonsense_is_no_dockcaddy(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"nonsense\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NotRunning):
            StatusClient(tmp_path / "s").document("sites")


def test_rows_that_are_not_known_are_left_alone(world: Observed) -> None:
    world.turn()
    assert shown(world) == "0 sites, 0 ready\n"
    assert evolve(documents(world), problems=[]).names() == []
