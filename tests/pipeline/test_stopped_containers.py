"""What becomes of the sites of a container that has stopped: removed, kept, or a page."""

from typing import Any

import pytest
from conflicting import Adapt, conflicts_in
from dockcaddy import plugins
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.stopped import Stopped
from dockcaddy.engine.snapshot import from_snapshot
from dockcaddy.reconcile.pipeline import Pipeline
from stand_in_container import NETWORK, StandInContainer

LABELS = {"caddy": "app.test", "caddy.reverse_proxy": "{{upstreams 8000}}"}
WHEN = "caddy_when_stopped"
PAGE = LABELS | {WHEN: "page"}


def configuration(*containers: StandInContainer, stopped: Stopped | None = None, **more: Any) -> Any:
    """The configuration of a snapshot with these."""
    items = [each.item() | {"Inspect": each.inspected()} for each in containers]
    document = {"version": 1, "engines": [{"containers": items, "networks": [NETWORK]}]}
    return Pipeline(plugins.load(), **more).build(from_snapshot(document, EngineOptions(stopped=stopped or Stopped())))


def text(*containers: StandInContainer, **more: Any) -> str:
    return str(configuration(*containers, **more).text)


def container(number: int, labels: dict[str, str], state: str = "exited") -> StandInContainer:
    return StandInContainer(f"app-{number}", labels, number, state, connected=True)


@pytest.mark.parametrize("state", ["exited", "dead"])
@pytest.mark.parametrize("value", ["remove", "", "nonsense", None])
def test_it_is_removed_by_default(state: str, value: str | None) -> None:
    labels = LABELS | ({} if value is None else {WHEN: value})
    assert text(container(1, labels, state)) == "# Empty caddyfile"


@pytest.mark.parametrize("state", ["exited", "dead"])
@pytest.mark.parametrize("how", ["label", "setting", "scan"])
def test_it_is_kept_without_upstreams(state: str, how: str) -> None:
    labels = LABELS | ({WHEN: "Keep "} if how == "label" else {})
    stopped = {"label": Stopped(), "setting": Stopped("keep"), "scan": Stopped(scans_all=True)}[how]
    assert text(container(1, labels, state), stopped=stopped) == "app.test {\n\treverse_proxy\n}\n"


@pytest.mark.parametrize("how", ["label", "setting"])
@pytest.mark.parametrize("state", ["exited", "dead", "restarting"])
def test_it_gets_a_page(state: str, how: str) -> None:
    stopped = Stopped("page") if how == "setting" else Stopped()
    made = text(container(1, PAGE if how == "label" else LABELS, state), stopped=stopped, retry_after=7)
    assert made.startswith("app.test {\n\thandle {\n") and "reverse_proxy" not in made
    assert "header Retry-After 7\n" in made and made.count(" 503\n") == 2
    assert "app-1" not in made and "8000" not in made


@pytest.mark.parametrize("labels", [PAGE, LABELS | {WHEN: "keep"}])
def test_one_that_never_started_does_not_count(labels: dict[str, str]) -> None:
    assert text(container(1, labels, "created")) == "# Empty caddyfile"
    assert "app.test" in text(container(1, labels, "created"), stopped=Stopped(scans_all=True))


@pytest.mark.parametrize("state", ["running", "paused"])
def test_one_that_has_not_stopped_has_no_page(state: str) -> None:
    assert "Retry-After" not in text(container(1, PAGE, state))


def test_the_label_wins_over_the_settings() -> None:
    assert text(container(1, LABELS | {WHEN: "remove"}), stopped=Stopped("page")) == "# Empty caddyfile"
    assert text(container(1, LABELS | {WHEN: "remove"}), stopped=Stopped(scans_all=True)) == "# Empty caddyfile"
    assert "Retry-After" in text(container(1, PAGE), stopped=Stopped(scans_all=True))


def test_a_one_off_container_never_counts() -> None:
    assert text(container(1, PAGE | {"com.docker.compose.oneoff": "True"})) == "# Empty caddyfile"


