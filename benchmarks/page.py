"""How fast the status page is in a real Chromium: `python benchmarks/page.py [SITES...]`.

Needs Chromium and `pip install playwright`. The loop runs with a simulated engine and a simulated Caddy, so that only the
status, its server and the browser are measured: the page is opened for the first time after a change, then, while it is
open, one more site comes up and is refused. A change is shown when the browser has drawn it.
"""

import gc
import statistics
import sys
import tempfile
import time
from pathlib import Path

from attrs import define, field
from dockcaddy import plugins
from dockcaddy.reconcile.pipeline import Pipeline
from dockcaddy.settings import limits
from measuring import Table, free_port
from playwright.sync_api import Browser, Page, expect, sync_playwright

# measuring says where these are
# isort: split
from browser import chromium
from observed import Observed
from status_server import served

RUNS = 9
SITES = (3, 300, 3_000)
SIZES = {"390": (390, 844), "1440": (1440, 900)}
PROXY = {"caddy.reverse_proxy": "{{upstreams 8000}}"}
TIMES = """() => new Promise(done => {
    const look = () => {
        const [page] = performance.getEntriesByType("navigation");
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (!paint || !page.loadEventEnd) return requestAnimationFrame(look);
        const {responseEnd: response, decodedBodySize: size, loadEventEnd: complete} = page;
        done({response, size, complete, paint: paint.startTime});
    };
    look();
})"""
# the time when two animation frames after the change are over, in seconds since the epoch
DRAWN = """([part, text]) => new Promise(done => {
    const look = () => {
        if (!document.querySelector(`[data-live=${part}]`).textContent.includes(text)) return;
        watching.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => done((performance.timeOrigin + performance.now()) / 1000)));
    };
    const watching = new MutationObserver(look);
    watching.observe(document.querySelector("main"), {childList: true, subtree: true});
    look();
})"""


@define
class Measured:
    """A page that is opened, and the world that it shows."""

    world: Observed
    browser: Browser
    port: int
    found: dict[str, list[float]] = field(factory=dict)
    _published: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.world.keeper.subscribe(lambda update: setattr(self, "_published", time.time()))

    def run(self, number: int, size: tuple[int, int]) -> None:
        """Open the page, and change something twice."""
        self.world.put("apart", {"caddy": f"new-{number}.example.org", **PROXY})
        self.world.turn()
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]})
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(f"http://127.0.0.1:{self.port}/")
        expect(page.locator("#live")).to_have_text("live")
        metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
        for name, value in {**page.evaluate(TIMES), "cpu": metrics["TaskDuration"] * 1000}.items():
            self.found.setdefault(name, []).append(value)
        labels = {"caddy": f"a-{number}.example.org", **PROXY}
        self.change(page, "sites", labels)
        self.change(page, "problems", {**labels, "caddy.bogus": "x"})
        context.close()

    def change(self, page: Page, part: str, labels: dict[str, str]) -> None:
        """The container is another one; this part of the page shows its site after so many milliseconds."""
        page.evaluate(f"given => {{ window.drawn = ({DRAWN})(given) }}", [part, labels["caddy"]])
        self.world.put("changing", labels)
        self.world.turn()
        published = self._published
        self.found.setdefault(part, []).append((page.evaluate("window.drawn") - published) * 1000)

    def cell(self, name: str) -> str:
        """The median, with the least and the most."""
        values = self.found[name]
        return f"{statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f})"


def measure(table: Table, browser: Browser, count: int) -> None:
    """The rows of so many sites."""
    world = Observed.make()
    world.reconciler.pipeline = Pipeline(plugins.load())
    world.fill(count)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, served(world.keeper, Path(folder), port):
        for width, size in SIZES.items():
            measured = Measured(world, browser, port)
            for number in range(RUNS):
                measured.run(number, size)
            size_kb = statistics.median(measured.found["size"]) / 1000
            cells = (measured.cell(name) for name in ("cpu", "response", "paint", "complete", "sites", "problems"))
            table.row(f"{count:,}, {width}", f"{size_kb:.0f}", *cells)


def main() -> None:
    """Print the table."""
    columns = ("HTML, kB", "CPU of the tab's main thread, ms", "HTML there, ms", "first paint, ms", "complete, ms")
    table = Table(("sites, width", *columns, "one more up is shown, ms", "one refused is shown, ms"))
    # as in the program
    gc.set_threshold(limits.OBJECTS_BETWEEN_COLLECTIONS)
    counts = tuple(map(int, sys.argv[1:])) or SITES
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for count in counts:
            measure(table, browser, count)
        browser.close()


if __name__ == "__main__":
    main()
