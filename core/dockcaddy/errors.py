"""The errors that people meet. Each message is one line, lower case, without a full stop."""

from dockcaddy.settings import limits


class DockcaddyError(Exception):
    """Base of all errors that are told to the user without a traceback."""


class LabelError(DockcaddyError):
    """A label that cannot become configuration. `label` is the key as people wrote it."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message)
        self.label = label
        self.message = message


class SettingsError(DockcaddyError):
    """A setting that is unknown or cannot be read: names the source, the key and the nearest valid one."""


class PluginError(DockcaddyError):
    """A plugin that cannot be loaded, or two that clash."""


class PluginFault(DockcaddyError):
    """What a plugin's code did wrong while it was called: names the plugin, the contribution, the file and the line."""


class EngineUnreachable(DockcaddyError):
    """The engine does not answer, or answered a call with an error. `remedy` is what to do, `""` where nobody knows."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def advice(self) -> str:
        """The message with what to do."""
        return f"{self}: {self.remedy}" if self.remedy else str(self)


class CaddyUnreachable(DockcaddyError):
    """Caddy does not answer."""


class CaddyRefusal(DockcaddyError):
    """Caddy read the configuration and refuses it. The message is Caddy's own."""


class OutputError(DockcaddyError):
    """An output that could not deliver."""


def own_fault(error: BaseException) -> str:
    """What is told of an error that nobody but the program itself can have caused."""
    try:
        reason = one_line(" ".join(str(error).split()))
    except Exception:
        # that of a class of somebody else's
        reason = ""
    told = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return f"this is a fault of dockcaddy: {told}"


def one_line(text: str, longest: int = limits.MAX_MESSAGE) -> str:
    """The text as a part of a message: what would end the line or steer a terminal is shown, what is too long is cut."""
    shown = text[: longest + 1]
    if not shown.isprintable():
        shown = "".join(map(_shown, shown))
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def _shown(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]
