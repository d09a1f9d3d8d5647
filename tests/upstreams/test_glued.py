"""Text next to `upstreams` turns it into another address, which Caddy cannot reach: a warning says how to fix it."""

import pytest
from attrs import evolve
from dockcaddy import Port, testing
from dockcaddy.model import Problem, Resource
from dockcaddy_upstreams import UpstreamsSettings

DYNAMIC = {UpstreamsSettings: UpstreamsSettings(dynamic=True)}
PATH = "to add a path to every request, use the label caddy.rewrite: /app{uri}"
SPACE = "put a space around {{upstreams}}, or remove that text"
MATCHER = "put a space between the matcher and {{upstreams}}"
PORT = "give {{upstreams}} the port as its argument, {{upstreams 8080}}"


def container(value: str, key: str = "caddy.reverse_proxy", **more: object) -> Resource:
    return testing.container("app", labels={"caddy": "app.test", key: value}, **more)


def told(resource: Resource, sections: dict[type, object] | None = None) -> tuple[Problem, ...]:
    return testing.fragment(resource, sections=sections).problems


@pytest.mark.parametrize("sections", [None, DYNAMIC], ids=["static", "dynamic"])
@pytest.mark.parametrize(
    ("value", "text", "fix"),
    [
        ("{{upstreams 8080}}/app", "/app", PATH),
        ("/api/* {{upstreams 8080}}/app", "/app", PATH),
        ("{{upstreams 8080 | printf `%s/app`}}", "/app", PATH),
        ('{{upstreams 8080}}{{env "SUFFIX"}}', "/app", PATH),
        ("{{upstreams 8080}}?x=1", "?x=1", SPACE),
        ("app-{{upstreams 8080}}", "app-", SPACE),
        ("/api{{upstreams 8080}}", "/api", MATCHER),
        ("@api{{upstreams 8080}}", "@api", MATCHER),
        ("{{upstreams}}8080", "8080", PORT),
        ("{{upstreams 8080}}:9090", ":9090", PORT),
        ("{{upstreams}}{{upstreams 9090}}", "172.18.0.2:9090", "put a space between the two addresses"),
    ],
)  # fmt: skip
def test_the_warning_says_how_to_fix_it(value: str, text: str, fix: str, sections: dict[type, object] | None) -> None:
    (problem,) = told(container(value, environment={"SUFFIX": "/app"}), sections)[:1]
    assert (problem.resource, problem.label, problem.severity) == ("container app", "caddy.reverse_proxy", "warning")
    assert "no space next to" in problem.message and "192.0.2.0" not in problem.message
    if sections is None:
        assert f'upstreams: no space next to "{text}" in ' in problem.message and problem.message.endswith(fix)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("caddy.handle.reverse_proxy", "{{upstreams 8080}}/app"),
        ("caddy.route.1_reverse_proxy_2", "{{upstreams 8080}}/app"),
        ("caddy.php_fastcgi", "{{upstreams 9000}}/var/www"),
        ("caddy.reverse_proxy.to", "{{upstreams 8080}}/app"),
    ],
)
def test_wherever_upstreams_may_stand(key: str, value: str) -> None:
    (problem,) = told(container(value, key))
    assert problem.label == key and "no space next to" in problem.message


@pytest.mark.parametrize("sections", [None, DYNAMIC], ids=["static", "dynamic"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("caddy.reverse_proxy", "{{upstreams}}"),
        ("caddy.reverse_proxy", "{{upstreams https 8443}}"),
        ("caddy.reverse_proxy", "http://{{upstreams 8080}}"),
        ("caddy.reverse_proxy", "h2c://{{upstreams 8080}}"),
        ("caddy.reverse_proxy", "{{upstreams}}:8080"),
        ("caddy.reverse_proxy", "{{upstreams}}:{$PORT}"),
        ("caddy.reverse_proxy", "/api/* {{upstreams 8080}} 172.18.0.20:80 other:8080"),
        ("caddy.reverse_proxy", '"{{upstreams 8080}}"'),
        ("caddy.reverse_proxy", "{{if isHealthy}}{{upstreams 8080}}{{end}}"),
        ("caddy.reverse_proxy", "{{upstreams 8080}}\n"),
        ("caddy.header.X-Backend", "<{{upstreams 8080}}/app>"),
        ("caddy.redir", "http://{{upstreams 8080}}/app"),
        ("caddy.reverse_proxy.header_up", "X-From {{upstreams 8080}}/app"),
    ],
)
def test_what_is_an_address_or_is_none_of_caddys_is_not(
    key: str, value: str, sections: dict[type, object] | None
) -> None:
    assert told(container(value, key), sections) == ()


def test_an_address_of_the_internet_protocol_6_is_looked_at_too() -> None:
    resource = evolve(container("{{upstreams 8080}}"), targets=("fd00::5",))
    assert told(resource) == ()
    glued = evolve(container("{{upstreams 8080}}/app"), targets=("fd00::5",))
    assert [each.message.count("[fd00::5]:8080/app") for each in told(glued)] == [1]


def test_the_text_may_be_anything_and_the_message_stays_one_line() -> None:
    (problem,) = told(container("{{upstreams 8080}}" + "/a\u202e" * 300))
    assert problem.message.isprintable() and len(problem.message) <= 500


class TestPorts:
    """A port that the image does not expose is most often a wrong one."""

    @pytest.mark.parametrize("value", ["{{upstreams 9999}}", "{{upstreams https 9999}}", '{{upstreams "9999"}}'])
    def test_another_than_the_exposed_ones_is_told(self, value: str) -> None:
        (problem,) = told(container(value, ports=(Port(80), Port(443), Port(9999, "udp"))))
        assert problem.message == (
            "upstreams: port 9999 is not exposed, 80, 443 is: write {{upstreams 80}}, "
            "or add EXPOSE 9999 (expose: in Compose) where it listens there"
        )
        assert (problem.label, problem.severity) == ("caddy.reverse_proxy", "warning")

    @pytest.mark.parametrize("ports", [(), (Port(8080),), (Port(8080, host_port=80), Port(80)), (Port(53, "udp"),)])
    def test_an_exposed_one_is_not_nor_any_where_nothing_is_exposed(self, ports: tuple[Port, ...]) -> None:
        assert told(container("{{upstreams 8080}}", ports=ports)) == ()


@pytest.mark.parametrize("value", ["{{upstreams 8080}}/app", "/api/*{{upstreams 8080}}", "{{upstreams 8080}}:9090"])
def test_names_are_looked_at_too_as_compose_files_have_no_addresses(value: str) -> None:
    (problem,) = told(container(value, targets=("shop-web-1",)))
    assert "no space next to" in problem.message


@pytest.mark.parametrize("value", ["{{upstreams 8080}}", "{{upstreams}}:8080 shop-web-10/x", "https://my.shop-web-1/x"])
def test_a_name_may_be_a_part_of_another_one(value: str) -> None:
    assert not told(container(value, targets=("shop-web-1",)))
