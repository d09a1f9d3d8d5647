"""Whether a rendered fragment may take part: our own check of its lines, then the admission rules of plugins. Pure."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from dockcaddy.caddyfile import Block, all_blocks
from dockcaddy.compile.rendering import ResourceContext
from dockcaddy.errors import LabelError, PluginFault, one_line
from dockcaddy.fragment import Fragment
from dockcaddy.model import Problem
from dockcaddy.plugins.calls import check_blocks

# options that name files which Caddy reads at once, or may do so in a snippet
_READING = """
    tls load ca_root acme_ca_root trusted_roots cert key pem_file trusted_ca_cert_file trusted_leaf_cert_file verifier
    leaf_certs file folder tls_trusted_ca_certs tls_client_auth trust_pool browse import
"""
_READERS = frozenset(_READING.split())
# devices and the like, where reading may never end
_ENDLESS = re.compile(r"/*(?:\.\./)*/*(?:dev|proc|sys)(?:/|$)")
_TRUST_POOLS = frozenset(("trust_pool", "tls_trust_pool"))
_MAY_BLOCK = _READERS | _TRUST_POOLS


def admitted(fragment: Fragment, context: ResourceContext) -> Fragment:
    """The fragment that was rendered with `context`, with a problem and without its blocks where something refuses it.

    Our own check makes it one that failed, as if it could not be rendered: what Caddy accepted before stays. What an
    admission rule refuses is not served, whatever was before; its blocks stay where `render --raw` prints them.
    """
    if not fragment.blocks:
        return fragment
    blocking = next(_blocking_lines(fragment.blocks), None)
    if blocking is not None:
        line, reason = blocking
        problem = _problem(fragment, line.origins[0].label, reason)
        return evolve(fragment, blocks=(), problems=(problem, *fragment.problems))
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


def _blocking_lines(blocks: Iterable[Block]) -> Iterator[tuple[Block, str]]:
    """The lines at which Caddy would block while it reads or loads a configuration, and never take another one, with the reason."""
    for block in all_blocks(blocks):
        if block.keys and block.keys[0] in _MAY_BLOCK and (reason := _endless_file(block) or _waiting(block)):
            yield block, reason


def _endless_file(line: Block) -> str:
    for token in line.keys[1:] if line.keys[0] in _READERS else ():
        path = posixpath.normpath(token.replace("{system.slash}", "/"))
        if "/" in path and _ENDLESS.match(path):
            return f"{token} is a device or kernel file, which caddy would never finish reading: name a regular file"
    return ""


def _waiting(line: Block) -> str:
    kind = line.keys[1] if len(line.keys) > 1 else ""
    if line.keys[0] in _TRUST_POOLS and (kind == "http" or "{" in kind):
        return f"{line.keys[0]}: caddy would wait for this server while it loads: use a file"
    return ""
