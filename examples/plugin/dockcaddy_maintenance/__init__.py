"""A label takes a container out of service: visitors get a text, the container gets no traffic."""

from collections.abc import Iterable, Mapping

import dockcaddy
from dockcaddy import Gate, LabelTransformer, OutputType, SettingsSection, TemplateFunction

from dockcaddy_maintenance.labels import is_available, text_of, with_responses
from dockcaddy_maintenance.settings import MaintenanceSettings
from dockcaddy_maintenance.sites import sites_output


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[maintenance]`."""
    return SettingsSection("maintenance", MaintenanceSettings)


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    """The function of this plugin."""
    return {"maintenance": text_of}


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """The label `maintenance`, after its template is rendered."""
    return [LabelTransformer("maintenance", with_responses)]


@dockcaddy.hook
def dockcaddy_gates() -> Iterable[Gate]:
    """No traffic during maintenance."""
    return [Gate("maintenance", is_available)]


@dockcaddy.hook
def dockcaddy_outputs() -> Mapping[str, OutputType]:
    """The output of this plugin."""
    return {"sites": OutputType(sites_output)}
