"""A quarantine with one Caddy, which adapts everything by itself: fragments alone, and the whole text."""

from collections.abc import Callable

from dockcaddy.admission.document_rules import DocumentRules
from dockcaddy.caddyjson import Document, FragmentDocuments
from dockcaddy.merge.configuration import Configuration
from dockcaddy.plugins.registry import Registry
from dockcaddy.quarantine import Elsewhere, Machine, Quarantine
from dockcaddy.quarantine.endless import Ending
from dockcaddy.quarantine.transforms import Transforms
from dockcaddy.reconcile.pipeline import Pipeline


def quarantine_of(
    adapt: Callable[[str], bytes],
    clock: Callable[[], float],
    *,
    rules: Callable[[], DocumentRules] | None = None,
    machine: Machine | None = None,
    transforms: Transforms | None = None,
    document: Callable[[Configuration], Document] | None = None,
    documents: FragmentDocuments | None = None,
) -> Quarantine:
    """The quarantine, with no rules and no transforms unless they are given. A test may replace its `adapt` later."""
    no_rules = Pipeline(Registry()).document_rules

    def adapted(text: str) -> bytes:
        return made.adapt(text)

    made = Quarantine(
        adapt,
        clock,
        isolates=True,
        modules=frozenset,
        machine=machine or Elsewhere(),
        transforms=transforms or Transforms(),
        document=document or (lambda configuration: Document.decode(adapted(configuration.text))),
        documents=documents or FragmentDocuments(Ending(adapted)),
        rules=rules or (lambda: no_rules),
        allow_shadowing=False,
    )
    return made
