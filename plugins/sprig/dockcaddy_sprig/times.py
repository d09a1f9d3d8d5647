"""Go's time.Time: a moment with nanoseconds, in a time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import evolve, field, frozen

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
DAY, SECOND = 86_400, 1_000_000_000
# days from the first of March of year 0 to the epoch: leap days come last in years that begin in March
_TO_EPOCH = 719_468
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class Zone:
    """A time zone: of a fixed offset in seconds, or one of the IANA database."""

    name: str = "UTC"
    offset: int = 0
    rules: ZoneInfo | None = field(default=None, eq=False)

    def at(self, unix: int) -> tuple[str, int]:
        """Its abbreviation and its offset in seconds at a moment."""
        if self.rules is None:
            return self.name, self.offset
        seconds = min(max(unix, int(_FIRST.timestamp())), int(_LAST.timestamp()))
        local = (_EPOCH + timedelta(seconds=seconds)).astimezone(self.rules)
        offset = local.utcoffset() or timedelta()
        name = local.tzname() or ""
        return name, offset.days * DAY + offset.seconds


ZULU = Zone()


def load_zone(name: str) -> Zone:
    """The zone of a name; the local zone is UTC, and so is one that does not exist."""
    if name in ("", "UTC", "Local") or ".." in name or name[0] in "/\\" or len(name) > 100:
        return ZULU
    try:
        return Zone(name, rules=ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZULU


def days_of(year: int, month: int, day: int) -> int:
    """Days since the epoch, in the calendar of today for all times."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    year -= month <= 2
    of_year = (153 * ((month + 9) % 12) + 2) // 5
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year + day - 1 - _TO_EPOCH


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day."""
    days += _TO_EPOCH
    era, day = divmod(days, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    return year + era * 400 + (month >= 10), (month + 2) % 12 + 1, day - (153 * month + 2) // 5 + 1


@frozen
class Time:
    """A moment: seconds since the epoch and nanoseconds, and the zone in which it is read."""

    unix: int
    nano: int = 0
    zone: Zone = ZULU

    @property
    def local(self) -> int:
        """Seconds since the epoch as the clock of its zone shows them."""
        return self.unix + self.zone.at(self.unix)[1]

    def date(self) -> tuple[int, int, int]:
        """Year, month and day."""
        return date_of(self.local // DAY)

    def clock(self) -> tuple[int, int, int]:
        """Hour, minute and second."""
        minutes, second = divmod(self.local % DAY, 60)
        return (*divmod(minutes, 60), second)

    def weekday(self) -> int:
        """0 is Sunday."""
        return (self.local // DAY + 4) % 7

    def year_day(self) -> int:
        """1 is the first of January."""
        return self.local // DAY - days_of(self.date()[0], 1, 1) + 1

    def plus(self, nanoseconds: int) -> "Time":
        """So much later."""
        seconds, nano = divmod(self.nano + nanoseconds, SECOND)
        return evolve(self, unix=self.unix + seconds, nano=nano)

    def since(self, other: "Time") -> int:
        """Nanoseconds since another one, as many as Go's int64 holds."""
        return min(max((self.unix - other.unix) * SECOND + self.nano - other.nano, -(2**63)), 2**63 - 1)


def moment(year: int, month: int, day: int, seconds: int, nano: int, zone: Zone) -> Time:
    """The moment at which the clock of the zone shows this (Go's time.Date)."""
    wall = days_of(year, month, day) * DAY + seconds
    offset = zone.at(wall)[1]
    unix = wall - offset
    # on the other side of a change the other offset holds
    if zone.at(unix)[1] != offset:
        other = wall - zone.at(unix)[1]
        unix = other if zone.at(other)[1] == zone.at(unix)[1] else unix
    return Time(unix, nano, zone)


def now() -> Time:
    """This moment."""
    present = datetime.now(UTC)
    return Time(int(present.timestamp()), present.microsecond * 1000)


ZERO = Time(days_of(1, 1, 1) * DAY)
