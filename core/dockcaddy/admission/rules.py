"""Whether a rendered fragment may take part: our own check of its lines, then the admission rules of plugins. Pure."""

from attrs import evolve

from dockcaddy.admission.blocking_lines import blocking_lines
from dockcaddy.caddyfile import Block
from dockcaddy.compile.rendering import ResourceContext
from dockcaddy.errors import LabelError, PluginFault, one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.plugins.calls import check_blocks


def admitted(fragment: Fragment, context: ResourceContext) -> Fragment:
    """The fragment that was rendered with `context`, with a problem and without its blocks where something refuses it.

    Our own check makes it one that failed, as if it could not be rendered: what Caddy accepted before stays. What an
    admission rule refuses is not served, whatever was before; its blocks stay where `render --raw` prints them.
    """
    if not fragment.blocks:
        return fragment
    for line, reason in blocking_lines(fragment.blocks):
        return evolve(
            fragment, blocks=(), problems=(_problem(fragment, line.origins[0].label, reason), *fragment.problems)
        )
    known = len(context.warnings)
    refusal, blocks = _first_refusal(fragment, context)
    warnings = tuple(context.warnings[known:])
    problems = (*fragment.problems, *warnings)
    if refusal is not None:
        return evolve(fragment, blocks=blocks, refused=True, problems=(refusal, *problems))
    if not warnings and context.grace_period == fragment.grace_period:
        return fragment
    return evolve(fragment, problems=problems, grace_period=context.grace_period)


def _first_refusal(fragment: Fragment, context: ResourceContext) -> tuple[Problem | None, tuple[Block, ...]]:
    """The first refusal, and the blocks that may still be shown."""
    for rule in context.registry.admission_rules:
        context.label = ""
        shown = fragment.blocks if rule.item.shows_refused else ()
        try:
            check_blocks(rule, context, fragment.blocks)
        except LabelError as error:
            return _problem(fragment, error.label, error.message), shown
        except PluginFault as fault:
            return _problem(fragment, context.label, str(fault)), shown
    return None, fragment.blocks


def _problem(fragment: Fragment, label: str, message: str) -> Problem:
    return Problem(fragment.owner, one_line(label), one_line(message))
