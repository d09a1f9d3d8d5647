"""Which container we run in: by what the kernel says of a process in Docker, Podman, rootless ones, and on a host."""

from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from dockcaddy.engine import Connection
from dockcaddy.engine.reach.own_addresses import own_addresses
from dockcaddy.engine.reach.own_container import OwnContainer, is_in_container, own_container_ids, own_layer
from docker.errors import NotFound

OURS, OWNERS, OTHER = "a" * 64, "b" * 64, "c" * 64
V1 = f"9:name=systemd:/docker/{OURS}\n8:pids:/docker/{OURS}\n0::/system.slice/containerd.service\n"
PRIVATE = "0::/\n"
OVERLAY = "590 500 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/d/{}/diff,workdir=/d/w\n"


def mounted(folder: str, name: str = "ours") -> str:
    """The mounts of a container whose files are in this folder of the engine."""
    files = "".join(
        f"60{n} 590 254:0 {folder}/{each} /etc/{each} rw - ext4 /dev/vda rw\n"
        for n, each in enumerate(("hosts", "resolv.conf"))
    )
    return OVERLAY.format(name) + files


def machine(root: Path, mountinfo: str, cgroup: str = PRIVATE, *files: str) -> Path:
    for path, text in (
        ("proc/self/mountinfo", mountinfo),
        ("proc/self/cgroup", cgroup),
        *((each, "") for each in files),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


DOCKER = f"/var/lib/docker/containers/{OURS}"
HOSTS_OWN = f"700 30 0:52 /var/lib/docker/containers/{OTHER}/mounts/shm /var/lib/docker/containers/{OTHER}/mounts/shm rw - tmpfs shm rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "found"),
    [
        (mounted(DOCKER), V1, [OURS, OURS]),
        (mounted(DOCKER), PRIVATE, [OURS]),
        (mounted(f"/home/u/.local/share/docker/containers/{OURS}"), "0::/user.slice/user-1000.slice\n", [OURS]),
        (mounted(f"/containers/storage/overlay-containers/{OURS}/userdata"), PRIVATE, [OURS]),
        (mounted("/x"), f"0::/user.slice/user-1000.slice/libpod-{OURS}.scope/container\n", [OURS]),
        (mounted("/x"), f"0::/system.slice/docker-{OURS}.scope\n", [OURS]),
        (mounted(f"/var/lib/docker/containers/{OWNERS}"), V1, [OURS, OWNERS]),
        (mounted("/x") + HOSTS_OWN, "0::/user.slice/session-1.scope\n", []),
        ("", "", []),
    ],
    ids=["docker-v1", "docker-v2", "rootless-docker", "podman", "podman-scope", "systemd-scope", "side-car", "host", "nothing"],
)  # fmt: skip
def test_the_ids_that_may_be_ours(tmp_path: Path, mountinfo: str, cgroup: str, found: list[str]) -> None:
    assert list(own_container_ids(machine(tmp_path, mountinfo, cgroup))) == found


@pytest.mark.parametrize("file", [".dockerenv", "run/.containerenv"])
@pytest.mark.parametrize(
    ("mountinfo", "host_name", "found"),
    [
        (mounted(DOCKER), "0123456789ab", [OURS]),
        (mounted("/x"), "0123456789ab", ["0123456789ab"]),
        (mounted("/x"), "caddy", []),
    ],
    ids=["an id is known", "the beginning of an id", "a name"],
)
def test_a_host_name_counts_only_where_nothing_else_names_us(
    tmp_path: Path, file: str, mountinfo: str, host_name: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host_name)
    root = machine(tmp_path, mountinfo, PRIVATE, file)
    assert list(own_container_ids(root)) == found
    assert is_in_container(root)


def test_a_host_is_no_container(tmp_path: Path) -> None:
    assert not is_in_container(machine(tmp_path, HOSTS_OWN))


