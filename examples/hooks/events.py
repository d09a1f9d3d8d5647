"""A file with a line for everything that happens."""

from collections.abc import Callable, Iterable
from pathlib import Path

import dockcaddy
from attrs import field, frozen
from dockcaddy import Event, EventListener, ServiceContext, SettingsSection


@frozen
class DiarySettings:
    file: str = field(default="", metadata={"help": "file to write to; empty: none"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    return SettingsSection("diary", DiarySettings)


@dockcaddy.hook
def dockcaddy_events() -> Iterable[EventListener]:
    return [EventListener("diary", diary)]


def diary(context: ServiceContext) -> Callable[[Event], None]:
    file = context.settings(DiarySettings).file

    def receive(event: Event) -> None:
        if file:
            with Path(file).open("a") as lines:
                lines.write(f"{event.kind} {event.subject} {event.message}\n")

    return receive
