"""The page: what it shows, to whom, and without JavaScript."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from dockcaddy.model import Unserved
from dockcaddy_status.page import KEPT, Pages
from observed import EPOCH, Observed
from ports import free_port
from status_server import Served, served

ROOT = Path(__file__).parents[2]
WEB = {"caddy": "http://web.test", "caddy.@api.path": "/api/*", "caddy.respond": "@api x"}


def text(site: Served, path: str) -> str:
    answer = site.get(path)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    return answer.body.decode()


def test_what_is_wrong_comes_first_with_its_remedy(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.put("blog", {"caddy": "blog.test", "caddy.reverse_proxy": "{{upstream 80}}"})
    world.turn()
    page = text(site, "/")
    assert page.index("did you mean") < page.index('id="sites"')
    assert "InvalidLabels" in page and 'href="site?name=blog.test"' in page


def test_that_an_earlier_version_is_served_is_a_problem_whoever_has_the_same_one(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.put("wiki", {"caddy": "wiki.test", "caddy.bogus": "x"})
    world.turn()
    world.put("web", {**WEB, "caddy.bogus": "x"})
    world.turn()
    problems = text(site, "/").partition('id="sites"')[0]
    assert "LastKnownGood" in problems and "is served instead" in problems
    assert 'href="site?name=http%3A%2F%2Fweb.test"' in problems


def test_a_caddy_that_does_not_answer_is_said_once_for_all_of_it(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    world.caddy.down = True
    world.put("other", {"caddy": "http://other.test", "caddy.respond": "x"})
    world.turn()
    page = text(site, "/")
    assert "DoesNotAnswer" in page and "CaddyUnreachable" in page and "output admin" not in page


def test_without_problems_it_says_so(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    assert "No problems" in text(site, "/")


def test_a_site_has_its_steps_with_their_labels(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.put("other", {"caddy": "http://web.test2", "caddy.respond": "no"})
    world.turn()
    page = text(site, "/site?name=http%3A%2F%2Fweb.test")
    assert page.index("path /api/*") < page.index("respond @api x") and "container web: caddy.respond" in page
    assert "respond no" not in page


def test_a_site_says_what_it_is_served_without(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.put("new", {"caddy": "http://web.test", "caddy.bogus": "x"})
    world.turn()
    page = text(site, "/site?name=http%3A%2F%2Fweb.test")
    assert "without container new" in page and "RefusedByCaddy" in page and "unrecognized directive: bogus" in page


def test_a_site_that_does_not_exist(world: Observed, site: Served) -> None:
    world.turn()
    assert site.get("/site?name=nobody.test").status == site.get("/site").status == 404


def test_a_container_without_a_site_says_why(world: Observed, site: Served) -> None:
    world.engine.unserved = (Unserved("container", "db", "db", "NoLabels"),)
    world.turn()
    page = text(site, "/containers")
    assert "NoLabels" in page and "add caddy:" in page


def test_each_line_has_its_label(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    page = text(site, "/caddyfile")
    assert "respond @api x" in page and "container web: caddy.respond" in page
    assert "respond @api x" not in text(site, "/caddyfile?q=nothing+like+it")


def test_events_are_there_the_latest_first(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    world.put("web", {**WEB, "caddy.bogus": "x"})
    world.turn()
    page = text(site, "/history")
    assert 0 < page.index("LastKnownGood") < page.index("SiteUp")


@pytest.mark.parametrize("path", ["/", "/containers", "/history", "/caddyfile", "/site?name=http%3A%2F%2Fevil.test"])
def test_nothing_of_a_label_is_markup(world: Observed, site: Served, path: str) -> None:
    attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    world.put(attack, {"caddy": "http://evil.test", "caddy.respond": attack, f"caddy.{attack}": "x"})
    world.put("too", {"caddy": "http://evil2.test", "caddy.respond": attack})
    world.turn()
    answer = site.get(path)
    assert b"<script>alert" not in answer.body and b"<img" not in answer.body
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]


def test_many_sites_come_in_parts_and_are_searched_for(world: Observed, site: Served) -> None:
    for number in range(120):
        world.put(f"web-{number}", {"caddy": f"http://{number:03}.test", "caddy.respond": "x"})
    world.turn()
    assert text(site, "/").count('class="row"') == 50
    last = text(site, "/?part=3")
    assert last.count('class="row"') == 20 and "119.test" in last and 'rel="next"' not in last
    # what nobody offers is the nearest that there is
    assert text(site, "/?part=99").count('class="row"') == 20
    assert text(site, "/?part=x").count('class="row"') == 50
    assert text(site, "/?q=WEB-17").count('class="row"') == 1
    assert "Nothing matches" in text(site, "/?only=wrong")


def test_a_page_is_made_once_for_each_change(world: Observed, site: Served) -> None:
    world.put("web", WEB)
    world.turn()
    tag = site.get("/").headers["etag"]
    assert site.get("/", headers={"If-None-Match": tag}).status == 304
    world.put("other", {"caddy": "http://other.test", "caddy.respond": "x"})
    world.turn()
    assert site.get("/", headers={"If-None-Match": tag}).status == 200


def test_few_pages_are_kept_whatever_is_asked_for(world: Observed, site: Served) -> None:
    pages = Pages(world.keeper, lambda: EPOCH)
    for number in range(3 * KEPT):
        pages._keep((str(number), None), ("", b""))  # type: ignore[arg-type]
    assert len(pages._made) == KEPT


def test_a_port_without_a_token_shows_no_directives(world: Observed, tmp_path: Path) -> None:
    world.put("web", WEB)
    world.turn()
    with served(world.keeper, tmp_path, free_port()) as site:
        assert site.get_tcp("/caddyfile").status == 403
        page = site.get_tcp("/site?name=http%3A%2F%2Fweb.test")
        assert page.status == 200 and b"respond" not in page.body and b"Shown with a token" in page.body
        # what the socket was given is not given to the port
        assert b"respond" in site.get("/site?name=http%3A%2F%2Fweb.test").body
        assert b"respond" not in site.get_tcp("/site?name=http%3A%2F%2Fweb.test").body


def test_files_are_served_and_only_these(site: Served) -> None:
    assert site.get("/static/page.css").headers["content-type"].startswith("text/css")
    assert "javascript" in site.get("/static/page.js").headers["content-type"]
    for path in ("/static/../page.py", "/static/%2e%2e/page.py", "/static/", "/static/../templates/base.html"):
        assert site.get(path).status == 404


@pytest.mark.process
def test_the_wheel_has_templates_and_files(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    folder = ROOT / "plugins/status/dockcaddy_status"
    for each in (*folder.glob("templates/*"), *folder.glob("static/*")):
        assert f"dockcaddy_status/{each.relative_to(folder)}" in names
