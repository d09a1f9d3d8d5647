"""One container, one wrong label or one failed call must not cost anybody else anything."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from town import Town
from world_fixtures import Newcomers, site

Calm = Callable[[Callable[[], object]], None]
Eventually = Callable[..., None]

NO_CERTIFICATE = {"caddy": "https://bad.test:%HTTPS_PORT%", "caddy.tls": "/no/cert.pem /no/key.pem"}


def unharmed(newcomers: Newcomers) -> None:
    """Every good site answers as ever, and what comes later is served."""
    assert newcomers.world.faults() == []
    newcomers.put(site("later", {"respond": "later"}))
    assert newcomers.body("later") == "later"


# --- B-A: keys with an empty part


@pytest.mark.parametrize("key", ["caddy.", "caddy..x", "caddy_1.", "caddy.route..respond"])
def test_b_a_a_label_ending_in_a_dot_costs_only_its_container(newcomers: Newcomers, key: str) -> None:
    loads = newcomers.world.counts.loads
    newcomers.put({**site("bad", {"respond": "bad"}), key: "x"})
    assert newcomers.told("container first", f"label {key}", "the key has an empty part")
    assert newcomers.world.counts.loads == loads
    assert newcomers.body("bad") != "bad"
    unharmed(newcomers)


# --- B-B: braces in values


@pytest.mark.parametrize("brace", ["}", "{", "{}", "} {"])
def test_b_b_a_brace_in_a_value_is_what_a_visitor_reads(newcomers: Newcomers, brace: str) -> None:
    neighbours = [site(name, {"respond": f'"{name}"'}) for name in ("aaa", "zzz")]
    newcomers.put(*neighbours, site("braces", {"respond": f'"{brace}"'}))
    assert [newcomers.body(name) for name in ("aaa", "braces", "zzz")] == ["aaa", brace, "zzz"]
    assert newcomers.world.problems() == []
    unharmed(newcomers)


# --- B-C: sites of which nothing is said


def test_b_c_a_site_without_directives_takes_none_of_the_sites_after_it(newcomers: Newcomers) -> None:
    newcomers.put(site("aaa", {}), site("bbb", {}), site("ccc", {"respond": "ccc"}), site("zzz", {}))
    assert newcomers.body("ccc") == "ccc"
    assert newcomers.body("aaa") == newcomers.body("bbb") == newcomers.body("zzz") == ""
    assert all("the site has no directives" in problem for problem in newcomers.world.problems())
    unharmed(newcomers)


# --- B4: the engine fails


def test_b4_calls_that_the_engine_answers_with_an_error_cost_no_site(town, eventually: Eventually, calm: Calm) -> None:
    engine = town.engine
    with town.visitor("a", "b", "c") as visitor:
        for number, call in enumerate(("list", "small list", "networks")):
            refused = engine.refused[call]
            engine.faults[call] = "error"
            engine.emit("network", "create", "n" * 64, {"name": "another", "type": "bridge"})
            town.add(f"new-{number}")
            if call == "list":
                engine.cut_streams()
            # another call may have brought what this one was for
            eventually(
                lambda call=call, refused=refused, number=number: (
                    engine.refused[call] >= refused + 3 or town.right(f"new-{number}")
                )
            )
            engine.faults.clear()
            calm(lambda number=number: town.right("a", "b", "c", f"new-{number}"))
    assert not visitor.failures


# --- B7: what fails only when Caddy loads it


def test_b7_a_certificate_that_is_not_there_costs_only_its_container_and_later_changes_arrive(
    newcomers: Newcomers, eventually: Eventually
) -> None:
    newcomers.put(site("fine", {"respond": "one"}), NO_CERTIFICATE)
    assert newcomers.told("container second", "caddy refuses it", "open /no/cert.pem")
    assert newcomers.body("fine") == "one"
    newcomers.put(site("fine", {"respond": "two"}), NO_CERTIFICATE, site("third", {"respond": "three"}))
    assert (newcomers.body("fine"), newcomers.body("third")) == ("two", "three")
    newcomers.put(
        site("fine", {"respond": "two"}), NO_CERTIFICATE | {"caddy.tls": "internal", "caddy.respond": "mended"}
    )
    # its certificate is made while it is served already
    eventually(lambda: newcomers.body("bad", scheme="https") == "mended")
    unharmed(newcomers)


# --- B8: global options


def test_b8_a_wrong_global_option_costs_nobody_elses(newcomers: Newcomers) -> None:
    """That the other one holds shows to a visitor whose request is too large for it."""
    newcomers.put({"caddy.servers.max_header_size": "5KB"}, {"caddy.no_such_option": "x"})
    assert newcomers.told("container second", "label caddy.no_such_option", "unrecognized global option")
    assert newcomers.visit("plain", headers={"X-Large": "x" * 20_000}).status == 431
    unharmed(newcomers)


def test_b8_options_of_one_listener_do_not_end_an_older_ones_of_all(newcomers: Newcomers) -> None:
    newcomers.put(
        {"caddy.servers.max_header_size": "5KB"},
        {"caddy.servers": ":%PORT%", "caddy.servers.protocols": "h1 h2"},
    )
    assert newcomers.told("container second", "would override the options for all servers of container first")
    assert newcomers.visit("plain", headers={"X-Large": "x" * 20_000}).status == 431
    unharmed(newcomers)


# --- B9: a site that several containers share


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"bogus": "x"}, "label caddy.bogus: caddy refuses it"),
        ({"redir": "/a /b /c /d"}, "label caddy.redir: caddy refuses it"),
        ({"tls": "/no/cert.pem /no/key.pem"}, "caddy refuses it"),
    ],
    ids=["directive", "arguments", "loading"],
)
def test_b9_a_wrong_directive_costs_the_site_only_its_own_container(
    newcomers: Newcomers, wrong: Mapping[str, str], told: str
) -> None:
    good = site("shared-by-two", {"handle": "/good", "handle.respond": "good"})
    newcomers.put(good)
    newcomers.put(good, site("shared-by-two", {"handle": "/bad", "handle.respond": "bad", **wrong}))
    assert newcomers.told("container second", told)
    assert newcomers.body("shared-by-two", "/good") == "good"
    assert newcomers.body("shared-by-two", "/bad") == ""
    unharmed(newcomers)


# --- all of them at once, before the program was started


def test_b_a_b_b_b_c_b7_b8_b9_what_is_wrong_at_a_start_costs_nobody_else_anything(
    engine, start_proxy: Callable[..., Any], free_port: Callable[[], int], eventually: Eventually
) -> None:
    port = free_port()
    wrong: list[dict[str, str]] = [
        {"caddy.": "x"},
        {"caddy.respond": '"}"'},
        {"caddy": f"http://aaa.test:{port}"},
        {"caddy": f"https://bad.test:{free_port()}", "caddy.tls": "/no/cert.pem /no/key.pem"},
        {"caddy.no_such_option": "x"},
        {"caddy": f"http://a.test:{port}", "caddy.bogus": "x"},
    ]
    for number, labels in enumerate(wrong):
        engine.add(f"wrong-{number}", labels)
    for _ in range(2):
        proxy = start_proxy()
        proxy.port = port
        town = Town(engine, proxy)
        if "a" not in engine.containers:
            town.add("a")
        eventually(lambda town=town: town.right("a") and town.proxy.said("container wrong-0: label caddy."))
        assert proxy.end() == 0


# --- B24: the engine is down at the start


def test_b24_an_engine_that_is_down_at_the_start_ends_nothing_and_the_last_good_configuration_is_used(
    engine, start_proxy: Callable[..., Any], eventually: Eventually, calm: Calm
) -> None:
    first = Town(engine, start_proxy())
    first.add("a")
    eventually(lambda: first.right("a"))
    assert first.proxy.end() == 0
    engine.stop_answering()
    town = Town(engine, start_proxy(wait=False))
    town.proxy.port = first.proxy.port
    eventually(lambda: town.right("a"), looks=1_000)
    eventually(lambda: town.proxy.said("does not answer") and town.proxy.said("the last configuration stays"))
    town.add("b")
    engine.start_answering()
    calm(lambda: town.right("a", "b"))
    # what it began with, and what is new
    assert town.proxy.loads <= 2
    assert engine.counts["inspect"] <= first.lives + 1 + town.lives


# --- B42: the admin endpoint of its own Caddy


@pytest.mark.parametrize("option", ["admin off", "admin localhost:%FREE_PORT%", "admin unix//%FOLDER%/other.sock"])
def test_b42_the_operators_admin_option_locks_nobody_out(
    newcomers: Newcomers, add_to_base: Callable[[str], None], option: str
) -> None:
    add_to_base(f"{{\n\t{option}\n}}\n")
    for turn in ("one", "two"):
        newcomers.put(site("x", {"respond": turn}))
        assert newcomers.body("x") == turn
    assert newcomers.world.faults() == []