def test_the_page_is_for_sites_all_of_whose_containers_have_stopped() -> None:
    up = container(2, PAGE, "running")
    assert text(container(1, PAGE), up) == text(up)
    assert text(container(3, PAGE), up) == text(up)
    assert text(container(1, PAGE), container(3, PAGE)).count("Retry-After") == 1
    assert "Retry-After" in text(container(1, PAGE), container(3, LABELS | {WHEN: "keep"}))


def test_addresses_that_another_container_serves_have_no_page() -> None:
    two = PAGE | {"caddy": "app.test, other.test"}
    up = container(2, LABELS, "running")
    made = text(container(1, two), up)
    assert made.startswith(text(up)[:-1]) and "other.test {\n\thandle" in made and "app.test," not in made
    assert text(container(1, PAGE | {"caddy": "APP.test:443"}), up) == text(up)


def test_other_settings_of_the_stopped_container_stay() -> None:
    labels = PAGE | {"caddy.tls": "internal", "caddy.log": "", "caddy_1": "(mine)", "caddy_1.encode": "gzip"}
    labels |= {"caddy.0_import": "mine", "caddy.1_import": "mine {{upstreams}}", "caddy.basic_auth": ""}
    made = text(container(1, labels))
    assert "\ttls internal\n" in made and "\tlog\n" in made and "(mine) {\n\tencode gzip\n}\n" in made
    assert made.count("import mine\n") == 1 and "basic_auth" not in made


def test_the_certificate_of_a_shared_site_stays_whichever_of_its_containers_stop() -> None:
    first = PAGE | {"caddy.tls": "internal", "caddy.log": ""}
    second = {
        "caddy": "APP.test",
        "caddy.handle_path": "/echo/*",
        "caddy.handle_path.reverse_proxy": "{{upstreams 80}}",
    }
    second[WHEN] = "page"
    for states in (("running", "exited"), ("exited", "running"), ("exited", "exited")):
        for labels in ((first, second), (second, first)):
            made = text(
                *(container(n, each, state) for n, (each, state) in enumerate(zip(labels, states, strict=True)))
            )
            assert "\ttls internal\n" in made and "\tlog\n" in made
            assert made.count("handle {") == ("running" not in states)
            assert made.lower().count("app.test") == 1


def test_a_stopped_one_leaves_no_second_site_for_an_address_of_another_site() -> None:
    stopped = container(1, PAGE | {"caddy.tls": "internal"})
    up = container(2, LABELS | {"caddy": "app.test, www.test"}, "running")
    assert text(stopped, up) == text(up)
    wide = container(3, PAGE | {"caddy": "app.test, www.test", "caddy.tls": "internal"})
    assert text(stopped, wide).count("app.test") == 1
    made = text(wide, container(2, LABELS, "running"))
    assert made.count("tls internal") == 2 and made.count("app.test") == made.count("www.test") == 1


def test_where_a_stopped_one_and_a_running_one_differ_the_running_one_wins() -> None:
    stopped = container(1, PAGE | {"caddy.tls": "internal"})
    up = container(2, LABELS | {"caddy.tls": "me@example.org"}, "running")
    (conflict,) = configuration(stopped, up).assembly.conflicts
    assert conflict.older == f"local/{up.id}"


def test_the_pages_of_several_stopped_ones_are_not_before_one_that_runs() -> None:
    labels = PAGE | {"caddy.tls": "internal"}
    made = text(container(1, labels), container(2, labels), container(3, LABELS, "running"))
    assert "Retry-After" not in made and made.count("tls internal") == 1


def test_a_container_that_runs_wins_a_conflict_with_an_older_one_that_has_stopped(adapt: Adapt) -> None:
    for state, winner in (("exited", 2), ("running", 1)):
        # of two responses to one path, the one that sorts first is the one that is sent
        old, new = (LABELS | {"caddy.respond": f"/ping {'ba'[n != winner]}", WHEN: "keep"} for n in (1, 2))
        made = configuration(container(1, old, state), container(2, new, "running"))
        (conflict,) = conflicts_in(made.assembly, adapt)
        assert conflict.older == f"local/{container(winner, {}).id}"
