"""One connector from frames to wishes: order, samples and status in, episodes, messages and wanted CALLs out.

The episode and the ladder are the only states; phase and findings are derived from here (``watchdog.py``). What a CALL
looks like and whose turn it is to speak is the station's business: a watch says what it wants.
"""

from __future__ import annotations

import math

from ocpp_watchdog.core.decisions import (
    Ending,
    EvidenceClass,
    EvidenceRecord,
    FactKind,
    NoticeKind,
    Record,
    Severity,
    StepOutcome,
)
from ocpp_watchdog.core.enforcing import Enforcing
from ocpp_watchdog.core.episodes import Episode
from ocpp_watchdog.core.escalation import State
from ocpp_watchdog.core.evidence import ACTING, STALE, Judged, Situation
from ocpp_watchdog.core.ledger import InForce
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.orders import StopOrder
from ocpp_watchdog.core.samples import Sample, Samples
from ocpp_watchdog.core.terms import Moment, Status
from ocpp_watchdog.core.trial import Trial
from ocpp_watchdog.core.units import Limit


class Watch(Enforcing):
    """One connector. Every method that may lead to decisions appends them to ``out`` and wishes to ``wants``."""

    # -- what comes in -----------------------------------------------------------------------------------------

    def connected(self, now: Moment) -> None:
        """A session began. The proof must come from this side of the gap."""
        self.sight.connected, self.sight.connected_at, self.sight.disconnected_at = True, now, None
        self.was_under_way = False
        self.samples.connected(now)
        self.leftovers.connected()
        self.look_after(now)
        if self.episode is not None:
            self.episode.low_since = None

    def disconnected(self, now: Moment) -> None:
        """The session is gone, and a try that was under way with it."""
        self.sight.connected, self.sight.disconnected_at = False, now
        self.was_under_way = self.is_under_way
        record = self.ladder.lost()
        if record is not None:
            self.record_step(record, now)
        self.limits_lost(now)

    def ordered(self, order: Limit | None, key: str, text: str, now: Moment) -> None:
        """The order as it is now; key and text of the command that was just requested, or empty."""
        self.pass_time_of_order(now)
        self.commanded = order
        self.current_ordered(now)
        self.look_after(now)
        self.enforce(now)
        was_standing = self.tracker.is_standing
        if not self.tracker.follow(order, key, text, now) or (standing := self.tracker.standing) is None:
            return
        if standing.raised is not None:
            standing.disobeyed_at_raise = self.trial.disobeyed_since(standing.began.mono)
        elif not was_standing and standing.began == now:
            self._begin_order(standing, now)

    def order_answered(self, key: str, *, accepted: bool, now: Moment) -> None:
        """The command with this key was answered."""
        self.tracker.answered(key, accepted, now)

    def limit_in_force(self, in_force: InForce | None, now: Moment) -> None:
        """The limit of the accepted commands as it is now."""
        self.in_force = in_force
        is_sure = in_force is not None and not (in_force.disputed or in_force.unconfirmed)
        self.above.follow(in_force.limit if in_force is not None and is_sure else None, now)

    def transaction_stopped(self, now: Moment, reason: str = "") -> None:
        """StopTransaction with this reason, or Available: the transaction of this connector is over."""
        self.sight.transaction_stopped_at = now
        self.transaction_is_over(now, reason)
        if self.episode is not None:
            self.episode.transaction_ended = True

    def remote_start_requested(self, now: Moment) -> None:
        """The central system asked for a new transaction; after a stop of ours it undoes it."""
        self.leftovers.central_started = now.mono
        self.forget_restart("the central system has started it", now)
        episode = self.episode
        if episode is None or episode.remote_start_seen or not self.ladder.has_sent:
            return
        episode.remote_start_seen = True
        self.notify(NoticeKind.REMOTE_START, Severity.CRITICAL, now)

    def forget_samples(self, now: Moment) -> None:
        """What was taken for readings of this connector belongs to the whole charge point."""
        self.samples = Samples(self.policy.reconnect_seconds)
        self.samples.connected(self.sight.connected_at or now)
        self.trial = Trial(self.policy, self.samples)

    def sampled(self, reading: Reading, now: Moment) -> None:
        """A reading of this connector arrived."""
        sample = self.samples.add(reading)
        if sample is None:
            return
        self.above.add(sample, self.sight.status)
        self.enforce(now)
        if sample is self.samples.last:
            self.flow.add(
                sample, transaction_open=self.sight.transaction_since is not None or self.sight.transaction_claimed
            )
        order = self.tracker.standing
        if order is not None and order.raised is None and sample.measured > order.began.mono:
            self._judge(sample, order, now)

    def pass_time_of_order(self, now: Moment) -> None:
        """End the stop order whose raise was not taken back."""
        ended = self.tracker.pass_time(now)
        if ended is None:
            return
        self.out.append(Record(FactKind.STOP_ENDED, self.connector, now, "raised"))
        if self.episode is not None:
            ending = Ending.OBEYED if ended.disobeyed_at_raise is False else Ending.SUPERSEDED
            self._close(ending, now, ended.raised)
        self.trial.forget()

    def tick(self, now: Moment) -> None:
        """Whatever time alone decides."""
        self.ticked = now.mono
        self.pass_time_of_order(now)
        self.check_proof(now)
        self._check_end(now)
        self.climb(now)
        self.ask_for_evidence(now)
        self.remind(now)
        self.enforce(now)
        self.look_after(now)

    def next_at(self) -> float | None:
        """When ``tick`` next has something to do by time alone, after the last tick (monotonic seconds): what waits for
        something else besides and whose time is over has no place here."""
        times = self.aftercare_times()
        if self.tracker.standing is not None or self.episode is not None or self.limits_open:
            times += [self.tracker.next_at(), *self._end_times(), self.question_at(), self.reminder_at()]
            times += self.limit_times()
        if self.episode is not None:
            times.append(self.proof_at())
            if self.may_act():
                times += self.ladder.times()
        return min([at for at in times if at is not None and at > self.ticked], default=None)

    # -- the owner --------------------------------------------------------------------------------------------

    def stand_down(self, now: Moment) -> None:
        """The owner takes over until the next stop order after a raise."""
        self.tracker.stood_down = True
        if self.episode is not None:
            self._close(Ending.STOOD_DOWN, now)
        self.forget_restart("the owner stands down", now)
        self.out.append(Record(FactKind.OWNER, self.connector, now, "stand_down"))

    def acknowledge(self, now: Moment) -> None:
        """The owner knows; no more reminders of this episode."""
        if self.episode is not None:
            self.episode.acknowledged = True
        self.out.append(Record(FactKind.OWNER, self.connector, now, "acknowledge"))

    # -- samples against a stop order --------------------------------------------------------------------------

    def _judge(self, sample: Sample, order: StopOrder, now: Moment) -> None:
        situation = self._situation(order)
        before = self.trial.energy.watt_hours
        judged = self.trial.take(sample, situation, now)
        self.out.append(Record(FactKind.SAMPLE, self.connector, now, _said(judged), subject=sample.reading))
        if self.episode is not None:
            self.energy_total_wh += self.trial.energy.watt_hours - before
        if judged is None:
            return
        if self.episode is not None:
            self.episode.saw(judged)
        found = self.trial.evidence
        if judged.is_over and found is not None:
            self._weigh(found, situation, now)
            return
        record = self.ladder.proved() if self.episode is not None else None
        if record is not None:
            self.record_step(record, now)

    def _weigh(self, found: EvidenceRecord, situation: Situation, now: Moment) -> None:
        """The newest sample counts and is over."""
        self.sight.flow_seen()
        episode = self.episode
        if episode is not None:
            episode.evidence.append(found)
            episode.alarm_only = episode.alarm_only and self._is_alarm_only(found.evidence)
            withdrawn = self.ladder.over_again()
            if withdrawn is not None:
                self.record_step(withdrawn, now)
        elif not self.tracker.stood_down and self.trial.is_confirmed(situation):
            self._convict(found, now)
        self.climb(now)
        self.remind(now)

    def _convict(self, found: EvidenceRecord, now: Moment) -> None:
        """The violation is confirmed: what follows depends on the class of the evidence."""
        evidence = found.evidence
        if evidence is EvidenceClass.UNDECIDED:
            return
        if evidence is EvidenceClass.SLIGHT:
            if self.slight_noted:
                return
            self.slight_noted = True
            self.out.append(Record(FactKind.NOTE, self.connector, now, "slight current at 0 A"))
            return
        if evidence is EvidenceClass.FROZEN and self.questions.ask_about_frozen():
            self.ask_for_readings("frozen readings", now)
            return
        self._open(found, now)

    def _open(self, found: EvidenceRecord, now: Moment) -> None:
        order, last = self.tracker.standing, self.trial.last
        if order is None or last is None:
            return
        self.episodes_total += 1
        since = order.began.mono - self.superseded_mono
        self.ladder.new_episode(superseded=since <= self.policy.superseded_memory_seconds)
        self.energy_total_wh += self.trial.energy.watt_hours
        self.episode = Episode(
            number=self.episodes_total,
            connector=self.connector,
            order=order,
            opened=now,
            deadline_mono=order.deadline(self.policy),
            alarm_only=self._is_alarm_only(found.evidence),
            last_over=last.sample,
            energy=self.trial.energy,
            readings=self.trial.readings,
        )
        self.episode.evidence.append(found)
        self.out.append(Record(FactKind.EPISODE_OPENED, self.connector, now, found.evidence.value, self.episode_view()))
        self.climb(now)
        if self.is_exhausted(now) and self.ladder.lacks_id:
            self.episode.exhausted_told = now  # the alarm itself says that nothing can be done
        severity = Severity.WARNING if found.evidence in STALE else Severity.CRITICAL
        self.notify(NoticeKind.ALARM, severity, now)

    def _is_alarm_only(self, evidence: EvidenceClass) -> bool:
        order = self.tracker.standing
        return evidence not in ACTING or order is None or not order.may_act

    def _situation(self, order: StopOrder) -> Situation:
        is_believed = self.policy.status_is_evidence
        return Situation(
            ordered=order.began.mono,
            deadline=order.deadline(self.policy),
            step=self.samples.register_step,
            is_fast=self.samples.is_fast(self.policy.fast_interval_seconds),
            is_charging=is_believed and self.sight.status is Status.CHARGING,
            charging_since_before=is_believed and self.sight.charging_since_before(order.began.mono),
            single_is_enough=self.tracker.single_is_enough(),
            confirm_span=self.policy.confirm_span_seconds,
            session_began=-math.inf if self.sight.connected_at is None else self.sight.connected_at.mono,
            zero_is_asserted=self.policy.zero_is_asserted and self.sight.is_suspended,
        )

    # -- ends --------------------------------------------------------------------------------------------------

    def _check_end(self, now: Moment) -> None:
        episode = self.episode
        if episode is None or not self.sight.connected or not self.tracker.is_standing:
            return
        if episode.is_obeyed(now, self.policy):
            self._close(Ending.OBEYED, now)
            return
        silent_at = self._silent_at()
        if silent_at is not None and now.mono >= silent_at:
            self._close(Ending.SILENT, now)

    def _silent_at(self) -> float | None:
        episode, last = self.episode, self.samples.last_reading
        if self.policy.zero_is_asserted and self.trial.last is not None:
            last = self.trial.last.sample.reading  # an asserted zero says no more than silence
        if episode is None or last is None or episode.low_since is not None:
            return None
        seen = max((at for at in (last.arrived, self.sight.connected_at) if at is not None), key=lambda at: at.mono)
        return episode.silent_at(self.sight.quiet_since, seen, self.policy)

    def _end_times(self) -> list[float | None]:
        episode = self.episode
        if episode is None or not self.sight.connected:
            return []
        if episode.low_since is not None:
            return [episode.last_over.arrived.mono + self.policy.clear_after_seconds]
        return [self._silent_at()]

    def _close(self, ending: Ending, now: Moment, ended: Moment | None = None) -> None:
        episode = self.episode
        if episode is None:
            return
        if self.ladder.state is State.WAITING:
            self.record_step(self.ladder.withdrawn(StepOutcome.CANCELLED, ending.value), now)
        episode.ended, episode.ending = ended or now, ending
        self.superseded_mono = episode.ended.mono if ending is Ending.SUPERSEDED else -math.inf
        self.out.append(Record(FactKind.EPISODE_CLOSED, self.connector, now, ending.value, self.episode_view()))
        kind, severity = CLOSING[ending]
        self.notify(kind, severity, now)
        self.episode_is_over(ending, remote_start_seen=episode.remote_start_seen)
        self.episode = None
        self.trial.new_episode(obeyed=ending is Ending.OBEYED)
        self.questions.need_not()

    def _begin_order(self, order: StopOrder, now: Moment) -> None:
        self.trial.forget()
        self.questions.new_order()
        self.slight_noted = False
        self.out.append(Record(FactKind.STOP_ORDERED, self.connector, now, order.text))


def _said(judged: Judged | None) -> str:
    """What a sample says about a limit of 0, in a word; nothing where it does not count."""
    if judged is None:
        return ""
    return "over" if judged.is_over else "low" if judged.is_low else "undecided"


CLOSING: dict[Ending, tuple[NoticeKind, Severity]] = {
    Ending.OBEYED: (NoticeKind.ALL_CLEAR, Severity.INFO),
    Ending.SILENT: (NoticeKind.UNPROVEN, Severity.WARNING),
    Ending.SUPERSEDED: (NoticeKind.SUPERSEDED, Severity.WARNING),
    Ending.STOOD_DOWN: (NoticeKind.STOOD_DOWN, Severity.INFO),
}
