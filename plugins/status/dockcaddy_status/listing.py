"""The Caddyfile line by line, with the labels that made each line, and the steps of one site. Pure."""

from collections.abc import Iterator, Sequence

from attrs import frozen
from dockcaddy import Listing, Origin


@frozen
class Line:
    """A line, from number 1 on, and the labels that made it."""

    number: int
    text: str
    origins: tuple[Origin, ...] = ()

    @property
    def depth(self) -> int:
        """How many blocks it is in."""
        return len(self.text) - len(self.text.lstrip("\t"))


def lines_of(listing: Listing | None) -> Iterator[Line]:
    """Every line of the Caddyfile."""
    if listing is None:
        return
    origins = listing.lines
    # only a line feed ends a line of a Caddyfile
    for place, text in enumerate(listing.text.rstrip("\n").split("\n")):
        yield Line(place + 1, text, origins[place] if place < len(origins) else ())


def block_of(listing: Listing | None, addresses: Sequence[str]) -> tuple[tuple[Line, ...], ...]:
    """The directives of the site with one of these addresses, each with the lines of its block."""
    wanted = set(addresses)
    steps: list[list[Line]] = []
    is_inside = False
    for line in lines_of(listing):
        if line.depth == 0:
            if is_inside:
                break
            header = line.text.removesuffix("{").replace(",", " ").split()
            is_inside = line.text.endswith("{") and not wanted.isdisjoint(header)
        elif is_inside and line.depth == 1 and line.text.strip() != "}":
            steps.append([line])
        elif is_inside and steps:
            steps[-1].append(line)
    return tuple(map(tuple, steps))
