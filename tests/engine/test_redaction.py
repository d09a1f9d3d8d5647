"""A redacted snapshot holds no value of an environment variable and no secret, and still renders alike."""

import base64
import json
from typing import Any

import pytest
from dockcaddy.engine.records.redaction import environment_count, redacted

HASH = "$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG"


def document(**parts: Any) -> dict[str, Any]:
    """One container with these parts of its inspect answer; `Labels` and `Command` are its item's."""
    item = {"Id": "1" * 64, "Names": ["/web"], "Image": "app:1.2", "Labels": parts.pop("Labels", {})}
    item["Command"] = parts.pop("Command", "")
    item["Inspect"] = {"Config": {"Env": parts.pop("Env", []), **parts}}
    return {"version": 1, "engines": [{"name": "local", "containers": [item]}]}


@pytest.mark.parametrize(
    "parts",
    [
        {"Env": ["DB_PASSWORD=hunter2"]},
        {"Env": ["FOO=hunter2"]},
        {"Env": ["FOO=hunter2"], "Cmd": ["serve", "--with", "hunter2"]},
        {"Env": ["FOO=hunter2"], "Command": "serve --with=hunter2"},
        {"Env": ["URL=postgres://app:hunter2@db/app"]},
        {"Env": ["URL=postgres://app:hunter2@db/app"], "Labels": {"com.example": "app hunter2"}},
        {"Env": ["API_TOKEN=hunter2"], "Labels": {"caddy.reverse_proxy.header_up": "Authorization hunter2"}},
        {"Env": ["A=1", "MULTI_SECRET=one=hunter2\nline"], "Labels": {"x": "one=hunter2\nline"}},
        {"Cmd": ["serve", "--db-password", "hunter2"]},
        {"Cmd": ["serve", "--token=hunter2"]},
        {"Entrypoint": ["sh", "-c", "API_KEY=hunter2 serve"]},
        {"Command": "serve --secret hunter2"},
        {"Healthcheck": {"Test": ["CMD-SHELL", "curl -H 'x-api-key: hunter2' localhost"]}},
        {"Labels": {"com.example.db.password": "hunter2"}},
        {"Labels": {"caddy.header.X-Api-Key": "hunter2"}},
        {"Labels": {"caddy.reverse_proxy": "http://me:hunter2@up:80"}},
        {"Labels": {"caddy.basic_auth.bob": HASH.replace("Zkx19X", "hunter2"[:6])}},
        {"Labels": {"traefik.http.middlewares.a.basicauth.users": "bob:$apr1$hunter2$abc"}},
    ],
)
def test_no_value_of_a_secret_is_left(parts: dict[str, Any]) -> None:
    before = document(**parts)
    copy = json.dumps(before)
    assert "hunter" in copy
    assert "hunter" not in json.dumps(redacted(before))
    assert json.dumps(before) == copy


def test_services_tasks_and_configs_are_redacted_too() -> None:
    spec = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Env": ["TOKEN=hunter2"], "Args": ["hunter2"]}}}}
    data = base64.b64encode(b"{\n\tacme_dns x hunter2\n}\n").decode()
    engine = {"services": [spec], "tasks": [spec["Spec"]["TaskTemplate"]], "configs": [{"Spec": {"Data": data}}]}
    made = redacted({"version": 1, "engines": [engine]})
    assert "hunter2" not in json.dumps(made)
    assert "hunter2" not in base64.b64decode(made["engines"][0]["configs"][0]["Spec"]["Data"]).decode()
    assert environment_count({"engines": [engine]}) == 2


def test_names_stay_and_equal_values_stay_equal() -> None:
    made = redacted(document(Env=["A=same-value", "B=same-value", "C=another", "EMPTY=", "BARE"]))
    env = made["engines"][0]["containers"][0]["Inspect"]["Config"]["Env"]
    assert [each.partition("=")[0] for each in env] == ["A", "B", "C", "EMPTY", "BARE"]
    assert env[0].partition("=")[2] == env[1].partition("=")[2] != env[2].partition("=")[2]
    assert env[3:] == ["EMPTY=", "BARE"]


def test_what_makes_the_sites_stays() -> None:
    labels = {
        "caddy": "app.example.org",
        "caddy.reverse_proxy": "{{upstreams 8080}}",
        "caddy.header.X-Key": '{{env "API_KEY"}}',
        "caddy.log.level": "WARN",
    }
    env = ["DOMAIN=app.example.org", "PORT=8080", "LEVEL=WARN", "API_KEY=hunter22", "PATH=/usr/bin", "DEBUG=true"]
    made = redacted(document(Env=env, Labels=labels))["engines"][0]["containers"][0]
    assert made["Labels"] == labels
    assert (made["Id"], made["Names"], made["Image"]) == ("1" * 64, ["/web"], "app:1.2")
