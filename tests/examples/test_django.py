"""Every sentence of the Django deployment, on a real engine and a real Caddy, with its labels as they are written."""

import json
import re
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import websocket
from example_stack import EXAMPLES, Stack, built, run
from ports import free_port

pytestmark = pytest.mark.engine

SITE, STATIC, MEDIA = "myapp.local", "static.myapp.local", "media.myapp.local"
TOKEN = {"Authorization": "Token example-token"}


@pytest.fixture(scope="session")
def django(bring_up: Callable[..., Stack], until: Callable[..., None]) -> Stack:
    app = EXAMPLES / "django" / "app"
    built("dockcaddy-example-django", app, app / "requirements.txt")
    auth_port = free_port()
    override = f"services:\n  django-wsgi:\n    ports: ['127.0.0.1:{auth_port}:8000']\n"
    services = ("redis", "django-combined", "django-wsgi", "django-asgi", "django-static", "django-media")
    environment = {"AUTH_BACKEND_URL": f"http://127.0.0.1:{auth_port}"}
    stack = bring_up("django", *services, environment=environment, override=override)
    until(lambda: "Hello from" in stack.get(SITE).body)
    until(lambda: stack.get(SITE, "/api/status/").status == 200)
    until(lambda: stack.get(MEDIA, "/public/hello.txt").status == 200)
    until(lambda: stack.get(STATIC, "/app.css").status == 200)
    return stack


def test_the_page_links_to_the_static_and_media_servers(django: Stack) -> None:
    body = django.get(SITE).body
    assert f"https://{STATIC}/app.css" in body and f"https://{MEDIA}/public/hello.txt" in body


def test_the_health_check_and_the_api_answer(django: Stack) -> None:
    assert json.loads(django.get(SITE, "/health/").body) == {"status": "healthy"}
    status = json.loads(django.get(SITE, "/api/status/").body)
    assert (status["environment"], status["interface"]) == ("production", "wsgi")


def test_template_values_stand_in_the_headers(django: Stack) -> None:
    headers = django.get(SITE).headers
    assert headers["x-environment"] == "production"
    assert headers["x-static-url"] == f"https://{STATIC}"
    assert headers["x-container"] == django.container("django-combined")
    assert headers["x-healthy"] == "true"


def test_admin_and_api_go_to_wsgi(django: Stack) -> None:
    for path in ("/admin/login/", "/api/status/"):
        answer = django.get(SITE, path)
        assert (answer.status, answer.headers["x-service"]) == (200, django.container("django-wsgi"))


def test_static_files_come_from_the_volume_with_long_caching(django: Stack) -> None:
    source = run("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", f"{django.project}_django-static")
    css, script = django.get(STATIC, "/app.css"), django.get(STATIC, "/app.js")
    assert "font-family" in css.body and "console.log" in script.body
    assert css.headers["cache-control"] == "public, max-age=31536000"
    assert css.headers["x-volume-source"] == source
    assert css.headers["x-container"] == django.container("django-static")
    assert "text/css" in css.headers["content-type"]
    assert django.get(STATIC, "/admin/css/base.css").status == 200


def test_public_media_is_open_and_headers_are_there(django: Stack) -> None:
    answer = django.get(MEDIA, "/public/hello.txt")
    assert (answer.status, answer.body) == (200, "everybody may read this\n")
    assert answer.headers["x-media-server"] == django.container("django-media")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "XYZ"])
@pytest.mark.parametrize(
    "path",
    [
        "/protected/secret.txt",
        "//protected/secret.txt",
        "/protected//secret.txt",
        "/Protected/secret.txt",
        "/PROTECTED/secret.txt",
        "/./protected/secret.txt",
        "/public/../protected/secret.txt",
        "/public/%2e%2e/protected/secret.txt",
        "/public/..%2fprotected/secret.txt",
        "/%70rotected/secret.txt",
        "/protected%2fsecret.txt",
        "/protected./secret.txt",
        "/protected/./secret.txt",
        "/protected/secret.txt/",
        "/protected/secret.txt.",
        "/protected/secret.txt%00",
        "/protected\\secret.txt",
        "/public/..;/protected/secret.txt",
    ],
)
def test_protected_media_without_login_is_refused_however_it_is_asked(django: Stack, path: str, method: str) -> None:
    answer = django.get(MEDIA, path, method)
    assert "only after login" not in answer.body
    if path == "/protected/secret.txt":
        assert answer.status == 401


