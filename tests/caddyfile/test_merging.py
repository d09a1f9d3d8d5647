"""Blocks of several sources become one tree, the same for the same blocks, in time that grows with their number."""

from collections.abc import Callable

import pytest
from dockcaddy.caddyfile import Block, Origin, group_key, merge, parse, sort, write
from hypothesis import given
from hypothesis import strategies as st
from work import grows_evenly


def labelled(text: str, resource: str = "container one") -> tuple[Block, ...]:
    """The blocks of a Caddyfile as if labels had made them."""

    def relabel(block: Block) -> Block:
        children = tuple(relabel(child) for child in block.children)
        return Block(block.keys, children, origins=(Origin(resource, "caddy"),))

    return tuple(relabel(block) for block in parse(text, "test"))


def merged(*texts: str) -> str:
    blocks = [block for number, text in enumerate(texts) for block in labelled(text, f"container {number}")]
    return write(merge(blocks))


def test_equal_sites_join_their_directives() -> None:
    one, two = "a.test {\n\trespond /one 1\n}\n", "a.test {\n\trespond /two 2\n}\n"
    assert merged(one, two) == "a.test {\n\trespond /one 1\n\trespond /two 2\n}\n"


def test_equal_directives_join_theirs_on_every_level() -> None:
    one, two = "a.test {\n\troute {\n\t\trespond /one 1\n\t}\n}\n", "a.test {\n\troute {\n\t\trespond /two 2\n\t}\n}\n"
    assert merged(one, two, two) == "a.test {\n\troute {\n\t\trespond /one 1\n\t\trespond /two 2\n\t}\n}\n"


def test_equal_directives_of_one_source_stay_two() -> None:
    text = "a.test {\n\thandle {\n\t\trespond 1\n\t}\n\thandle {\n\t\trespond 2\n\t}\n}\n"
    assert merged(text) == text


def test_global_options_become_one_block() -> None:
    one, two = "{\n\temail a@b.test\n}\n", "{\n\thttp_port 8080\n}\n"
    assert merged(one, two) == "{\n\temail a@b.test\n\thttp_port 8080\n}\n"


def test_proxies_with_one_matcher_join_their_upstreams() -> None:
    one = "a.test {\n\treverse_proxy /api/* one:80 {\n\t\tlb_policy first\n\t}\n\tphp_fastcgi one:90\n}\n"
    two = "a.test {\n\treverse_proxy /api/* two:80 {\n\t\tlb_policy first\n\t}\n\tphp_fastcgi * two:90\n}\n"
    together = (
        "a.test {\n\treverse_proxy /api/* one:80 two:80 {\n\t\tlb_policy first\n\t}\n\tphp_fastcgi one:90 two:90\n}\n"
    )
    assert merged(one, two) == together


def test_proxies_with_different_matchers_stay_apart() -> None:
    one, two = "a.test {\n\treverse_proxy @one one:80\n}\n", "a.test {\n\treverse_proxy @two two:80\n}\n"
    assert merged(one, two) == "a.test {\n\treverse_proxy @one one:80\n\treverse_proxy @two two:80\n}\n"


def test_an_upstream_is_listed_once() -> None:
    one, two = "a.test {\n\treverse_proxy one:80 two:80\n}\n", "a.test {\n\treverse_proxy two:80 three:80 three:80\n}\n"
    assert merged(one, two, two) == "a.test {\n\treverse_proxy one:80 two:80 three:80\n}\n"


def test_one_site_in_two_spellings_is_one_block_spelled_as_the_first() -> None:
    for first, second in [
        ("a.test, b.test", "b.test, a.test"),
        ("a.test b.test", "b.test, a.test"),
        ("A.test", "a.test"),
        ("a.test", "https://a.test"),
        ("https://a.test", "a.test:443"),
        ("http://a.test", "a.test:80"),
        (":80", "http://"),
    ]:
        one, two = f"{first} {{\n\trespond /one 1\n}}\n", f"{second} {{\n\trespond /two 2\n}}\n"
        assert merged(one, two) == f"{first} {{\n\trespond /one 1\n\trespond /two 2\n}}\n"


def test_different_sites_stay_apart() -> None:
    for first, second in [
        ("a.test", "http://a.test"),
        ("a.test", "a.test:8443"),
        ("a.test", "a.test b.test"),
        ("{$SITE}", "{$site}"),
        ("(Snippet)", "(snippet)"),
        ("&(Route)", "&(route)"),
    ]:
        one, two = f"{first} {{\n\trespond 1\n}}\n", f"{second} {{\n\trespond 2\n}}\n"
        assert merged(one, two) == one + two


def test_what_the_operator_wrote_meets_only_its_own_spelling_as_in_caddy_docker_proxy() -> None:
    base = parse("a.test {\n\trespond /one 1\n}\n", "caddyfile /etc/caddy/Caddyfile")
    other, same = labelled("https://a.test {\n\trespond /two 2\n}\n"), labelled("a.test {\n\trespond /three 3\n}\n")
    assert write(merge([*base, *other, *same])) == (
        "a.test {\n\trespond /one 1\n\trespond /three 3\n}\nhttps://a.test {\n\trespond /two 2\n}\n"
    )


def test_a_merged_block_has_the_origins_of_all_and_each_once() -> None:
    one, two = Origin("container one", "caddy"), Origin("container two", "caddy")
    blocks = [
        Block(("a.test",), (Block(("encode",), origins=(origin,)),), origins=(origin,)) for origin in (one, two, one)
    ]
    (site,) = merge(blocks)
    assert site.origins == site.children[0].origins == (one, two)


LINES = st.sampled_from(
    [
        ("respond", "a"),
        ("reverse_proxy", "a:80"),
        ("reverse_proxy", "b:80"),
        ("reverse_proxy", "@m", "c:80"),
        ("encode",),
    ]
)
SITES = st.builds(
    Block,
    st.sampled_from([("a.test",), ("A.test",), ("b.test", "a.test"), ("a.test,", "b.test"), (), ("(s)",)]),
    st.lists(st.builds(Block, LINES), max_size=4).map(tuple),
)


@given(st.lists(SITES, max_size=6))
def test_groups_merged_alone_give_what_all_together_give(blocks: list[Block]) -> None:
    groups: dict[object, list[Block]] = {}
    for block in blocks:
        groups.setdefault(group_key(block), []).append(block)
    alone = [block for members in groups.values() for block in merge(members)]
    assert sort(alone) == sort(merge(blocks))


@given(st.lists(SITES, max_size=6))
def test_nothing_is_lost_and_merging_again_changes_nothing(blocks: list[Block]) -> None:
    together = merge(blocks)
    lines = {token for block in blocks for child in block.children for token in child.keys}
    assert {token for block in together for child in block.children for token in child.keys} == lines
    assert len({group_key(block) for block in together}) == len(together)
    assert merge(together) == together


@pytest.mark.parametrize(
    "block",
    [
        lambda number: Block((f"{number}.test",), (Block(("respond", "a")),)),
        lambda number: Block(("a.test",), (Block(("handle", f"/{number}")),)),
    ],
    ids=["many sites", "one site"],
)
def test_each_more_container_is_no_more_work_than_the_one_before(block: Callable[[int], Block]) -> None:
    assert grows_evenly(lambda size: lambda: merge([block(number) for number in range(size)]), 250)