def test_a_container_of_another_engine_that_is_named_as_our_id_begins_is_not_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_container_ids", lambda: ["0123456789ab"])

    class Named(Client):
        def inspect_container(self, id: str) -> dict[str, Any]:
            return {"Id": OTHER, "Name": f"/{id}"}

    assert OwnContainer(Connection("unix:///nowhere.sock", client=Named())).ask() is None


FIB = """Main:
  +-- 0.0.0.0/0 3 0 4
     +-- 172.16.0.0/12 5 0 18
           |-- 172.17.0.0
              /16 link UNICAST
           |-- 172.17.0.1
              /32 host LOCAL
           |-- 172.17.255.255
              /32 link BROADCAST
"""


def test_the_addresses_of_our_network_namespace(tmp_path: Path) -> None:
    assert own_addresses(tmp_path) is None
    root = machine(tmp_path, "")
    (root / "proc/net").mkdir()
    (root / "proc/net/fib_trie").write_text(FIB)
    assert own_addresses(root) == {"172.17.0.1"}
    (root / "proc/net/if_inet6").write_text(
        "fe800000000000000000000000000001 04 40 20 80     eth0\nfd000000000000000000000000000002 04 40 00 82     eth0\n"
    )
    assert own_addresses(root) == {"172.17.0.1", "fd00::2"}


def test_the_layer_of_files(tmp_path: Path) -> None:
    assert own_layer(machine(tmp_path / "container", mounted(DOCKER))) == "/d/ours/diff"
    assert own_layer(machine(tmp_path / "host", "25 1 254:0 / / rw - ext4 /dev/vda rw\n")) == ""
    assert own_layer(tmp_path / "nothing") == ""


@define
class Client:
    """An engine with these containers, by id: the mode of each, and its layer."""

    there: dict[str, tuple[str, str]] = field(factory=dict)
    lists: int = 0

    def inspect_container(self, id: str) -> dict[str, Any]:
        if id not in self.there:
            raise NotFound("no such container")
        mode, layer = self.there[id]
        return {"Id": id, "HostConfig": {"NetworkMode": mode}, "GraphDriver": {"Data": {"UpperDir": layer}}}

    def containers(self) -> list[dict[str, Any]]:
        self.lists += 1
        return [{"Id": id, "HostConfig": {"NetworkMode": mode}} for id, (mode, _) in self.there.items()]


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({OURS: (f"container:{OWNERS}", "/d/ours"), OWNERS: ("web", "/d/owners")}, OURS),
        ({OTHER: (f"container:{OWNERS}", "/d/other"), OWNERS: ("web", "/d/owners")}, OWNERS),
        ({OTHER: (f"container:{OWNERS}", "/d/other"), OWNERS: ("web", "/d/ours")}, OWNERS),
        ({OTHER: (f"container:{OWNERS}", "/d/other"), OWNERS: ("web", "")}, OWNERS),
        ({OTHER: ("web", "/d/ours")}, None),
    ],
    ids=["ours-uses-it", "another-uses-it", "it-is-ours", "unknown", "another-engine"],
)
def test_which_of_those_that_have_one_network(
    there: dict[str, tuple[str, str]], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_container_ids", lambda: [OWNERS])
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_layer", lambda: "/d/ours")
    asked = OwnContainer(Connection("unix:///nowhere.sock", client=Client(there))).ask()
    assert (asked and asked["Id"]) == found


def test_our_own_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_container_ids", lambda: [OWNERS])
    monkeypatch.setattr("dockcaddy.engine.reach.own_container.own_layer", lambda: "/d/ours")
    client = Client({OWNERS: ("web", "/d/owners")})
    own = OwnContainer(Connection("unix:///nowhere.sock", client=client))
    # a list that does not have it yet
    own.take(own.ask())
    client.there[OURS] = (f"container:{OWNERS}", "/d/ours")
    own.take(own.ask())
    lists = client.lists
    own.take(own.ask())
    assert own.has_id(OURS) and client.lists == lists