def test_protected_media_is_served_with_a_token(django: Stack) -> None:
    answer = django.get(MEDIA, "/protected/secret.txt", **TOKEN)
    assert (answer.status, answer.body) == (200, "only after login\n")


def test_protected_media_is_served_with_a_session(django: Stack) -> None:
    login = django.get(SITE, "/admin/login/")
    csrf = re.search(r"csrftoken=([^;]+)", login.headers["set-cookie"])[1]
    form = f"csrfmiddlewaretoken={csrf}&username=admin&password=admin&next=/admin/"
    script = f"""
import http.client, ssl
c = http.client.HTTPSConnection("127.0.0.1", {django.port}, context=ssl._create_unverified_context())
"""
    del script
    answer = _post(django, "/admin/login/", form, f"csrftoken={csrf}")
    session = re.search(r"sessionid=([^;]+)", answer.headers["set-cookie"])
    assert answer.status == 302 and session is not None
    served = django.get(MEDIA, "/protected/secret.txt", Cookie=f"sessionid={session[1]}")
    assert (served.status, served.body) == (200, "only after login\n")


def _post(stack: Stack, path: str, form: str, cookie: str) -> Any:
    import http.client
    import socket

    from example_stack import Answer

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPConnection(SITE, stack.port, timeout=10)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", stack.port)), server_hostname=SITE)
    headers = {
        "Host": SITE,
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookie,
        "Referer": f"https://{SITE}{path}",
        "Origin": f"https://{SITE}",
    }
    connection.request("POST", path, form, headers)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read().decode(), {key.lower(): value for key, value in answer.getheaders()})


def connect(stack: Stack) -> websocket.WebSocket:
    return websocket.create_connection(
        f"wss://127.0.0.1:{stack.port}/ws/echo/",
        host=SITE,
        sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False, "server_hostname": SITE},
        timeout=20,
    )


def test_a_websocket_echo_lives_across_an_unrelated_start(django: Stack, until: Callable[..., None]) -> None:
    socket = connect(django)
    try:
        assert socket.recv().startswith("connected to ")
        socket.send("one")
        assert socket.recv() == "one"
        name = f"{django.project}-unrelated"
        labels = ["--label", "caddy=unrelated.local", "--label", "caddy.respond=there"]
        run("docker", "run", "-d", "--name", name, *labels, "traefik/whoami")
        try:
            until(lambda: django.get("unrelated.local").body == "there")
            socket.send("two")
            assert socket.recv() == "two"
        finally:
            run("docker", "rm", "-f", name)
    finally:
        socket.close()


def test_a_missing_variable_costs_only_its_own_site_and_says_so(django: Stack, until: Callable[..., None]) -> None:
    name = f"{django.project}-nameless"
    label = 'caddy={{env "DOMAIN_NAME"}}'
    run("docker", "run", "-d", "--name", name, "--label", label, "--label", "caddy.respond=x", "traefik/whoami")
    try:
        until(lambda: f"container {name}: label caddy: the site address renders to nothing" in django.log())
        assert 'environment variable "DOMAIN_NAME" is not set' in django.log()
        assert "Hello from" in django.get(SITE).body
    finally:
        run("docker", "rm", "-f", name)


def test_unhealthy_is_503_and_back_by_the_engines_events_alone(django: Stack, until: Callable[..., None]) -> None:
    name = django.container("django-combined")
    run("docker", "exec", name, "touch", "/tmp/unhealthy")
    until(lambda: django.get(SITE).status == 503)
    answer = django.get(SITE)
    assert (answer.body, answer.headers["x-healthy"]) == ("Service Unavailable", "false")
    run("docker", "exec", name, "rm", "/tmp/unhealthy")
    until(lambda: django.get(SITE).status == 200)
    assert "Hello from" in django.get(SITE).body


def test_three_replicas_share_the_load(django: Stack, until: Callable[..., None]) -> None:
    django.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "django-combined=3", "django-combined")

    def names() -> set[str]:
        answers = [django.get(SITE) for _ in range(20)]
        assert {answer.status for answer in answers} == {200}, "the site was not served while replicas came or went"
        return {re.search(r"Hello from (\w+)", answer.body)[1] for answer in answers}

    until(lambda: len(names()) == 3)
    django.compose("up", "-d", "--no-build", "--no-recreate", "--scale", "django-combined=1", "django-combined")
    until(lambda: len(names()) == 1)
