"""Sites without an upstream, although their labels name one. Pure."""

from collections.abc import Iterator

from dockcaddy.caddyfile import PROXIES, Block, all_blocks, split_matcher
from dockcaddy.fragment import Section
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem


def unanswered(configuration: Configuration) -> Iterator[Problem]:
    """A problem for each site with a proxy without upstreams, where another problem explains why it has none.

    Without such a problem the state is temporary: its containers are stopping, or not healthy.
    """
    explained = {(problem.resource, problem.label) for problem in configuration.problems}
    for section in configuration.assembly.sections if explained else ():
        for proxy in _proxies(section.block):
            if _is_empty(proxy, section) and any((each.resource, each.label) in explained for each in proxy.origins):
                site = " ".join(section.block.keys)
                yield Problem(f"site {site}", "", "no upstream is available, so every request gets a 503")
                break


def _proxies(block: Block) -> Iterator[Block]:
    return (each for each in all_blocks([block]) if each.keys and each.keys[0] in PROXIES)


def _is_empty(proxy: Block, section: Section) -> bool:
    """Whether it has no upstream; the values of its placeholders may be empty."""
    sources = [child for child in proxy.children if child.keys[:1] in (("to",), ("dynamic",))]
    if not sources:
        return not split_matcher(proxy.keys[1:])[1]
    known = section.placeholders
    values = [known[key] for each in all_blocks(sources) for key in each.keys if key in known]
    return bool(values) and not any(values)
