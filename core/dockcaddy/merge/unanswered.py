"""Sites that have nobody to send requests to, though their labels name somebody. Pure."""

from collections.abc import Iterator

from dockcaddy.caddyfile import PROXIES, Block, all_blocks, split_matcher
from dockcaddy.merge.assembly import Section
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem


def unanswered(configuration: Configuration) -> Iterator[Problem]:
    """A problem for each site with a proxy that can only answer 503, where there is a word on why it has no upstream.

    One without such a word is so for the moment: its containers are stopping, or not healthy.
    """
    told = {(problem.resource, problem.label) for problem in configuration.problems}
    for section in configuration.assembly.sections:
        for proxy in _proxies(section.block):
            if _is_empty(proxy, section) and any((each.resource, each.label) in told for each in proxy.origins):
                site = " ".join(section.block.keys)
                yield Problem(f"site {site}", "", "it can only answer 503: nobody is there to send requests to")
                break


def _proxies(block: Block) -> Iterator[Block]:
    return (each for each in all_blocks([block]) if each.keys and each.keys[0] in PROXIES)


def _is_empty(proxy: Block, section: Section) -> bool:
    """Whether it names no upstream; a placeholder may stand for none either."""
    sources = [child for child in proxy.children if child.keys[:1] in (("to",), ("dynamic",))]
    if not sources:
        return not split_matcher(proxy.keys[1:])[1]
    known = section.site.placeholders
    values = [known[key] for each in all_blocks(sources) for key in each.keys if key in known]
    return bool(values) and not any(values)
