"""The readings of one connector in the order they were measured, and when that was.

A reading is *measured* at its time stamp plus the smallest (arrival - time stamp) of the last five readings: any
constant clock error is harmless, and a queued reading is old. What waits in a queue teaches nothing about the clock,
however long the queue lasts. Knows no limits and no orders.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from ocpp_watchdog.core.keeping import Last, Mono
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Context, Moment
from ocpp_watchdog.core.values import value

LAGS = 5
SAME_MOMENT_SECONDS = 2.0
LATE_SECONDS = 10.0
ROUNDED_SECONDS = 1.5
"""Two time stamps in whole seconds may be so far off."""
LONGEST_QUEUE_SECONDS = 900.0
FIRST_CONTACT_SECONDS = 120.0
MOST_SAMPLES = 128
REMEMBERED = 32
NOT_LIVE = (Context.TRANSACTION_END, Context.INTERRUPTION_BEGIN, Context.INTERRUPTION_END)


@value
class Sample:
    """A reading with the moment it was measured (monotonic seconds)."""

    measured: Mono
    arrived: Moment
    reading: Reading


def when_measured(sample: Sample) -> float:
    """The key by which they stand in order."""
    return sample.measured


def _figures(reading: Reading) -> tuple[str, str, float | None]:
    return reading.digits, reading.power_digits, reading.energy


class Samples:
    """The last readings of one connector."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_reconnect_seconds": "handed in",
        "_connected_mono": "of the session that is over",
        "_lags": "what lies between the clocks is measured anew: ours may have been set meanwhile",
        "_skews": "as the lags",
        "_learnt_from": "as the lags",
        "_queue_mono": "as the lags",
        "_is_stranger": "as the lags",
        "_pace": "worked out anew",
    }
    _reconnect_seconds: float
    _connected_mono: float
    _lags: Recent[float]
    _skews: Recent[float]
    _learnt_from: Recent[float]
    _queue_mono: float | None
    _is_stranger: bool
    _series: Annotated[list[Sample], Last(REMEMBERED)]
    _step: float | None
    import_seen: bool
    current_seen: bool
    last: Sample | None
    last_reading: Reading | None
    _before: Reading | None
    _pace: tuple[int, float | None] | None

    def __init__(self, reconnect_seconds: float) -> None:
        self._reconnect_seconds = reconnect_seconds
        self._connected_mono = 0.0
        self._lags = Recent(LAGS)
        self._skews = Recent(LAGS)
        self._learnt_from = Recent(LAGS)
        self._queue_mono = None  # since when readings come out of a queue
        self._is_stranger = True  # nothing was known of its clock when the session began
        self._series = []
        self._step = None
        self.import_seen = False
        self.current_seen = False
        self.last = None
        self.last_reading = None
        self._before = None
        self._pace = None

    def connected(self, now: Moment) -> None:
        """A session began: what comes in the next 30 s may have waited in a queue."""
        self._connected_mono = now.mono
        self._is_stranger = not self._lags

    def add(self, reading: Reading) -> Sample | None:
        """Take a reading in. None: it cannot be used, because nobody can say when it was measured, because its context
        speaks of the past, because exports say nothing where imports are known, or because it is older than all that
        is kept."""
        self.last_reading = reading
        if reading.is_export and self.import_seen:
            return None
        self.import_seen = self.import_seen or not reading.is_export
        if reading.context in NOT_LIVE:
            return None
        measured = self._when(reading)
        if measured is None:
            return None
        self._learn(reading)
        sample = Sample(measured, reading.arrived, reading)
        self._pace = None
        if not self._series or measured >= self._series[-1].measured:
            self._series.append(sample)
        else:
            insort(self._series, sample, key=when_measured)
        if len(self._series) > MOST_SAMPLES and self._series.pop(0) is sample:
            return None
        if self.last is None or measured >= self.last.measured:
            self.last = sample
        return sample

    @property
    def series(self) -> Sequence[Sample]:
        """All that is kept, oldest measurement first."""
        return self._series

    @property
    def register_step(self) -> float | None:
        """One step of the energy register in Wh, None while it never spoke."""
        return self._step

    @property
    def skew_seconds(self) -> float | None:
        """Charge point's clock minus ours, from the least delayed of the last readings."""
        return -min(self._skews) if self._skews else None

    def interval(self) -> float | None:
        """Median gap of the last five readings in seconds; None with fewer than two. What was measured at one moment
        counts as one: some send each measurand in an element of its own, some send everything twice."""
        return self._paced()[1]

    def is_fast(self, fast_seconds: float) -> bool:
        """At most ``fast_seconds`` between readings, or too few are known to say."""
        moments, interval = self._paced()
        return interval is None or moments < 4 or interval <= fast_seconds

    def since(self, mono: float) -> Iterator[Sample]:
        """Samples measured after ``mono``, the newest first."""
        for sample in reversed(self._series):
            if sample.measured <= mono:
                return
            yield sample

    def _paced(self) -> tuple[int, float | None]:
        """How many moments the last readings were measured at, and the median gap; worked out once for each reading."""
        if self._pace is None:
            moments = self._last_moments()
            gaps = sorted([b - a for a, b in pairwise(moments)])
            half = len(gaps) // 2
            median = None if not gaps else gaps[half] if len(gaps) % 2 else (gaps[half - 1] + gaps[half]) / 2
            self._pace = len(moments), median
        return self._pace

    def _last_moments(self) -> list[float]:
        """When the last five readings were measured, oldest first."""
        moments = [sample.measured for sample in self._series[-LAGS:]]
        if len(set(moments)) == len(moments):
            return moments
        moments = []
        for sample in reversed(self._series):
            if not moments or sample.measured < moments[-1]:
                moments.append(sample.measured)
                if len(moments) == LAGS:
                    break
        return moments[::-1]

    def _when(self, reading: Reading) -> float | None:
        is_early = reading.arrived.mono - self._connected_mono < self._reconnect_seconds
        if reading.timestamp is None:
            return None if is_early else reading.arrived.mono
        before, self._before = self._before, reading
        if _stands_still(reading, before):
            return None if is_early else reading.arrived.mono
        lag = reading.arrived.mono - reading.timestamp
        if reading.timestamp not in self._learnt_from:  # said again, it is only older
            if self._catches_up(reading, before):
                self._lags, self._skews = Recent(LAGS), Recent(LAGS)
                return None
            if not (self._was_queued(reading, before, lag) or is_early):
                self._learnt_from.append(reading.timestamp)
                self._lags.append(lag)
                self._skews.append(reading.arrived.utc - reading.timestamp)
        if not self._lags:
            return None
        return min(reading.timestamp + min(self._lags), reading.arrived.mono)

    def _was_queued(self, reading: Reading, before: Reading | None, lag: float) -> bool:
        """It is late because it waited, and not because the charge point's clock was set back. A queue begins with
        silence: the next reading was measured when it was due and comes late. With a clock that is set it comes when it
        is due, and its time stamp is early. What follows late is of the queue too, until one is in time again."""
        if not self._lags or lag - min(self._lags) <= LATE_SECONDS:
            self._queue_mono = None
            return False
        gaps = _gaps(reading, before)
        if gaps is None or gaps[1] <= 0.0:
            self._queue_mono = None
            return False
        if self._queue_mono is None:
            came, measured = gaps
            usual = self.interval() or 0.0
            if came - measured < ROUNDED_SECONDS or abs(came - usual) <= abs(measured - usual):
                return False
            self._queue_mono = reading.arrived.mono
        return reading.arrived.mono - self._queue_mono < LONGEST_QUEUE_SECONDS

    def _catches_up(self, reading: Reading, before: Reading | None) -> bool:
        """Nothing is known of its clock yet, and it sends faster than it measures: all it said so far was late."""
        is_early = reading.arrived.mono - self._connected_mono <= FIRST_CONTACT_SECONDS
        if not (self._is_stranger and is_early) or len(self._lags) == LAGS:
            return False
        gaps = _gaps(reading, before)
        return gaps is not None and gaps[1] >= SAME_MOMENT_SECONDS and 0.0 < gaps[0] < gaps[1] / 2.0

    def _learn(self, reading: Reading) -> None:
        if not self.current_seen:
            self.current_seen = reading.highest_current is not None
        if reading.energy_step is not None:
            self._step = reading.energy_step if self._step is None else min(self._step, reading.energy_step)


def _stands_still(reading: Reading, before: Reading | None) -> bool:
    """The time stamp is that of the reading before, although the figures are others and came later: the charge point's
    clock does not run, and says nothing. (The same figures again are an old reading.)"""
    if before is None or before.timestamp != reading.timestamp:
        return False
    is_later = reading.arrived.mono - before.arrived.mono >= SAME_MOMENT_SECONDS
    return is_later and _figures(before) != _figures(reading)


def _gaps(reading: Reading, before: Reading | None) -> tuple[float, float] | None:
    """Seconds since the reading before: between their arrivals, and by their time stamps."""
    if before is None or before.timestamp is None or reading.timestamp is None:
        return None
    return reading.arrived.mono - before.arrived.mono, reading.timestamp - before.timestamp
