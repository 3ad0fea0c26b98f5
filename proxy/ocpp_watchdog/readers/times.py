"""The time at the head of a log line, in the forms that logs have. Knows no zone and no clock.

Most logs write local time without saying so: what comes out is the wall clock read as if it were UTC, and
``timeline.py`` finds out by how much it is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache


class Known(Enum):
    """How much of a time a line says: an instant, a wall clock with its date, without the year, without any date."""

    INSTANT = "instant"
    WALL = "wall"
    NO_YEAR = "no_year"
    NO_DATE = "no_date"


@dataclass(frozen=True, slots=True)
class LogTime:
    """seconds: POSIX seconds of an instant; else the wall clock as if it were UTC (missing year: 1972, missing date:
    1970-01-01). is_fine: the log writes fractions of a second."""

    seconds: float
    known: Known
    is_fine: bool


_CLOCK = r"(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_ISO = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[T\s]+" + _CLOCK + r"(?:\s?(Z|[+-]\d\d:?\d\d)(?![\d:]))?")
_POINTS = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4}),?\s+" + _CLOCK)
_SLASHES = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4}),?\s+" + _CLOCK + r"\s?([AP]M)?")
_JOURNAL = re.compile(r"\b([A-ZÄa-zä]{3,4})\.?\s+(\d{1,2})\.?\s+" + _CLOCK)
_BARE = re.compile(r"(?<![\d:])" + _CLOCK + r"(?!:)")

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz märz", "apr", "may mai", "jun juni", "jul juli", "aug", "sep sept",
         "oct okt", "nov", "dec dez"), 1
    )
    for name in names.split()
}  # fmt: skip
_HEAD = 96
_YEAR_OF_THE_YEARLESS = 1972
"""A leap year, so that 29 February exists."""


@lru_cache(maxsize=512)
def read_time(head: str) -> LogTime | None:
    """The first time in a head; None: there is none. Raises nothing."""
    for pattern, make in _FORMS:
        match = pattern.search(head)
        if match is not None:
            try:
                return make(match.groups())
            except (ValueError, OverflowError):
                continue
    return None


def time_at_the_start(line: str) -> LogTime | None:
    """The time with which a line begins, bracket and journal prefix allowed; None: the line begins with none."""
    return read_time(line[:_HEAD]) if _BEGINS.match(line) else None


_BEGINS = re.compile(r"[\[<>|\s]*(?:\w+\s*[|\]]\s*)?(?:\d{1,4}[-/.:]\d|[A-ZÄ][a-zä]{2,3}\.?\s+\d{1,2}\.?\s+\d\d:)")


def _seconds(year: int, month: int, day: int, clock: tuple[str, ...]) -> float:
    hour, minute, second, fraction = clock
    whole = datetime(year, month, day, int(hour), int(minute), min(int(second), 59), tzinfo=UTC).timestamp()
    return whole + (float(f"0.{fraction}") if fraction else 0.0)


def _iso(groups: tuple[str, ...]) -> LogTime:
    year, month, day, *clock, zone = groups
    seconds = _seconds(int(year), int(month), int(day), tuple(clock))
    if not zone:
        return LogTime(seconds, Known.WALL, bool(clock[3]))
    offset = 0 if zone == "Z" else int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return LogTime(seconds + (offset if zone[0] == "-" else -offset), Known.INSTANT, bool(clock[3]))


def _points(groups: tuple[str, ...]) -> LogTime:
    day, month, year, *clock = groups
    return LogTime(_seconds(int(year), int(month), int(day), tuple(clock)), Known.WALL, bool(clock[3]))


def _slashes(groups: tuple[str, ...]) -> LogTime:
    """Month first, as those write who write it with slashes and the year last."""
    month, day, year, hour, *rest, half = groups
    if half:
        hour = str(int(hour) % 12 + (12 if half == "PM" else 0))
    return LogTime(_seconds(int(year), int(month), int(day), (hour, *rest)), Known.WALL, bool(rest[2]))


def _journal(groups: tuple[str, ...]) -> LogTime:
    name, day, *clock = groups
    month = _MONTHS.get(name.lower())
    if month is None:
        raise ValueError(name)
    return LogTime(_seconds(_YEAR_OF_THE_YEARLESS, month, int(day), tuple(clock)), Known.NO_YEAR, bool(clock[3]))


def _bare(groups: tuple[str, ...]) -> LogTime:
    return LogTime(_seconds(1970, 1, 1, groups), Known.NO_DATE, bool(groups[3]))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[tuple[str, ...]], LogTime]], ...] = (
    (_ISO, _iso),
    (_POINTS, _points),
    (_SLASHES, _slashes),
    (_JOURNAL, _journal),
    (_BARE, _bare),
)
