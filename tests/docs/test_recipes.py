"""The recipes: what becomes of their labels is what the page shows below them, and Caddy accepts it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Call, dockcaddy
from golden import Golden
from snapshots import snapshot_of

__all__ = ["dockcaddy"]

PROJECT = Path(__file__).parent.parent.parent
PAGES = sorted([*PROJECT.glob("docs/how-to/*.md"), *PROJECT.glob("docs/migrating-from-*.md")])
# what labels become stands below each Compose file that has some
LABELLED = re.compile(r"```yaml\nservices:\n(?:(?!```).*\n)*? +caddy[\w.]*: ")
RECIPE = re.compile(
    r"^## (?P<heading>[^\n]+)$|^```yaml\n(?P<compose>services:\n(?:(?!```)[^\n]*\n)*)```\n+```caddyfile\n(?P<shown>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# where this Caddy has no such module, the message names the repository
MODULE = re.compile(r"\b(github\.com/[\w./-]+)\n")
LABEL = re.compile(r"`(caddy(?:_\d+)?(?:\.[^`: ]+)*): ([^`]*)`")


def recipes(page: Path) -> list[Any]:
    """The Compose files of a page with the Caddyfiles below them, named like their sections."""
    found, heading = [], ""
    for each in RECIPE.finditer(page.read_text(encoding="utf-8")):
        heading = each["heading"] or heading
        if each["compose"]:
            found.append(pytest.param(page, each["compose"], each["shown"], id=f"{page.stem}: {heading}"))
    return found


def labels_of(compose: str) -> dict[str, dict[str, str]]:
    """The labels of each service, as Compose gives them to its containers."""
    services = yaml.safe_load(compose)["services"]
    return {
        name: {key: str(value).replace("$$", "$") for key, value in service.get("labels", {}).items()}
        for name, service in services.items()
    }


@pytest.mark.parametrize(("page", "compose", "shown"), [each for page in PAGES for each in recipes(page)])
def test_the_labels_become_what_is_shown(page: Path, compose: str, shown: str, dockcaddy: Call, golden: Golden) -> None:
    snapshot = json.dumps(snapshot_of(labels_of(compose)))
    # the labels of the proxy's own container are the operator's
    arguments = ("render", "--strict", "--inventory", "-", "--caddy-container", "caddy")
    done = dockcaddy(*arguments, given=snapshot)
    if (missing := MODULE.search(done.err)) and missing[1] in page.read_text(encoding="utf-8"):
        # the page says how to add it
        done = dockcaddy(*arguments, "--raw", given=snapshot)
    assert (done.status, done.err) == (0, "")
    if golden.update:
        text = page.read_text(encoding="utf-8")
        page.write_text(
            text.replace(f"{compose}```\n\n```caddyfile\n{shown}```", f"{compose}```\n\n```caddyfile\n{done.out}```")
        )
        return
    assert done.out == shown


def test_every_compose_file_of_a_recipe_shows_what_becomes_of_it() -> None:
    for page in PAGES:
        assert len(LABELLED.findall(page.read_text())) == len(recipes(page)), page.name


def rows(page: Path) -> list[Any]:
    """The labels in the last cell of each row of a page's tables, named by the first cell."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |"))
        labels = dict(LABEL.findall(cells[-1])) if line.startswith("| ") else {}
        if labels:
            # a global option has no site
            labels = labels if "on the proxy's container" in line else {"caddy": "app.example.org", **labels}
            found.append(pytest.param(labels, id=f"{page.stem}: {cells[0]}"))
    return found


@pytest.mark.parametrize("labels", [each for page in PAGES for each in rows(page)])
def test_caddy_accepts_the_labels_of_a_table(labels: dict[str, str], dockcaddy: Call) -> None:
    if list(labels) == ["caddy"]:
        labels = {**labels, "caddy.reverse_proxy": "{{upstreams 8000}}"}
    done = dockcaddy(
        "check", "--inventory", "-", "--caddy-container", "app", given=json.dumps(snapshot_of({"app": labels}))
    )
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(
    "compose", [each.values[1] for each in recipes(PROJECT / "docs/how-to/login.md") if "(login)" in each.values[1]]
)
def test_without_the_login_service_an_application_is_not_served(compose: str, dockcaddy: Call) -> None:
    labels = {name: each for name, each in labels_of(compose).items() if name == "app"}
    done = dockcaddy("render", "--inventory", "-", given=json.dumps(snapshot_of(labels)))
    assert "app.example.org" not in done.out and "label caddy.import" in done.err
