"""The document that is put together from parts is the one that Caddy makes of the whole."""

import gc
import json
import re
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import define
from canonical_json import canonical
from dockcaddy import caddyfile
from dockcaddy.caddyjson.document import Document, objects_in
from dockcaddy.caddyjson.splicing import Splicer
from dockcaddy.caddyjson.whole import Whole
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Section
from dockcaddy.merge.assembly import EMPTY
from generated_sites import generated

pytestmark = pytest.mark.process

TESTS = Path(__file__).parents[1]
Adapt = Callable[[str], bytes]


@define
class Counted:
    """Caddy's adapter, which notes what it is given."""

    adapt: Adapt
    texts: list[str]

    def __call__(self, text: str) -> bytes:
        self.texts.append(text)
        return self.adapt(text)


def parts_of(text: str) -> list[Section]:
    return [Section.of(block) for block in caddyfile.sort(caddyfile.parse(text, "test"))]


def text_of(parts: Iterable[Section]) -> str:
    return "".join(part.text for part in parts) or EMPTY


def outcome(make: Callable[[], bytes]) -> str:
    """What Caddy makes, or why it refuses; without addresses in its memory."""
    try:
        return canonical(make())
    except CaddyRefusal as refusal:
        return re.sub("0x[0-9a-f]+", "", str(refusal))


def assert_equal(splicer: Splicer, adapt: Adapt, parts: Sequence[Section]) -> None:
    text = text_of(parts)
    assert outcome(lambda: splicer.document(parts, lambda: text).encode()) == outcome(lambda: adapt(text)), text


def corpus() -> dict[str, str]:
    """Caddyfiles of people, and of the tests of labels and idioms."""
    texts = {f"labels {name}": text for name, text in json.loads(_read("labels/conformance/expected.json")).items()}
    texts |= {each["name"]: each["caddyfile"] for each in json.loads(_read("realworld/cases.json"))}
    for folder in ("labels", "idioms"):
        texts |= {
            f"{folder} {path.stem}": path.read_text() for path in (TESTS / folder / "golden").rglob("*.Caddyfile")
        }
    return texts


def _read(name: str) -> str:
    return (TESTS / name).read_text()


CORPUS = sorted(corpus().items())


@pytest.mark.parametrize("part", range(10))
def test_of_what_people_write(adapt: Adapt, part: int) -> None:
    for _, text in CORPUS[part::10]:
        assert_equal(Splicer(adapt, 0), adapt, parts_of(text))


@pytest.mark.parametrize("chunk", range(20))
def test_of_two_thousand_generated_configurations(adapt: Adapt, chunk: int) -> None:
    for seed in range(chunk * 100, chunk * 100 + 100):
        random = Random(seed)
        assert_equal(Splicer(adapt, 0), adapt, parts_of(generated(random, random.choice((2, 5, 10, 30)))))


@pytest.mark.parametrize("seed", range(10))
def test_of_a_configuration_that_changes_again_and_again(adapt: Adapt, seed: int) -> None:
    random, splicer = Random(seed), Splicer(adapt, 0)
    pool = parts_of(generated(random, 40))
    head = [part for part in pool if not caddyfile.is_site(part.block)]
    sites = [part for part in pool if caddyfile.is_site(part.block)]
    for _ in range(25):
        if random.random() < 0.3:
            changed = f"(plain) {{\nheader X-S {random.random()}\n}}\n"
            others = [part for part in parts_of(generated(random, 0)) if part.block.keys != ("(plain)",)]
            head = [*others, *parts_of(changed)]
        chosen = {*random.sample(sites, random.randrange(len(sites))), *head}
        assert_equal(splicer, adapt, sorted(chosen, key=lambda part: caddyfile.merged_key(part.block)))


