"""Where an engine is: the docker command's rules for DOCKER_HOST, contexts and certificates."""

import json
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from dockcaddy.engine import Connection, Engine, EngineOptions
from dockcaddy.engine.api.endpoint import Certificates, Endpoint, endpoint_of

DEFAULT = "unix:///var/run/docker.sock"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration folder of docker with the contexts `nas`, `open` and the current one, `here`."""
    for name, host, files in (
        ("nas", "tcp://nas:2376", ("ca.pem", "cert.pem", "key.pem")),
        ("open", "tcp://open:2375", ()),
        ("here", "unix:///run/user/1000/docker.sock", ()),
    ):
        key = sha256(name.encode()).hexdigest()
        meta = tmp_path / "contexts" / "meta" / key
        meta.mkdir(parents=True)
        endpoint = {"Host": host, "SkipTLSVerify": False}
        (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": endpoint}}))
        for file in files:
            (tmp_path / "contexts" / "tls" / key / "docker").mkdir(parents=True, exist_ok=True)
            (tmp_path / "contexts" / "tls" / key / "docker" / file).touch()
    (tmp_path / "config.json").write_text('{"currentContext": "here"}')
    return tmp_path


def found(folder: Path, url: str = "", **environment: str) -> Endpoint:
    return endpoint_of(url, environment={"DOCKER_CONFIG": str(folder)} | environment)


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("", {}, "unix:///run/user/1000/docker.sock"),
        ("", {"DOCKER_CONTEXT": "open"}, "tcp://open:2375"),
        ("", {"DOCKER_CONTEXT": "default"}, DEFAULT),
        ("", {"DOCKER_CONTEXT": ""}, "unix:///run/user/1000/docker.sock"),
        ("", {"DOCKER_CONTEXT": "open", "DOCKER_HOST": "tcp://host:2375"}, "tcp://host:2375"),
        ("", {"DOCKER_HOST": "tcp://host:2375"}, "tcp://host:2375"),
        ("tcp://option:2375", {"DOCKER_CONTEXT": "open", "DOCKER_HOST": "tcp://host:2375"}, "tcp://option:2375"),
        ("context://open", {"DOCKER_HOST": "tcp://host:2375"}, "tcp://open:2375"),
        ("context://default", {"DOCKER_HOST": "tcp://host:2375"}, "tcp://host:2375"),
    ],
)
def test_which_engine_it_is(folder: Path, url: str, environment: Mapping[str, str], expected: str) -> None:
    assert found(folder, url, **environment).url == expected


def test_without_any_configuration_it_is_the_default_socket(tmp_path: Path) -> None:
    assert found(tmp_path / "none") == Endpoint(DEFAULT, f"the default docker socket {DEFAULT}")


def test_a_context_has_its_own_certificates(folder: Path) -> None:
    endpoint = found(folder, DOCKER_CONTEXT="nas", DOCKER_CERT_PATH="/other", DOCKER_TLS_VERIFY="1")
    assert endpoint.place == "docker context nas" and endpoint.tls is not None and endpoint.tls.verify
    assert endpoint.tls.ca.endswith("/docker/ca.pem") and str(folder) in endpoint.tls.ca
    assert found(folder, "context://open").tls is None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DOCKER_CONTEXT": "nope"}, 'DOCKER_CONTEXT: no docker context is called "nope" in '),
        ({}, 'the current context of FOLDER/config.json: no docker context is called "gone" in '),
    ],
)
def test_a_context_that_is_not_there_is_an_error(folder: Path, environment: Mapping[str, str], said: str) -> None:
    (folder / "config.json").write_text('{"currentContext": "gone"}')
    with pytest.raises(ValueError, match="there is here, nas, open: correct the name, make it") as raised:
        found(folder, **environment)
    assert str(raised.value).startswith(said.replace("FOLDER", str(folder)))


def test_a_configuration_that_is_no_json_is_an_error(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config.json: not JSON"):
        found(folder)


@pytest.mark.parametrize(
    ("environment", "tls"),
    [
        ({}, None),
        ({"DOCKER_TLS_VERIFY": ""}, None),
        ({"DOCKER_TLS_VERIFY": "1"}, True),
        ({"DOCKER_TLS_VERIFY": "0"}, True),
        ({"DOCKER_TLS": "1"}, False),
    ],
)
def test_any_value_of_docker_tls_verify_is_true(
    tmp_path: Path, environment: Mapping[str, str], tls: bool | None
) -> None:
    (tmp_path / "ca.pem").touch()
    endpoint = found(tmp_path, DOCKER_HOST="tcp://host:2376", **environment)
    files = None if tls is None else Certificates(f"{tmp_path}/ca.pem", verify=tls)
    assert endpoint.tls == files


@pytest.mark.engine
@pytest.mark.process
def test_the_real_engine_by_a_context_that_docker_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    made = ("docker", "context", "create", "here", "--docker", f"host={DEFAULT}")
    subprocess.run(made, check=True, capture_output=True)
    for name, value in (("DOCKER_CONTEXT", "here"), ("DOCKER_CONFIG", str(tmp_path))):
        monkeypatch.setenv(name, value)
        connection = Connection()
        assert connection.place == "docker context here"
        assert Engine(connection, EngineOptions("nobody")).inventory().name == "local"
        subprocess.run(("docker", "context", "use", "here"), check=True, capture_output=True)
        monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
