"""A Caddy that refuses what it is told to, with a clock that only it moves, and fragments to try it with."""

import json
from collections.abc import Callable
from typing import Any

from attrs import define, field
from dockcaddy import caddyfile
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.merge.assembly import Assembler
from dockcaddy.merge.configuration import Configuration
from dockcaddy.quarantine import Quarantine
from quarantining import quarantine_of


def fragment(key: str, text: str, seniority: int = 0) -> Fragment:
    """A container's fragment out of Caddyfile text."""
    return Fragment(key, f"container {key}", seniority, caddyfile.parse(text, f"container {key}"))


def site(name: str, *lines: str) -> str:
    return f"http://{name}.test {{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


@define(eq=False)
class Caddy:
    """A Caddy that refuses to load what `complains` complains of, and takes a second for it where it is `slow`."""

    complains: Callable[[str], str] = lambda text: ""
    slow: float = 0.0
    now: float = 0.0
    loads: list[str] = field(factory=list)
    tries: list[str] = field(factory=list)
    refused: int = 0
    # whether it can be asked what it runs
    is_asked: bool = False
    quarantine: Quarantine = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.quarantine = quarantine_of(self.adapt, lambda: self.now)

    def adapt(self, text: str) -> bytes:
        """A route for each site, which says what its lines say; files of certificates are loaded for all sites."""
        apps: dict[str, Any] = {"http": {"servers": {"srv0": {"routes": (routes := list[Any]())}}}}
        for line in text.splitlines():
            if line.startswith("http://"):
                routes.append({"match": [{"host": [line[len("http://") : -len(" {")]]}], "handle": []})
            elif line.startswith("\ttls "):
                files = apps.setdefault("tls", {"certificates": {"load_files": []}})["certificates"]["load_files"]
                files.append({"certificate": line.split()[-1], "tags": [f"cert{len(files)}"]})
            elif line.startswith("\t") and routes:
                routes[-1]["handle"].append({"handler": "vars", "line": line.strip()})
        return json.dumps({"apps": apps}, separators=(",", ":")).encode()

    def load(self, configuration: Configuration) -> bool:
        self.now += self.slow
        self.tries.append(configuration.text)
        complaint = self.complains(configuration.text)
        if complaint:
            self.refused += 1
            raise CaddyRefusal(complaint)
        if not self.loads or self.loads[-1] != configuration.text:
            self.loads.append(configuration.text)
        return True

    def still_holds(self, configuration: Configuration) -> bool:
        return self.is_asked and bool(self.loads) and self.adapt(self.loads[-1]) == configuration.adapted

    def settle(self, *fragments: Fragment) -> list[str]:
        """One cycle; gives who has a problem."""
        assembler = Assembler()

        def build(fragments) -> Configuration:
            assembly = assembler.assemble(fragments)
            return Configuration(assembly.text, (), None, assembly)

        self.quarantine.resolve(fragments, build, self.load, self.still_holds)
        return sorted(problem.resource.removeprefix("container ") for problem in self.quarantine.problems)


def first_with(word: str, complaint: str) -> Callable[[str], str]:
    """Complains of the first line that holds the word: `{line}` stands for it, `{route}` for the number of its site."""

    def complains(text: str) -> str:
        route = -1
        for line in text.splitlines():
            route += line.startswith("http")
            if word in line:
                return complaint.format(line=line.split()[-1], route=route)
        return ""

    return complains


# what Caddy says of a certificate, and of a route
NO_FILE = "loading tls app module: provision tls: loading certificates: open {line}: no such file or directory"
NO_ROUTE = "loading http app module: provision http: server srv0: setting up route handlers: route {route}: x"
GOOD = [fragment(f"good{n}", site(f"good{n}", f"respond {n}")) for n in range(20)]
