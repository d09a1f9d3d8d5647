"""Each fragment has the document that Caddy makes of it alone, beside the definitions that it uses."""

import gc
import re
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest
from attrs import define, evolve, field
from canonical_json import canonical
from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block
from dockcaddy.caddyjson import Document, fragment_documents, protocols
from dockcaddy.caddyjson.definitions import Definitions
from dockcaddy.caddyjson.fragment_documents import Alone, FragmentDocuments
from dockcaddy.caddyjson.plain_sites import PlainSite, plain_site
from dockcaddy.caddyjson.site_routes import SiteRoutes
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.fragment import Fragment, Section
from dockcaddy.settings.limits import FREE_EXPANDED_TEXT
from dockcaddy.settings.limits import MAX_ADAPTED_TOGETHER as TOGETHER
from generated_sites import generated

pytestmark = pytest.mark.process

Adapt = Callable[[str], bytes]


@define
class Counted:
    """Caddy's adapter, which notes what it is given."""

    adapt: Adapt
    texts: list[str] = field(factory=list)

    def __call__(self, text: str) -> bytes:
        self.texts.append(text)
        return self.adapt(text)

    def since(self) -> int:
        """How many texts it was given since the last call."""
        count = len(self.texts)
        self.texts.clear()
        return count


def fragment(name: str, text: str) -> Fragment:
    return Fragment(name, f"container {name}", 0, caddyfile.parse(text, f"container {name}"))


def plain(number: int, more: str = "") -> Fragment:
    return fragment(
        f"site-{number}", f"site-{number}.example.com {{\nencode gzip\n{more}\nreverse_proxy 10.0.0.9:80\n}}\n"
    )


def text_of(blocks: Iterable[Block]) -> str:
    return "".join(map(caddyfile.write_block, caddyfile.sort(caddyfile.merge(blocks))))


def outcome(make: Callable[[], bytes]) -> str:
    """What Caddy makes, or why it refuses; without lines and addresses in its memory."""
    try:
        return canonical(make())
    except CaddyRefusal as refusal:
        return re.sub("0x[0-9a-f]+|:\\d+", "", str(refusal))


def encoded(alone: Alone) -> bytes:
    if alone.refusal is not None:
        raise alone.refusal
    assert alone.document is not None
    return alone.document.encode()


@pytest.mark.parametrize("chunk", range(10))
def test_of_generated_sites(adapt: Adapt, chunk: int) -> None:
    for seed in range(chunk * 40, chunk * 40 + 40):
        blocks = caddyfile.parse(generated(Random(seed), 20), "test")
        definitions = [block for block in blocks if not caddyfile.is_site(block)]
        sites = [block for block in blocks if caddyfile.is_site(block)]
        given = [Fragment("base", "base", -1, tuple(definitions))]
        given += [
            Fragment(str(place), str(place), 0, tuple(sites[place : place + 2])) for place in range(0, len(sites), 2)
        ]
        found = FragmentDocuments(adapt).of(given)
        for each in given[1:] if found[given[0]].refusal is None else ():
            if not found[each].is_joint:
                text = text_of([*definitions, *each.blocks])
                assert outcome(partial(encoded, found[each])) == outcome(partial(adapt, text)), text


def test_many_plain_sites_are_adapted_together_and_once(adapt: Adapt) -> None:
    counted = Counted(adapt)
    documents = FragmentDocuments(counted)
    given = [plain(number) for number in range(300)]
    found = documents.of(given)
    # two batches, and what the sites have in common
    assert counted.since() == 3
    assert all(found[each].document is not None for each in given)
    documents.of([*given, plain(400)])
    assert counted.since() == 1
    documents.of(given)
    assert counted.since() == 0


def test_the_first_sites_are_adapted_before_the_last_one_is_made(adapt: Adapt) -> None:
    sites = list(map(_plain_site, range(3 * TOGETHER)))
    given: list[PlainSite] = []
    counts = []

    def noted() -> Iterator[PlainSite]:
        for each in sites:
            given.append(each)
            yield each

    def counting(text: str) -> bytes:
        counts.append(len(given))
        return adapt(text)

    found = [each for each in SiteRoutes(counting).routes(Definitions(), noted()) if isinstance(each, dict)]
    # of each batch the first of the next one is known
    assert counts == [TOGETHER + 1, 2 * TOGETHER + 1, 3 * TOGETHER]
    assert [site for each in found for site in each] == sites


