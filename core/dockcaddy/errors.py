"""The errors that users see. Each message is one line, in lower case, without a full stop."""

from collections.abc import Sequence

# a message is cut to so many characters, however long the text is that it quotes
MESSAGE_LENGTH = 500


class DockcaddyError(Exception):
    """Base of all errors that are shown to the user without a traceback."""


class LabelError(DockcaddyError):
    """A label that cannot become configuration. `label` is the key as written."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message)
        self.label = label
        self.message = message


class SettingsError(DockcaddyError):
    """A setting that is unknown or invalid. The message names the source, the key and the nearest valid key."""


class ComposeFileError(SettingsError):
    """A Compose file that cannot be read, or is none. `line` counts from 1; 0 where no line is known."""

    def __init__(self, file: str, reason: str, line: int = 0) -> None:
        super().__init__(f"--compose {file}{f':{line}' if line else ''}: {reason}")
        self.file = file
        self.reason = reason
        self.line = line


class PluginError(DockcaddyError):
    """A plugin that cannot be loaded, or two that clash."""


class PluginFault(DockcaddyError):
    """A plugin's code failed when it was called. The message names plugin, contribution, file and line."""


class EngineUnreachable(DockcaddyError):
    """The engine does not answer, or answers with an error. `remedy` is what to do, `""` if unknown."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def advice(self) -> str:
        """The message with the remedy."""
        return f"{self}: {self.remedy}" if self.remedy else str(self)


class CaddyUnreachable(DockcaddyError):
    """Caddy does not answer."""


class CaddyRefusal(DockcaddyError):
    """Caddy read the configuration and refuses it. The message is Caddy's error text.

    `further` are those about other parts of the same configuration, as far as they are known.
    """

    def __init__(self, message: str, *further: str) -> None:
        super().__init__(message)
        self.further = further


class TooLargeError(CaddyRefusal):
    """What is written out, or what Caddy makes of it, takes more memory, time or listeners than a fragment may have."""


class OutputError(DockcaddyError):
    """An output cannot deliver the configuration."""


def own_fault(error: BaseException) -> str:
    """The message for an error that is a bug in dockcaddy."""
    try:
        reason = one_line(" ".join(str(error).split()))
    except Exception:
        # the error's class is not ours, and its `__str__` may fail
        reason = ""
    what = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return f"this is a bug in dockcaddy: {what}"


def one_line(text: str, longest: int = MESSAGE_LENGTH) -> str:
    """The text as part of a message: control characters are escaped, and a long text is cut to `longest` characters."""
    shown = text[: longest + 1]
    if not shown.isprintable():
        shown = "".join(map(_shown, shown))
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def listed(names: Sequence[str], most: int) -> str:
    """Names as part of a message, so many at the most: `a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _shown(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]
