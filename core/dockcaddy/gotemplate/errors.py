"""What can go wrong with a template, in Go's words."""

import re

_NOT_UTF_8 = re.compile("[\udc80-\udcff]")


class TemplateError(Exception):
    """A template that cannot be parsed or executed.

    `message` is Go's whole text (`template: :1:2: executing "" at <foo>: ...`), `reason` its last part. In both, U+FFFD
    stands for a byte that is not UTF-8.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.message = _NOT_UTF_8.sub("\ufffd", message)
        self.reason = _NOT_UTF_8.sub("\ufffd", reason)


class ParseError(TemplateError):
    """The text is not a template. `suggestion` is the nearest known function where one is unknown."""

    def __init__(self, line: int, reason: str, suggestion: str = "") -> None:
        super().__init__(f"template: :{line}: {reason}", reason)
        self.suggestion = suggestion


class ExecError(TemplateError):
    """The template failed while it was executed."""


class FunctionError(Exception):
    """A predefined function refuses its arguments; the message is what Go's returns."""
