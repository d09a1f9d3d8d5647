"""Every template function: what it gives, and that missing data gives nothing instead of an error."""

from types import SimpleNamespace

import pytest
from dockcaddy import gotemplate, testing
from dockcaddy.model import Mount, Port
from dockcaddy_health import HealthSettings

WEB = testing.container(
    "web-1",
    labels={"caddy": "x", "tier": "front", "empty": ""},
    environment={"DOMAIN_NAME": "example.org", "EMPTY": ""},
    networks={"front": "172.18.0.2", "back": "172.19.0.3"},
    mounts=(
        Mount("volume", "/var/lib/docker/volumes/static/_data", "/usr/share/nginx/html", "static"),
        Mount("bind", "/srv/media", "/var/www/media"),
        Mount("bind", "/srv/inner", "/var/www/media/inner"),
        Mount("tmpfs", "", "/tmp"),
    ),
    ports=(Port(8080, "tcp", 80), Port(53, "udp", 5353), Port(53, "tcp", 0), Port(443, "tcp", 8443)),
    image="registry.example.org:5000/acme/web:1.2@sha256:abc",
)
BARE = testing.container("bare", networks={}, image="")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{env "DOMAIN_NAME"}}', "example.org"),
        ('{{env "MISSING"}}', ""),
        ('{{hasEnv "EMPTY"}} {{hasEnv "MISSING"}}', "true false"),
        ("{{containerName}}", "web-1"),
        ("{{imageName}}", "registry.example.org:5000/acme/web"),
        ("{{imageTag}}", "1.2"),
        ('{{label "tier"}}|{{label "none"}}|{{hasLabel "empty"}}', "front||true"),
        ("{{upstreams}}", "172.18.0.2"),
        ("{{upstreams 8000}}", "172.18.0.2:8000"),
        ("{{upstreams http 8000}}", "http://172.18.0.2:8000"),
        ("{{upstreams 8443 https}}", "https://172.18.0.2:8443"),
        ('{{upstreams "8000"}}', "172.18.0.2:8000"),
        ('{{upstreams "h2c" 9}}', "h2c://172.18.0.2:9"),
        ("{{primaryIP}}", "172.18.0.2"),
        ('{{networkIP "back"}}:3000', "172.19.0.3:3000"),
        ('{{networkIP "none"}}', ""),
        ("{{networks}}", "[back front]"),
        ("{{index (networks) 0}}{{range networks}}<{{.}}>{{end}}", "back<back><front>"),
        ('{{mountSource "/usr/share/nginx/html"}}', "/var/lib/docker/volumes/static/_data"),
        ('{{mountSource "/usr/share/nginx/html/css/a.css"}}', "/var/lib/docker/volumes/static/_data/css/a.css"),
        ('{{mountSource "/var/www/media/inner/x"}}', "/srv/inner/x"),
        ('{{mountSource "/var/www/media/"}}', "/srv/media"),
        ('{{mountSource "/var/www/mediax"}}', ""),
        ("{{bindMounts}}", "[/srv/media /srv/inner]"),
        ("{{index (bindMounts) 0}}", "/srv/media"),
        ("{{volumeMounts}}", "[static]"),
        ('{{hasMount "/var/www/media/a"}} {{hasMount "/var/www"}}', "true false"),
        ('{{servePath "/var/www/media"}}', "/srv/media"),
        ('{{portMapping 8080}} {{portMapping "53/udp"}} {{portMapping 53}}', "80 5353 "),
        ("{{exposedPorts}}", "[80 5353 8443]"),
        ("{{isRunning}} {{isHealthy}} {{healthStatus}}", "true true none"),
        ("{{.Names}}", "[/web-1]"),
    ],
)
def test_what_it_gives(template: str, text: str) -> None:
    assert testing.render(template, WEB) == text


