"""A file that says for how long the present configuration has been in force."""

from collections.abc import Iterable
from pathlib import Path

import dockcaddy
from attrs import define, field, frozen
from dockcaddy import Configuration, ServiceContext, ServiceType, SettingsSection


@frozen
class AgeSettings:
    file: str = field(default="", metadata={"help": "file to write to; empty: none"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    return SettingsSection("age", AgeSettings)


@dockcaddy.hook
def dockcaddy_services() -> Iterable[ServiceType]:
    return [ServiceType("age", Age)]


@define
class Age:
    """Writes in every pass, and asks for one each minute."""

    context: ServiceContext
    state: None = None
    retry_at: float | None = None
    _text: str = ""
    _since: float = 0.0
    _failure: str = ""

    def start(self) -> None:
        self.retry_at = self.context.clock() + 60

    def before_offer(self, configuration: Configuration) -> None:
        pass

    def after_accepted(self, configuration: Configuration) -> None:
        now = self.context.clock()
        if configuration.text != self._text:
            self._text, self._since = configuration.text, now
        self.retry_at, self._failure = now + 60, ""
        try:
            if file := self.context.settings(AgeSettings).file:
                Path(file).write_text(f"{now - self._since:.0f} s\n")
        except OSError as error:
            self._failure = f"cannot be written: {error.strerror}"

    def holds(self) -> bool:
        return True

    def problems(self) -> Iterable[str]:
        return [self._failure] if self._failure else []

    def stop(self) -> None:
        pass
