"""A container with the label `drain: "true"` gets no more traffic."""

from collections.abc import Iterable

import dockcaddy
from dockcaddy import Context, Gate


@dockcaddy.hook
def dockcaddy_gates() -> Iterable[Gate]:
    return [Gate("drain", is_not_drained)]


def is_not_drained(context: Context) -> bool:
    """Whether the label is absent, or not true."""
    return context.resource.labels.get("drain") != "true"
