"""[contact] mail = "ops@example.org", --set contact.mail=..., DOCKCADDY_CONTACT_MAIL=..."""

from collections.abc import Mapping

import dockcaddy
from attrs import field, frozen
from dockcaddy import Context, SettingsSection, TemplateFunction


def _check(instance: object, attribute: object, value: str) -> None:
    if value and "@" not in value:
        raise ValueError("expected an address like ops@example.org")


@frozen
class ContactSettings:
    mail: str = field(default="", validator=_check, metadata={"help": "who answers for the sites"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    return SettingsSection("contact", ContactSettings)


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
    return {"contact": contact}


def contact(context: Context) -> str:
    """The address in the settings."""
    mail: str = context.settings(ContactSettings).mail
    return mail
