"""Natural label values that Caddy would refuse or misread, made what their author meant."""

from collections.abc import Iterable

import dockcaddy
from dockcaddy import LabelTransformer


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """One transformer for each idiom."""
    return []
