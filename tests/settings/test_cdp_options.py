"""Every option and variable of caddy-docker-proxy is there: the same names, defaults and meaning, in every form.

`OPTIONS_OF_CDP` is the list of its options. A row names its flag, its variable, its default, and for each spelling of a value
what it means.
"""

from pathlib import Path
from typing import Any

import click
import pytest
from attrs import field, frozen
from dockcaddy.cli.options import Command, settings_options
from dockcaddy.engine.watch.events import FILTERS
from dockcaddy.errors import SettingsError
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Option

BY_NAME = {option.name: option for option in OPTIONS}
TRUTH = {"true": True, "TRUE": True, "True": True, "1": True, "t": True, "false": False, "False": False, "0": False}
PEERS_TRUTH = {
    "true": True,
    "YES": True,
    "1": True,
    "false": False,
    "no": False,
    "on": False,
    "2": False,
    " true": False,
}
DURATIONS = {
    "30s": 30.0,
    "1m30s": 90.0,
    "100ms": 0.1,
    "1h": 3600.0,
    "1.5h": 5400.0,
    "0": 0.0,
    "0s": 0.0,
    "250us": 0.00025,
}
NO_DURATION = {"soon": "expected a duration", "-1s": "expected a duration", "1 s": "expected a duration"}
PLAIN = {"a": ("a",), "a,b": ("a", "b"), " a , b ": ("a", "b")}


@frozen
class Row:
    """An option of caddy-docker-proxy. `means` and `wrong` are for flags and variables, `peers` for its own variable alone."""

    variable: str
    default: Any
    means: dict[str, Any]
    wrong: dict[str, str] = field(factory=dict)
    peers: dict[str, Any] = field(factory=dict)
    name: str = ""


