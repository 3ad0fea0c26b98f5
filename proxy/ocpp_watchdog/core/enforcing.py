"""Acting on limits above 0 A, where the owner wants that: the last order again, then a TxProfile of our own; never a
stop.

Over the limit must be confirmed by two samples (``findings.py``), and what is enforced must be what the central system
ordered last and the charge point accepted. No episode and no alarm: the finding is shown, the steps are facts.
"""

from __future__ import annotations

from ocpp_watchdog.core.asking import Asking
from ocpp_watchdog.core.decisions import Mode, StepOutcome
from ocpp_watchdog.core.escalation import State
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.terms import Moment, UniqueId
from ocpp_watchdog.core.units import Limit

WHY = "over_limit"


class Enforcing(Asking):
    """A case that keeps limits above 0 as well."""

    def enforce(self, now: Moment) -> None:
        """A sample came, or time passed."""
        if not self.policy.enforce_limits and not self.limits_open:
            return
        if not self._may_enforce():
            self._let_be("no longer wanted", now)
        elif not self.limits_open:
            if self.above.is_confirmed_over:
                self.limits_open = True
                self.limit_ladder.new_episode()
                self._next_limit_step(now)
        elif not self.above.is_suspect:
            record = self.limit_ladder.proved()
            if record is not None:
                self.record_step(record, now)
            self._let_be("the limit is kept", now)
        else:
            self._check_limit_proof(now)
            self._next_limit_step(now)

    def limit_times(self) -> list[float | None]:
        """When there is something to do by time alone (monotonic seconds)."""
        return [self.limit_ladder.proof_deadline(self.samples.interval())] if self.limits_open else []

    def limits_lost(self, now: Moment) -> None:
        """The connection is gone."""
        record = self.limit_ladder.lost()
        if record is not None:
            self.record_step(record, now)

    # -- what becomes of a step ----------------------------------------------------------------------------------------

    def limit_step_is_wanted(self, want: Want, now: Moment) -> bool:
        """Asked at the moment of writing."""
        is_waiting = self.limits_open and self.limit_ladder.state is State.WAITING
        is_same = want.transaction_id is None or self.sight.usable_id == want.transaction_id
        return is_waiting and is_same and self.above.is_suspect and self._may_enforce()

    def limit_step_wanted(self, unique_id: UniqueId, want: Want, now: Moment) -> None:
        """The step was queued."""
        record = self.limit_ladder.want(want.step, unique_id, want.transaction_id, want.why, now)
        self.record_step(record, now)

    def limit_step_written(self, want: Want, now: Moment, *, forced: bool) -> None:
        """The step is on the wire."""
        self.leave_behind(want, now)
        if self.limit_ladder.state is State.WAITING:
            self.record_step(self.limit_ladder.written(now, forced=forced), now)

    def limit_step_withdrawn(self, outcome: StepOutcome, why: str, now: Moment) -> None:
        """The step never went out; the next sample over the limit tries again."""
        if self.limit_ladder.state is State.WAITING:
            self.record_step(self.limit_ladder.withdrawn(outcome, why), now)

    def limit_step_answered(self, unique_id: UniqueId, want: Want, outcome: StepOutcome, now: Moment) -> None:
        """The step was answered, late or in time, or is given up."""
        if outcome is StepOutcome.REFUSED:
            self.step_was_refused(want.step)
        record = self.limit_ladder.answered(unique_id, outcome, now)
        if record is not None:
            self.record_step(record, now)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _may_enforce(self) -> bool:
        return (
            self.policy.enforce_limits
            and self.mode is Mode.ENFORCE
            and self.sight.connected
            and self.tracker.standing is None
            and not self.is_unknown
            and self._orders_what_is_in_force()
        )

    def _orders_what_is_in_force(self) -> bool:
        """The newest order was accepted, and is a limit above 0."""
        accepted = self.in_force.limit if self.in_force is not None else None
        if self.commanded is None or accepted is None or self.commanded.is_zero:
            return False
        return _bounds(accepted) == _bounds(self.commanded)

    def _next_limit_step(self, now: Moment) -> None:
        ladder, last = self.limit_ladder, self.samples.last
        if not ladder.may_try or self.wants or last is None:
            return
        sent = ladder.last_sent_mono
        if ladder.has_sent and sent is not None and last.measured <= sent:
            return  # what was measured before the last step says nothing about it
        kinds = [rung.kind for rung in ladder.ahead(now) if not self.obstacle(rung.kind)]
        if kinds:
            self.wants.append(self.step(Aim.LIMIT_STEP, kinds[0], WHY, now))

    def _check_limit_proof(self, now: Moment) -> None:
        until = self.limit_ladder.proof_deadline(self.samples.interval())
        if until is not None and now.mono >= until:
            self.record_step(self.limit_ladder.not_proved(), now)

    def _let_be(self, why: str, now: Moment) -> None:
        self.limits_open = False
        self.limit_step_withdrawn(StepOutcome.CANCELLED, why, now)


def _bounds(limit: Limit) -> tuple[float | None, float | None]:
    return limit.bound_amperes, limit.bound_watts
