"""Every idiom's golden pairs, each accepted by the real Caddy, and each idiom's switch."""

import json
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from dockcaddy import plugins
from dockcaddy.admission.rules import admitted
from dockcaddy.compile.rendering import Renderer, ResourceContext
from dockcaddy.errors import SettingsError
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.plugins.registry import Registry
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.table import Settings
from dockcaddy_idioms import IDIOMS, IdiomSettings
from dockcaddy_policy import PolicySettings
from golden import Golden
from work import grows_evenly

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*/*.labels.json"))
# what Caddy's documentation shows of each directive that an idiom is about, and names that are data elsewhere
DOCUMENTED = json.loads((Path(__file__).parent / "documented.json").read_text())


@lru_cache
def loaded() -> Registry:
    return plugins.load()


def rendered(labels: dict[str, str], *off: str) -> str:
    registry = loaded()
    resource = Resource("container", "1", "c", labels=labels, running=True)
    sections = {IdiomSettings: IdiomSettings(tuple(off)), PolicySettings: PolicySettings(trust="all")}
    context = ResourceContext(resource, EngineInventory("local"), registry, sections, Inventory())
    fragment = admitted(Renderer(registry, "caddy").render(context), context)
    assert not fragment.problems
    return fragment.content


def case_id(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.labels.json')}"


@pytest.mark.parametrize("path", CASES, ids=case_id)
def test_the_labels_become_the_caddyfile_beside_them(path: Path, golden: Golden) -> None:
    golden(path.with_name(path.name.replace(".labels.json", ".caddyfile")), rendered(json.loads(path.read_text())))


def test_the_real_caddy_accepts_every_golden_caddyfile(caddy: str, tmp_path: Path) -> None:
    text = "".join(
        path.read_text().replace("example.org", f"site{number}.example.org", 1)
        for number, path in enumerate(sorted(GOLDEN.glob("*/*.caddyfile")))
    )
    (tmp_path / "Caddyfile").write_text(text)
    command = [caddy, "adapt", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("idiom", [idiom.name for idiom in IDIOMS])
def test_an_idiom_that_is_off_changes_nothing(idiom: str) -> None:
    changed = [
        path
        for path in CASES
        if path.parent.name == idiom
        and rendered(json.loads(path.read_text())) != rendered(json.loads(path.read_text()), idiom)
    ]
    assert changed, f"no golden pair shows what {idiom} does"
    everything_off = [each.name for each in IDIOMS]
    for path in changed:
        labels = json.loads(path.read_text())
        alone = [name for name in everything_off if name != idiom]
        assert rendered(labels, *everything_off) != rendered(labels, *alone)


@pytest.mark.parametrize("path", [path for path in CASES if "stay" in path.name], ids=case_id)
def test_what_is_right_already_is_left_alone(path: Path) -> None:
    labels = json.loads(path.read_text())
    assert rendered(labels) == rendered(labels, *(idiom.name for idiom in IDIOMS))


@pytest.mark.parametrize("labels", DOCUMENTED, ids=[str(at) for at, _ in enumerate(DOCUMENTED)])
def test_what_caddy_documents_stays_byte_for_byte(labels: dict[str, str]) -> None:
    labels = {key: value for key, value in {"caddy": "example.org", **labels}.items() if key != "caddy" or value}
    assert rendered(labels) == rendered(labels, *(idiom.name for idiom in IDIOMS))


def test_the_real_caddy_takes_what_stays(caddy: str, tmp_path: Path) -> None:
    sites = [{"caddy": f"site{at}.example.org", **labels} for at, labels in enumerate(DOCUMENTED)]
    text = "".join(rendered(labels) for labels in sites if "(" not in labels["caddy"] and labels["caddy"])
    (tmp_path / "Caddyfile").write_text(text)
    command = [caddy, "adapt", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_composes_doubled_dollars_are_left_as_compose_left_them() -> None:
    labels = {"caddy": "example.org", "caddy.respond": "$2a$14$x $HOME"}
    assert "$2a$14$x $HOME" in rendered(labels)


def test_an_unknown_idiom_is_told_with_the_nearest() -> None:
    settings = Settings(sections={"idioms": {"off": ["respond-statsu"]}}, source="dockcaddy.toml")
    with pytest.raises(SettingsError, match='no idiom "respond-statsu", did you mean "respond-status"'):
        load_sections(settings, plugins.load().sections, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [("caddy.handle_{}.file_server", "off"), ("caddy.{}_forward_auth", "http://auth/{}")],
    ids=["switch", "forward-auth-path"],
)
def test_each_more_label_is_no_more_work_than_the_one_before(key: str, value: str) -> None:
    def render(size: int) -> Callable[[], object]:
        labels = {key.format(number): value.format(number) for number in range(size)}
        return lambda: rendered({"caddy": "example.org", **labels})

    assert grows_evenly(render, 50)