@pytest.mark.parametrize(
    "template",
    [
        '{{env "X"}}{{upstreams 80}}{{primaryIP}}{{networkIP "x"}}{{mountSource "/x"}}{{servePath "/x"}}{{imageName}}',
        '{{imageTag}}{{label "x"}}{{portMapping 1}}{{range networks}}x{{end}}{{range bindMounts}}x{{end}}',
    ],
)
def test_missing_data_gives_nothing_and_no_error(template: str) -> None:
    assert testing.render(template, BARE) == ""


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{env}}", "wrong number of args for env: want 1 got 0"),
        ("{{env 5}}", "expected string; found 5"),
        ("{{mountSource 1}}", "expected string; found 1"),
        ('{{isHealthy "x"}}', "wrong number of args for isHealthy: want 0 got 1"),
    ],
)
def test_wrong_arguments_are_gos_errors(template: str, reason: str) -> None:
    with pytest.raises(gotemplate.ExecError) as caught:
        testing.render(template, WEB)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("nginx", "nginx", "latest"),
        ("nginx:1.27", "nginx", "1.27"),
        ("localhost:5000/app", "localhost:5000/app", "latest"),
        ("app@sha256:abc", "app", "sha256:abc"),
        ("sha256:0123", "", "sha256:0123"),
    ],
)
def test_image_names(image: str, name: str, tag: str) -> None:
    resource = testing.container(image=image)
    assert (testing.render("{{imageName}}", resource), testing.render("{{imageTag}}", resource)) == (name, tag)


def test_ipv6_upstreams_have_brackets() -> None:
    assert testing.render("{{upstreams 80}}", testing.container(targets=("fd00::5",))) == "[fd00::5]:80"


@pytest.mark.parametrize(
    ("state", "running", "health", "healthy"),
    [
        ("running", True, "healthy", "true"),
        ("running", True, "starting", "false"),
        ("running", True, "unhealthy", "false"),
        ("paused", False, "none", "false"),
    ],
)
def test_health(state: str, running: bool, health: str, healthy: str) -> None:
    resource = testing.container(state=state, running=running, health=health)
    assert testing.render("{{isHealthy}} {{healthStatus}}", resource) == f"{healthy} {health}"


@pytest.mark.parametrize(
    ("gate", "label", "health", "upstreams"),
    [
        (False, None, "unhealthy", "172.18.0.2:80"),
        (True, None, "unhealthy", ""),
        (True, None, "healthy", "172.18.0.2:80"),
        (True, "false", "unhealthy", "172.18.0.2:80"),
        (False, "true", "starting", ""),
    ],
)
def test_the_health_gate_leaves_out_what_is_not_healthy(
    gate: bool, label: str | None, health: str, upstreams: str
) -> None:
    labels = {} if label is None else {"caddy_health_gate": label}
    resource = testing.container(labels=labels, health=health)
    assert testing.render("{{upstreams 80}}", resource, sections={HealthSettings: HealthSettings(gate)}) == upstreams


def test_a_stopping_container_is_left_out() -> None:
    assert testing.render("{{upstreams 80}}", testing.container(stopping=True)) == ""


CADDY = testing.container(
    "caddy",
    mounts=(
        Mount("volume", "/var/lib/docker/volumes/static/_data", "/static", "static"),
        Mount("bind", "/srv", "/host"),
    ),
)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/usr/share/nginx/html/a", "/static/a"),
        ("/var/www/media/x", "/host/media/x"),
        ("/var/www/media/inner", "/host/inner"),
    ],
)
def test_serve_path_is_what_caddys_own_container_sees(path: str, seen: str) -> None:
    assert testing.render(f'{{{{servePath "{path}"}}}}', WEB, caddy=CADDY) == seen


def test_serve_path_warns_with_both_sides_and_the_mend() -> None:
    blind = testing.container("caddy", mounts=())
    made = testing.context(WEB, caddy=blind)
    table = gotemplate.FunctionTable(made.registry.callables())
    text = gotemplate.compile('{{servePath "/usr/share/nginx/html"}}', table).execute(None, made)
    assert text == "/var/lib/docker/volumes/static/_data"
    (warning,) = made.warnings
    assert "volume static is mounted into container web-1 but not into container caddy" in warning.message


def test_a_plugin_can_be_tested_without_docker() -> None:
    import dockcaddy

    @dockcaddy.hook
    def dockcaddy_functions() -> dict:
        return {"greet": lambda context, whom: f"hello {whom} from {context.resource.name}"}

    plugin = SimpleNamespace(__name__="mine", dockcaddy_functions=dockcaddy_functions)
    assert testing.render('{{greet "you"}}', WEB, plugin) == "hello you from web-1"
