"""The table of options: what a text, a TOML value and caddy-docker-proxy's variable become."""

from pathlib import Path

import pytest
from attrs import field, frozen
from dockcaddy.errors import SettingsError
from dockcaddy.hookspecs import SettingsSection
from dockcaddy.settings.pages import option_table
from dockcaddy.settings.sources import load
from dockcaddy.settings.table import OPTIONS, Settings

# caddy-docker-proxy's flags, its variables and the value each has when nothing is set
PEERS = {
    "mode": ("CADDY_DOCKER_MODE", "standalone"),
    "docker_sockets": ("CADDY_DOCKER_SOCKETS", ()),
    "docker_certs_path": ("CADDY_DOCKER_CERTS_PATH", ()),
    "docker_apis_version": ("CADDY_DOCKER_APIS_VERSION", ()),
    "controller_network": ("CADDY_CONTROLLER_NETWORK", ""),
    "ingress_networks": ("CADDY_INGRESS_NETWORKS", ()),
    "caddyfile_path": ("CADDY_DOCKER_CADDYFILE_PATH", ""),
    "envfile": ("CADDY_DOCKER_ENVFILE", ""),
    "label_prefix": ("CADDY_DOCKER_LABEL_PREFIX", "caddy"),
    "proxy_service_tasks": ("CADDY_DOCKER_PROXY_SERVICE_TASKS", True),
    "process_caddyfile": ("CADDY_DOCKER_PROCESS_CADDYFILE", True),
    "scan_stopped_containers": ("CADDY_DOCKER_SCAN_STOPPED_CONTAINERS", False),
    "polling_interval": ("CADDY_DOCKER_POLLING_INTERVAL", 30.0),
    "event_throttle_interval": ("CADDY_DOCKER_EVENT_THROTTLE_INTERVAL", 0.1),
    "log_level": ("CADDY_DOCKER_LOG_LEVEL", "info"),
    "log_format": ("CADDY_DOCKER_LOG_FORMAT", "console"),
    "admin": ("CADDY_ADMIN", "localhost:2019"),
}
TEXT_OF = {
    "text": "x",
    "path": "x",
    "boolean": "true",
    "duration": "7s",
    "list": "x",
    "aligned": "x",
    "paths": "x",
    "port": "8080",
}
# what not any text is
TEXTS = {
    "constraint": "Name(`x`)",
    "controller_network": "10.9.0.0/16",
    "docker_reach": "ports=nas",
    "resolver": "[::1]:5353",
    "status_listen": "127.0.0.1:8090",
}


def a_text_for(name: str) -> str:
    option = next(option for option in OPTIONS if option.name == name)
    if option.name in TEXTS:
        return TEXTS[option.name]
    return option.choices[-1] if option.choices else TEXT_OF[option.kind]


@pytest.mark.parametrize("name", PEERS)
def test_the_peers_variable_sets_the_option_of_the_same_name(sandbox: Path, name: str) -> None:
    variable, default = PEERS[name]
    assert getattr(load({}, {}), name) == default
    text = a_text_for(name)
    assert getattr(load({}, {variable: text}), name) == getattr(load({}, {f"DOCKCADDY_{name.upper()}": text}), name)


def test_every_option_can_be_set_by_its_own_variable(sandbox: Path) -> None:
    for option in OPTIONS:
        text = a_text_for(option.name)
        assert getattr(load({}, {option.variable: text}), option.name) == option.parse(text)


def test_an_own_variable_with_a_bad_truth_value_is_refused_though_the_peers_is_false(sandbox: Path) -> None:
    assert load({}, {"CADDY_DOCKER_PROXY_SERVICE_TASKS": "perhaps"}).proxy_service_tasks is False
    with pytest.raises(SettingsError, match="DOCKCADDY_PROXY_SERVICE_TASKS='perhaps': expected true or false"):
        load({}, {"DOCKCADDY_PROXY_SERVICE_TASKS": "perhaps"})


@pytest.mark.parametrize("variable", ["DOCKCADDY_LOG_LEVEL", "CADDY_DOCKER_LOG_LEVEL"])
def test_words_are_read_in_any_case(sandbox: Path, variable: str) -> None:
    assert load({}, {variable: "WARN"}).log_level == "warn"


def test_an_unknown_mode_is_refused_with_the_nearest(sandbox: Path) -> None:
    with pytest.raises(SettingsError, match=r'CADDY_DOCKER_MODE=.*did you mean "controller"'):
        load({}, {"CADDY_DOCKER_MODE": "controler"})


