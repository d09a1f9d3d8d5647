"""Times as people read them. Pure."""

from datetime import UTC, datetime

_SIZES = ((86400, "d"), (3600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """How long it is, in its largest unit: `3 h`."""
    for size, word in _SIZES:
        if seconds >= size:
            return f"{seconds // size:.0f} {word}"
    return "less than a minute"


def moment(time: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in UTC, `""` where it is not known."""
    return f"{datetime.fromtimestamp(time, UTC):{form}}" if time else ""


def days(seconds: float) -> int:
    """Whole days, fewer than none where the time is over."""
    return int(seconds // 86400)
