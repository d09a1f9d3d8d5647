"""Which labels count, what a key may be, and that nothing depends on the order labels came in."""

import random

import pytest
from dockcaddy import Label, LabelError
from dockcaddy.caddyfile import NO_ORDER, Origin, merge, sort, write
from dockcaddy.compile import labels
from dockcaddy.settings import limits
from hypothesis import given
from hypothesis import strategies as st
from work import grows_evenly


def build(given_labels: dict[str, str]) -> str:
    blocks = labels.build(labels.select(given_labels, "caddy"), "container web-1")
    return write(sort(merge(blocks)))


def test_labels_under_the_prefix_are_chosen_by_key() -> None:
    keys = ["caddy_1.respond", "caddy", "caddy.a", "caddy_0", "caddy.", "caddy_"]
    keys += [
        "caddyfile",
        "caddy_x.a",
        "caddy_ingress_network",
        "caddy_controlled_server",
        "xcaddy",
        "com.caddy",
        "Caddy",
    ]
    chosen = labels.select(dict.fromkeys(keys, "v"), "caddy")
    assert [label.key for label in chosen] == ["caddy", "caddy.", "caddy.a", "caddy_0", "caddy_1.respond"]


@pytest.mark.parametrize("prefix", ["my.caddy", "caddy-int", "caddy_x", "a+b", "a|b", "caddy("])
def test_another_prefix_is_taken_literally_and_normalised(prefix: str) -> None:
    (label,) = labels.select({f"{prefix}_2.a": "v", "caddy.b": "v", "myxcaddy.c": "v"}, prefix)
    assert label == Label("caddy_2.a", "v", f"{prefix}_2.a")


def test_a_long_prefix_is_not_taken_for_a_shorter_one() -> None:
    assert labels.select({"caddy_x.a": "v"}, "caddy") == ()


WRONG_KEYS = {
    "caddy.": "an empty part",
    "caddy..respond": "an empty part",
    "caddy.route..respond": "an empty part",
    "caddy_1.": "an empty part",
    "caddy. ": "white space",
    "caddy. respond": "white space",
    "caddy.respond .x": "white space",
    "caddy.a\nb": "control character",
    "caddy.a\0b": "control character",
    "caddy.a\x1b[31m": "control character",
    "caddy" + ".a" * 100: "nested deeper than",
    "caddy." + "a" * 10_000: "longer than",
}


@pytest.mark.parametrize("key", WRONG_KEYS, ids=[repr(key[:30]) for key in WRONG_KEYS])
def test_a_key_without_a_place_is_an_error_that_names_it(key: str) -> None:
    with pytest.raises(LabelError, match=WRONG_KEYS[key]) as caught:
        build({"caddy": "a.test", key: "v"})
    assert key[:20].strip() in caught.value.label or caught.value.label == repr(key)
    assert "\n" not in caught.value.label + caught.value.message


def test_an_error_names_the_key_as_people_wrote_it() -> None:
    with pytest.raises(LabelError) as caught:
        labels.build(labels.select({"my.prefix..x": "v"}, "my.prefix"), "container web-1")
    assert caught.value.label == "my.prefix..x"


def test_a_value_that_is_far_too_long_is_an_error() -> None:
    with pytest.raises(LabelError, match="longer than"):
        build({"caddy": "a.test", "caddy.respond": "x" * (limits.MAX_LABEL_VALUE + 1)})


@pytest.mark.parametrize("value", ['""', "``", ",", '"" ""'])
def test_an_address_of_nothing_is_an_error_and_not_global_options(value: str) -> None:
    with pytest.raises(LabelError, match="site address is empty"):
        build({"caddy": value, "caddy.respond": "x"})


def test_spaces_inside_a_name_are_part_of_it() -> None:
    text = build({"caddy": "a.test", "caddy.map.a b": "c"})
    assert text == 'a.test {\n\tmap {\n\t\t"a b" c\n\t}\n}\n'


def test_order_numbers_beyond_the_default_sort_behind_it() -> None:
    (site,) = labels.build(
        labels.select(
            {"caddy": "a.test", f"caddy.{NO_ORDER + 1}_a": "", f"caddy.{10**30}_b": "", "caddy.c": ""}, "caddy"
        ),
        "x",
    )
    (ordered,) = sort([site])
    assert [child.keys[0] for child in ordered.children] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("segment", "name", "order"),
    [
        ("respond", "respond", NO_ORDER),
        ("7_respond", "respond", 7),
        ("7_respond_3", "respond", 7),
        ("request_body", "request_body", NO_ORDER),
        ("1_2", "2", 1),
        ("1_2_3", "2", 1),
        ("_1", "_1", NO_ORDER),
        ("1_", "1_", NO_ORDER),
        ("a_1_2", "a_1", NO_ORDER),
        ("a_", "a_", NO_ORDER),
        ("٣_a", "٣_a", NO_ORDER),
    ],
)
def test_a_segment_is_order_name_and_suffix(segment: str, name: str, order: int) -> None:
    (site,) = labels.build(labels.select({"caddy": "a.test", f"caddy.{segment}": ""}, "caddy"), "x")
    assert [(child.keys, child.order) for child in site.children] == [((name,), order)]


