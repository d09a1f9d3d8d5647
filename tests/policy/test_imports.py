"""Files that labels import: the path that the rules judge is the path that Caddy reads."""

import json
import subprocess
from pathlib import Path

import pytest
from dockcaddy import Proxy, plugins, testing
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import EngineInventory, Inventory
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline


def built(folder: Path, labels: dict[str, str], base: str = "") -> Configuration:
    pipeline = Pipeline(plugins.load(), proxy=Proxy(base_folder=str(folder)))
    engine = EngineInventory("local", (testing.container("web-1", labels=labels),))
    return pipeline.build(Inventory((engine,)), BaseCaddyfile(str(folder / "Caddyfile"), base))


@pytest.mark.parametrize(
    "imported", ["parts/greeting.caddy", "./parts/greeting.caddy", "parts/*.caddy", "greeting.conf"]
)
def test_a_relative_import_in_a_label_is_read_in_the_base_caddyfiles_folder(
    caddy: str, tmp_path: Path, imported: str
) -> None:
    base, elsewhere = tmp_path / "base", tmp_path / "elsewhere"
    for folder, text in ((base, "respond right"), (elsewhere, "respond wrong")):
        (folder / "parts").mkdir(parents=True)
        (folder / "parts/greeting.caddy").write_text(text)
        (folder / "greeting.conf").write_text(text)
    configuration = built(base, {"caddy": "http://example.org", "caddy.route.import": imported})
    assert not configuration.problems
    (elsewhere / "Caddyfile").write_text(configuration.text)
    command = [caddy, "adapt", "--config", "Caddyfile", "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=elsewhere)
    assert "right" in json.dumps(json.loads(done.stdout))


@pytest.mark.parametrize("imported", ["../secret", "parts/../../secret", "./../secret.conf", "state/auth.caddy"])
def test_a_relative_import_that_leads_out_of_it_is_refused(tmp_path: Path, imported: str) -> None:
    pipeline = Pipeline(plugins.load(), proxy=Proxy(folders=("/srv/base/state",), base_folder="/srv/base"))
    labels = {"caddy": "example.org", "caddy.import": imported}
    engine = EngineInventory("local", (testing.container("web-1", labels=labels),))
    assert "policy: " in str(pipeline.build(Inventory((engine,))).problems)


@pytest.mark.parametrize("name", ["common", "d14.example.com", "greeting.caddy"])
def test_the_name_of_a_snippet_stays_a_name(tmp_path: Path, name: str) -> None:
    labels = {"caddy": "example.org", "caddy.import": name, "caddy_1": f"({name})", "caddy_1.respond": "x"}
    assert f"\timport {name}\n" in built(tmp_path, labels).text
