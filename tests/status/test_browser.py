"""The page in a real Chromium: on phones and desktops, light and dark, with few and many sites."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import observed
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium
from dockcaddy import plugins
from dockcaddy.reconcile.pipeline import Pipeline
from golden import updating
from observed import Observed
from playwright.sync_api import Browser, Page, expect, sync_playwright
from ports import free_port
from status_server import served

pytestmark = [pytest.mark.browser, pytest.mark.process]

PICTURES = Path(__file__).parents[2] / "docs/pictures"
PATHS = ("", "site?name=app0.example.org", "containers", "certificates", "history", "caddyfile")
SIZES = [(390, 844), (1440, 900)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield made
        made.close()


def _served(count: int, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Observed, int]]:
    # all has been there for two hours: the clock of the world starts at 1,000
    patch.setattr(observed, "EPOCH", time.time() - 1_000 - 7_300)
    world = Observed.make()
    world.reconciler.pipeline = Pipeline(plugins.load())
    world.fill(count)
    number = free_port()
    with served(world.keeper, folder, number, "secret"):
        yield world, number


@pytest.fixture(scope="module", params=[3, 300, 3_000])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the page of so many sites is; nothing changes there."""
    with pytest.MonkeyPatch.context() as patch:
        for _, number in _served(request.param, tmp_path_factory.mktemp("status"), patch):
            yield number


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Observed, int]]:
    """A world with eight sites, and where its page is."""
    yield from _served(8, tmp_path, monkeypatch)


def opened(browser: Browser, port: int, path: str = "", **options: Any) -> Page:
    """A page, in which no script may fail and nothing may be blocked."""
    login = {"username": "", "password": "secret"}
    page = browser.new_context(http_credentials=login, **options).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"{path}: {error}"))
    page.on("console", lambda said: said.type == "error" and pytest.fail(f"{path}: {said.text}"))
    page.goto(f"http://127.0.0.1:{port}/{path}")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["phone", "desktop"])
def test_everybody_can_use_it(browser: Browser, port: int, size: tuple[int, int], scheme: str) -> None:
    viewport = {"width": size[0], "height": size[1]}
    page = opened(browser, port, viewport=viewport, color_scheme=scheme)
    for path in PATHS:
        page.goto(f"http://127.0.0.1:{port}/{path}")
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] != "minor"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], f"{path} is wider than the screen"
    page.context.close()


def test_few_things_are_shown_of_many(browser: Browser, port: int) -> None:
    page = opened(browser, port)
    assert page.locator("[data-live=sites] .row").count() <= 50
    assert page.evaluate("document.getElementsByTagName('*').length") < 3_000
    page.context.close()


def test_changes_come_by_themselves_and_the_focus_stays(browser: Browser, changing: tuple[Observed, int]) -> None:
    world, port = changing
    page = opened(browser, port)
    expect(page.locator("#live")).to_have_text("live")
    page.get_by_label("Search sites").fill("half a wo")
    world.put("new-1", {"caddy": "new.example.org", "caddy.respond": "x"})
    world.turn()
    expect(page.get_by_role("link", name="new.example.org", exact=True)).to_be_visible()
    expect(page.get_by_label("Search sites")).to_have_value("half a wo")
    expect(page.get_by_label("Search sites")).to_be_focused()
    link = page.get_by_role("link", name="new.example.org", exact=True)
    link.focus()
    world.change("shop-1", health="healthy")
    world.turn()
    expect(page.locator(".troubles").get_by_text("shop.example.org")).to_have_count(0)
    expect(link).to_be_focused()
    page.context.close()


def test_changes_without_an_end_are_shown_too(browser: Browser, changing: tuple[Observed, int]) -> None:
    _, port = changing
    page = opened(browser, port)
    expect(page.locator("#live")).to_have_text("live")
    page.clock.install()
    # from here on its time only passes below
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.wait_for_function("() => !isAsking", polling=10)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):
        page.evaluate("later()")
        page.clock.run_for(100)
        # its answer comes in the time of the machine, however busy that is
        page.wait_for_function("() => !isAsking", polling=10)
    assert 3 < len(asked) < 10
    page.context.close()


@pytest.mark.parametrize("port", [300], indirect=True)
def test_it_works_without_javascript(browser: Browser, port: int) -> None:
    page = opened(browser, port, java_script_enabled=False)
    page.get_by_label("Search sites").fill("app12")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".row").count() == 11
    page.get_by_role("link", name="app12.example.org", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("app12.example.org")
    expect(page.locator(".flow")).to_contain_text("reverse_proxy")
    page.go_back()
    page.get_by_role("link", name="Sites", exact=True).click()
    page.get_by_role("link", name="next").click()
    expect(page.locator("[data-live=sites] .count")).to_contain_text("part 2 of")
    page.context.close()


def test_the_keyboard_reaches_everything(browser: Browser, changing: tuple[Observed, int]) -> None:
    _, port = changing
    page = opened(browser, port)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.name"))
    wanted = page.evaluate(
        "[...document.querySelectorAll('main a, main input')].map(e => e.getAttribute('href') || e.name)"
    )
    assert reached.issuperset(wanted)
    page.goto(f"http://127.0.0.1:{port}/caddyfile")
    line = page.locator(".listing li").first
    line.focus()
    expect(line.locator(".origin")).to_have_css("opacity", "1")
    page.context.close()


def test_nothing_of_a_label_runs(browser: Browser, changing: tuple[Observed, int]) -> None:
    world, port = changing
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    world.put(attack, {"caddy": "http://evil.test", "caddy.respond": attack})
    world.put("evil", {"caddy": "http://evil2.test", f"caddy.{attack}": attack})
    world.turn()
    for path in (*PATHS, "site?name=http%3A%2F%2Fevil.test", f"?q={attack}"):
        page = opened(browser, port, path)
        page.wait_for_load_state()
        assert "owned" not in page.title()
        page.context.close()


def test_pictures_of_the_docs(
    browser: Browser, changing: tuple[Observed, int], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    _, port = changing
    folder = PICTURES if updating(pytestconfig) else tmp_path
    for name, path, size, scheme in (
        ("status-light.png", "", (1100, 760), "light"),
        ("status-phone-dark.png", "", (390, 760), "dark"),
        ("status-site.png", "site?name=app0.example.org", (1100, 760), "light"),
    ):
        page = opened(browser, port, path, viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        expect(page.locator("#live")).to_have_text("live")
        page.screenshot(path=folder / name)
        assert (folder / name).stat().st_size > 10_000
        page.context.close()
