"""The status as text for people: what is wrong first, each with what to do. Pure."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from attrs import frozen

from dockcaddy.errors import listed
from dockcaddy.status.model import UNMEANT

Document = Mapping[str, Any]
Style = Literal["", "good", "bad", "unsure", "dim", "bold"]
_MARKS: dict[str, tuple[str, Style]] = {"True": ("ok", "good"), "False": ("!!", "bad"), "Unknown": ("??", "unsure")}
INDENT = "   "


@frozen
class Row:
    """A line: a mark with its style, and the text behind it. Text that is too long goes on below, `indent` to the right."""

    text: str
    mark: str = ""
    style: Style = ""
    indent: str = ""


@frozen
class Documents:
    """The documents that the status is shown from."""

    sites: Sequence[Document]
    resources: Sequence[Document]
    problems: Sequence[Document]
    caddy: Document
    engines: Sequence[Document]

    @classmethod
    def of(cls, document: Callable[[str], Document]) -> "Documents":
        """Those that `document` gives by name."""
        sites, resources, problems = map(document, ("sites", "resources", "problems"))
        return cls(sites["sites"], resources["resources"], problems["problems"], sites["caddy"], sites["engines"])

    def named(self, subject: str) -> tuple[list[Document], list[Document]]:
        """The sites with this address, URL or host, and the resources of this name or id.

        Where there is none, the resources that would have such a site if they ran.
        """
        wanted = subject.lower().rstrip("/")
        sites = [each for each in self.sites if wanted in _names_of(each)]
        resources = [each for each in self.resources if _is_named(each, subject)]
        return sites, resources if sites or resources else self._away(wanted)

    def _away(self, wanted: str) -> list[Document]:
        """The resources that are not read, whose labels name this site."""
        unread = [each for each in self.resources if condition(each, "Accepted")["reason"] in UNMEANT]
        return [each for each in unread if wanted in _spelled_names(each["sites"])]

    def left_out(self, sites: Iterable[Document]) -> list[Document]:
        """The resources that these sites would have too, if their labels were served as they are now."""
        names = {each["name"] for each in sites}
        made = {name for each in sites for name in each["resources"] if not each["served"]}
        return [
            each
            for each in self.resources
            if not names.isdisjoint(each["sites"])
            and condition(each, "Accepted")["reason"] not in UNMEANT
            and owner(each) not in made
            and condition(each, "Programmed")["status"] == "False"
        ]

    def troubles(self, addresses: Collection[str], host: str) -> list[str]:
        """What is wrong with the sites of these addresses, and with those of this host that are not served."""
        sites = [each for each in self.sites if not set(addresses).isdisjoint(each["addresses"])]
        of_host, _ = self.named(host)
        sites += [each for each in of_host if not each["served"] and each not in sites]
        away = [] if sites or of_host else self._away(host.lower())
        wrong = [each for each in sites if not is_met(each)]
        said = [why(each) if each["served"] else f"{', '.join(each['resources'])}: {why(each)}" for each in wrong]
        return [*said, *(f"{owner(each)}: {why(each)}" for each in (*self.left_out(sites), *away))]

    def further_problems(self, things: Sequence[Document]) -> list[Document]:
        """Problems of the resources that these things are or are made by, without those that their conditions name."""
        makers = {name for each in things for name in (each["resources"] if "urls" in each else (owner(each),))}
        return _unsaid([each for each in self.problems if each["resource"] in makers], things)

    def upstreams(self, sites: Iterable[Document], resources: Iterable[Document]) -> Iterator[Sequence[Document]]:
        """The upstreams of each site, and of each resource those that it is itself."""
        yield from (each["upstreams"] for each in sites)
        for resource in resources:
            made = [each for each in self.sites if each["name"] in resource["sites"]]
            yield [each for site in made for each in site["upstreams"] if each["container"] == resource["name"]]

    def silent(self) -> list[str]:
        """Why Caddy and engines do not answer."""
        caddy = () if self.caddy["up"] else (self.caddy["message"],)
        return [*caddy, *(f"engine {each['name']}: {each['message']}" for each in self.engines if not each["up"])]

    def names(self) -> list[str]:
        """All that may be asked for."""
        return [*(each["name"] for each in self.sites), *(each["name"] for each in self.resources)]


def condition(of: Document, type: str) -> Document:
    """The condition of this type."""
    found: Document = next(each for each in of["conditions"] if each["type"] == type)
    return found


def worst(of: Document) -> Document:
    """The first condition that is not met, else `Ready`."""
    found: Document = next((each for each in of["conditions"] if each["status"] != "True"), of["conditions"][-1])
    return found


def is_met(of: Document) -> bool:
    """Whether all conditions are met."""
    return all(each["status"] == "True" for each in of["conditions"])


def is_unknown(of: Document) -> bool:
    """Whether its first condition that is not met is not known."""
    return bool(worst(of)["status"] == "Unknown")


def owner(resource: Document) -> str:
    """The name of a resource in messages: `container web-1`."""
    return f"{resource['kind']} {resource['name']}"


def why(of: Document) -> str:
    """`Unhealthy: no upstream is healthy: ...`: the first condition that is not met, else `Ready`."""
    first = worst(of)
    return f"{first['reason']}: {first['message']}" if first["message"] else str(first["reason"])


def overview(documents: Documents, now: float) -> Iterator[Row]:
    """Everything: problems first, then what is fine, then what has no site."""
    yield from _parts(documents, now)
    sites = sorted(documents.sites, key=lambda each: (_rank(each), each["name"]))
    ready = sum(condition(each, "Ready")["status"] == "True" for each in sites)
    yield Row(f"{len(sites)} site{'' if len(sites) == 1 else 's'}, {ready} ready", style="bold")
    named = {name for site in documents.sites for name in site["resources"]}
    rest = [each for each in documents.resources if owner(each) not in named]
    wrong = [each for each in rest if condition(each, "Accepted")["reason"] not in UNMEANT]
    meant = [each for each in wrong if not is_met(each)]
    yield from _unmet_sites([each for each in sites if not is_met(each)], now)
    yield from (row for each in sorted(meant, key=_name) for row in _condition(owner(each), worst(each), now))
    yield from (row for each in sites if is_met(each) for row in _met_site(each, now))
    yield from _without_site(sorted((each for each in rest if each not in wrong), key=_name))
    yield from _other_problems(_unsaid(documents.problems, (*documents.sites, *documents.resources)))


def chosen(documents: Documents, things: Sequence[Document], now: float) -> Iterator[Row]:
    """All of these sites and resources, and the problems of what makes them."""
    for place, each in enumerate(things):
        if place:
            yield Row("")
        yield from details(each, now)
    yield from _other_problems(documents.further_problems(things))


def details(site: Document, now: float) -> Iterator[Row]:
    """All of one site or resource."""
    yield Row(site["name"] if "urls" in site else owner(site), style="bold")
    for each in site["conditions"]:
        yield from _condition(each["type"], each, now)
    for upstream in site.get("upstreams", ()):
        mark, style = _MARKS[upstream["healthy"]]
        yield Row(f"upstream {placed(upstream)}: {upstream['reason']}", mark, style, INDENT)
    for title, key in (("made by", "resources"), ("URLs", "urls"), ("sites", "sites")):
        if site.get(key):
            yield Row(f"{title}: {', '.join(site[key])}", indent=INDENT)


def drawn(rows: Iterable[Row], width: int = 0, colours: Mapping[Style, str] | None = None) -> str:
    """The rows as text; `width` 0 is any. `colours` are the escape sequences of styles, with their end at `""`."""
    lines = []
    for row in rows:
        begin = f"{row.mark} " if row.mark else ""
        text = f"{begin}{row.text}"
        wrapped = textwrap.wrap(text, width, subsequent_indent=row.indent, break_on_hyphens=False) if width else [text]
        first, *rest = wrapped or [""]
        if colours and row.style:
            coloured = row.mark or first
            first = f"{colours[row.style]}{coloured}{colours['']}{first[len(coloured) :]}"
        lines += [first, *rest]
    return "".join(f"{line}\n" for line in lines)


def _parts(documents: Documents, now: float) -> Iterator[Row]:
    for each in (documents.caddy, *documents.engines):
        what = each["name"] if each is documents.caddy else f"engine {each['name']}"
        if not each["up"]:
            # no pass is over yet
            mark = Row("Starting", "??", "unsure") if not each["since"] else Row("DoesNotAnswer", "!!", "bad")
            yield Row(f"{what}: {mark.text}{_since(each, now)}", mark.mark, mark.style, INDENT)
            yield _below(each["message"])


def _unmet_sites(sites: Iterable[Document], now: float) -> Iterator[Row]:
    """What those that follow each other have in common is said once, below the last of them."""
    for _, found in groupby(sites, why):
        alike = [(_urls(each), worst(each)) for each in found]
        for urls, first in alike[:-1]:
            yield from _condition(urls, {**first, "message": ""}, now)
        yield from _condition(*alike[-1], now)


def _urls(site: Document) -> str:
    return listed(site["urls"] or [site["name"]], 1)


def _met_site(site: Document, now: float) -> Iterator[Row]:
    to = f" -> {listed(list(map(placed, site['upstreams'])), 1)}" if site["upstreams"] else ""
    yield Row(f"{_urls(site)}{to}{_since(worst(site), now)}", *_MARKS["True"], INDENT)
    programmed = condition(site, "Programmed")
    if programmed["reason"] == "LastKnownGood":
        yield _below(f"an earlier version is served: {programmed['message']}")


def _condition(of: str, condition: Document, now: float) -> Iterator[Row]:
    """A condition, and below it what it says."""
    mark, style = _MARKS[condition["status"]]
    yield Row(f"{of}: {condition['reason']}{_since(condition, now)}", mark, style, INDENT)
    if condition["message"]:
        yield _below(condition["message"])


def _below(text: str) -> Row:
    return Row(f"{INDENT}{text}", indent=INDENT)


def _without_site(resources: Sequence[Document]) -> Iterator[Row]:
    """Each reason once, with the names."""
    if not resources:
        return
    yield Row("")
    yield Row(f"{len(resources)} without a site", style="bold")
    names: dict[tuple[str, str], list[str]] = {}
    for each in resources:
        names.setdefault((each["kind"], condition(each, "Accepted")["message"]), []).append(each["name"])
    for (kind, why), found in names.items():
        yield Row(f"{kind}{'s' if len(found) > 1 else ''} {', '.join(found)}: {why}", "--", "dim", INDENT)


def _unsaid(problems: Iterable[Document], things: Iterable[Document]) -> list[Document]:
    """The problems that no condition of these sites and resources says already."""
    said = {each["message"] for thing in things for each in thing["conditions"]}
    return [each for each in problems if not any(each["message"] in text for text in said)]


def _other_problems(problems: Sequence[Document]) -> Iterator[Row]:
    if problems:
        yield Row("")
        yield Row("also", style="bold")
    for each in problems:
        style: Style = "bad" if each["severity"] == "error" else "unsure"
        yield Row(spelled(each), "!!" if style == "bad" else "??", style, INDENT)


def spelled(problem: Document) -> str:
    """`container web-1: label caddy.reverse_proxy: function "foo" is not defined`."""
    label = f"label {problem['label']}: " if problem["label"] else ""
    return f"{problem['resource']}: {label}{problem['message']}"


def placed(upstream: Document) -> str:
    """An upstream in messages: `web-1 172.18.0.3:80`."""
    return f"{upstream['container']} {upstream['address']}".strip()


def _since(of: Document, now: float) -> str:
    if not of.get("since"):
        return ""
    seconds = max(0.0, now - datetime.fromisoformat(of["since"].replace("Z", "+00:00")).timestamp())
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f" (for {seconds // size:.0f} {word})"
    return f" (for {seconds:.0f} s)"


def _rank(site: Document) -> int:
    return ("False", "Unknown", "True").index(worst(site)["status"])


def _name(each: Document) -> str:
    return str(each["name"])


def _names_of(site: Document) -> set[str]:
    return _spelled_names([site["name"], *site["addresses"], *site["urls"]])


def _spelled_names(spelled: Sequence[str]) -> set[str]:
    """All that people may write for a site with these addresses."""
    hosts = [each.rpartition("//")[2].partition("/")[0] for each in spelled]
    bare = [each.rpartition(":")[0] for each in hosts if each.rpartition(":")[2].isdecimal()]
    return {each.lower().rstrip("/") for each in (*spelled, *hosts, *bare) if each}


def _is_named(each: Document, subject: str) -> bool:
    id = each["key"].rpartition("/")[2]
    is_id = len(subject) >= 4 and id.startswith(subject)
    return is_id or subject in (each["name"], each["key"], owner(each))
