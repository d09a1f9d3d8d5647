"""Engines in dockcaddy.toml: the tables [[engines]] are the aligned lists of options, with clear errors."""

from pathlib import Path

import pytest
from dockcaddy.engine.reach.neighbours import Reach
from dockcaddy.errors import SettingsError
from dockcaddy.run.engines import engines_for, named_engines
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import Settings

TABLES = """
[[engines]]
name = "here"
url = "unix:///var/run/docker.sock"

[[engines]]
name = "nas"
context = "nas"
certs_path = "keys"
api_version = "1.41"
reach = "ports=192.0.2.9"
"""


@pytest.fixture
def file(sandbox: Path) -> Path:
    (sandbox / "dockcaddy.toml").write_text(TABLES)
    return sandbox / "dockcaddy.toml"


def test_each_table_is_an_engine(file: Path) -> None:
    settings = load({}, {}, str(file))
    assert settings.docker_sockets == ("unix:///var/run/docker.sock", "context://nas")
    assert settings.docker_names == ("here", "nas")
    assert settings.docker_certs_path == ("", str(file.parent / "keys"))
    assert settings.docker_apis_version == ("", "1.41")
    assert settings.docker_reach == ("", "ports=192.0.2.9")


def test_engines_of_the_command_line_are_other_engines(file: Path) -> None:
    settings = load({"docker_sockets": ("tcp://other:2375",)}, {}, str(file))
    assert settings.docker_names == () and settings.docker_reach == ()
    assert load({}, {"CADDY_DOCKER_SOCKETS": "tcp://other:2375"}, str(file)).docker_certs_path == ()
    assert load({"docker_reach": ("ports", "ports")}, {}, str(file)).docker_names == ("here", "nas")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[engines]]\nnmae = "a"', 'engines[0]: unknown key "nmae", did you mean "name"'),
        ("[[engines]]\nname = 5", "engines[0].name: expected a text"),
        ('[engines]\nname = "a"', "engines: write a table [[engines]] for each engine"),
        ('[[engines]]\nurl = "tcp://a:1"\ncontext = "b"', "engines[0]: url and context are both given"),
        ('[[engines]]\nreach = "port"', 'unknown reach "port", write auto, containers, overlay, ports or ports=HOST'),
        ('[[engines]]\nname = "a"\n[[engines]]\nname = "a"', 'two engines are called "a": give each a name of its own'),
        ('docker_names = ["a"]\n[[engines]]\nurl = "tcp://a:1"', "engines and docker_names are both given"),
    ],
)
def test_a_wrong_table_is_an_error_that_names_the_place(sandbox: Path, text: str, said: str) -> None:
    (sandbox / "dockcaddy.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load({}, {})
    assert str(raised.value).startswith("dockcaddy.toml: ") and said in str(raised.value)


def test_engines_have_names_even_if_nobody_gave_any() -> None:
    def names(*urls: str, given: tuple[str, ...] = ()) -> list[str]:
        settings = Settings(docker_sockets=urls, docker_names=given)
        return [each.name for each in named_engines(settings)]

    assert names() == names("tcp://192.0.2.7:2375") == ["local"]
    assert names("tcp://192.0.2.7:2375", given=("nas",)) == ["nas"]
    # as Docker names contexts
    assert names("tcp://192.0.2.7:2375", given=("nas+1",)) == ["nas+1"]
    assert names("", "tcp://192.0.2.7:2375") == ["local", "tcp://192.0.2.7:2375"]
    # the first one keeps its name when another is added
    assert names("tcp://192.0.2.7:2375", "") == ["local", "unix:///var/run/docker.sock"]


@pytest.mark.parametrize(
    "urls",
    [
        ("", ""),
        ("unix:///var/run/docker.sock", ""),
        ("UNIX:///x.sock", "unix:///y/../x.sock"),
        ("tcp://a:1", "tcp://a:1"),
    ],
)
def test_an_engine_is_there_once(urls: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"--docker-sockets: .* is there twice: remove one of them"):
        named_engines(Settings(docker_sockets=urls))


def test_a_scheme_may_be_in_capital_letters() -> None:
    (engine,) = named_engines(Settings(docker_sockets=("UNIX:///x.sock",)))
    assert engine.reach.is_local and engine.endpoint.url == "unix:///x.sock"


def test_the_option_is_the_reach_of_its_engine() -> None:
    settings = Settings(docker_sockets=("", "tcp://192.0.2.7:2375"), docker_reach=("containers", "ports"))
    assert [each.reach for each in named_engines(settings)] == [
        Reach("containers"),
        Reach("ports", "192.0.2.7", is_local=False),
    ]


def test_an_engine_whose_certificate_is_not_checked_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2376")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    engines_for(Settings())
    assert "engine local: its certificate is not checked: set DOCKER_TLS_VERIFY=1" in caplog.text
    caplog.clear()
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    engines_for(Settings())
    assert not caplog.text
