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
    "B5": "a Caddy that was restarted or emptied stays empty",
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
    "B40": "labels without a value are dropped",
    "B42": "an admin option locks the program out of its own Caddy",
    "B49": "equal labels give different files",
    "B50": "functions of sprig hide those of Go",
}
# what Swarm, several engines and controlled servers add; those that are above as well are proven there for one engine
LATER = {
    "B1": "of several engines only the first is heard",
    "B5": "a controlled server that was restarted stays empty",
    "B18": "a Swarm service that two managers list is listed twice",
    "B24": "of several engines one that is down ends the program",
    "B25": "tasks that move to other nodes are not heard",
    "B27": "a network of another host counts by its name",
    "B28": "several engines need their ingress networks named",
    "B29": "a worker is asked what only a manager knows",
    "B41": "whoever is on the network configures the servers",
    "B42": "the controller's admin option becomes the servers'",
    "B43": "a server that does not answer holds the others up",
}

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
