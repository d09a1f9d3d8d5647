"""The status of each resource and site, from passes of the real loop."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve
from clock import Clock
from dockcaddy import plugins
from dockcaddy.model import Unserved
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.status.dates import Dates
from dockcaddy.status.history import HistoryFile
from dockcaddy.status.keeper import StatusKeeper
from dockcaddy.status.model import Certificate, Event, Update
from judging import Court
from observed import EPOCH, Observed
from quarantining import quarantine_of

WEB = {"caddy": "http://web.test", "caddy.reverse_proxy": "{{upstreams}}"}


def proxying() -> Pipeline:
    return Pipeline(plugins.load())


def test_a_healthy_container_is_ready_and_its_site_too(world: Observed) -> None:
    world.put("web", WEB, health="healthy")
    world.turn()
    assert world.states("web") == "True/Accepted True/Programmed True/UpstreamsHealthy"
    assert world.site_states("http://web.test") == "True/Accepted True/Programmed True/UpstreamsHealthy"
    site = world.keeper.current.sites["http://web.test"]
    assert (site.urls, site.resources) == (("http://web.test",), ("container web",))
    assert [(each.container, each.healthy, each.reason) for each in site.upstreams] == [("web", "True", "Healthy")]
    assert world.events() == [("SiteUp", "site http://web.test")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"health": "unhealthy"}, "Unhealthy"), ({"health": "starting"}, "Starting")],
)
def test_an_unhealthy_container_is_not_ready(world: Observed, change: dict[str, str], reason: str) -> None:
    world.put("web", WEB, health="healthy")
    world.turn()
    since = world.site("http://web.test")["Ready"].since
    world.change("web", **change)
    world.turn(5)
    ready = world.site("http://web.test")["Ready"]
    assert (ready.state, ready.reason) == ("False", reason)
    assert ready.since == since + 5
    assert world.last().kind == "SiteDown"
    world.change("web", health="healthy")
    world.turn()
    assert world.last().kind == "SiteRecovered"


@pytest.mark.parametrize(
    ("state", "reason", "remedy"),
    [
        ("paused", "Paused", "docker unpause"),
        ("restarting", "Restarting", "docker logs"),
        ("exited", "Stopped", "start it"),
    ],
)
def test_why_a_container_answers_nobody_is_said_with_what_to_do(
    world: Observed, state: str, reason: str, remedy: str
) -> None:
    world.put("web", WEB)
    world.turn()
    world.change("web", state=state, running=False, targets=())
    world.turn()
    ready = world.site("http://web.test")["Ready"]
    assert (ready.state, ready.reason) == ("False", reason) and remedy in ready.message


def test_a_new_site_that_does_not_come_up_is_an_event(world: Observed) -> None:
    world.put("web", WEB, health="starting")
    world.turn()
    assert world.events() == []
    world.change("web", health="unhealthy")
    world.turn()
    assert world.events() == [("SiteDown", "site http://web.test")]
    assert world.last().reason == "Unhealthy" and "docker inspect" in world.last().message


def test_a_new_site_that_was_starting_comes_up(world: Observed) -> None:
    world.put("web", WEB, health="starting")
    world.turn()
    world.change("web", health="healthy")
    world.turn()
    assert world.events() == [("SiteUp", "site http://web.test")]


def test_what_caddy_refuses_is_accepted_and_not_programmed(world: Observed) -> None:
    world.put("web", {"caddy": "web.test", "caddy.bogus": "x"})
    world.turn()
    assert world.states("web") == "True/Accepted False/RefusedByCaddy False/NotProgrammed"
    assert "bogus" in world.resource("web")["Programmed"].message
    site = world.keeper.current.sites["web.test"]
    assert not site.is_served and site.conditions.ready.reason == "NotProgrammed"
    assert world.events() == [("SiteRefused", "container web")]


def test_what_caddy_accepts_later_is_noticed_without_any_change_of_the_container(world: Observed) -> None:
    world.put("web", {"caddy": "web.test", "caddy.bogus": "x"})
    world.turn()
    assert world.resource("web")["Programmed"].reason == "RefusedByCaddy"
    world.caddy.refuses = "nothing"
    world.turn(60)
    assert world.states("web") == "True/Accepted True/Programmed True/NoUpstreams"
    assert world.last().kind == "SiteRecovered"
    world.caddy.refuses = "bogus"
    world.put("web", {"caddy": "web.test", "caddy.bogus": "y"})
    world.turn()
    assert world.resource("web")["Programmed"].reason == "LastKnownGood"
    since = world.resource("web")["Programmed"].since
    world.turn(5)
    assert world.resource("web")["Programmed"].since == since


def test_of_a_calm_pass_nothing_is_compared(world: Observed, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("web", WEB)
    world.turn()
    taken: list[object] = []
    monkeypatch.setattr(type(world.keeper.resources), "take", lambda self, *given: taken.append(given))
    world.turn()
    world.turn(60)
    assert taken == []


def test_an_earlier_version_is_served_instead(world: Observed) -> None:
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    world.put("web", {"caddy": "web.test", "caddy.bogus": "x"})
    world.turn()
    assert world.states("web") == "True/Accepted False/LastKnownGood True/NoUpstreams"
    assert world.site_states("web.test") == "True/Accepted True/LastKnownGood True/NoUpstreams"
    assert "bogus" in world.site("web.test")["Programmed"].message
    assert world.last().kind == "LastKnownGood"
    world.put("web", {"caddy": "web.test", "caddy.respond": "y"})
    world.turn()
    assert world.states("web") == "True/Accepted True/Programmed True/NoUpstreams"
    assert world.last().kind == "SiteRecovered"


def with_real_caddy(world: Observed, court: Court) -> None:
    """Have rules and conflicts decided on what a real Caddy makes of labels."""
    pipeline = world.reconciler.pipeline
    world.reconciler.quarantine = quarantine_of(court.adapt, world.clock, rules=lambda: pipeline.document_rules)


def test_of_two_that_contradict_each_other_the_newer_one_says_which_is_older(world: Observed, court: Court) -> None:
    with_real_caddy(world, court)
    world.put("old", {"caddy": "a.test", "caddy.reverse_proxy": "{{upstreams 80}}"})
    world.put("new", {"caddy": "a.test", "caddy.respond": "y"})
    world.turn()
    assert world.states("new") == "False/ConflictsWith False/NotAccepted False/NotProgrammed"
    assert "container old" in world.resource("new")["Accepted"].message
    # who watches the site hears of it
    assert (world.last().subject, world.last().sites) == ("container new", ("a.test",))
    assert world.states("old") == "True/Accepted True/Programmed True/UpstreamsHealthy"
    assert world.site_states("a.test") == "True/Accepted True/Programmed True/UpstreamsHealthy"


def test_what_has_too_much_is_left_out_before_caddy_is_asked(world: Observed) -> None:
    world.put("big", {"caddy": " ".join(f"s{number}.test" for number in range(1100)), "caddy.respond": "x"})
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    programmed = world.resource("big")["Programmed"]
    assert (programmed.state, programmed.reason) == ("False", "LeftOut") and "address" in programmed.message
    assert world.site("web.test")["Ready"].is_true


def test_a_rule_of_a_plugin_is_the_reason(world: Observed, court: Court) -> None:
    with_real_caddy(world, court)
    world.put("web", {"caddy": "web.test", "caddy.reverse_proxy": "localhost:2019"})
    world.turn()
    assert world.states("web").startswith("False/RefusedByRule")
    assert "policy" in world.resource("web")["Accepted"].message
    assert world.events() == [("SiteRefused", "container web")]


def test_a_label_that_cannot_be_read_is_not_accepted_and_its_site_is_still_named(world: Observed) -> None:
    world.put("web", {"caddy": "web.test", "caddy.respond": "{{nothing}}"})
    world.turn()
    assert world.states("web").startswith("False/InvalidLabels")
    assert "label caddy.respond" in world.resource("web")["Accepted"].message
    assert not world.keeper.current.sites["web.test"].is_served


def test_a_container_without_a_site_says_why(world: Observed) -> None:
    world.engine.unserved = (
        Unserved("container", "db", "db", "NoLabels"),
        Unserved("container", "old", "old", "Stopped"),
        Unserved("container", "x", "x", "ExcludedByConstraint"),
        Unserved("container", "y", "y", "OtherPrefix"),
    )
    world.turn()
    reasons = {each.name: each.conditions.accepted.reason for each in world.keeper.current.resources.values()}
    assert reasons == {"db": "NoLabels", "old": "Stopped", "x": "ExcludedByConstraint", "y": "OtherPrefix"}
    assert "{{upstreams PORT}}" in world.resource("db")["Accepted"].message
    assert world.events() == []


def test_a_container_that_is_renamed_makes_its_site_under_its_new_name(world: Observed) -> None:
    world.put("web", WEB)
    world.turn()
    world.engine.resources["web"] = evolve(world.engine.resources["web"], name="shop")
    world.turn()
    site = world.keeper.current.sites["http://web.test"]
    assert site.resources == ("container shop",) and site.upstreams[0].container == "shop"
    world.change("web", health="unhealthy")
    world.turn()
    assert world.site("http://web.test")["Ready"].reason == "Unhealthy"


@pytest.mark.parametrize(
    ("otherwise", "reason"),
    [
        ({}, "Unhealthy"),
        ({"caddy.encode": "gzip", "caddy.@api": "path /api/*"}, "Unhealthy"),
        ({"caddy.respond": "{{if not (isHealthy)}}503 Service Unavailable{{end}}"}, "Unhealthy"),
        ({"caddy.handle.respond": '"away" 503'}, "Unhealthy"),
        ({"caddy.respond": "hello"}, "NoUpstreams"),
        ({"caddy.import": "common"}, "NoUpstreams"),
        ({"caddy.plugin": "x"}, "NoUpstreams"),
    ],
)
def test_a_site_that_answers_nothing_while_its_container_is_unhealthy_is_not_ready(
    world: Observed, otherwise: dict[str, str], reason: str
) -> None:
    world.reconciler.pipeline = proxying()
    labels = {"caddy": "http://web.test", "caddy.reverse_proxy": "{{if isHealthy}}{{upstreams 80}}{{end}}"}
    world.put("web", {**labels, **otherwise}, health="unhealthy")
    world.turn()
    assert world.site("http://web.test")["Ready"].reason == reason
    world.change("web", health="healthy")
    world.turn()
    assert world.site("http://web.test")["Ready"].reason == "UpstreamsHealthy"


def test_a_stopped_container_becomes_a_resource_again(world: Observed) -> None:
    world.engine.unserved = (Unserved("container", "web", "web", "Stopped"),)
    world.turn()
    assert world.resource("web")["Accepted"].reason == "Stopped"
    world.engine.unserved = ()
    world.put("web", WEB)
    world.turn()
    assert world.states("web") == "True/Accepted True/Programmed True/UpstreamsHealthy"
    world.engine.resources.clear()
    world.engine.unserved = (Unserved("container", "web", "web", "Stopped"),)
    world.turn(60)
    assert world.resource("web")["Accepted"].reason == "Stopped"
    assert world.keeper.current.sites == {}
    assert world.last().kind == "SiteGone"


def test_while_caddy_is_down_nothing_is_known_and_the_event_says_so(world: Observed) -> None:
    world.put("web", WEB)
    world.turn()
    world.caddy.down = True
    world.put("other", {"caddy": "other.test", "caddy.respond": "x"})
    world.turn()
    assert world.site_states("http://web.test") == "True/Accepted Unknown/CaddyUnreachable Unknown/CaddyUnreachable"
    assert not world.keeper.current.caddy.is_up and "does not answer" in world.keeper.current.caddy.message
    assert world.last().kind == "CaddyLost"
    world.caddy.down = False
    world.turn(10)
    assert world.keeper.current.caddy.is_up
    assert world.site("http://web.test")["Ready"].is_true
    assert [kind for kind, _ in world.events()] == ["SiteUp", "CaddyLost", "SiteUp", "CaddyBack"]


def test_while_the_engine_is_down_the_health_is_not_known(world: Observed) -> None:
    world.put("web", WEB)
    world.turn()
    world.engine.down = True
    world.turn()
    assert world.site_states("http://web.test") == "True/Accepted True/Programmed Unknown/EngineUnreachable"
    message = "its health is not known: web 172.18.0.4 is on engine local, which does not answer"
    assert world.site("http://web.test")["Ready"].message == message
    assert world.events()[-1] == ("EngineLost", "engine local")
    world.engine.down = False
    world.turn(5)
    assert world.site("http://web.test")["Ready"].is_true
    assert world.events()[-1] == ("EngineBack", "engine local")


def test_an_engine_that_never_answered_is_reported(world: Observed) -> None:
    world.engine.down = True
    world.turn()
    assert [(each.name, each.is_up) for each in world.keeper.current.engines] == [("local", False)]
    assert not world.keeper.current.is_complete


def test_caddys_own_view_of_an_upstream_counts(world: Observed) -> None:
    world.put("web", WEB)
    world.turn()
    address = world.keeper.current.sites["http://web.test"].upstreams[0].address
    world.keeper.caddy_reports({f"{address}:80": "UnhealthyForCaddy"}, {})
    assert world.site("http://web.test")["Ready"].reason == "UnhealthyForCaddy"
    assert world.resource("web")["Ready"].reason == "UnhealthyForCaddy"
    world.keeper.caddy_reports({f"{address}:80": "HealthyForCaddy"}, {})
    assert world.site("http://web.test")["Ready"].is_true


def test_an_upstream_that_refuses_connections_is_named_with_the_remedy(world: Observed) -> None:
    world.put("web", WEB)
    world.turn()
    address = world.keeper.current.sites["http://web.test"].upstreams[0].address
    world.keeper.caddy_reports({f"{address}:80": "ConnectionRefused"}, {})
    assert world.site_states("http://web.test").endswith("False/ConnectionRefused")
    assert f"web {address} refuses connections: its program has to listen at this port" in world.last().message
    # its own state explains that
    world.change("web", health="starting")
    world.turn()
    assert world.site_states("http://web.test").endswith("False/Starting")


def test_an_upstream_that_nothing_checks_counts_as_ready(world: Observed) -> None:
    world.put("web", {"caddy": "http://ext.test", "caddy.reverse_proxy": "192.0.2.7:80"})
    world.turn()
    assert world.site_states("http://ext.test").endswith("True/NotChecked")


def test_a_certificate_that_cannot_be_had_is_a_reason(world: Observed) -> None:
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    world.keeper.caddy_reports({}, {"web.test": "no such host"})
    ready = world.site("web.test")["Ready"]
    assert (ready.state, ready.reason) == ("False", "NoCertificate") and "no such host" in ready.message
    assert [kind for kind, _ in world.events()] == ["SiteUp", "CertificateFailed", "SiteDown"]


def test_variables_in_addresses_are_shown_as_what_they_stand_for_where_that_is_known(world: Observed) -> None:
    name = "{$HOSTS}"
    world.put("web", {"caddy": f"{name}, {{$OTHER:http://c.test}}", "caddy.respond": "x"})
    world.turn()
    assert world.keeper.current.sites[name].urls == (name, "{$OTHER:http://c.test}")
    keeper = StatusKeeper(environment={"HOSTS": "a.test, b.test:8443"})
    world.reconciler.observer = keeper
    world.put("more", {"caddy": "{$UNSET}", "caddy.respond": "x"})
    world.turn()
    sites = keeper.current.sites
    assert sites[name].urls == ("https://a.test", "https://b.test:8443", "http://c.test")
    assert sites["{$UNSET}"].urls == ("{$UNSET}",)
    # a host without a certificate is found by its name
    keeper.caddy_reports({}, {"b.test": "no such host"})
    assert keeper.current.sites[name].conditions.ready.reason == "NoCertificate"


def test_a_certificate_near_its_end_is_reported_once(world: Observed) -> None:
    now = EPOCH + world.clock.now
    ending = Certificate(("web.test",), "ACME", now - 89 * 86400, now + 86400)
    world.keeper.certificates_found([ending])
    world.keeper.certificates_found([ending])
    assert world.events() == [("CertificateNearEnd", "certificate web.test")]
    assert "24 hours are left" in world.last().message
    assert world.keeper.current.certificates == (ending,)


def test_a_pass_with_one_change_looks_at_one_resource_and_one_site(world: Observed) -> None:
    for number in range(1000):
        world.put(f"web-{number}", {"caddy": f"http://s{number}.test", "caddy.reverse_proxy": "{{upstreams}}"})
    world.turn()
    assert world.keeper.made == 2000
    world.turn()
    assert world.keeper.made == 2000
    world.change("web-7", health="unhealthy")
    world.turn()
    assert world.keeper.made == 2002
    revision = world.keeper.current.revision
    world.turn()
    assert world.keeper.current.revision == revision


def test_a_thousand_resources_take_little_memory(world: Observed) -> None:
    import tracemalloc

    for number in range(1000):
        world.put(f"web-{number}", {"caddy": f"http://s{number}.test", "caddy.reverse_proxy": "{{upstreams}}"})
    world.reconciler.observer, keeper = type("Blind", (), {"observe": lambda *_: None})(), world.keeper
    world.turn()
    seen: list[object] = []
    world.reconciler.observer = type("Kept", (), {"observe": lambda self, given: seen.append(given)})()
    world.turn()
    tracemalloc.start()
    keeper.observe(seen[-1])  # type: ignore[arg-type]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(keeper.current.sites) == 1000
    assert taken < 10_000_000


def test_subscribers_get_what_happened_and_the_figures(world: Observed) -> None:
    updates: list[Update] = []
    unsubscribe = world.keeper.subscribe(updates.append)
    world.put("web", WEB)
    world.turn()
    assert [each.kind for each in updates[-1].events] == ["SiteUp"]
    assert [each.result for each in updates[-1].loads] == ["accepted"]
    assert updates[-1].is_pass and updates[-1].took is not None
    world.turn()
    assert (updates[-1].events, updates[-1].loads, updates[-1].took) == ((), (), None)
    unsubscribe()
    world.turn()
    assert len(updates) == 2


def test_a_crash_of_caddy_is_an_event(world: Observed) -> None:
    world.reconciler.mailbox.caddy_started(2)
    world.turn()
    assert world.events()[0] == ("CaddyCrashed", "caddy")


def test_history_and_times_survive_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    first = Observed.make(tmp_path, clock)
    first.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    first.turn()
    since = first.site("web.test")["Ready"].since
    second = Observed.make(tmp_path, clock)
    assert second.events() == [("SiteUp", "site web.test")]
    second.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    second.turn(100)
    assert second.site("web.test")["Ready"].since == since
    # it was up before, so that is no news
    assert second.events() == [("SiteUp", "site web.test")]


def test_what_somebody_reads_is_kept_already(tmp_path: Path) -> None:
    world = Observed.make(tmp_path)
    read: list[int] = []

    class Looking(HistoryFile):
        def keep(self, dates: Dates, events: Sequence[Event]) -> None:
            read.append(len(world.keeper.current.history))
            super().keep(dates, events)

    world.keeper.history = Looking(tmp_path / "status.db")
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    assert world.last().kind == "SiteUp" and set(read) == {0}


def test_a_site_that_went_down_between_two_runs_is_reported(tmp_path: Path) -> None:
    first = Observed.make(tmp_path)
    first.reconciler.pipeline = proxying()
    first.put("web", WEB)
    first.turn()
    second = Observed.make(tmp_path)
    second.reconciler.pipeline = proxying()
    second.put("web", WEB, health="unhealthy")
    second.turn()
    assert [kind for kind, _ in second.events()] == ["SiteUp", "SiteDown"]


@pytest.mark.parametrize("content", [b"no database", b"", b"SQLite format 3\0" + bytes(500)])
def test_a_damaged_history_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "status.db").write_bytes(content)
    world = Observed.make(tmp_path)
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    world.put("web2", {"caddy": "web2.test", "caddy.respond": "x"})
    world.turn()
    assert world.site("web.test")["Ready"].is_true
    assert [kind for kind, _ in Observed.make(tmp_path).events()] == ["SiteUp", "SiteUp"]


def test_a_history_that_another_program_holds_costs_no_wait(tmp_path: Path) -> None:
    world = Observed.make(tmp_path)
    with sqlite3.connect(tmp_path / "status.db", isolation_level=None) as other:
        other.execute("begin exclusive")
        world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
        world.turn()
        assert world.site("web.test")["Ready"].is_true
        other.execute("rollback")
    world.put("web2", {"caddy": "web2.test", "caddy.respond": "x"})
    world.turn()
    assert ("SiteUp", "site web2.test") in Observed.make(tmp_path).events()


def test_a_history_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    world = Observed.make(tmp_path / "missing")
    world.put("web", {"caddy": "web.test", "caddy.respond": "x"})
    world.turn()
    assert world.site("web.test")["Ready"].is_true


def test_the_history_is_bounded(tmp_path: Path) -> None:
    world = Observed.make(tmp_path)
    for _ in range(600):
        world.reconciler.mailbox.caddy_started(1)
        world.turn()
    assert len(world.keeper.current.history) == 500
    with sqlite3.connect(tmp_path / "status.db") as connection:
        assert connection.execute("select count(*) from event").fetchone() == (500,)
