"""The faults of caddy-docker-proxy that are proven not to be dockcaddy's: none is forgotten, none is unknown.

A test's name begins with the id of its fault, or with several: `test_b2_...`, `test_b_a_b7_...`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# what goes wrong there, by id
FAULTS = {
    "B-A": "a label's key with an empty part ends the program",
    "B-B": "a brace in a value empties the configuration or swallows what follows",
    "B-C": "a site without directives takes the sites behind it with it",
    "B2": "after an error of the event stream nothing is heard for half a minute",
    "B3": "health, kill, pause, rename, update and changes of networks are not heard",
    "B4": "a failed call to the engine deletes sites",
    "B5": "a Caddy or a server that was restarted or emptied stays empty",
    "B6": "every poll adapts everything, each block by itself",
    "B7": "what fails only when Caddy loads it stops every later change",
    "B8": "one wrong global option takes all others with it",
    "B9": "one wrong directive takes the site of all its containers with it",
    "B10": "polling that is switched off spins",
    "B11": "updates overlap, and one that comes during another is lost",
    "B12": "a port in quotes is taken for a scheme",
    "B13": "IPv6 addresses are dialled without brackets",
    "B14": "labels read the proxy's environment",
    "B15": "functions that give something else each time cause a reload at each poll",
    "B16": "labels set everybody's options, read files and change others' snippets",
    "B17": "a container on two networks is listed twice",
    "B18": "an address that is named twice is listed twice",
    "B19": "replicas with different options of a proxy lose their site",
    "B20": "one site in two spellings is two sites",
    "B21": "heredocs in the operator's Caddyfile are changed",
    "B24": "an engine that is down at the start ends the program",
    "B30": "a container with a name of its own, or on the host's network, does not find itself",
    "B31": "crash loops flip the configuration, and proxies without upstreams are there",
    "B32": "inside `route` files come before the login",
    "B33": "names lose the number that they end in",
    "B34": "one matcher name in two containers becomes one matcher",
    "B35": "empty arguments, tabs, hashes and quotes are lost or change their meaning",
    "B36": "a quoted brace in the operator's Caddyfile is lost",
    "B37": "a wrong template is told without its name, and takes its container's sites away",
    "B38": "a site that is left out is logged at info level, so that nobody sees it",
    "B40": "labels without a value are dropped",
    "B41": "whoever is on the network configures the servers",
    "B42": "an admin option locks the program out of its own Caddy, or becomes the servers'",
    "B43": "a server that does not answer holds the others up",
    "B44": "an unknown mode or network is taken for another one",
    "B45": "lists are not trimmed",
    "B46": "the environment's variables for Docker are overwritten for each engine",
    "B48": "there is no way to ask whether it is healthy",
    "B49": "equal labels give different files",
    "B50": "functions of sprig hide those of Go",
}
# what is tested where the code is: several engines, Swarm, controllers and servers, options
ELSEWHERE = {
    "B1": (
        "of several engines only the first is heard",
        "engine/test_several.py::test_events_of_each_engine_are_heard_without_a_poll",
    ),
    "B18": (
        "a Swarm service that two managers list is listed twice",
        "engine/test_swarm.py::test_what_two_managers_of_one_swarm_list_counts_once_from_the_one_that_lists_it_now",
    ),
    "B24": (
        "of several engines one that is down ends the program",
        "engine/test_several.py::test_one_that_is_not_there_stops_nobody",
    ),
    "B25": (
        "tasks that move to other nodes are not heard",
        "engine/test_swarm_live.py::test_tasks_that_come_and_go_without_an_event_are_there_within_a_second",
    ),
    "B26": (
        "fifty containers that start one after the other cause nearly fifty reloads",
        "reconcile/test_debounce.py::test_a_hundred_changes_in_twenty_seconds_cost_less_than_three_quarters_as_many_cycles",
    ),
    "B27": (
        "a network of another host counts by its name",
        "engine/test_reach.py::test_a_network_of_the_same_name_on_another_host_is_another_network",
    ),
    "B28": (
        "several engines need their ingress networks named",
        "engine/test_real_engines.py::test_each_site_leads_to_its_own_engine_and_one_that_is_cut_off_costs_nobody_anything",
    ),
    "B29": (
        "a worker is asked what only a manager knows",
        "engine/test_swarm.py::test_only_a_manager_is_asked_for_services",
    ),
    "B39": (
        "a container without a common network is logged at each poll",
        "upstreams/test_unreachable.py::test_an_unknown_network_of_the_option_is_told_once_though_all_are_reached",
    ),
    "B47": (
        "a file of variables is read by the controller only",
        "cli/test_render.py::test_the_environment_file_is_there_when_caddy_reads_the_text",
    ),
}
# what dockcaddy has in common with it
SHARED = {"B22": "files that the base Caddyfile imports are not watched"}

_ID = re.compile(r"b_([a-z])_|b(\d+)_")


def named(test: str) -> Iterator[str]:
    """The ids that a test's name begins with."""
    rest = test.removeprefix("test_")
    while found := _ID.match(rest):
        yield f"B-{found[1].upper()}" if found[1] else f"B{found[2]}"
        rest = rest[found.end() :]


def names_in(path: Path) -> Iterator[str]:
    """The names of a file's tests."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_every_fault_has_a_test_and_every_test_a_fault() -> None:
    files = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    ids = {test: list(named(test)) for path in files for test in names_in(path)}
    assert [test for test, found in ids.items() if not found] == []
    assert {id for found in ids.values() for id in found} == FAULTS.keys()


def test_the_tests_elsewhere_are_there() -> None:
    folder = Path(__file__).parent.parent
    for _, test in ELSEWHERE.values():
        path, _, name = test.partition("::")
        assert name in names_in(folder / path), test


def test_no_number_is_missing() -> None:
    numbers = {int(id[1:]) for id in (*FAULTS, *ELSEWHERE, *SHARED) if not id.startswith("B-")}
    # there is no B23
    assert numbers == set(range(1, 51)) - {23}
