"""The order of siblings: caddy-docker-proxy's everywhere, Caddy's own inside `route`."""

import random

import pytest
from dockcaddy.caddyfile import Block, merged_key, sort, write
from hypothesis import given
from hypothesis import strategies as st


def line(text: str, order: int | None = None, suffix: int = 0) -> Block:
    keys = tuple(text.split())
    return Block(keys, suffix=suffix) if order is None else Block(keys, order=order, suffix=suffix)


def in_site(*lines: Block) -> list[str]:
    (site,) = sort([Block(("a.test",), lines)])
    return [" ".join(child.keys) for child in site.children]


def in_route(*lines: Block, route_order: str = "caddy") -> list[str]:
    (site,) = sort([Block(("a.test",), (Block(("route",), lines),))], route_order)
    return [" ".join(child.keys) for child in site.children[0].children]


def test_global_options_then_snippets_then_sites() -> None:
    blocks = [Block(("a.test",), order=0), Block(("(s)",), order=9), Block((), order=5), Block(("(s", ")"))]
    assert [block.keys for block in sort(blocks)] == [(), ("(s)",), ("a.test",), ("(s", ")")]


def test_matchers_then_numbers_then_text() -> None:
    given_lines = [line("b"), line("c", 2), line("@m path /", 3), line("a x"), line("c", 10), line("a")]
    assert in_site(*given_lines) == ["@m path /", "c", "c", "a", "a x", "b"]


def test_equal_lines_go_by_what_they_open_and_the_shorter_first() -> None:
    def handle(*texts: str) -> Block:
        return Block(("handle",), tuple(line(text) for text in texts))

    blocks = [handle("b"), handle("a", "c"), handle("a"), handle()]
    assert sort(blocks) == (handle(), handle("a"), handle("a", "c"), handle("b"))


def test_login_comes_before_files_inside_route() -> None:
    lines = [line("file_server @p"), line("forward_auth @p auth:80"), line("root @p /srv"), line("@p path /p/*")]
    assert in_route(*lines) == ["@p path /p/*", "root @p /srv", "forward_auth @p auth:80", "file_server @p"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("uri strip_prefix /x", "reverse_proxy a:80"),
        ("rewrite /b", "respond b"),
        ("basic_auth", "file_server"),
        ("basicauth", "respond x"),
        ("vars a b", "header X-A {vars.a}"),
        ("header X-A b", "redir /x"),
        ("try_files {path}", "handle"),
        ("encode gzip", "templates"),
        ("handle /x", "respond x"),
        ("error 404", "respond x"),
        ("authorize with policy", "reverse_proxy a:80"),
        ("rate_limit", "file_server"),
        ("import auth", "handle /x"),
        ("forward_auth a:80", "zone_check"),
    ],
)
def test_inside_route_siblings_follow_caddys_directive_order(first: str, second: str) -> None:
    assert in_route(line(second), line(first)) == [first, second]


def test_numbers_win_over_directive_order_inside_route() -> None:
    lines = [line("forward_auth a:80", 2), line("file_server", 1), line("root /srv")]
    assert in_route(*lines) == ["file_server", "forward_auth a:80", "root /srv"]


def test_alphabetical_order_can_be_had_back() -> None:
    lines = [line("root * /srv"), line("forward_auth a:80"), line("file_server")]
    assert in_route(*lines, route_order="alphabetical") == ["file_server", "forward_auth a:80", "root * /srv"]


def test_outside_route_siblings_stay_alphabetical() -> None:
    assert in_site(line("root * /srv"), line("forward_auth a:80"), line("file_server")) == [
        "file_server",
        "forward_auth a:80",
        "root * /srv",
    ]


def test_equal_directives_inside_route_go_by_specificity() -> None:
    lines = [
        line("redir https://a.test"),
        line("redir /a/* /x"),
        line("redir @m /y"),
        line("redir /a/b /z"),
        line("redir /a/b* /z"),
    ]
    assert in_route(*lines) == [
        "redir /a/b /z",
        "redir /a/b* /z",
        "redir /a/* /x",
        "redir @m /y",
        "redir https://a.test",
    ]


def test_a_lone_argument_of_root_is_no_matcher() -> None:
    assert in_route(line("root /srv"), line("root /a/* /b")) == ["root /a/* /b", "root /srv"]


def test_variables_inside_route_end_with_the_most_specific() -> None:
    lines = [line("vars /a/b x 1"), line("vars /a/* x 2"), line("vars @m x 3"), line("vars x 4")]
    assert in_route(*lines) == ["vars x 4", "vars @m x 3", "vars /a/* x 2", "vars /a/b x 1"]


def test_numbered_suffixes_inside_route_count_as_numbers() -> None:
    lines = [line("redir @c /c", suffix=10), line("redir @d /d", suffix=2), line("redir @b /b")]
    assert in_route(*lines) == ["redir @b /b", "redir @d /d", "redir @c /c"]


BLOCKS = st.recursive(
    st.builds(
        line, st.sampled_from(["a", "a b", "@m", "route", "handle /x", "respond"]), st.sampled_from([None, 1, 2])
    ),
    lambda inner: st.builds(
        lambda block, children: Block(block.keys, tuple(children), block.order),
        st.builds(line, st.sampled_from(["route", "handle", "a"])),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(st.lists(BLOCKS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_they_came_in_makes_no_difference(blocks: list[Block], chance: random.Random) -> None:
    def shuffled(block: Block) -> Block:
        children = [shuffled(child) for child in block.children]
        chance.shuffle(children)
        return Block(block.keys, tuple(children), block.order)

    other = [shuffled(block) for block in blocks]
    chance.shuffle(other)
    assert write(sort(other)) == write(sort(blocks))


@given(st.lists(BLOCKS, max_size=6))
def test_sorted_blocks_are_in_the_order_of_their_keys(blocks: list[Block]) -> None:
    keys = [merged_key(block) for block in sort(blocks)]
    assert keys == sorted(keys)
    assert sort(sort(blocks)) == sort(blocks)