OPTIONS_OF_CDP = {
    "--mode": Row(
        "CADDY_DOCKER_MODE",
        "standalone",
        {"standalone": "standalone", "controller": "controller", "server": "server"},
        {"controler": 'did you mean "controller"'},
    ),
    "--docker-sockets": Row(
        "CADDY_DOCKER_SOCKETS",
        (),
        {"unix:///a.sock": ("unix:///a.sock",), "unix:///a, tcp://b:2375": ("unix:///a", "tcp://b:2375")},
    ),
    "--docker-certs-path": Row("CADDY_DOCKER_CERTS_PATH", (), {"/certs": ("/certs",), ",/b": ("", "/b")}),
    "--docker-apis-version": Row("CADDY_DOCKER_APIS_VERSION", (), {"1.41": ("1.41",), ", 1.44": ("", "1.44")}),
    "--controller-network": Row(
        "CADDY_CONTROLLER_NETWORK", "", {"10.9.0.0/16": "10.9.0.0/16"}, {"10.9.0.0/99": "expected a network"}
    ),
    "--ingress-networks": Row("CADDY_INGRESS_NETWORKS", (), PLAIN),
    "--caddyfile-path": Row("CADDY_DOCKER_CADDYFILE_PATH", "", {"/etc/caddy/Caddyfile": "/etc/caddy/Caddyfile"}),
    "--envfile": Row("CADDY_DOCKER_ENVFILE", "", {"/run/env": "/run/env"}),
    "--label-prefix": Row(
        "CADDY_DOCKER_LABEL_PREFIX",
        "caddy",
        {"my.prefix": "my.prefix", "caddy-2": "caddy-2"},
        {"a b": "without white space", "caddy.": "without a dot at its end"},
    ),
    "--proxy-service-tasks": Row(
        "CADDY_DOCKER_PROXY_SERVICE_TASKS", True, TRUTH, {"maybe": "expected true or false"}, PEERS_TRUTH
    ),
    "--process-caddyfile": Row(
        "CADDY_DOCKER_PROCESS_CADDYFILE", True, TRUTH, {"maybe": "expected true or false"}, PEERS_TRUTH
    ),
    "--scan-stopped-containers": Row(
        "CADDY_DOCKER_SCAN_STOPPED_CONTAINERS", False, TRUTH, {"maybe": "expected true or false"}, PEERS_TRUTH
    ),
    "--polling-interval": Row("CADDY_DOCKER_POLLING_INTERVAL", 30.0, DURATIONS, NO_DURATION),
    "--event-throttle-interval": Row("CADDY_DOCKER_EVENT_THROTTLE_INTERVAL", 0.1, DURATIONS, NO_DURATION),
    "--log-level": Row(
        "CADDY_DOCKER_LOG_LEVEL",
        "info",
        {each: each.lower() for each in ("debug", "INFO", "Warn", "error", "panic", "FATAL")},
        {"loud": "expected one of debug, info"},
    ),
    "--log-format": Row(
        "CADDY_DOCKER_LOG_FORMAT", "console", {"json": "json", "CONSOLE": "console"}, {"xml": "expected one of"}
    ),
    "CADDY_ADMIN": Row(
        "CADDY_ADMIN",
        "localhost:2019",
        {
            each: each
            for each in (
                "off",
                "OFF",
                "localhost:2020",
                "tcp/localhost:2020",
                "0.0.0.0:2019",
                ":2019",
                "unix//run/a.sock",
            )
        },
        {"unix/relative": "expected a socket", "local host": "expected an address"},
        name="admin",
    ),
}
# read elsewhere: by the engine's client, or without a meaning because what it switches off is never on
OTHER_VARIABLES = frozenset(
    ("DOCKER_HOST", "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "CADDY_DOCKER_NO_SCOPE")
)
EACH = pytest.mark.parametrize("flag", OPTIONS_OF_CDP)


def option_of(flag: str) -> Option:
    return BY_NAME[OPTIONS_OF_CDP[flag].name or flag.removeprefix("--").replace("-", "_")]


def parsed(*arguments: str) -> dict[str, Any]:
    """The options of a command line, by name."""
    given: dict[str, Any] = {}

    @click.command(cls=Command)
    @settings_options()
    def command(**options: Any) -> None:
        given.update(options)

    command.main(list(arguments), standalone_mode=False)
    return {name: value for name, value in given.items() if name not in ("config", "overrides")}


def spellings() -> list[tuple[str, str, Any]]:
    return [(flag, text, value) for flag, row in OPTIONS_OF_CDP.items() for text, value in row.means.items()]


@EACH
def test_an_option_has_cdps_names_and_default(sandbox: Path, flag: str) -> None:
    row, option = OPTIONS_OF_CDP[flag], option_of(flag)
    assert (option.peer, option.default) == (row.variable, row.default)
    assert flag in (option.flag, option.peer)
    assert getattr(load({}, {}), option.name) == row.default
    assert getattr(load({}, {row.variable: ""}), option.name) == row.default


def test_no_variable_of_cdp_is_read_that_is_not_in_the_list() -> None:
    read = {option.peer for option in OPTIONS if option.peer}
    assert read - OTHER_VARIABLES == {row.variable for row in OPTIONS_OF_CDP.values()}


@pytest.mark.parametrize(("flag", "text", "value"), spellings())
def test_a_value_means_the_same_on_the_command_line_in_both_forms(
    sandbox: Path, flag: str, text: str, value: Any
) -> None:
    option = option_of(flag)
    assert getattr(load(parsed(f"{option.flag}={text}"), {}), option.name) == value
    if option.kind != "boolean" or text in ("true", "false"):
        assert getattr(load(parsed(option.flag, text), {}), option.name) == value


@pytest.mark.parametrize(("flag", "text", "value"), spellings())
def test_a_value_means_the_same_in_both_variables(sandbox: Path, flag: str, text: str, value: Any) -> None:
    option, row = option_of(flag), OPTIONS_OF_CDP[flag]
    assert getattr(load({}, {option.variable: text}), option.name) == value
    if text not in row.peers and not row.peers:
        assert getattr(load({}, {row.variable: text}), option.name) == value


@EACH
def test_truth_is_what_cdps_variables_call_so(sandbox: Path, flag: str) -> None:
    option, row = option_of(flag), OPTIONS_OF_CDP[flag]
    for text, value in row.peers.items():
        assert getattr(load({}, {row.variable: text}), option.name) is value, text
    if row.peers:
        assert getattr(load(parsed(option.flag), {}), option.name) is True
        assert getattr(load(parsed(option.flag, "--polling-interval", "1s"), {}), option.name) is True


@EACH
def test_a_wrong_value_is_an_error_that_names_its_source(sandbox: Path, flag: str) -> None:
    option, row = option_of(flag), OPTIONS_OF_CDP[flag]
    for text, told in row.wrong.items():
        with pytest.raises(SettingsError) as by_flag:
            parsed(f"{option.flag}={text}")
        assert str(by_flag.value).startswith(f"{option.flag} {text}: ") and told in str(by_flag.value)
        for variable in (option.variable, *(() if row.peers else (row.variable,))):
            with pytest.raises(SettingsError) as by_variable:
                load({}, {variable: text})
            assert str(by_variable.value).startswith(f"environment variable {variable}={text!r}: ")
            assert told in str(by_variable.value)


@EACH
def test_the_flag_beats_our_variable_which_beats_cdps_which_beats_the_file(sandbox: Path, flag: str) -> None:
    option, row = option_of(flag), OPTIONS_OF_CDP[flag]
    first, last = next(iter(row.means)), list(row.means)[-1]
    config = sandbox / "dockcaddy.toml"
    config.write_text(f"{option.name} = {first!r}")
    in_file = getattr(load({}, {}, str(config)), option.name)
    # a path in a file is relative to it
    assert in_file == row.means[first] or option.kind == "path"
    peers_last = row.peers.get(last, row.means[last])
    assert getattr(load({}, {row.variable: last}, str(config)), option.name) == peers_last
    both = {option.variable: first, row.variable: last}
    assert getattr(load({}, both, str(config)), option.name) == row.means[first]
    assert getattr(load(parsed(f"{option.flag}={last}"), both, str(config)), option.name) == row.means[last]


def test_lists_of_flags_may_be_repeated(sandbox: Path) -> None:
    given = parsed("--ingress-networks", "a,b", "--ingress-networks", "c")
    assert load(given, {}).ingress_networks == ("a", "b", "c")


def test_a_switch_leaves_the_next_option_alone(sandbox: Path) -> None:
    settings = load(parsed("--scan-stopped-containers", "--process-caddyfile=0", "--proxy-service-tasks=false"), {})
    assert settings.scan_stopped_containers is True
    assert (settings.process_caddyfile, settings.proxy_service_tasks) == (False, False)


def test_no_scope_is_asked_for_so_that_there_is_none_to_switch_off() -> None:
    assert "scope" not in FILTERS
