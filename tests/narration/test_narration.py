"""What the log says of sites: a line when one goes live, changes or goes away; many at once are summed up."""

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from attrs import define, evolve, field, frozen
from dockcaddy import logs, plugins
from dockcaddy.caddyfile import ListenPorts
from dockcaddy.model import Attachment, EngineInventory, Inventory, Pending, Resource, Unreached, Unserved
from dockcaddy.narration import LogNarrator, Pass
from dockcaddy.narration.log import _kinds
from dockcaddy.plugins.registry import Registry
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.daemon import migration_tip
from dockcaddy_upstreams import UpstreamsSettings

logger = logging.getLogger("dockcaddy")


@frozen
class Watched:
    name: str = "local"
    description: str = "docker 20.10.24"
    unlabelled: int = 7


@define
class Told:
    """A narrator, and what it wrote to the log."""

    narrator: LogNarrator
    stream: io.StringIO
    pipeline: Pipeline = field(factory=lambda: Pipeline(Registry()))
    engine: EngineInventory = field(factory=lambda: EngineInventory("local"))

    def cycle(
        self,
        *resources: Resource,
        base: str = "",
        seconds: float = 0.013,
        is_delivered: bool = True,
        unserved: tuple[Unserved, ...] = (),
    ) -> list[str]:
        """The lines that a pass with these resources adds."""
        inventory = Inventory((evolve(self.engine, resources=resources, unserved=unserved),))
        fragments = self.pipeline.fragments(inventory, BaseCaddyfile("/etc/Caddyfile", base) if base else None)
        configuration = self.pipeline.configuration(fragments)
        before = len(self.stream.getvalue())
        self.narrator.finished(Pass(inventory, configuration, 100.0, 100.0 + seconds, is_delivered))
        return self.stream.getvalue()[before:].splitlines()


def container(name: str, address: str = "172.17.0.2", **labels: str) -> Resource:
    keys = {key.replace("__", "."): value for key, value in labels.items()}
    attachments = (Attachment("bridge", "b", address),)
    # fmt: off
    return Resource(
        "container", name, name, labels=keys, attachments=attachments, state="running", running=True, targets=(address,)
    )
    # fmt: on


def site(name: str, address: str = "172.17.0.2", at: str = "", **more: str) -> Resource:
    return container(name, address, caddy=at or f"http://{name}.test", caddy__reverse_proxy=f"{address}:80", **more)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    before = (logger.handlers[:], logger.level, logger.propagate)
    stream = io.StringIO()
    level, style = getattr(request, "param", ("info", "console"))
    logs.configure(level, style, stream, timed=False)
    yield Told(LogNarrator([Watched()]), stream)
    logger.handlers[:], logger.level, logger.propagate = before


def test_the_first_pass_says_what_is_watched_and_where_sites_listen(told: Told) -> None:
    lines = told.cycle(site("web"))
    assert lines[:2] == [
        "info: watching docker 20.10.24: 1 container with caddy labels, 7 without",
        "info: sites listen on ports 80 (http) and 443 (https)",
    ]
    assert told.cycle(site("web")) == []


def test_the_first_pass_names_what_is_not_served_and_why(told: Told) -> None:
    others = [Unserved("container", name, name, "NoLabels") for name in ("db", "redis", "a\nb", "x", "y", "z")]
    others += [
        Unserved("container", "old", "old", "Stopped"),
        Unserved("service", "far", "far", "ExcludedByConstraint"),
    ]
    others += [Unserved("container", "once", "once", "OneOff"), Unserved("container", "w", "w", "OtherPrefix")]
    lines = told.cycle(site("web"), unserved=tuple(others))
    assert lines[0].startswith("info: watching docker 20.10.24: 1 container with caddy labels, 7 without (a\\nb, db, ")
    assert " more)" in lines[0]
    assert lines[1:4] == [
        "info: not served: old: stopped: its sites are away until it runs (--when-stopped keeps them)",
        "info: not served: far: excluded by --constraint",
        "info: not served: once: started by docker compose run (--scan-one-off-containers reads it too)",
    ]
    # once is enough
    assert told.cycle(site("web"), unserved=tuple(others)) == []


