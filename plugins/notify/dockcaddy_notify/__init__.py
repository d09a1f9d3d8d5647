"""Notifications: what happens goes to a webhook, ntfy, gotify, Slack or Discord."""

from collections.abc import Callable, Iterable
from typing import Any, get_args

import dockcaddy
from attrs import Attribute, field, frozen
from dockcaddy import Event, EventKind, EventListener, ServiceContext, SettingsSection, gotemplate
from dockcaddy.gotemplate import FunctionTable, TemplateError

from dockcaddy_notify.filter import Filter
from dockcaddy_notify.sender import Sender
from dockcaddy_notify.targets import KINDS, parsed

ALL: tuple[str, ...] = get_args(EventKind)
# what somebody should look at, and that it is over
USUAL = tuple(each for each in ALL if each not in ("SiteUp", "SiteGone"))


def _check_targets(instance: object, attribute: "Attribute[Any]", value: tuple[str, ...]) -> None:
    for each in value:
        parsed(each)


def _check_events(instance: object, attribute: "Attribute[Any]", value: tuple[str, ...]) -> None:
    for each in value:
        if each not in ALL:
            raise ValueError(f'there is no event "{each}", there are {", ".join(ALL)}')


def _check_template(instance: object, attribute: "Attribute[Any]", value: str) -> None:
    try:
        gotemplate.compile(value, FunctionTable({}))
    except TemplateError as error:
        raise ValueError(str(error)) from error


def _check_limit(instance: object, attribute: "Attribute[Any]", value: int) -> None:
    if value < 1:
        raise ValueError("expected a number of messages a minute, at least 1")


@frozen
class NotifySettings:
    """The section `[notify]`."""

    targets: tuple[str, ...] = field(
        default=(),
        validator=_check_targets,
        repr=False,
        metadata={"help": f"where to send: KIND=URL, with KIND {', '.join(KINDS)}"},
    )
    events: tuple[str, ...] = field(
        default=USUAL,
        validator=_check_events,
        metadata={"help": "the events that are sent; by default all but SiteUp and SiteGone"},
    )
    sites: tuple[str, ...] = field(
        default=(), metadata={"help": "patterns of sites and subjects, like *.example.org; empty: all"}
    )
    template: str = field(
        default="",
        validator=_check_template,
        metadata={"help": "Go template of the text; of a webhook, of the whole body"},
    )
    limit: int = field(
        default=20, validator=_check_limit, metadata={"help": "messages a minute to each target; the rest is counted"}
    )


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[notify]`."""
    return SettingsSection("notify", NotifySettings)


@dockcaddy.hook
def dockcaddy_events() -> Iterable[EventListener]:
    """The listener that sends."""
    return [EventListener("notify", listener)]


def listener(context: ServiceContext) -> Callable[[Event], None]:
    """What sends an event to every target, each in a thread of its own."""
    settings: NotifySettings = context.settings(NotifySettings)
    wanted = Filter(frozenset(settings.events), settings.sites)
    senders = [Sender(parsed(each), settings.template, settings.limit, context.clock) for each in settings.targets]
    for each in senders:
        each.start()

    def receive(event: Event) -> None:
        if wanted.wants(event):
            for each in senders:
                each.put(event)

    return receive
