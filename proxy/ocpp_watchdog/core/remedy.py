"""What is done about an ignored stop: when a try is due, when it is proved, when nothing more can be done.

The ladder itself (tries, budget, cool-down) is ``escalation.py``; here stands what must hold for it to be climbed
(watchdog rules 5 and 7).
"""

from __future__ import annotations

from ocpp_watchdog.core.case import Case
from ocpp_watchdog.core.decisions import Mode, NoticeKind, Severity, StepOutcome
from ocpp_watchdog.core.episodes import Episode
from ocpp_watchdog.core.escalation import State
from ocpp_watchdog.core.evidence import ACTING
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.sight import WantStop
from ocpp_watchdog.core.terms import Moment, Status, TransactionId, UniqueId


class Remedy(Case):
    """A case with its remedy."""

    def stop_is_wanted(self, transaction_id: TransactionId | None, now: Moment) -> bool:
        """Asked at the moment of writing: does everything that led to the step still hold?"""
        return (
            self.ladder.state is State.WAITING
            and self.ladder.is_spaced(now)
            and self.sight.usable_id == transaction_id
            and self._shows_flow()
            and self.may_act()
        )

    def stop_wanted(self, unique_id: UniqueId, want: WantStop, now: Moment) -> None:
        """The step was queued."""
        self.record_step(self.ladder.want(unique_id, want.transaction_id, want.why, now), now)

    def stop_written(self, now: Moment, *, forced: bool) -> None:
        """The step is on the wire."""
        if self.ladder.state is not State.WAITING:
            self.ladder.sent_beside(now)  # its episode ended while it was being written; it counts all the same
            return
        record = self.ladder.written(now, forced=forced)
        self.record_step(record, now)
        if self.episode is not None:
            self.notify(NoticeKind.STEP, Severity.WARNING, now, record)

    def stop_withdrawn(self, outcome: StepOutcome, why: str, now: Moment) -> None:
        """The step never went out; another try needs another reading."""
        self.withdrawn_mono = now.mono
        if self.ladder.state is State.WAITING:
            self.record_step(self.ladder.withdrawn(outcome, why), now)

    def stop_answered(self, unique_id: UniqueId, outcome: StepOutcome, now: Moment) -> None:
        """The step was answered, late or in time, or is given up."""
        record = self.ladder.answered(unique_id, outcome, now)
        if record is not None:
            self.record_step(record, now)

    def is_exhausted(self, now: Moment) -> bool:
        """The ladder or the budget is at its end, and the last counting sample is over."""
        episode = self.episode
        if episode is None or not self.trial.is_over or not self.would_act():
            return False
        if self.ladder.state not in {State.READY, State.FAILED}:
            return False
        return not self.ladder.budget_left(now) or (episode.skipped and self.sight.usable_id is None)

    def may_act(self) -> bool:
        """Whether a step may be taken at all: a standing order, evidence that allows it, a charge point in sight."""
        return self.would_act() and self.sight.connected

    def would_act(self) -> bool:
        """The same, in sight or not."""
        return (
            self.episode is not None
            and not self.episode.alarm_only
            and not self.is_unknown
            and self.tracker.is_standing
            and not self.tracker.stood_down
            and self.mode is Mode.ENFORCE
        )

    def _shows_flow(self) -> bool:
        """The last counting sample is over, and its evidence allows a step."""
        evidence = self.trial.evidence
        return self.trial.is_over and evidence is not None and evidence.evidence in ACTING

    def climb(self, now: Moment) -> None:
        """Take the next try when everything speaks for it."""
        episode, last = self.episode, self.trial.last
        if episode is None or last is None or self.trial.evidence is None or not self._shows_flow():
            return
        if self.mode is Mode.OBSERVE:
            self._say_what_would_be(episode, now)
            return
        if not self.may_act() or not self.ladder.may_try(now) or self.is_blind(now) or self.wants:
            return
        if self._is_from_before_the_gap(last.sample) or last.sample.arrived.mono <= self.withdrawn_mono:
            return
        sent = self.ladder.last_sent_mono
        if self.ladder.tried and sent is not None and last.sample.measured <= sent:
            return  # what was measured before the last try says nothing about it
        if self.sight.usable_id is None:
            self._skip(episode, now)
            return
        self.wants.append(WantStop(self.sight.usable_id, self.trial.evidence.evidence.value))

    def _skip(self, episode: Episode, now: Moment) -> None:
        if episode.skipped:
            return
        episode.skipped = True
        self.record_step(self.ladder.skip(StepOutcome.SKIPPED, None, "no usable transaction id", now), now)

    def _say_what_would_be(self, episode: Episode, now: Moment) -> None:
        if episode.would_have_sent or episode.alarm_only or not self.tracker.is_standing:
            return
        episode.would_have_sent = True
        usable = self.sight.usable_id
        outcome = StepOutcome.WOULD_SEND if usable is not None else StepOutcome.SKIPPED
        why = "observe mode" if usable is not None else "no usable transaction id"
        self.record_step(self.ladder.skip(outcome, usable, why, now), now)

    def proof_at(self) -> float | None:
        """Until when an accepted try may be proved (monotonic seconds). A reading must have had the chance to come in
        this session."""
        interval = self.samples.interval()
        until = self.ladder.proof_deadline(interval)
        last, since = self.samples.last, self.sight.connected_at
        if until is None or last is None or since is None or not self._is_from_before_the_gap(last):
            return until
        return max(until, since.mono + max(self.policy.proof_seconds, 2.0 * (interval or 0.0)))

    def check_proof(self, now: Moment) -> None:
        """The time for proof of an accepted try is over. With its episode closed nobody waits for it any more."""
        until = self.proof_at() if self.episode is not None else None
        if until is None or now.mono < until or not self.sight.connected:
            return
        record = self.ladder.proved() if self._stopped_in_silence() else None
        self.record_step(record or self.ladder.not_proved(), now)

    def _is_from_before_the_gap(self, sample: Sample) -> bool:
        """It came in an earlier session: deadlines that need samples wait for one of this."""
        since = self.sight.connected_at
        return since is not None and sample.arrived.mono < since.mono

    def _stopped_in_silence(self) -> bool:
        """StopTransaction came after the try, no over sample since, and the status is not Charging."""
        stopped, sent, last = self.sight.transaction_stopped_at, self.ladder.last_sent_mono, self.trial.last
        if stopped is None or sent is None or stopped.mono < sent or self.sight.status in {None, Status.CHARGING}:
            return False
        return last is None or not last.is_over or last.sample.arrived.mono <= stopped.mono

    def reminder_at(self) -> float | None:
        """When the next reminder is due (monotonic seconds)."""
        episode = self.episode
        if episode is None or episode.acknowledged or episode.exhausted_told is None:
            return None
        return episode.exhausted_told.mono + self.policy.reminder_seconds

    def remind(self, now: Moment) -> None:
        """Nothing more can be done: say so, and again until the owner acknowledges."""
        episode = self.episode
        if episode is None or episode.acknowledged or not self.is_exhausted(now):
            return
        if episode.exhausted_told is None:
            episode.exhausted_told = now
            self.notify(NoticeKind.EXHAUSTED, Severity.CRITICAL, now)
        elif now.mono - episode.exhausted_told.mono >= self.policy.reminder_seconds:
            episode.exhausted_told = now
            self.notify(NoticeKind.REMINDER, Severity.CRITICAL, now)
