"""Upstreams without a port get the exposed one, where there is exactly one; Caddy's own 80 and 443 stay unwritten."""

import pytest
from attrs import evolve
from dockcaddy import Port, Resource, testing
from dockcaddy_upstreams import UpstreamsSettings

OFF = {UpstreamsSettings: UpstreamsSettings(detect_ports=False)}
APP, TLS, UDP, DEBUG = Port(3000), Port(8443), Port(5353, "udp"), Port(9229)


def container(value: str, *ports: Port, key: str = "caddy.reverse_proxy", **more: object) -> Resource:
    return testing.container("app", labels={"caddy": "app.test", key: value}, ports=ports, **more)


def line(resource: Resource, sections: dict[type, object] | None = None) -> str:
    """The arguments of its one directive."""
    (site,) = testing.fragment(resource, sections=sections).blocks
    (directive,) = site.children
    words = [*directive.keys[1:], *(word for child in directive.children for word in child.keys[1:])]
    return " ".join(words)


@pytest.mark.parametrize(
    ("value", "ports", "expected"),
    [
        ("{{upstreams}}", [APP], "172.18.0.2:3000"),
        ("{{upstreams}}", [APP, UDP], "172.18.0.2:3000"),
        ("{{upstreams}}", [Port(3000, host_port=80), Port(3000, host_port=80, host_ip="::")], "172.18.0.2:3000"),
        ("{{upstreams http}}", [APP], "http://172.18.0.2:3000"),
        ("{{upstreams h2c}}", [APP], "h2c://172.18.0.2:3000"),
        ("{{upstreams https}}", [TLS], "https://172.18.0.2:8443"),
        ("https://{{upstreams}}", [TLS], "https://172.18.0.2:8443"),
        ("/api/* {{upstreams}} other:80", [APP], "/api/* 172.18.0.2:3000 other:80"),
        ("{{upstreams}}\n", [APP], "172.18.0.2:3000"),
        ("{{upstreams}}", [Port(80)], "172.18.0.2"),
        ("{{upstreams}}", [Port(80), DEBUG], "172.18.0.2"),
        ("{{upstreams https}}", [Port(80), Port(443)], "https://172.18.0.2"),
        ("{{upstreams https}}", [Port(80)], "https://172.18.0.2"),
        ("{{upstreams}}", [Port(443)], "172.18.0.2"),
        ("{{upstreams}}", [UDP], "172.18.0.2"),
        ("{{upstreams}}", [], "172.18.0.2"),
        ("{{upstreams}}", [APP, DEBUG], "172.18.0.2"),
        ("{{upstreams 8080}}", [APP], "172.18.0.2:8080"),
        ("{{upstreams}}:8080", [APP], "172.18.0.2:8080"),
        ("{{upstreams}}:{$PORT}", [APP], "172.18.0.2:{$PORT}"),
        ("172.18.0.77 {{upstreams}}", [APP], "172.18.0.77 172.18.0.2:3000"),
    ],
)
def test_which_port(value: str, ports: list[Port], expected: str) -> None:
    assert line(container(value, *ports)) == expected


@pytest.mark.parametrize(
    "key", ["caddy.1_reverse_proxy_2", "caddy.reverse_proxy.to", "caddy.php_fastcgi", "caddy.reverse_proxy_0.to_1"]
)
def test_wherever_upstreams_stand(key: str) -> None:
    assert line(container("{{upstreams}}", Port(9000), key=key)) == "172.18.0.2:9000"


@pytest.mark.parametrize(
    ("key", "value"), [("caddy.respond", "{{upstreams}}"), ("caddy.reverse_proxy.header_up", "X-At {{upstreams}}")]
)
def test_elsewhere_an_address_is_an_address(key: str, value: str) -> None:
    assert line(container(value, APP, key=key)).endswith("172.18.0.2")


def test_an_address_of_the_internet_protocol_6_is_in_brackets() -> None:
    assert line(evolve(container("{{upstreams}}", APP), targets=("fd00::5",))) == "[fd00::5]:3000"


def test_the_setting_restores_what_caddy_docker_proxy_writes() -> None:
    assert line(container("{{upstreams}}", APP), OFF) == "172.18.0.2"
    assert testing.fragment(container("{{upstreams}}", APP, DEBUG), sections=OFF).problems == ()


def test_of_several_none_is_chosen_and_they_are_named() -> None:
    (problem,) = testing.fragment(container("{{upstreams}}", APP, DEBUG, UDP)).problems
    assert (problem.label, problem.severity) == ("caddy.reverse_proxy", "warning")
    assert problem.message == (
        "upstreams: it has no port, so caddy uses 80, but 3000, 9229 are exposed: write the port, {{upstreams 3000}}"
    )


def test_addresses_in_files_have_the_same_port() -> None:
    dynamic = {UpstreamsSettings: UpstreamsSettings(dynamic=True)}
    assert line(container("{{upstreams}}", APP), dynamic) == "172.18.0.2:3000 192.0.2.0:3000"


def test_a_service_has_the_port_that_it_publishes() -> None:
    service = evolve(
        container("{{upstreams}}", Port(3000, host_port=80)), kind="service", targets=("10.0.0.5", "10.0.0.6")
    )
    assert line(service) == "10.0.0.5:3000 10.0.0.6:3000"


def test_another_port_on_another_ones_network_is_no_mistake() -> None:
    assert testing.fragment(evolve(container("{{upstreams 8000}}", APP), shares_network=True)).problems == ()
