"""caddy.static: /srv/www becomes a root and a file server."""

from collections.abc import Iterable

import dockcaddy
from attrs import evolve
from dockcaddy import Context, Label, LabelError, LabelTransformer


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    return [LabelTransformer("static", static)]


def static(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
    """Replace each label `static` of a site; `origin` stays, so that errors name the label people wrote."""
    for label in labels:
        site, _, directive = label.key.rpartition(".")
        if directive != "static":
            yield label
        elif not label.value:
            raise LabelError(label.origin, "static needs a folder: /srv/www")
        else:
            yield evolve(label, key=f"{site}.root", value=f"* {label.value}")
            yield evolve(label, key=f"{site}.file_server", value="")