def test_the_ports_are_those_that_the_operator_chose(told: Told) -> None:
    lines = told.cycle(site("web"), base="{\n\thttp_port 8080\n\thttps_port 8443\n}\n")
    assert "info: sites listen on ports 8080 (http) and 8443 (https)" in lines
    assert lines[-1].startswith("info: live: http://web.test:8080 -> web ")


def test_an_empty_engine_gets_an_example_to_paste_once(told: Told) -> None:
    lines = told.cycle()
    assert lines[2:] == [
        "info: waiting for a container with caddy labels, for example:",
        "    docker run -d -l caddy=http://whoami.localhost \\",
        "      -l 'caddy.reverse_proxy={{upstreams 80}}' traefik/whoami",
    ]
    assert told.cycle() == []


def test_the_example_names_the_network_that_caddys_container_is_on(told: Told) -> None:
    networks = (Attachment("bridge", "b", "172.17.0.2"), Attachment("web", "w", "172.18.0.2"))
    told.engine = EngineInventory("local", caddy=evolve(container("caddy"), attachments=networks))
    assert told.cycle()[-2].startswith("    docker run -d --network web -l caddy=http://whoami.localhost")


def test_the_example_has_the_prefix_that_is_looked_for(told: Told) -> None:
    told.narrator.label_prefix = "proxy"
    text = "\n".join(told.cycle())
    assert "with proxy labels" in text and "-l proxy=http://" in text and "-l 'proxy.reverse_proxy=" in text


def test_a_site_is_told_with_address_container_upstream_and_time(told: Told) -> None:
    told.cycle()
    assert told.cycle(site("web")) == ["info: live: http://web.test -> web 172.17.0.2:80 (13 ms)"]
    assert told.cycle(seconds=1.25) == ["info: gone: http://web.test -> web 172.17.0.2:80 (1.2 s)"]


def test_a_container_that_joins_or_leaves_is_told_as_a_change_of_its_site(told: Told) -> None:
    one, two = site("one", "172.17.0.2", "http://a.test"), site("two", "172.17.0.3", "http://a.test")
    told.cycle(one)
    assert told.cycle(one, two) == ["info: changed: http://a.test gains two 172.17.0.3:80 (13 ms)"]
    assert told.cycle(two) == ["info: changed: http://a.test loses one 172.17.0.2:80 (13 ms)"]


def test_a_change_without_another_upstream_names_whose_labels_did_it(told: Told) -> None:
    told.cycle(container("web", caddy="http://a.test", caddy__respond="one"))
    assert told.cycle(container("web", caddy="http://a.test", caddy__respond="two")) == [
        "info: changed: http://a.test by labels of container web (13 ms)"
    ]
    other = container("other", caddy="http://a.test", caddy__header="X y")
    assert told.cycle(container("web", caddy="http://a.test", caddy__respond="two"), other) == [
        "info: changed: http://a.test with header of container other (13 ms)"
    ]


def test_what_a_newer_container_puts_before_an_older_one_is_told(told: Told) -> None:
    more = {"caddy__encode": "gzip"}
    old, labels = site("old", "172.17.0.2", "http://a.test", **more), {"caddy__basic_auth__bob": "hash", **more}
    new = site("new", "172.17.0.3", "http://a.test", **labels)
    told.cycle(old)
    assert told.cycle(old, new) == [
        "info: changed: http://a.test gains new 172.17.0.3:80, with basic_auth of container new (13 ms)"
    ]
    replica = site("replica", "172.17.0.4", "http://a.test", **labels)
    assert told.cycle(old, new, replica) == ["info: changed: http://a.test gains replica 172.17.0.4:80 (13 ms)"]


def test_what_is_pending_is_not_told(told: Told) -> None:
    told.narrator.report([Pending("container web", "", "waits for others", "warning")])
    told.narrator.report([])
    assert told.stream.getvalue() == ""


