"""The samples of one connector held against its standing stop order, and what they prove so far.

Collects, in the order of measurement, everything since the order; says which sample is the last that counts and of what
class its evidence is. Starts anew with each stop order and after each episode. Knows no steps and no messages.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Annotated, ClassVar

from ocpp_watchdog.core.decisions import EvidenceRecord
from ocpp_watchdog.core.episodes import MOST_READINGS, REMEMBERED, EnergyAgainstOrder
from ocpp_watchdog.core.evidence import (
    ORDER_SHOWS_SECONDS,
    Judged,
    Situation,
    classify,
    counts,
    is_confirmed,
    judge_at_zero,
)
from ocpp_watchdog.core.keeping import Last
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.samples import Sample, Samples, when_measured
from ocpp_watchdog.core.terms import Moment

MOST_JUDGED = 512


def _measured(judged: Judged) -> float:
    return judged.sample.measured


def _place(series: Sequence[Sample], sample: Sample) -> int:
    """Where the sample stands; of two that are the same the first."""
    last = len(series) - 1
    if series[last] is sample and (not last or series[last - 1].measured < sample.measured):
        return last  # as nearly always
    return series.index(sample, bisect_left(series, sample.measured, key=when_measured))


class Trial:
    """Everything measured since the order. last: the last counting sample that says something; evidence: the class of
    the last over sample that counts."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_policy": "handed in", "_samples": "handed in"}
    _policy: Policy
    _samples: Samples
    _judged: Annotated[list[Judged], Last(REMEMBERED)]
    readings: Annotated[Recent[Reading], Last(REMEMBERED)]
    energy: EnergyAgainstOrder
    last: Judged | None
    evidence: EvidenceRecord | None

    def __init__(self, policy: Policy, samples: Samples) -> None:
        self._policy = policy
        self._samples = samples
        self.forget()

    def forget(self) -> None:
        """Begin anew: another order, or an episode that is closed."""
        self._judged = []
        self.readings = Recent(MOST_READINGS)
        self.energy = EnergyAgainstOrder()
        self.last = None
        self.evidence = None

    def new_episode(self, *, obeyed: bool) -> None:
        """An episode is closed. A violation that comes back under the same order is a new one and needs new samples:
        after an episode that was obeyed the low sample stands between, after any other all is forgotten."""
        if not obeyed:
            self.forget()
        self.readings = Recent(MOST_READINGS)
        self.energy = EnergyAgainstOrder()

    @property
    def is_over(self) -> bool:
        """The last counting sample is over."""
        return self.last is not None and self.last.is_over

    def take(self, sample: Sample, situation: Situation, now: Moment) -> Judged | None:
        """Take a sample measured since the order in. Give it when it is the newest, counts and says something."""
        series = self._samples.series
        index = _place(series, sample)
        judged = judge_at_zero(series, index, situation, self._policy)
        is_newest = not self._judged or sample.measured >= self._judged[-1].sample.measured
        self.readings.append(sample.reading)
        if not is_newest:
            insort(self._judged, judged, key=_measured)
            del self._judged[:-MOST_JUDGED]
            return None
        self._judged.append(judged)
        del self._judged[:-MOST_JUDGED]
        self.energy.add(sample)
        if not judged.speaks or not counts(sample, situation.deadline):
            return None
        self.last = judged
        if judged.is_over:
            evidence, share = classify(series, index, judged, situation, self._policy)
            self.evidence = EvidenceRecord(now, sample.measured, evidence, share, sample.reading)
        return judged

    def is_confirmed(self, situation: Situation) -> bool:
        """The newest sample completes the proof of an ignored stop."""
        return is_confirmed(self._judged, situation)

    def disobeyed_since(self, ordered: float) -> bool | None:
        """Whether the last reading measured at least 10 s after the order was over; None: there is none."""
        for judged in reversed(self._judged):
            if judged.sample.measured < ordered + ORDER_SHOWS_SECONDS:
                return None
            if judged.speaks:
                return judged.is_over
        return None