@pytest.mark.parametrize("seed", range(5))
def test_of_a_few_sites_that_come_and_go_beside_many(adapt: Adapt, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random, splicer = Random(seed), Splicer(adapt, 0)
    together, put_together = [], Whole.of

    def counted(*given: Any) -> Whole:
        together.append(given)
        return put_together(*given)

    monkeypatch.setattr(Whole, "of", counted)
    kinds = ("http://{0}.test", "{0}.test", "https://{0}.test:8443", "http://{0}-and-more.test:8080")
    names = [f"{'x' * random.randrange(5)}{number}" for number in range(60)]
    texts = [f"{random.choice(kinds).format(name)} {{\nreverse_proxy 10.0.0.1:80\n}}\n" for name in names]
    others = [
        "{\nemail me@x.test\n}\n",
        "http://o.test/path {\nrespond a\n}\n",
        "o.test {\nredir /a /b\ntls internal\n}\n",
    ]
    pool, rest = parts_of("".join(texts)), parts_of("".join(others))
    chosen = set(random.sample(pool, 40))
    for _ in range(20):
        chosen ^= set(random.sample(pool, random.randrange(1, 4)))
        assert_equal(splicer, adapt, sorted({*chosen, *rest}, key=lambda part: caddyfile.merged_key(part.block)))
    # the first one, and where the site went that stood for its kind
    assert len(together) <= 8


def plain(number: int, more: str = "") -> str:
    return f"site-{number}.example.com {{\nencode gzip\n{more}\nreverse_proxy 10.0.0.{number}:80\n}}\n"


def test_a_new_site_costs_itself(adapt: Adapt) -> None:
    counted = Counted(adapt, [])
    splicer = Splicer(counted, 0)
    parts = parts_of("".join(plain(number) for number in range(100)))
    splicer.document(parts, partial(text_of, parts))
    counted.texts.clear()
    more = sorted([*parts, *parts_of(plain(200))], key=lambda part: caddyfile.merged_key(part.block))
    document = splicer.document(more, lambda: text_of(more))
    assert counted.texts == [text_of(parts_of(plain(200)))]
    assert canonical(document.encode()) == canonical(adapt(text_of(more)))
    counted.texts.clear()
    splicer.document(parts, partial(text_of, parts))
    assert counted.texts == []


def test_routes_that_stay_are_the_same_objects(adapt: Adapt) -> None:
    splicer = Splicer(adapt, 0)
    parts = parts_of("".join(plain(number) for number in range(50)))
    before = {id(route) for route in splicer.document(parts, lambda: "").routes}
    after = [
        id(route)
        for route in splicer.document([*parts, *parts_of("http://new.test {\nrespond new\n}\n")], lambda: "").routes
    ]
    assert len(before.intersection(after)) == 50 and len(after) == 51


def test_a_changed_snippet_costs_the_sites_that_import_it(adapt: Adapt) -> None:
    counted = Counted(adapt, [])
    splicer = Splicer(counted, 0)
    sites = parts_of("".join(plain(number, "import one" if number < 3 else "import two") for number in range(40)))
    one, other = (parts_of(f"(one) {{\nheader X {value}\n}}\n") for value in ("1", "2"))
    two = parts_of("(two) {\nheader Y y\n}\n")
    splicer.document([*one, *two, *sites], lambda: "")
    counted.texts.clear()
    document = splicer.document([*other, *two, *sites], lambda: "")
    # one text has the three sites, the other one is the rest with a site of each kind
    assert [text.count("reverse_proxy") for text in counted.texts] == [3, 0]
    assert canonical(document.encode()) == canonical(adapt(text_of([*other, *two, *sites])))


def test_a_site_that_comes_back_has_the_snippets_of_today(adapt: Adapt) -> None:
    splicer = Splicer(adapt, 0)
    one, other = (parts_of(f"(one) {{\nheader X {value}\n}}\n") for value in ("1", "2"))
    sites = parts_of("".join(plain(number, "import one") for number in range(4)))
    for parts in ([*one, *sites], [*other, *sites[:2]], [*other, *sites]):
        assert_equal(splicer, adapt, parts)


def test_an_imported_file_is_read_again(adapt: Adapt, tmp_path: Path) -> None:
    file = tmp_path / "more.conf"
    imported = parts_of(f"x.test {{\nimport {file}\n}}\n")
    sites = parts_of("".join(plain(number) for number in range(4)))
    options = parts_of(f"{{\nimport {file}\n}}\n")
    splicer = Splicer(adapt, 0)
    for value in ("one", "two"):
        file.write_text(f"respond {value}\n")
        assert_equal(splicer, adapt, [*imported, *sites])
    for value in ("me@example.com", "you@example.com"):
        file.write_text(f"email {value}\n")
        assert_equal(splicer, adapt, [*options, *sites])


def test_sites_that_differ_more_than_in_their_routes_cost_few_calls(adapt: Adapt) -> None:
    own = "".join(
        f"s{n}.test, t{n}.test {{\ntls /certs/{n // 2}.pem /certs/{n // 2}.key\nrespond {n}\n}}\n" for n in range(60)
    )
    parts = parts_of(own + "".join(plain(number) for number in range(4)))
    counted = Counted(adapt, [])
    assert_equal(Splicer(counted, 0), adapt, parts)
    assert len(counted.texts) <= 4


def test_snippets_of_handlers_make_no_kind_of_their_own(adapt: Adapt) -> None:
    counted = Counted(adapt, [])
    splicer = Splicer(counted, 0)
    proxy = "(proxy) {\nencode gzip\nreverse_proxy {args[0]}\n}\n"
    parts = parts_of(proxy + "".join(f"s{n}.test {{\nimport proxy 10.0.0.{n}:80\n}}\n" for n in range(50)))
    assert_equal(splicer, adapt, parts)
    counted.texts.clear()
    more = parts_of("s99.test {\nimport proxy 10.0.0.99:80\n}\n")
    assert_equal(splicer, adapt, sorted([*parts, *more], key=lambda part: caddyfile.merged_key(part.block)))
    # beside it at most the site of each kind, which has no handlers
    assert sum(text.count("import proxy") for text in counted.texts) == 1


@pytest.mark.parametrize(
    "text",
    [
        "{\nemail a@b.com\n}\napi-localhost {\n}\napp.localhost {\n}\nb.localhost {\n}\nc.example.org {\n}\nlocalhost {\n}\n",
        "{\nacme_ca https://ca.test/d\n}\nweb-localhost {\n}\nfoo.mylocalhost {\n}\ns.localhost {\n}\nt.localhost {\n}\n",
        "ab.jp {\n}\nxn--wgvaaaaaaaaaaa.jp {\n}\nxn--wgvaaaaaaaaaab.jp {\n}\n日日日日日日日日日日日日.jp {\n}\n",
    ],
    ids=["names that end in localhost", "with an authority", "not ASCII"],
)
def test_of_names_that_look_alike(adapt: Adapt, text: str) -> None:
    assert_equal(Splicer(adapt, 0), adapt, parts_of(text))


def test_a_named_route_has_groups_of_its_own(adapt: Adapt) -> None:
    named = "&(common) {\nhandle /pong {\nrespond ping\n}\nhandle {\nrespond pong\n}\n}\n"
    site = "http://z.test {\nhandle /ping {\ninvoke common\n}\nhandle {\nrespond other\n}\n}\n"
    grouped = "".join(
        f"http://s{n}.test {{\nhandle /a {{\nrespond a\n}}\nhandle {{\nrespond b\n}}\n}}\n" for n in range(9)
    )
    for smallest in (0, 1000):
        parts = parts_of(named + site + grouped)
        document = Splicer(adapt, smallest).document(parts, partial(text_of, parts))
        (server,) = document.servers.values()
        groups = [
            {each["group"] for route in routes for each in objects_in(route.value) if "group" in each}
            for routes in (server.routes, server.named.values())
        ]
        assert all(groups) and groups[0].isdisjoint(groups[1])


def test_what_caddy_refuses_is_refused_as_a_whole(adapt: Adapt) -> None:
    splicer = Splicer(adapt, 0)
    parts = parts_of("".join(plain(number) for number in range(9)) + "z.example.com {\nrewrite\n}\n")
    with pytest.raises(CaddyRefusal) as refused:
        splicer.document(parts, partial(text_of, parts))
    line = text_of(parts).splitlines().index("\trewrite") + 1
    assert f"Caddyfile:{line}" in str(refused.value)
    # and is no harm to the others afterwards
    assert_equal(splicer, adapt, parts[:-1])


def test_nothing_is_kept_of_a_section_that_is_gone(adapt: Adapt) -> None:
    splicer = Splicer(adapt, 0)
    parts = parts_of(plain(1) + plain(2) + plain(3))
    splicer.document(parts, partial(text_of, parts))
    gone = weakref.ref(parts.pop())
    splicer.document(parts, partial(text_of, parts))
    gc.collect()
    assert gone() is None


def test_small_configurations_are_adapted_as_a_whole(adapt: Adapt) -> None:
    counted = Counted(adapt, [])
    parts = parts_of(plain(1) + plain(2))
    document = Splicer(counted, 3).document(parts, partial(text_of, parts))
    assert counted.texts == [text_of(parts)]
    assert document.encode() == Document.decode(adapt(text_of(parts))).encode()
