"""What the settings say belongs to the program and its Caddy, so that no label may have it."""

from pathlib import Path

import pytest
from dockcaddy.run.proxy import proxy_of
from dockcaddy.settings.table import Settings
from policies import loaded


def test_the_files_are_those_of_the_settings_and_the_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///srv/other.sock")
    settings = Settings(
        admin="unix//run/x/caddy.sock|0200",
        docker_sockets=("unix:///srv/docker.sock", "tcp://engine:2376"),
        caddyfile_path="/etc/own/Caddyfile",
        envfile="/etc/own/../own/env",
    )
    proxy = proxy_of(settings, loaded())
    assert proxy.files == ("/etc/own/Caddyfile", "/etc/own/env", "/run/x/caddy.sock", "/srv/docker.sock")
    assert proxy.base_folder == "/etc/own"
    assert "/srv/other.sock" in proxy_of(Settings(), loaded()).files
    assert "/srv/out.json" in proxy_of(Settings(output=("admin", "json=/srv/out.json")), loaded()).files


def test_the_keys_and_the_ports_of_engines_are_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:12376")
    monkeypatch.setenv("DOCKER_CERT_PATH", "/certs/client/")
    proxy = proxy_of(Settings(), loaded())
    assert "/certs/client" in proxy.folders and proxy.engine_ports == (12376,)
    proxy = proxy_of(Settings(docker_sockets=("tcp://a:2376", "ssh://b:22"), docker_certs_path=("/a", "/b")), loaded())
    assert {"/a", "/b"} < set(proxy.folders) and proxy.engine_ports == (2376,)


@pytest.mark.parametrize(
    ("given", "port"),
    [
        (Settings(), 2019),
        (Settings(admin="unix//run/caddy.sock"), 0),
        (Settings(admin=":2020"), 2020),
        (Settings(caddy_admin=("http://[::1]:2021/",)), 2021),
    ],
)
def test_the_admin_port_is_the_one_of_the_caddy_in_use(given: Settings, port: int) -> None:
    assert proxy_of(given, loaded()).admin_port == port


def test_the_folders_are_those_where_caddy_and_the_program_keep_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    monkeypatch.setenv("HOME", "/home/op")
    folders = proxy_of(Settings(state_directory="/srv/state"), loaded()).folders
    assert {"/srv/data/caddy", "/srv/state", "/home/op/.ssh", "/home/op/.docker"} <= set(folders)
    assert all(Path(folder).is_absolute() for folder in folders)


def test_what_lies_behind_a_link_is_the_proxys_too(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    proxy = proxy_of(
        Settings(state_directory=f"{tmp_path}/link/state", admin=f"unix/{tmp_path}/link/admin.sock"), loaded()
    )
    assert {f"{tmp_path}/link/state", f"{tmp_path}/disk/state"} <= set(proxy.folders)
    assert {f"{tmp_path}/link/admin.sock", f"{tmp_path}/disk/admin.sock"} <= set(proxy.files)