def test_a_proxy_that_no_request_comes_to_gains_the_site_nothing(told: Told) -> None:
    old = container("old", caddy="http://a.test", caddy__try_files="/index.html")
    new = container("new", "172.17.0.3", caddy="http://a.test", caddy__reverse_proxy="/api/* 172.17.0.3:80")
    told.cycle(old)
    told.narrator.report([Unreached("container new", "caddy.reverse_proxy", "no request comes to it", "warning")])
    assert told.cycle(old, new) == ["info: changed: http://a.test with container new (13 ms)"]
    told.narrator.report([])
    assert told.cycle(new) == ["info: changed: http://a.test gains new 172.17.0.3:80 (13 ms)"]


def test_a_site_without_upstreams_names_its_container(told: Told) -> None:
    told.cycle()
    lines = told.cycle(container("files", caddy="files.test", caddy__file_server=""))
    assert lines == ["info: live: https://files.test (files) (13 ms)"]


def test_a_site_whose_proxy_has_nobody_says_so(told: Told) -> None:
    told.cycle()
    lines = told.cycle(container("web", caddy="http://web.test", caddy__reverse_proxy=""))
    assert lines == ["info: live: http://web.test (web), without an upstream (13 ms)"]
    assert told.cycle()[:1] == ["info: gone: http://web.test (web) (13 ms)"]


def test_upstreams_whose_addresses_are_in_files_are_told_as_the_others(told: Told) -> None:
    told.pipeline = Pipeline(plugins.load(), {UpstreamsSettings: UpstreamsSettings(dynamic=True)})

    def replica(name: str, address: str) -> Resource:
        return container(name, address, caddy="http://a.test", caddy__reverse_proxy="{{upstreams 80}}")

    one, two = replica("one", "172.17.0.2"), replica("two", "fd00::3")
    told.cycle()
    assert told.cycle(one) == ["info: live: http://a.test -> one 172.17.0.2:80 (13 ms)"]
    assert told.cycle(one, two) == ["info: changed: http://a.test gains two [fd00::3]:80 (13 ms)"]
    assert told.cycle(two) == ["info: changed: http://a.test loses one 172.17.0.2:80 (13 ms)"]
    stopped = evolve(two, running=False, targets=(), attachments=())
    assert told.cycle(stopped) == ["info: changed: http://a.test loses two [fd00::3]:80 (13 ms)"]


def test_a_thousand_sites_at_once_are_one_line(told: Told) -> None:
    told.cycle()
    many = [site(f"s{number}", f"10.0.{number // 250}.{number % 250}") for number in range(1000)]
    lines = told.cycle(*many)
    assert len(lines) == 1
    assert lines[0].startswith("info: live: 1000 sites, http://s0.test, ")
    assert [line.partition(",")[0] for line in told.cycle()] == ["info: gone: 1000 sites"]


def test_nothing_is_live_before_caddy_has_it(told: Told) -> None:
    told.cycle()
    assert told.cycle(site("web"), is_delivered=False) == []
    assert told.cycle(site("web")) == ["info: live: http://web.test -> web 172.17.0.2:80 (13 ms)"]


def test_a_site_of_many_addresses_is_one_line(told: Told) -> None:
    told.cycle()
    lines = told.cycle(site("web", at="a.test, b.test, c.test"))
    assert lines == ["info: live: https://a.test, https://b.test and 1 more -> web 172.17.0.2:80 (13 ms)"]


def test_snippets_and_options_are_no_sites(told: Told) -> None:
    told.cycle()
    assert told.cycle(container("web", caddy="(common)", caddy__respond="x"), base="{\n\tdebug\n}\n") == []


def test_an_import_is_no_site(told: Told) -> None:
    told.cycle()
    assert told.cycle(base="import /etc/sites/*.caddy\n") == []


def test_a_tip_comes_after_the_first_site(told: Told) -> None:
    told.narrator.tip = "do this"
    assert not any("tip" in line for line in told.cycle())
    assert told.cycle(site("web"))[-1] == "info: tip: do this"
    assert told.cycle() and not any("tip" in line for line in told.cycle(site("web")))


