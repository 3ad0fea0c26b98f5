"""Time stamps: ISO 8601 as charge points write it -> POSIX seconds, and back as evcc writes it. Knows no clock, and not
what a time is for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]++))?)?"
    r"\s*+(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?)?"
)
_MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
_DAYS_BEFORE_1970 = 719_162
_EARLIEST, _LATEST = 0.0, 7_289_654_400.0  # the years 1970 to 2200


def timestamp(value: object) -> float | None:
    """A time stamp of a charge point as POSIX seconds; None: no time, or none of 1970 to 2200.

    ISO 8601 with any offset, seconds and fractions optional, a blank for T; without offset it is UTC (§3.15).
    """
    seconds = instant(value)
    return seconds if seconds is not None and _EARLIEST <= seconds < _LATEST else None


def stamp(utc: float) -> str | None:
    """POSIX seconds in UTC and whole seconds, as evcc writes them; None: none of the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(utc, UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return None


def instant(value: object) -> float | None:
    """As ``timestamp``, of any year: "for ever" is the year 9999, Go's empty time the year 1."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    seconds, fraction = text[17:19], text[20:-1]
    is_whole = len(text) == 20 or (text[19:20] == "." and fraction.isdigit())
    if is_whole and text[16] == ":" and text[-1] == "Z" and text.isascii() and seconds.isdigit() and seconds < "60":
        minute = _minute(f"{text[:16]}Z")  # as nearly all are written
        return None if minute is None else minute + int(seconds) + (float(f"0.{fraction[:9]}") if fraction else 0.0)
    return _instant(text)


@lru_cache(maxsize=256)
def _minute(text: str) -> float | None:
    """Remembered, because a minute holds many time stamps."""
    return _instant(text)


def _instant(text: str) -> float | None:
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    days = _days(int(year), int(month), int(day))
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if days is None or hours > 23 or minutes > 59 or seconds > 60:
        return None
    minutes += (days * 24 + hours) * 60
    if sign:
        offset = int(offset_hours) * 60 + int(offset_minutes or 0)
        if offset >= 24 * 60:
            return None
        minutes += offset if sign == "-" else -offset
    return minutes * 60.0 + seconds + (float(f"0.{fraction[:9]}") if fraction else 0.0)


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01 of the Gregorian calendar; None: there is no such day."""
    if not (year and 1 <= month <= 12 and day):
        return None
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    day_of_year = _MONTH_STARTS[month - 1] + (is_leap and month > 2) + day
    if day_of_year > _MONTH_STARTS[month] + (is_leap and month >= 2):
        return None
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 + day_of_year - _DAYS_BEFORE_1970 - 1