@pytest.mark.parametrize("text", ["localhost:53", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:dns"])
def test_a_resolver_is_an_address_and_a_port(sandbox: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="expected an address and a port"):
        load({}, {"DOCKCADDY_RESOLVER": text})


@pytest.mark.parametrize("text", ["10.0.0", "10.0.0.0/33", "frontend"])
def test_a_network_that_is_none_is_refused_instead_of_widening_who_is_configured(sandbox: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"CADDY_CONTROLLER_NETWORK=.*expected a network"):
        load({}, {"CADDY_CONTROLLER_NETWORK": text})


def test_an_empty_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be empty"):
        next(option for option in OPTIONS if option.name == "label_prefix").parse(" ")


def test_lists_that_belong_to_sockets_keep_their_places(sandbox: Path) -> None:
    settings = load({}, {"CADDY_DOCKER_SOCKETS": "a,b,c", "CADDY_DOCKER_CERTS_PATH": " ,/certs, "})
    assert settings.docker_certs_path == ("", "/certs")


def test_other_lists_have_no_empty_items(sandbox: Path) -> None:
    assert load({}, {"CADDY_INGRESS_NETWORKS": " a, ,b,"}).ingress_networks == ("a", "b")


@pytest.mark.parametrize("value", ["-5", "nan", "inf", "1e300"])
def test_a_number_that_is_no_duration_is_refused(tmp_path: Path, value: str) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text(f"polling_interval = {value}")
    with pytest.raises(SettingsError, match=r"polling_interval = .*expected a duration"):
        load({}, {}, str(config))


@pytest.mark.parametrize("spelled", ["label_prefix", "label-prefix"])
def test_a_files_keys_are_spelled_with_either_sign(tmp_path: Path, spelled: str) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text(f'{spelled} = "web"')
    assert load({}, {}, str(config)).label_prefix == "web"


def test_a_key_given_twice_in_two_spellings_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text('label_prefix = "a"\nlabel-prefix = "b"')
    with pytest.raises(SettingsError, match="label_prefix is given twice"):
        load({}, {}, str(config))


def test_a_files_types_are_toml_types(tmp_path: Path) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text(
        'ingress_networks = ["a", "b"]\npolling_interval = 5\nevent_throttle_interval = "1s"\n'
        'proxy_service_tasks = false\noutputs = ["json=/x"]\n[labels]\nsuffix_names = true'
    )
    settings = load({}, {}, str(config))
    assert settings.ingress_networks == ("a", "b")
    assert (settings.polling_interval, settings.event_throttle_interval) == (5.0, 1.0)
    assert (settings.proxy_service_tasks, settings.suffix_names) == (False, True)
    assert settings.output == ("json=/x",)


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text('plugins = ["./site.py", "/abs.py"]\ncaddyfile_path = "Caddyfile"\nlabel_prefix = "x"')
    settings = load({}, {}, str(config))
    assert settings.plugin == (str(tmp_path / "site.py"), "/abs.py")
    assert settings.caddyfile_path == str(tmp_path / "Caddyfile")
    assert settings.label_prefix == "x"


def test_the_working_folders_file_is_found_and_a_named_one_beats_it(sandbox: Path) -> None:
    (sandbox / "dockcaddy.toml").write_text('label_prefix = "found"\nplugins = ["./site.py"]')
    (sandbox / "other.toml").write_text('label_prefix = "named"')
    assert load({}, {}).label_prefix == "found"
    assert load({}, {}).plugin == ("./site.py",)
    assert load({}, {}, "other.toml").label_prefix == "named"


def test_a_named_file_that_is_missing_is_an_error(sandbox: Path) -> None:
    with pytest.raises(SettingsError, match=r"^nowhere\.toml: cannot be read: No such file or directory$"):
        load({}, {}, "nowhere.toml")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("label_prefix", "write --set SECTION.KEY=VALUE"),
        ("=x", "write --set SECTION.KEY=VALUE"),
        ("label_prefx=x", 'unknown key "label_prefx", did you mean "label_prefix"'),
        ("labels.mode=server", 'unknown key "labels.mode"'),
        ("labels.route_order=random", "expected one of caddy, alphabetical"),
    ],
)
def test_a_wrong_override_is_told(sandbox: Path, override: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, {}, "", [override])
    assert str(caught.value).startswith(f"--set {override}: ")
    assert told in str(caught.value)


def test_an_override_of_the_core_beats_every_other_source(sandbox: Path) -> None:
    overrides = ["labels.route_order=alphabetical", "polling-interval=1m"]
    settings = load({"polling_interval": 3.0}, {"DOCKCADDY_ROUTE_ORDER": "caddy"}, "", overrides)
    assert (settings.route_order, settings.polling_interval) == ("alphabetical", 60.0)


def test_the_table_shows_every_way_to_set_an_option() -> None:
    rows = option_table().splitlines()
    polling = next(row for row in rows if row.startswith("| `--polling-interval`"))
    assert "| `polling_interval` | `DOCKCADDY_POLLING_INTERVAL` | `CADDY_DOCKER_POLLING_INTERVAL` | `30s` |" in polling
    assert any("`[labels] route_order`" in row for row in rows)
    assert any("`DOCKCADDY_CONFIG`" in row for row in rows)
    assert {row.count("|") for row in rows} == {7}
    assert all(option.flag in option_table() for option in OPTIONS)


def test_the_table_may_end_with_the_plugins_settings() -> None:
    @frozen
    class Greeting:
        word: str = field(default="hello", metadata={"help": "what is said"})

    last = option_table([SettingsSection("greeting", Greeting)]).splitlines()[-1]
    assert "`[greeting] word` | `DOCKCADDY_GREETING_WORD` |" in last
    assert "`hello` | what is said" in last


def test_the_state_directory_follows_xdg(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert Settings().state_path() == Path("/state/dockcaddy")
    assert Settings(state_directory="/mine").state_path() == Path("/mine")


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0.5", 0.5), (" 30 ", 30.0), ("30s", 30.0), ("1m", 60.0)])
def test_a_bare_number_is_seconds_wherever_it_is_given(tmp_path: Path, text: str, seconds: float) -> None:
    config = tmp_path / "dockcaddy.toml"
    config.write_text(f'polling_interval = "{text}"')
    polling = next(option for option in OPTIONS if option.name == "polling_interval")
    assert polling.parse(text) == seconds
    assert load({}, {}, str(config)).polling_interval == seconds
    assert load({}, {"CADDY_DOCKER_POLLING_INTERVAL": text}, str(config)).polling_interval == seconds
    assert load({}, {}, str(config), [f"polling_interval={text}"]).polling_interval == seconds


def test_what_is_not_near_gets_no_guess_but_what_there_is(sandbox: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, {}, "", ["labels.nonsense=1"])
    assert str(caught.value).endswith('unknown key "labels.nonsense", there are route_order, suffix_names, takeovers')