def _plain_site(number: int) -> PlainSite:
    (block,) = plain(number).blocks
    made = plain_site(Section.of(block), Definitions())
    assert made is not None
    return made


def test_the_protocols_of_sites_of_a_kind_are_looked_for_once(adapt: Adapt, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def counted(document: Document) -> Iterator[tuple[str, bool]]:
        looked.append(document)
        return protocols.protocols_in(document)

    monkeypatch.setattr(fragment_documents, "protocols_in", counted)
    given = [fragment(str(number), f"http://s{number}.test:8080 {{\nrespond x\n}}\n") for number in range(30)]
    given += [fragment(f"tls{number}", f"s{number}.test:9443 {{\nrespond x\n}}\n") for number in range(30)]
    found = FragmentDocuments(adapt).of(given)
    assert len(looked) == 2
    for each in given:
        document = found[each].document
        assert document is not None and tuple(protocols.protocols_in(document)) == found[each].protocols


def test_of_equal_replicas_one_is_adapted(adapt: Adapt) -> None:
    counted = Counted(adapt)
    same = "http://same.test {\nhandle_path /x/* {\nrespond x\n}\n}\n*.wild.test {\nrespond w\n}\n"
    FragmentDocuments(counted).of([fragment(str(number), same) for number in range(9)])
    assert counted.since() == 1


def test_a_refused_site_costs_its_batch_one_call_each(adapt: Adapt) -> None:
    counted = Counted(adapt)
    good, bad = [plain(number) for number in range(20)], plain(99, "rewrite")
    found = FragmentDocuments(counted).of([*good, bad])
    assert counted.since() == 1 + 21
    assert all(found[each].document is not None for each in good)
    refused = found[bad]
    assert refused.refusal is not None and refused.document is None
    line = refused.text.splitlines().index("\trewrite") + 1
    assert f"Caddyfile:{line}" in str(refused.refusal)
    assert refused.lines[line - 1][0].resource == "container site-99"


def test_a_refusal_is_asked_about_again_once_it_is_forgotten(adapt: Adapt) -> None:
    counted = Counted(adapt)
    documents = FragmentDocuments(counted)
    given = [plain(1), fragment("bad", "bad.test {\nno_such_directive\n}\n")]
    documents.of(given)
    counted.since()
    documents.of(given)
    assert counted.since() == 0
    documents.forget(given)
    assert documents.of(given)[given[1]].refusal is not None
    assert counted.since() == 1


def test_definitions_that_caddy_refuses_are_nobodys(adapt: Adapt) -> None:
    good = fragment("good", "(head) {\nheader X y\n}\n{\nemail me@example.com\n}\n")
    bad = fragment("bad", "{\nno_such_option\n}\nhttp://bad.test {\nrespond b\n}\n")
    user = plain(1, "import head")
    found = FragmentDocuments(adapt).of([good, bad, user])
    assert found[bad].refusal is not None and found[bad].lines[0][0].resource == "container good"
    document = found[user].document
    assert document is not None and b"X" in document.encode()


def test_a_changed_snippet_costs_those_that_use_it(adapt: Adapt) -> None:
    counted = Counted(adapt)
    documents = FragmentDocuments(counted)
    sites = [plain(number, "import head" if number < 3 else "") for number in range(40)]
    documents.of([fragment("head", "(head) {\nheader X 1\n}\n"), *sites])
    counted.since()
    found = documents.of([fragment("head", "(head) {\nheader X 2\n}\n"), *sites])
    # the definitions twice, the three sites, and what the sites of two kinds have in common
    assert counted.since() == 5
    assert b'"2"' in encoded(found[sites[0]])


@pytest.mark.parametrize("failing", [1, 2], ids=["the definitions", "a site"])
def test_definitions_count_though_caddy_could_not_be_asked_at_first(adapt: Adapt, failing: int) -> None:
    site = fragment("a", "http://a.test {\n\timport s\n}\n")
    before, base = (fragment("base", f"(s) {{\n\trespond {text}\n}}\n") for text in ("before", "now"))
    counts = count(1)
    documents = FragmentDocuments(adapt)
    documents.of([before, site])

    def failing_once(text: str) -> bytes:
        if next(counts) == failing:
            raise CaddyUnreachable("it does not answer")
        return adapt(text)

    documents.adapt = documents.site_routes.adapt = failing_once
    with pytest.raises(CaddyUnreachable):
        documents.of([base, site])
    assert b"now" in encoded(documents.of([base, site])[site])


def test_what_only_its_site_makes_valid_is_adapted_with_it(adapt: Adapt) -> None:
    matcher = fragment("matcher", "http://a.test {\n@get method GET\nrespond /m m\n}\n")
    user = fragment("user", "http://a.test {\nrespond @get get\n}\n")
    broken = fragment("broken", "http://a.test {\nno_such_directive\n}\n")
    found = FragmentDocuments(adapt).of([matcher, user, broken])
    assert not found[matcher].is_joint and found[user].is_joint
    assert b'"get"' in encoded(found[user])
    assert found[broken].refusal is not None
    # and what it needed is gone
    assert FragmentDocuments(adapt).of([user])[user].refusal is not None


def test_a_file_is_read_again(adapt: Adapt, tmp_path: Path) -> None:
    file = tmp_path / "more.conf"
    given = [fragment("file", f"http://a.test {{\nimport {file}\n}}\n"), plain(1)]
    documents = FragmentDocuments(adapt)
    for word in ("one", "two"):
        file.write_text(f"respond {word}\n")
        assert word.encode() in encoded(documents.of(given)[given[0]])


def test_nothing_is_kept_of_a_fragment_that_is_gone(adapt: Adapt) -> None:
    documents = FragmentDocuments(adapt)
    given = [plain(1), plain(2), fragment("other", "*.wild.test {\nrespond w\n}\n")]
    found = documents.of(given)
    gone = [weakref.ref(given.pop()), weakref.ref(given.pop())]
    documents.of(given)
    found = {}
    gc.collect()
    assert not found and [each() for each in gone] == [None, None]


def test_some_threads_at_once_find_the_same(adapt: Adapt) -> None:
    blocks = caddyfile.parse(generated(Random(7), 60), "test")
    given = [Fragment(str(place), str(place), 0, (block,)) for place, block in enumerate(blocks)]
    with ThreadPoolExecutor(4) as threads:
        found = in_threads(adapt, threads).of(given)
    alone = FragmentDocuments(adapt).of(given)
    for each in given:
        assert outcome(partial(encoded, found[each])) == outcome(partial(encoded, alone[each]))


# --- at a start


def in_threads(adapt: Adapt, threads: ThreadPoolExecutor) -> FragmentDocuments:
    return FragmentDocuments(adapt, SiteRoutes(adapt, threads.map))


def test_at_a_start_caddy_begins_before_it_is_known_what_is_left_out(adapt: Adapt) -> None:
    given = [fragment("base", "(base) {\n\trespond x\n}\n"), *map(plain, range(300)), plain(999, "rewrite")]
    given[0] = evolve(given[0], seniority=-1)
    counted = Counted(adapt)
    with ThreadPoolExecutor(4) as threads:
        documents = in_threads(counted, threads)
        documents.begin(given)
    # the operator's definitions, and two batches
    assert counted.since() == 1 + 2
    left = [each for each in given if each.key != "site-7"]
    with ThreadPoolExecutor(4) as threads:
        documents.site_routes.for_each = threads.map
        found = documents.of(left)
    assert found.keys() == set(left)
    # the definitions alone, what the sites have in common, and each site of the batch with the mistake
    assert counted.since() == 1 + 1 + (301 - TOGETHER)
    alone = FragmentDocuments(adapt).of(left)
    for each in left[1:]:
        assert outcome(partial(encoded, found[each])) == outcome(partial(encoded, alone[each]))
    documents.begin([*given, plain(1000)])
    assert counted.since() == 0


def test_caddy_begins_with_the_first_ones_while_others_are_rendered(adapt: Adapt) -> None:
    operators = evolve(fragment("base", "(base) {\n\trespond x\n}\n"), seniority=-1)
    given = [operators, *map(plain, range(30))]
    counted = Counted(adapt)
    documents = FragmentDocuments(counted)
    # the operator's definitions, and a batch of what is new at each time
    for size, texts in ((11, 1 + 1), (21, 1), (31, 1), (31, 0)):
        with ThreadPoolExecutor(4) as threads:
            documents.site_routes.for_each = threads.map
            documents.begin(given[:size])
        assert counted.since() == texts
    documents.site_routes.for_each = map
    found = documents.of(given)
    # the definitions alone, and what the sites have in common
    assert counted.since() == 1 + 1
    alone = FragmentDocuments(adapt).of(given)
    for each in given[1:]:
        assert outcome(partial(encoded, found[each])) == outcome(partial(encoded, alone[each]))


def test_each_fragment_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Section] = []

    def plain_or_not(self: SiteRoutes, definitions: Definitions, section: Section) -> PlainSite | None:
        seen.append(section)
        return plain_site(section, definitions)

    monkeypatch.setattr(SiteRoutes, "plain", plain_or_not)
    at_once = SiteRoutes(lambda text: b"{}", lambda work, things: [*map(work, things)])
    documents = FragmentDocuments(lambda text: b"{}", at_once)
    given = [fragment(str(n), f"http://a{n}.test{path} {{\n\trespond x\n}}\n") for n, path in enumerate(("", "/b") * 5)]
    for size in (3, 7, 10, 10):
        documents.begin(given[:size])
    assert len(seen) == len(given)
    # a pass that begins again and again, as Caddy does not answer later on, keeps no more
    assert len(documents._begun.outcomes) == 3


