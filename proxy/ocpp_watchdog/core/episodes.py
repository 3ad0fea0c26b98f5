"""One ignored stop from its conviction to its end: what was ordered, every sample since, the evidence, how it ended.

Knows when an episode is over (watchdog rules 4), not what to do about it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from ocpp_watchdog.core.decisions import Ending, EpisodeView, EvidenceRecord
from ocpp_watchdog.core.escalation import Ladder
from ocpp_watchdog.core.evidence import MOST_WATTS, Judged, claimed_watts
from ocpp_watchdog.core.keeping import Last, Mono
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.orders import StopOrder
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.terms import ConnectorId, Moment
from ocpp_watchdog.core.units import Limit

MOST_EVIDENCE = 256
MOST_READINGS = 1024
REMEMBERED = 32
"""Readings and evidence that survive a restart; all of them stand in the journal."""
LONGEST_GAP_SECONDS = 300.0
"""Nobody knows what flowed in a longer gap: no more than so much is counted."""


@dataclass(slots=True)
class EnergyAgainstOrder:
    """Wh that flowed since a stop order began: from the register where there is one, else integrated and marked so."""

    watt_hours: float = 0.0
    is_integrated: bool = False
    _last: Sample | None = None
    _counted: Sample | None = None

    def add(self, sample: Sample) -> float:
        """Take a sample in, in the order they were measured; give what it added in Wh."""
        last, self._last = self._last, sample
        energy = sample.reading.energy
        if energy is not None:
            added = self._risen(sample, energy)
            self._counted = sample
            self.watt_hours += added
            return added
        if self._counted is not None or last is None:
            return 0.0  # the next reading with a register covers this stretch too
        watts = claimed_watts(last.reading)
        if watts is None or sample.measured <= last.measured:
            return 0.0
        added = max(0.0, watts) * min(sample.measured - last.measured, LONGEST_GAP_SECONDS) / 3600.0
        self.is_integrated = True
        self.watt_hours += added
        return added

    def _risen(self, sample: Sample, energy: float) -> float:
        """What the register counted since it spoke last, Wh; nothing when it fell, or rose faster than anything can
        flow: then it was reset, or dropped out."""
        before = self._counted
        if before is None or before.reading.energy is None:
            return 0.0
        rise = energy - before.reading.energy
        most = MOST_WATTS * (sample.measured - before.measured) / 3600.0 + (sample.reading.energy_step or 0.0)
        return rise if 0.0 < rise <= most else 0.0


@dataclass(slots=True)
class Episode:
    """An open (or just ended) episode of one connector. last_over: when the last over sample arrived. low_since: a
    sample of at most 1 A came after it. would_prove_until: observe mode; what would have been sent last would still be
    awaiting its proof. schedule_...: the composite schedule, asked for once."""

    number: int
    connector: ConnectorId
    order: StopOrder
    opened: Moment
    deadline_mono: Mono
    alarm_only: bool
    last_over: Sample
    energy: EnergyAgainstOrder
    readings: Annotated[Recent[Reading], Last(REMEMBERED)]
    evidence: Annotated[Recent[EvidenceRecord], Last(REMEMBERED)] = field(default_factory=lambda: Recent(MOST_EVIDENCE))
    low_since: Sample | None = None
    remote_start_seen: bool = False
    transaction_ended: bool = False
    acknowledged: bool = False
    exhausted_told: Moment | None = None
    would_prove_until: Mono = -math.inf
    schedule_asked: bool = False
    schedule_evidence: str = ""
    schedule_text: str = ""
    ended: Moment | None = None
    ending: Ending | None = None

    def saw(self, judged: Judged) -> None:
        """A sample that counts came in, the newest by measurement."""
        if judged.is_over:
            self.last_over = judged.sample
            self.low_since = None
        elif judged.is_low:
            self.low_since = judged.sample

    def is_obeyed(self, now: Moment, policy: Policy) -> bool:
        """60 s without an over sample, one of at most 1 A among them."""
        return self.low_since is not None and now.mono - self.last_over.arrived.mono >= policy.clear_after_seconds

    def silent_at(self, quiet_since: Moment | None, last_sample_at: Moment, policy: Policy) -> float | None:
        """When the episode will end as silent, if nothing more comes (monotonic seconds); None: it will not.

        No sample for 60 s, and a status other than Charging, received after the last over sample, for 60 s.
        quiet_since: the first such status.
        """
        if quiet_since is None or quiet_since.mono < self.last_over.arrived.mono:
            return None
        return max(last_sample_at.mono, quiet_since.mono) + policy.clear_after_seconds

    def view(self, ladder: Ladder, now_ordered: Limit | None) -> EpisodeView:
        """The episode as it stands."""
        return EpisodeView(
            number=self.number,
            connector=self.connector,
            ordered=self.order.began,
            order_text=self.order.text,
            answer=self.order.answer.value,
            deadline_mono=self.deadline_mono,
            opened=self.opened,
            evidence=tuple(self.evidence),
            readings=tuple(self.readings),
            steps=tuple(ladder.records),
            energy_wh=self.energy.watt_hours,
            energy_is_integrated=self.energy.is_integrated,
            alarm_only=self.alarm_only,
            remote_start_seen=self.remote_start_seen,
            transaction_ended=self.transaction_ended,
            ended=self.ended,
            ending=self.ending,
            now_ordered=now_ordered,
            schedule_evidence=self.schedule_evidence,
            schedule_text=self.schedule_text,
        )
