"""The configuration of proxies that read their upstreams does not depend on which containers there are."""

import re
import subprocess

import pytest
from attrs import evolve
from dockcaddy import Attachment, plugins, testing
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy_health import HealthSettings
from dockcaddy_upstreams import UpstreamsSettings
from dockcaddy_upstreams.address_files import files_of

SITE = {"caddy": "example.org", "caddy.reverse_proxy": "{{upstreams 8000}}"}
DYNAMIC = {UpstreamsSettings: UpstreamsSettings(dynamic=True)}


def replica(number: int, labels: dict[str, str] = SITE, **more) -> Resource:
    return testing.container(f"web-{number}", labels=labels, networks={"front": f"172.18.0.{number}"}, **more)


def built(*resources: Resource, sections: dict[type, object] = DYNAMIC) -> Configuration:
    return Pipeline(plugins.load(), sections).build(Inventory((EngineInventory("local", resources),)))


def addresses(configuration: Configuration) -> list[tuple[str, ...]]:
    """Those of each proxy, each once."""
    return [tuple(sorted(set(each))) for each in names(configuration).values()]


def names(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """The addresses at the places of each proxy, by the proxy's name."""
    found: dict[str, tuple[str, ...]] = {}
    for file, address in files_of(configuration).items():
        name = file.rpartition(".")[0].rpartition(".")[0]
        found[name] = (*found.get(name, ()), address)
    return found


def test_a_proxy_has_places_for_its_upstreams() -> None:
    configuration = built(replica(2), replica(3))
    text = re.sub(r"-[0-9a-f]{12}\.", "-HASH.", configuration.text)
    folder = "/var/lib/dockcaddy/upstreams"
    places = "".join(f"\t\t\ta {{file.{folder}/example-org-HASH.{n}.address}} 8000\n" for n in range(6))
    assert text == f"example.org {{\n\treverse_proxy {{\n\t\tdynamic multi {{\n{places}\t\t}}\n\t}}\n}}\n"
    assert list(names(configuration).values()) == [("172.18.0.2", "172.18.0.3") * 3]


@pytest.mark.parametrize(("count", "places"), [(1, 6), (2, 6), (3, 6), (4, 6), (6, 6), (7, 12), (12, 12)])
def test_each_address_has_as_many_places_as_another_or_one_more(count: int, places: int) -> None:
    (told,) = names(built(*map(replica, range(2, 2 + count)))).values()
    shares = [told.count(each) for each in set(told)]
    assert len(told) == places and len(shares) == count and max(shares) - min(shares) <= 1


def test_very_many_upstreams_stand_in_the_configuration() -> None:
    configuration = built(*map(replica, range(2, 15)))
    assert "172.18.0.14:8000" in configuration.text and not names(configuration)


def test_where_caddy_cannot_read_files_addresses_stand_in_the_configuration_and_their_names_are_known() -> None:
    pipeline = Pipeline(plugins.load(), DYNAMIC)
    pipeline.use_states({"upstreams": ""})
    inventory = Inventory((EngineInventory("local", (replica(2),)),))
    without = pipeline.build(inventory)
    assert without.text == "example.org {\n\treverse_proxy 172.18.0.2:8000\n}\n" and names(without)
    pipeline.use_states({"upstreams": "/run/upstreams"})
    assert "{file./run/upstreams/example-org-" in pipeline.build(inventory).text


@pytest.mark.parametrize(
    "resources",
    [
        (replica(3),),
        (replica(2), replica(3), replica(4)),
        (replica(2, stopping=True), replica(3)),
        (replica(2, running=False, targets=()),),
    ],
    ids=["another", "more", "one-stopping", "none-running"],
)
def test_scaling_and_restarts_change_nothing(resources: tuple[Resource, ...]) -> None:
    assert built(*resources).text == built(replica(2)).text


def test_one_that_is_stopping_or_held_by_the_health_gate_is_not_among_the_addresses() -> None:
    gated = DYNAMIC | {HealthSettings: HealthSettings(gate=True)}
    both = (replica(2, health="unhealthy"), replica(3, stopping=True), replica(4, health="healthy"))
    assert addresses(built(*both, sections=gated)) == [("172.18.0.4",)]


def test_two_places_never_share_a_name() -> None:
    labels = {
        "caddy": "example.org",
        "caddy.reverse_proxy_0": "/a/* {{upstreams 8000}}",
        "caddy.reverse_proxy_1": "/b/* {{upstreams 8000}}",
        "caddy.handle": "/c/*",
        "caddy.handle.reverse_proxy": "{{upstreams 8000}}",
        "caddy.handle.reverse_proxy_1": "/x {{upstreams 9000}}",
        "caddy_1": "example.net",
        "caddy_1.reverse_proxy": "/a/* {{upstreams 8000}}",
    }
    assert len(names(built(replica(2, labels)))) == 5


def test_tenants_with_equal_labels_keep_their_own_addresses() -> None:
    labels = SITE | {"caddy": '{{env "DOMAIN"}}'}
    one, two = (replica(n, labels, environment={"DOMAIN": f"{n}.example.org"}) for n in (2, 3))
    assert sorted(addresses(built(one, two))) == [("172.18.0.2",), ("172.18.0.3",)]


def test_an_address_of_the_internet_protocol_6_is_told_without_brackets() -> None:
    attached = (Attachment("front", ipv6="fd00::5"),)
    resource = evolve(replica(2), attachments=attached, targets=("fd00::5",))
    assert addresses(built(resource)) == [("fd00::5",)]


@pytest.mark.parametrize(
    ("more", "directive"),
    [
        ({"caddy.reverse_proxy": "{{upstreams 8000}} backup:9000"}, "reverse_proxy 172.18.0.2:8000 backup:9000"),
        ({"caddy.reverse_proxy": "{{upstreams 8000}} {{upstreams 9000}}"}, "172.18.0.2:8000 172.18.0.2:9000"),
        ({"caddy.reverse_proxy.health_uri": "/up"}, "reverse_proxy 172.18.0.2:8000 {"),
        ({"caddy.reverse_proxy.dynamic": "a other 80"}, "reverse_proxy 172.18.0.2:8000 {"),
        ({"caddy.forward_auth": "{{upstreams 8000}}", "caddy.forward_auth.uri": "/in"}, "forward_auth 172.18.0.2:8000 {"),
        ({"caddy.header.X-Upstreams": '"{{upstreams 8000}} here"'}, 'header {\n\t\tX-Upstreams "172.18.0.2:8000 here"'),
    ],
    ids=["beside-a-host", "two-ports", "checked-by-caddy", "own-source", "login", "text"],
)  # fmt: skip
def test_where_a_name_cannot_stand_the_addresses_do(more: dict[str, str], directive: str) -> None:
    text = built(replica(2, SITE | more)).text
    assert directive in text and "192.0.2.0" not in text


def test_without_the_setting_nothing_is_named() -> None:
    configuration = built(replica(2), sections={})
    assert configuration.text == "example.org {\n\treverse_proxy 172.18.0.2:8000\n}\n"
    assert not names(configuration)


@pytest.mark.parametrize(
    ("labels", "json"),
    [
        ({"caddy.reverse_proxy": "{{upstreams https 8443}}"}, '"tls":{}'),
        ({"caddy.reverse_proxy": "{{upstreams https}}"}, '"port":"443"'),
        ({"caddy.reverse_proxy": "{{upstreams}}"}, '"port":"80"'),
        ({"caddy.reverse_proxy": "{{upstreams h2c 8000}}"}, '"versions":["h2c","2"]'),
        (
            {
                "caddy.reverse_proxy": "{{upstreams https 8443}}",
                "caddy.reverse_proxy.transport": "http",
                "caddy.reverse_proxy.transport.tls_insecure_skip_verify": "",
            },
            '"tls":{"insecure_skip_verify":true}',
        ),
        (
            {"caddy.reverse_proxy": "@api {{upstreams 8000}}", "caddy.@api.path": "/api/*"},
            '"match":[{"path":["/api/*"]}]',
        ),
    ],
    ids=["https", "https-port", "http-port", "h2c", "own-transport", "matcher"],
)
def test_the_real_caddy_takes_it(caddy: str, labels: dict[str, str], json: str) -> None:
    text = built(replica(2, {"caddy": "http://example.org", **labels})).text
    command = [caddy, "adapt", "--config", "-", "--adapter", "caddyfile"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + text
    assert json in done.stdout and '"source":"a"' in done.stdout
