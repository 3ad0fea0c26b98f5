"""From the times of a log to moments on both clocks: the zone is inferred from the frames, and time never runs back.

A log writes local time, often in whole seconds, and says neither. Frames carry UTC: what the central system answers as
``currentTime`` is its own clock, what the charge point writes as ``timestamp`` is nearly always UTC too.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from ocpp_watchdog.core.terms import Direction, Moment
from ocpp_watchdog.core.timestamps import timestamp
from ocpp_watchdog.readers.times import Known, LogTime

ZONE_STEP_SECONDS = 900.0
"""Offsets between a log's clock and UTC are whole quarters of an hour; what is left over is a late time stamp."""

WIDEST_ZONE_SECONDS = 15 * 3600.0
APART_SECONDS = 0.001
"""Frames that the log puts into one instant follow each other by so much."""

SLIP_SECONDS = 60.0
"""A log may fall back by so much (clocks are set); beyond it another log begins."""

SUMMER_TIME = (3_000.0, 3_601.0)
"""An hour back, less what has passed meanwhile."""
BEGIN_MONO = 1_000.0
DAY_SECONDS = 86_400.0
DISTRUST_SECONDS = 300.0
LONGEST_SESSION_SECONDS = 366 * DAY_SECONDS
EARLIEST, LATEST = 0.0, 7_289_654_400.0
"""The years 1970 to 2200; any other time is none."""


_CURRENT_TIME = re.compile(r'"currentTime"\s*:\s*"([^"]{10,40})"')
_TIMESTAMP = re.compile(r'"timestamp"\s*:\s*"([^"]{10,40})"')
_START_SCHEDULE = re.compile(r'"startSchedule"\s*:\s*"([^"]{10,40})"')


def said_by_the_central_system(direction: Direction, text: str) -> float | None:
    """The central system's own clock in one of its answers (POSIX seconds); None: not in this frame."""
    if direction is not Direction.TO_CHARGE_POINT or '"currentTime"' not in text:
        return None
    match = _CURRENT_TIME.search(text)
    return timestamp(match[1]) if match else None


@dataclass(slots=True)
class Zone:
    """By how much the log's clock differs from UTC: ``utc = log + shift``. Votes are taken until somebody reads it.

    is_known: a frame said so; otherwise the log's clock is taken for UTC.
    """

    shift: float = 0.0
    is_known: bool = False
    _votes: Counter[tuple[int, float]] = field(default_factory=Counter)

    @property
    def is_sure(self) -> bool:
        """The central system's own clock was seen."""
        return any(rank == 0 for rank, _ in self._votes)

    @property
    def offset_seconds(self) -> int:
        """What the log's wall clock is ahead of UTC, a date that was missing left out."""
        offset = -self.shift
        if abs(offset) > WIDEST_ZONE_SECONDS:
            offset = (offset + DAY_SECONDS / 2) % DAY_SECONDS - DAY_SECONDS / 2
        return int(offset)

    def look(self, time: LogTime | None, direction: Direction, text: str) -> None:
        """Take in a frame before the zone is decided."""
        if time is None or time.known is Known.INSTANT:
            return
        central = said_by_the_central_system(direction, text)
        if central is not None:
            self._vote(0, central - time.seconds, time.known)
        elif direction is Direction.TO_CENTRAL_SYSTEM:
            match = _TIMESTAMP.search(text)
            said = timestamp(match[1]) if match else None
            if said is not None:
                self._vote(1, said - time.seconds, time.known)
        elif '"startSchedule"' in text:
            match = _START_SCHEDULE.search(text)
            said = timestamp(match[1]) if match else None
            if said is not None:
                self._vote(2, said - time.seconds, time.known)

    def decide(self) -> None:
        """The best rank wins, in it the most votes."""
        if not self._votes:
            return
        best = min(rank for rank, _ in self._votes)
        counted = [(times, shift) for (rank, shift), times in self._votes.items() if rank == best]
        self.shift = max(counted)[1]
        self.is_known = True

    def corrected(self, time: LogTime, direction: Direction, text: str) -> None:
        """The central system's clock is read all along: summer time ends, a log goes on after a move."""
        central = said_by_the_central_system(direction, text)
        if central is None or time.known is Known.INSTANT:
            return
        shift = _rounded(central - time.seconds)
        if abs(central - time.seconds - shift) < DISTRUST_SECONDS and _is_zone(shift, time.known):
            self.shift, self.is_known = shift, True

    def _vote(self, rank: int, difference: float, known: Known) -> None:
        shift = _rounded(difference)
        if _is_zone(shift, known):
            self._votes[rank, shift] += 1


def _rounded(difference: float) -> float:
    return round(difference / ZONE_STEP_SECONDS) * ZONE_STEP_SECONDS


def _is_zone(shift: float, known: Known) -> bool:
    """With the date unknown any shift will do: it holds the date, too."""
    return known is not Known.WALL or abs(shift) <= WIDEST_ZONE_SECONDS


class Timeline:
    """Moments of one analysis, over all its files. The monotonic clock follows the log's and never runs back."""

    def __init__(self) -> None:
        self.last: Moment | None = None
        self._last_log: float | None = None
        self._last_trace: tuple[str, float] | None = None
        self._day = 0.0

    def seconds(self, time: LogTime, zone: Zone) -> float:
        """POSIX seconds of a line. A bare time of day that falls back has passed midnight; a wall clock that falls back
        by an hour has left summer time."""
        if time.known is Known.INSTANT:
            return time.seconds
        log, before = time.seconds, self._last_log
        self._last_log = log
        if before is not None:
            back = before - log
            if time.known is Known.NO_DATE and back > DAY_SECONDS / 2:
                self._day += DAY_SECONDS
            elif time.known is not Known.NO_DATE and SUMMER_TIME[0] < back < SUMMER_TIME[1]:
                zone.shift += ZONE_STEP_SECONDS * round(back / ZONE_STEP_SECONDS)
        return log + zone.shift + self._day

    def forget_log_clock(self) -> None:
        """Another file begins, with a clock of its own."""
        self._last_log, self._day = None, 0.0

    def moment(self, utc: float | None) -> tuple[Moment, bool]:
        """The moment of a frame said to be at ``utc`` (None: nobody says), and whether the log fell back so far that
        another one must have begun."""
        last = self.last
        if utc is not None and not EARLIEST <= utc < LATEST:
            utc = None
        if last is None:
            self.last = Moment(utc if utc is not None else 0.0, BEGIN_MONO)
            return self.last, False
        step = APART_SECONDS if utc is None else utc - last.utc
        if step < -SLIP_SECONDS and utc is not None:
            self.last = Moment(utc, last.mono + 1.0)
            return self.last, True
        step = max(step, APART_SECONDS)
        self.last = Moment(last.utc + step, last.mono + step)
        return self.last, False

    def trace_moment(self, utc: float, mono: float | None, session: str) -> tuple[Moment, bool]:
        """As ``moment``, for lines that carry a monotonic clock: inside a session that one measures, whatever the wall
        clock did meanwhile."""
        before, self._last_trace = self._last_trace, None if mono is None else (session, mono)
        if before is None or mono is None or self.last is None or not EARLIEST <= utc < LATEST:
            return self.moment(utc)
        if before[0] != session or not 0.0 <= mono - before[1] <= LONGEST_SESSION_SECONDS:
            return self.moment(utc)
        self.last = Moment(utc, self.last.mono + max(mono - before[1], APART_SECONDS))
        return self.last, False
