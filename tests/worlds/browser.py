"""A Chromium of this machine."""

import importlib.util
import shutil

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program, `""` where there is none."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), "")


def is_there() -> bool:
    """Whether there is one, and what drives it."""
    return bool(chromium()) and importlib.util.find_spec("playwright") is not None