def test_a_line_names_its_own_label_and_a_line_without_one_those_beneath_it() -> None:
    given_labels = {"caddy": "a.test", "caddy.encode": "gzip", "caddy.route.respond": "x", "caddy.route.abort": ""}
    (site,) = labels.build(labels.select(given_labels, "caddy"), "container web-1")
    told = {child.keys[0]: child.origins for child in site.children}
    assert site.origins == (Origin("container web-1", "caddy"),)
    assert told["encode"] == (Origin("container web-1", "caddy.encode"),)
    assert told["route"] == (
        Origin("container web-1", "caddy.route.abort"),
        Origin("container web-1", "caddy.route.respond"),
    )


SEGMENTS = st.sampled_from(
    ["route", "handle_0", "handle_1", "3_handle", "10_redir", "header", "@m_1", "respond", "X-A"]
)
KEYS = st.builds(
    lambda top, segments: ".".join([top, *segments]),
    st.sampled_from(["caddy", "caddy_0", "caddy_1"]),
    st.lists(SEGMENTS, max_size=3),
)
VALUES = st.sampled_from(["", "a.test", "b.test", "/x y", "10.0.0.1:80", '"a b"', "@m_1"])


@given(st.dictionaries(KEYS, VALUES, max_size=12), st.randoms(use_true_random=False))
def test_equal_labels_give_equal_bytes_in_whatever_order_they_came(
    given_labels: dict[str, str], chance: random.Random
) -> None:
    items = list(given_labels.items())
    chance.shuffle(items)
    assert build(dict(items)) == build(given_labels)


def test_one_site_named_twice_keeps_one_fixed_number() -> None:
    given_labels = {"caddy_1": "a.test", "caddy_1.1_respond": "x", "caddy_0": "a.test", "caddy_0.9_respond": "x"}
    given_labels |= {"caddy_0.5_encode": "gzip"}
    expected = "a.test {\n\tencode gzip\n\trespond x\n}\n"
    assert build(given_labels) == build(dict(reversed(given_labels.items()))) == expected


@given(st.dictionaries(st.text(max_size=12).map(lambda tail: "caddy" + tail), st.text(max_size=12), max_size=6))
def test_any_labels_give_text_or_a_label_error(given_labels: dict[str, str]) -> None:
    try:
        text = build(given_labels)
    except LabelError as error:
        assert error.label
    else:
        text.encode()


def test_each_more_site_is_no_more_work_than_the_one_before() -> None:
    def site(number: int) -> dict[str, str]:
        tail = {
            "encode": "zstd gzip",
            "header.X-A": "b",
            "log": "",
            "tls": "internal",
            "reverse_proxy": f"10.0.0.1:{number}",
        }
        return {"caddy": f"{number}.test"} | {f"caddy.{key}": value for key, value in tail.items()}

    def text(size: int) -> str:
        given_labels = [site(number) for number in range(size)]
        blocks = [block for each in given_labels for block in labels.build(labels.select(each, "caddy"), "container x")]
        return write(sort(merge(blocks)))

    assert text(1000).count("\treverse_proxy") == 1000
    assert grows_evenly(lambda size: lambda: text(size), 50)


@pytest.mark.parametrize(
    ("given_labels", "reason"),
    [
        ({f"caddy.header.X-{number}": "a" for number in range(5_000)}, "there are 5000 labels, more than 4096"),
        ({f"caddy.respond_{number}": "a" * 300_000 for number in range(4)}, "longer than 1052672 characters together"),
        ({"caddy.respond": "a" * 1_048_577}, "the value is longer than 1048576 characters"),
        ({"caddy.tls.dns": "{$A} " * 101}, "more than 100 references to variables"),
    ],
)
def test_more_than_anybody_writes_is_an_error(given_labels: dict[str, str], reason: str) -> None:
    with pytest.raises(LabelError, match=reason):
        build(given_labels)


def test_labels_of_others_are_not_counted() -> None:
    assert len(labels.select({f"other.{number}": "a" for number in range(5_000)} | {"caddy": "x"}, "caddy")) == 1


@pytest.mark.parametrize("value", ["one", "two words"])
def test_each_more_field_of_a_name_is_no_more_work_than_the_one_before(value: str) -> None:
    def fields(size: int) -> dict[str, str]:
        return {f"caddy.header.X-A_{number}": value for number in range(size)}

    assert grows_evenly(lambda size: lambda: build(fields(size)), 50)
