"""An engine whose containers' addresses Caddy does not reach: the ports that are published on its host are used."""

import pytest
from attrs import evolve
from dockcaddy.model import Port, Problem, Resource
from dockcaddy.testing import container, fragment

PUBLISHED = (Port(8000, "tcp", 32768, "0.0.0.0"), Port(8000, "tcp", 32768, "::"), Port(53, "udp", 53, "0.0.0.0"))


def proxied(upstreams: str, *ports: Port, host: str = "10.0.0.5") -> tuple[str, tuple[Problem, ...]]:
    """The line of the proxy, and the problems."""
    made: Resource = container(labels={"caddy": "a.test", "caddy.reverse_proxy": upstreams}, engine="b")
    found = fragment(evolve(made, targets=(), published_at=host, ports=ports))
    return " ".join(found.blocks[0].children[0].keys), found.problems


@pytest.mark.parametrize(
    ("upstreams", "host", "line"),
    [
        ("{{upstreams 8000}}", "10.0.0.5", "10.0.0.5:32768"),
        ('{{upstreams "8000"}}', "10.0.0.5", "10.0.0.5:32768"),
        ("{{upstreams}}", "10.0.0.5", "10.0.0.5:32768"),
        ("{{upstreams https 8000}}", "server", "https://server:32768"),
        ("{{upstreams 8000}}", "fd00::5", "[fd00::5]:32768"),
    ],
)
def test_the_published_port_on_the_host_is_the_upstream(upstreams: str, host: str, line: str) -> None:
    assert proxied(upstreams, *PUBLISHED, host=host) == (f"reverse_proxy {line}", ())


@pytest.mark.parametrize(
    ("upstreams", "ports", "said"),
    [
        ("{{upstreams 81}}", PUBLISHED, "port 81 is not published on engine b: publish it (docker run --publish 81"),
        ("{{upstreams}}", (), "no port is published on engine b: publish it (docker run --publish PORT"),
        ("{{upstreams 53}}", PUBLISHED, "port 53 is not published on engine b"),
        ("{{upstreams 80}}", (Port(80),), "port 80 is not published on engine b"),
        (
            "{{upstreams}}",
            (*PUBLISHED, Port(81, "tcp", 81, "0.0.0.0")),
            "several ports are published on engine b (81, 8000): write one of them, {{upstreams PORT}}",
        ),
        (
            "{{upstreams 80}}",
            (Port(80, "tcp", 80, "127.0.0.1"),),
            "port 80 is published on 127.0.0.1 only, caddy reaches engine b at 10.0.0.5: publish it on that address",
        ),
        ("{{upstreams}}", (Port(80, "tcp", 80, "172.17.0.1"),), "its port is published on 172.17.0.1 only"),
    ],
)
def test_a_port_that_is_not_reached_is_a_warning_with_a_remedy(
    upstreams: str, ports: tuple[Port, ...], said: str
) -> None:
    line, problems = proxied(upstreams, *ports)
    assert line == "reverse_proxy"
    found = next(each.message for each in problems if "has no address that caddy reaches: " in each.message)
    assert found.startswith(f"it has no address that caddy reaches: {said}")


def test_the_machine_itself_has_ports_on_its_loopback_address() -> None:
    assert proxied("{{upstreams 80}}", Port(80, "tcp", 81, "127.0.0.1"), host="127.0.0.1")[0].endswith("127.0.0.1:81")


@pytest.mark.parametrize(
    ("upstreams", "said"),
    [
        ("{{upstreams}}:8080", "give {{upstreams}} the port as its argument, {{upstreams 8080}}"),
        ("{{upstreams 8000}}/x", "to add a path to every request, use the label caddy.rewrite: /x{uri}"),
        ("/api{{upstreams 8000}}", "put a space between the matcher and {{upstreams}}"),
        ("{{upstreams 8000 81}}", "it has several ports (8000, 81), 8000 is used: write {{upstreams 8000}}"),
    ],
)
def test_what_a_published_port_does_not_fit_with_is_a_warning(upstreams: str, said: str) -> None:
    assert [each.message for each in proxied(upstreams, *PUBLISHED)[1] if each.message.endswith(said)]


def test_what_is_written_beside_it_with_a_space_is_none() -> None:
    assert proxied("/api/* {{upstreams http 8000}} 10.0.0.5:327680 10.0.0.6:80", *PUBLISHED)[1] == ()


def test_a_port_on_other_nodes_says_so() -> None:
    _, problems = proxied("{{upstreams 80}}", Port(80, "tcp", 8080, is_elsewhere=True))
    assert "port 80 is published with mode: host, so only on the nodes that its tasks run on" in problems[0].message