def test_what_has_begun_does_not_count_where_labels_define_something_later(adapt: Adapt) -> None:
    options = fragment("options", "{\n\tskip_install_trust\n\tservers {\n\t\tprotocols h1\n\t}\n}\n")
    given = [*map(plain, range(20)), options]
    with ThreadPoolExecutor(4) as threads:
        documents = in_threads(adapt, threads)
        documents.begin(given[:10])
        documents.begin(given)
        found = documents.of(given)
    alone = FragmentDocuments(adapt).of(given)
    for each in given:
        assert outcome(partial(encoded, found[each])) == outcome(partial(encoded, alone[each]))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([fragment("snippet", "(s) {\n\trespond x\n}\n"), plain(1)], id="labels define something"),
        pytest.param([plain(1, f"respond {'x' * FREE_EXPANDED_TEXT}")], id="much text"),
        pytest.param(
            [fragment("many", " ".join(f"s{number}.test" for number in range(99)) + " {\nrespond x\n}\n")],
            id="many hosts",
        ),
    ],
)
def test_caddy_does_not_begin_with_what_may_be_too_large(adapt: Adapt, given: list[Fragment]) -> None:
    counted = Counted(adapt)
    with ThreadPoolExecutor(4) as threads:
        documents = in_threads(counted, threads)
        documents.begin(given)
    assert counted.since() == 0
    documents.site_routes.for_each = map
    assert all(each.refusal is None for each in documents.of(given).values())


@pytest.mark.parametrize("line", ["respond x", "basic_auth {\nbob hash\n}\nlog"])
def test_more_listeners_than_anybody_has_are_too_large(adapt: Adapt, line: str) -> None:
    def listening(ports: int) -> Fragment:
        addresses = ", ".join(f"http://x.example.com:{20_000 + port}" for port in range(ports))
        binds = " ".join(f"10.0.0.{n}" for n in range(10))
        return fragment(f"at-{ports}", f"{addresses} {{\nbind {binds}\n{line}\n}}\n")

    documents, few, many = FragmentDocuments(adapt), listening(100), listening(101)
    known = documents.of([few, many])
    assert known[few].refusal is None
    assert "listens at more than 1000 addresses" in str(known[many].refusal)
    assert documents.too_large.keys() == {many}