def test_the_tip_is_the_one_for_where_it_runs() -> None:
    in_container = migration_tip(is_fixed=True)
    assert (
        "--sysctl net.ipv4.tcp_migrate_req=1" in in_container
        and "sysctls: {net.ipv4.tcp_migrate_req: 1}" in in_container
    )
    assert "sysctl -w" not in in_container
    assert "sysctl -w net.ipv4.tcp_migrate_req=1" in migration_tip(is_fixed=False)


def test_the_scheme_of_dynamic_upstreams_is_no_upstream(told: Told) -> None:
    def proxy(to: str) -> Resource:
        return container("web", caddy="http://a.test", caddy__reverse_proxy=to)

    told.cycle(proxy("172.17.0.2:80"))
    (changed,) = told.cycle(proxy("h2c://"))
    assert changed == "info: changed: http://a.test loses web 172.17.0.2:80 (13 ms)"
    (gone,) = told.cycle()[:1]
    assert "->" not in gone


def test_a_stopped_site_that_answers_with_a_page_is_named_and_then_live_again(told: Told) -> None:
    running = site("web")
    stopped = evolve(running, running=False, state="exited", targets=(), shows_page=True)
    told.cycle(running)
    assert told.cycle(stopped) == ["info: stopped: http://web.test answers with a page until web runs again (13 ms)"]
    assert told.cycle(stopped) == []
    assert told.cycle(running) == ["info: live: http://web.test -> web 172.17.0.2:80 (13 ms)"]


def test_the_end_says_what_becomes_of_the_sites(told: Told) -> None:
    told.cycle(site("web"))
    told.narrator.closing("caddy keeps {}")
    assert told.stream.getvalue().endswith("info: ending: caddy keeps 1 site\n")


@pytest.mark.parametrize("told", [("debug", "console")], indirect=True)
def test_at_debug_level_it_says_what_it_made_of_which_container(told: Told) -> None:
    assert "debug: container web is new: running at 172.17.0.2" in told.cycle(site("web"))
    same = site("web")
    told.cycle(same)
    assert told.cycle(same) == ["debug: no site has changed"]
    assert "debug: container web is gone" in told.cycle()


@pytest.mark.parametrize("told", [("info", "json")], indirect=True)
def test_json_has_one_object_a_line_with_fields(told: Told) -> None:
    told.cycle()
    entry = json.loads(told.cycle(site("web"))[0])
    wanted = {
        "event": "site_live",
        "urls": ["http://web.test"],
        "resources": ["container web"],
        "upstreams": ["172.17.0.2:80"],
        "milliseconds": 13,
    }
    assert wanted.items() <= entry.items()
    assert all(isinstance(json.loads(line), dict) for line in told.stream.getvalue().splitlines())


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("example.org", "https://example.org"),
        ("http://example.org", "http://example.org"),
        ("HTTP://Example.org:80/", "http://example.org"),
        ("example.org:80", "http://example.org"),
        ("example.org:443", "https://example.org"),
        ("example.org:8443", "https://example.org:8443"),
        ("http://example.org:8080/app*", "http://example.org:8080/app"),
        ("*.example.org", "https://*.example.org"),
        (":8080", "http://localhost:8080"),
        (":80", "http://localhost"),
        (":443", "https://localhost"),
        ("http://", "http://localhost"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("{$DOMAIN}", "{$DOMAIN}"),
        ("localhost", "https://localhost"),
    ],
)
def test_an_address_is_told_as_one_opens_it(address: str, url: str) -> None:
    assert ListenPorts().url(address) == url


def test_an_address_without_a_port_is_at_the_ports_of_the_options() -> None:
    ports = ListenPorts(8080, 8443)
    assert ports.url("example.org") == "https://example.org:8443"
    assert ports.url("http://example.org") == "http://example.org:8080"
    assert ports.url("example.org:8080") == "http://example.org:8080"
    assert ListenPorts().url(":9443", has_tls=True) == "https://localhost:9443"


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ("", "0 containers"),
        ("s", "1 service"),
        ("ccs", "2 containers, 1 service"),
    ],
)
def test_services_are_no_containers(kinds: str, words: str) -> None:
    resources = tuple(SimpleNamespace(kind="service" if each == "s" else "container") for each in kinds)
    assert _kinds(cast(EngineInventory, SimpleNamespace(resources=resources))) == words
