"""What is done about an ignored stop: which step is next, when it is due, when it is proved, when nothing more can be
done.

The ladder itself (tries, budget, cool-down) is ``escalation.py``; here stands what must hold for it to be climbed
(watchdog rules 5 and 7), and what each step asks of the charge point.
"""

from __future__ import annotations

from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.aftercare import Aftercare
from ocpp_watchdog.core.decisions import Mode, NoticeKind, Severity, StepKind, StepOutcome
from ocpp_watchdog.core.episodes import Episode
from ocpp_watchdog.core.escalation import NO_USABLE_ID, SHARED_ID, State
from ocpp_watchdog.core.evidence import ACTING
from ocpp_watchdog.core.frames import encode_payload as text_of
from ocpp_watchdog.core.ledger import SetProfile
from ocpp_watchdog.core.profiles import overriding, repeated
from ocpp_watchdog.core.rungs import Rung
from ocpp_watchdog.core.samples import Sample
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.terms import Moment, Status, TransactionId, UniqueId

NOT_PROVED_BEFORE = "not proved in the last episode, which was superseded"
NEEDS_ID = frozenset({StepKind.TX_PROFILE, StepKind.REMOTE_STOP})


class Remedy(Aftercare):
    """A case with its remedy."""

    # -- what becomes of a step ----------------------------------------------------------------------------------------

    def step_is_wanted(self, want: Want, now: Moment) -> bool:
        """Asked at the moment of writing: does everything that led to the step still hold?"""
        return (
            self.ladder.state is State.WAITING
            and self.ladder.is_in_budget(want.step, now)
            and (want.transaction_id is None or self.sight.usable_id == want.transaction_id)
            and self.step_has_reason()
            and self.sight.connected
            and not self.obstacle(want.step)
        )

    def step_has_reason(self) -> bool:
        """Asked while a step that has begun goes on: current flows against an order that stands."""
        return self.is_to_be_stopped and self.mode is Mode.ENFORCE

    @property
    def is_to_be_stopped(self) -> bool:
        """Current flows against an order that stands, and its evidence allows a step; in any mode."""
        return self._shows_flow() and self._is_open_for_action()

    def step_wanted(self, unique_id: UniqueId, want: Want, now: Moment) -> None:
        """The step was queued."""
        record = self.ladder.want(want.step, unique_id, want.transaction_id, want.why, now)
        self.record_step(record, now)

    def step_written(self, want: Want, now: Moment, *, forced: bool) -> None:
        """The step is on the wire."""
        self.leave_behind(want, now)
        if self.ladder.state is not State.WAITING:
            self.ladder.sent_beside(want.step, now)  # its episode ended while it was being written; it counts
            return
        record = self.ladder.written(now, forced=forced)
        self.record_step(record, now)
        if self.episode is not None:
            self.notify(NoticeKind.STEP, Severity.WARNING, now, record)

    def step_withdrawn(self, outcome: StepOutcome, why: str, now: Moment) -> None:
        """The step never went out; another try needs another reading."""
        self.withdrawn_mono = now.mono
        if self.ladder.state is State.WAITING:
            self.record_step(self.ladder.withdrawn(outcome, why), now)

    def step_answered(self, unique_id: UniqueId, want: Want, outcome: StepOutcome, now: Moment) -> None:
        """The step was answered, late or in time, or is given up."""
        if outcome is StepOutcome.REFUSED:
            self.step_was_refused(want.step)
        record = self.ladder.answered(unique_id, outcome, now)
        if record is not None:
            self.record_step(record, now)

    def leave_behind(self, want: Want, now: Moment) -> None:
        """From now on the charge point may hold what the step brought."""
        if want.kind is StepKind.INOPERATIVE:
            self.made_inoperative(now)
        elif want.kind is StepKind.TX_PROFILE and want.transaction_id is not None and want.brings is not None:
            self.profile_sent(want.brings[0], want.transaction_id, want.brings[1])

    # -- what must hold ------------------------------------------------------------------------------------------------

    def is_exhausted(self, now: Moment) -> bool:
        """The ladder or the budget is at its end, and the last counting sample is over."""
        if self.episode is None or not self.trial.is_over or not self.would_act() or not self.ladder.may_try:
            return False
        return all(self.obstacle(rung.kind) for rung in self.ladder.ahead(now))

    def may_act(self) -> bool:
        """Whether a step may be taken at all: a standing order, evidence that allows it, a charge point in sight."""
        return self.would_act() and self.sight.connected

    def would_act(self) -> bool:
        """The same, in sight or not."""
        return self._is_open_for_action() and self.mode is Mode.ENFORCE

    def _is_open_for_action(self) -> bool:
        """The same, in any mode."""
        return (
            self.episode is not None
            and not self.episode.alarm_only
            and not self.is_unknown
            and self.tracker.is_standing
            and not self.tracker.stood_down
        )

    def _shows_flow(self) -> bool:
        """The last counting sample is over, and its evidence allows a step."""
        evidence = self.trial.evidence
        return self.trial.is_over and evidence is not None and evidence.evidence in ACTING

    # -- the next step -------------------------------------------------------------------------------------------------

    def climb(self, now: Moment) -> None:
        """Take the next try when everything speaks for it."""
        episode, last = self.episode, self.trial.last
        if episode is None or last is None or self.trial.evidence is None or not self._shows_flow():
            return
        if self.mode is Mode.OBSERVE:
            self._say_what_would_be(episode, now)
            return
        if not self.may_act() or not self.ladder.may_try or self.is_blind(now) or self.wants:
            return
        if self._is_from_before_the_gap(last.sample) or last.sample.arrived.mono <= self.withdrawn_mono:
            return
        sent = self.ladder.last_sent_mono
        if self.ladder.has_sent and sent is not None and last.sample.measured <= sent:
            return  # what was measured before the last try says nothing about it
        rung = self._next_rung(self.ladder.ahead(now), now)
        if rung is not None and self.ladder.is_apart(rung.kind, now):
            self.wants.append(self.step(Aim.STEP, rung.kind, self.trial.evidence.evidence.value, now))

    def _next_rung(self, ahead: list[Rung], now: Moment) -> Rung | None:
        """The first that can be taken; what is passed over leaves a record that says why."""
        for kind in (kind for kind in self.ladder.kinds if kind in self.ladder.barred):
            self._skip(kind, NOT_PROVED_BEFORE, now)
        for kind in self.ladder.used_up(now):
            self._skip(kind, "budget used up", now)
        for rung in ahead:
            why = self.obstacle(rung.kind)
            if not why:
                return rung
            self._skip(rung.kind, why, now)
        return None

    def obstacle(self, kind: StepKind) -> str:
        """Why the step cannot be taken now, empty when it can."""
        if kind in NEEDS_ID and self.sight.usable_id is None:
            return NO_USABLE_ID
        if kind is StepKind.REMOTE_STOP and self.sight.shares_id():
            return SHARED_ID
        if kind is StepKind.REPEAT_LIMIT and self._last_profile() is None:
            return "no profile to repeat"
        if kind is StepKind.INOPERATIVE and self.leftovers.inoperative is not None:
            return "set inoperative already"
        if kind is StepKind.SOFT_RESET and self.sight.others_charge():
            return "another connector is charging"
        return ""

    def may_try(self, now: Moment) -> bool:
        """A step may be taken, now or as soon as its budget is free again."""
        if not self.may_act():
            return False
        kinds = [rung.kind for rung in self.ladder.ahead(now)] or self.ladder.kinds
        return not all(self.obstacle(kind) for kind in kinds)

    def next_try_mono(self, now: Moment) -> float | None:
        """When, as far as time decides (monotonic seconds)."""
        return self.ladder.next_try_mono(now)

    def _skip(self, kind: StepKind, why: str, now: Moment) -> None:
        self._write_down(kind, StepOutcome.SKIPPED, None, why, now)

    def _write_down(
        self, kind: StepKind, outcome: StepOutcome, usable: TransactionId | None, why: str, now: Moment
    ) -> None:
        """A step that was not taken, unless it is written down already."""
        record = self.ladder.skip(kind, outcome, usable, why, now)
        if record is not None:
            self.record_step(record, now)

    def step(self, aim: Aim, kind: StepKind, why: str, now: Moment) -> Want:
        """What this step asks of the charge point. Its obstacles must be out of the way."""
        usable, order, last = self.sight.usable_id, self.commanded, self._last_profile()
        if kind is StepKind.REMOTE_STOP and usable is not None:
            return Want(aim, payloads.REMOTE_STOP, text_of(payloads.remote_stop(usable)), why, kind, usable)
        if kind is StepKind.REPEAT_LIMIT and last is not None:
            payload = text_of(payloads.set_profile(last.connector, repeated(last.profile, now.utc)))
            return Want(aim, payloads.SET_PROFILE, payload, why, kind)
        if kind is StepKind.TX_PROFILE and usable is not None and order is not None:
            profile = overriding(self.sight.ledger.known(), self.connector, usable, order, now.utc)
            payload = text_of(payloads.set_profile(self.connector, profile))
            brings = (profile.profile_id, order)
            return Want(aim, payloads.SET_PROFILE, payload, why, kind, usable, brings=brings)
        if kind is StepKind.INOPERATIVE:
            payload = text_of(payloads.availability(self.connector, operative=False))
            return Want(aim, payloads.CHANGE_AVAILABILITY, payload, why, kind)
        if kind is StepKind.SOFT_RESET:
            return Want(aim, payloads.RESET, text_of(payloads.soft_reset()), why, kind)
        return Want(aim, "", "", why, StepKind.EXTERNAL)

    def _last_profile(self) -> SetProfile | None:
        """The newest command that concerns this connector, if it sets a profile."""
        newest = self.sight.ledger.newest(self.connector)
        return newest.command if newest is not None and isinstance(newest.command, SetProfile) else None

    def _say_what_would_be(self, episode: Episode, now: Moment) -> None:
        """Observe mode: the record of the step that would be next; the one after it when it would have had its time."""
        if not self._is_open_for_action() or now.mono < episode.would_prove_until:
            return
        would = {record.kind for record in self.ladder.records if record.outcome is StepOutcome.WOULD_SEND}
        rung = self._next_rung([rung for rung in self.ladder.ahead(now) if rung.kind not in would], now)
        if rung is None:
            return
        usable = self.sight.usable_id if rung.kind in NEEDS_ID else None
        self._write_down(rung.kind, StepOutcome.WOULD_SEND, usable, "observe mode", now)
        episode.would_prove_until = now.mono + max(self.policy.proof_seconds, 2.0 * (self.samples.interval() or 0.0))

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
