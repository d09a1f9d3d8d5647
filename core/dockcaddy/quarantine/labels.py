"""Finds the label that Caddy refuses where its message does not name it, by leaving out one label after the other."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import evolve

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block
from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.quarantine.refusal import BY_CADDY
from dockcaddy.settings import limits

Adapt = Callable[[str], bytes]
Validate = Callable[[bytes, str], None]


def with_labels(
    problems: Iterable[Problem], fragments: Sequence[Fragment], adapt: Adapt, validate: Validate
) -> tuple[Problem, ...]:
    """The problems; each refusal by Caddy with the label at fault, where one is found."""
    by_owner = {each.owner: each for each in fragments}
    shared = [block for each in fragments for block in each.blocks if each.definitions]

    def refusal(blocks: Iterable[Block]) -> str:
        text = caddyfile.write(caddyfile.sort(caddyfile.merge(blocks)))
        try:
            validate(adapt(text), text)
        except CaddyRefusal as refused:
            # numbers of lines and routes change with each label that is left out
            return re.sub(r"\d+", "", str(refused))
        return ""

    def with_label(problem: Problem) -> Problem:
        fragment = by_owner.get(problem.resource)
        if fragment is None or not problem.message.startswith(BY_CADDY) or _is_exact(problem.label, fragment.blocks):
            return problem
        others = [block for block in shared if block not in fragment.blocks]
        found = _at_fault(fragment.blocks, lambda blocks: refusal([*others, *blocks]))
        return evolve(problem, label=found or problem.label)

    return tuple(map(with_label, problems))


def _is_exact(label: str, blocks: Iterable[Block]) -> bool:
    """Whether no other label stands below this one, which may be meant instead."""
    own = (block for block in caddyfile.all_blocks(blocks) if block.origins and block.origins[0].label == label)
    return {each for block in own for each in _labels((block,))} == {label}


def _at_fault(blocks: Sequence[Block], refusal: Callable[[Iterable[Block]], str]) -> str:
    labels = dict.fromkeys(_labels(blocks))
    said = refusal(blocks) if len(labels) <= limits.MAX_TRIED_LABELS else ""
    if not said:
        return ""
    return next((label for label in labels if refusal(_without(label, blocks)) != said), "")


def _labels(blocks: Iterable[Block]) -> Iterator[str]:
    """The innermost first."""
    for block in blocks:
        yield from _labels(block.children)
        yield from (origin.label for origin in block.origins[:1])


def _without(label: str, blocks: Iterable[Block]) -> tuple[Block, ...]:
    return tuple(
        evolve(block, children=_without(label, block.children))
        for block in blocks
        if not (block.origins and block.origins[0].label == label)
    )
