"""The label `maintenance` of a site. Pure: what it says becomes other labels."""

from collections.abc import Iterable, Iterator

from attrs import evolve
from dockcaddy import Context, Label, LabelError

from dockcaddy_maintenance.settings import MaintenanceSettings

NAME = "maintenance"


def text_of(context: Context) -> str:
    """The text of the container's label maintenance, or of the settings; empty outside of maintenance."""
    written = next(_values(context), None)
    return "" if written is None else written.strip() or _default(context)


def is_available(context: Context) -> bool:
    """Whether the container has no label `maintenance`."""
    return next(_values(context), None) is None


def with_responses(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
    """The labels with `respond` in place of `maintenance`; `origin` stays the label that people wrote."""
    for label in labels:
        site, _, directive = label.key.rpartition(".")
        if directive != NAME:
            yield label
            continue
        text = label.value.strip() or _default(context)
        if '"' in text:
            raise LabelError(label.origin, "maintenance: the text cannot have double quotes, leave them out")
        yield evolve(label, key=f"{site}.respond", value=f'"{text}" 503')


def _default(context: Context) -> str:
    settings: MaintenanceSettings = context.settings(MaintenanceSettings)
    return settings.text


def _values(context: Context) -> Iterator[str]:
    """The values of the labels `caddy.maintenance`, `caddy_1.maintenance`, ... as they are written."""
    for key, value in context.resource.labels.items():
        site, _, directive = key.rpartition(".")
        if directive == NAME and site and "." not in site:
            yield value
