"""Questions of one connector to its charge point: for fresh readings, and for what it believes its limit is.

Never in the way of a step, never where a question was refused or left unanswered before (watchdog rules 2 and 6,
``smart-charging.md`` 1.3). When readings are worth a question is ``questions.py``'s business.
"""

from __future__ import annotations

from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.decisions import FactKind, Mode, Record, StepOutcome
from ocpp_watchdog.core.frames import encode_payload as text_of
from ocpp_watchdog.core.remedy import Remedy
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.terms import Moment, UniqueId

HIDDEN_PROFILE = "hidden profile"
CURRENT_WRONG = "schedule right, current wrong"
SCHEDULE_ASKED = "composite schedule"
MOST_TEXT = 4096


class Asking(Remedy):
    """A case that asks."""

    def step_answered(self, unique_id: UniqueId, want: Want, outcome: StepOutcome, now: Moment) -> None:
        """The step was answered, late or in time, or is given up. After the first answer the schedule is asked for."""
        super().step_answered(unique_id, want, outcome, now)
        if outcome in (StepOutcome.ACCEPTED, StepOutcome.REFUSED):
            self._ask_for_schedule(now)

    # -- readings --------------------------------------------------------------------------------------------------

    def question_dropped(self, want: Want, now: Moment) -> None:
        """The channel was never idle for it."""
        if want.aim is Aim.READINGS:
            self.questions.dropped(self.sight, now)

    def question_is_wanted(self, want: Want, now: Moment) -> bool:
        """Asked at the moment of writing."""
        if want.aim is Aim.SCHEDULE and (self.episode is None or not self.sight.may_ask_schedule):
            return False
        if want.aim is Aim.READINGS and not self.sight.may_question:
            return False
        is_needed = self.tracker.is_standing and not self.tracker.stood_down
        return is_needed and self.mode is Mode.ENFORCE and now.mono >= self.sight.quiet_until

    def question_at(self) -> float | None:
        """When readings will be asked for (monotonic seconds), None: they need not, or must not be."""
        order = self.tracker.standing
        if order is None or order.raised is not None or self.trial.last is not None or self.tracker.stood_down:
            return None
        return self.questions.due_at(order, self.sight)

    def ask_for_evidence(self, now: Moment) -> None:
        """Ask for readings when none came that count."""
        order = self.tracker.standing
        if order is None or self.question_at() is None:
            return
        if self.questions.ask_if_due(order, self.sight, now):
            self.ask_for_readings("no counting sample", now)

    def ask_for_readings(self, why: str, now: Moment) -> None:
        """TriggerMessage(MeterValues), unless the last one is too young."""
        if self.questions.may_now(self.sight, now):
            self.wants.append(
                Want(Aim.READINGS, payloads.TRIGGER, text_of(payloads.trigger_meter_values(self.connector)), why)
            )
            self.out.append(Record(FactKind.QUESTION, self.connector, now, why))

    # -- the composite schedule ------------------------------------------------------------------------------------

    def _ask_for_schedule(self, now: Moment) -> None:
        """GetCompositeSchedule, once an episode: evidence about the schedule engine, never about current."""
        episode = self.episode
        if episode is None or episode.schedule_asked or not self.tracker.is_standing:
            return
        may = self.policy.composite_schedule_question and self.sight.may_ask_schedule and self.mode is Mode.ENFORCE
        if not may or now.mono < self.sight.quiet_until:
            return
        episode.schedule_asked = True
        payload = text_of(payloads.composite_schedule(self.connector))
        self.wants.append(Want(Aim.SCHEDULE, payloads.COMPOSITE_SCHEDULE, payload, "what does it believe?"))
        self.out.append(Record(FactKind.QUESTION, self.connector, now, SCHEDULE_ASKED))

    def schedule_answered(self, limit: float | None, text: str, now: Moment) -> None:
        """The charge point said what it believes. limit: in any unit, below zero: none; None: it did not say."""
        episode = self.episode
        if episode is None:
            return
        episode.schedule_text = text[:MOST_TEXT]
        if limit is not None:
            episode.schedule_evidence = CURRENT_WRONG if limit == 0.0 else HIDDEN_PROFILE
        why = episode.schedule_evidence or "the composite schedule says nothing"
        self.out.append(Record(FactKind.QUESTION, self.connector, now, why, self.episode_view()))
