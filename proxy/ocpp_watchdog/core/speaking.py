"""What we say to one charge point: wishes of the watches get their turn, and hear what became of it.

The upper half of the station. Knows no rule about what is worth saying: each wish is asked again, of whoever had it,
when its turn comes and at the moment of writing (watchdog rules 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.decisions import CallOut, CountKind, FactKind, Record, Release, StepOutcome
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.frames import Loads
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.lasting import Lasting
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import AFTERCARE, QUESTIONS, Aim, Want
from ocpp_watchdog.core.terms import ChargePointId, Moment, UniqueId
from ocpp_watchdog.core.voice import Own, OwnAnswer
from ocpp_watchdog.core.watch import Watch

BREATH_SECONDS = 0.001
"""After a release: time for what was held to be heard of."""
MOST_CALLED = 64


class Speaking(Lasting):
    """Everything that is known, and what is said."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_released_mono": "of the session that is over",
        "_told_mono": "of the session that is over",
    }
    _calling: dict[UniqueId, tuple[Own, Mono]]
    _called: dict[UniqueId, tuple[Own, Mono]]
    _released_mono: Mono
    _told_mono: Mono

    def __init__(
        self,
        charge_point: ChargePointId,
        policy: Policy,
        loads: Loads,
        new_id: Callable[[], str],
        recognise: Recognise = nobody,
    ) -> None:
        super().__init__(charge_point, policy, loads, new_id, recognise)
        self._calling = {}  # calls to somebody else that the shell was given, until nobody waits for them any more
        self._called = {}  # those that it has begun
        self._released_mono = -math.inf
        self._told_mono = -math.inf  # the last frame to the charge point that was read whole

    # -- turns -------------------------------------------------------------------------------------------------

    def _take_wishes(self, now: Moment) -> None:
        for watch in self._watches.values():
            if watch.wants:
                wants, watch.wants = watch.wants, []
                for want in wants:
                    self._take(watch, want, now)
            if watch.out:
                self._collect(watch)

    def _take(self, watch: Watch, want: Want, now: Moment) -> None:
        if not want.action:
            self._call_out(watch, want, now)
        elif want.aim not in QUESTIONS:
            own = self._voice.want(watch.connector, want, now)
            if want.aim is Aim.STEP:
                watch.step_wanted(own.unique_id, want, now)
            elif want.aim is Aim.LIMIT_STEP:
                watch.limit_step_wanted(own.unique_id, want, now)
        elif self._may_question if want.aim is Aim.READINGS else self._may_ask_schedule:
            self._voice.want(watch.connector, want, now)

    def _call_out(self, watch: Watch, want: Want, now: Moment) -> None:
        """A step that is no CALL: it needs no channel, and goes out as soon as it is committed."""
        own = Own(self._voice.new_id(), watch.connector, want)
        _keep(self._calling, own, now.mono + self.policy.external_seconds)
        watch.step_wanted(own.unique_id, want, now)
        self._collect(watch)
        self._out.append(CallOut(own.unique_id, watch.connector, now, watch.episode_view()))

    def _release(self, now: Moment) -> None:
        """Ours is over: what was held behind it goes first, and is heard of before the next of ours has its turn."""
        self._out.append(Release())
        self._released_mono = now.mono

    def _speak(self, now: Moment) -> None:
        """Give the turn to whoever is next, when the channel allows it."""
        if not self._connected or not self._voice.is_busy or now.mono < self._free_at():
            return
        dropped, inject = self._voice.speak(now, self._idle_at(), lambda own: self._is_wanted(own, now))
        for own in dropped:
            if self._is_wanted(own, now):
                self._never_went_out(own, StepOutcome.NOT_SENT, "the channel was never idle", now)
            else:
                self._never_went_out(own, StepOutcome.CANCELLED, "no longer wanted", now)
        if inject is not None:
            self._out.append(inject)

    def _free_at(self) -> float:
        """Before it nothing of ours goes out; some devices lose a frame that comes close behind another."""
        return max(self._released_mono + BREATH_SECONDS, self._told_mono + self.policy.frame_gap_seconds)

    def _idle_at(self) -> float | None:
        return self._pairing.idle_at(self.policy.idle_call_seconds)

    def _next_turn(self) -> list[float | None]:
        """When there is something to do by time alone (monotonic seconds)."""
        if not (self._calling or self._called or self._voice.is_busy):
            return []  # as nearly always
        times: list[float | None] = [until for _, until in self._calling.values()]
        times += [until for _, until in self._called.values()]
        if self._voice.is_busy:
            times += (self._free_at(), self._voice.next_at(self._idle_at()))
        return times

    def _collect(self, watch: Watch) -> None:
        self._out += map(self._acquaintance.explained, watch.out)
        watch.out = []

    # -- whoever had the wish ----------------------------------------------------------------------------------

    def _is_wanted(self, own: Own, now: Moment) -> bool:
        watch, want = self._watch(own.connector), own.want
        if want.aim is Aim.STOP_NOW:
            return self._transactions.usable_id(own.connector) == want.transaction_id
        if want.aim in AFTERCARE:
            return watch.aftercare_is_wanted(want, now)
        if self._maintenance_until is not None:
            return False
        if want.aim in QUESTIONS:
            return watch.question_is_wanted(want, now)
        if want.aim is Aim.LIMIT_STEP:
            return watch.limit_step_is_wanted(want, now)
        return watch.step_is_wanted(want, now)

    def _call_is_wanted(self, unique_id: UniqueId, now: Moment) -> bool:
        """Asked before each try of a call to somebody else: the first is a step like any other, and what has begun is
        given up when there is no reason for it any more."""
        if unique_id in self._calling:
            return self._connected and self._is_wanted(self._calling[unique_id][0], now)
        found = self._called.get(unique_id)
        return found is not None and self._watch(found[0].connector).step_has_reason()

    def _was_written(self, unique_id: UniqueId, now: Moment) -> bool:
        calling = self._calling.pop(unique_id, None)
        if calling is not None:
            _keep(self._called, *calling)
            self._tell_written(calling[0], now, forced=False)
            return True
        found = self._voice.written(unique_id, now)
        if found is None:
            return False
        own, forced = found
        self._tell_written(own, now, forced=forced)
        return True

    def _unsure(self, saved: Moment) -> list[tuple[UniqueId, float]]:
        unsure = self._voice.unsure()
        calls = [(unique_id, saved.mono) for unique_id in self._calling]
        return calls if unsure is None else [unsure, *calls]

    def _was_not_written(self, unique_id: UniqueId, now: Moment) -> None:
        calling = self._calling.pop(unique_id, None)
        own = self._voice.not_written(unique_id) if calling is None else calling[0]
        if own is None:
            return
        if calling is None:
            self._release(now)
        outcome = StepOutcome.NOT_SENT if self._is_wanted(own, now) else StepOutcome.CANCELLED
        self._never_went_out(own, outcome, "at the moment of writing", now)

    def _tell_written(self, own: Own, now: Moment, *, forced: bool) -> None:
        watch, want = self._watch(own.connector), own.want
        if want.aim is Aim.STOP_NOW:
            watch.ladder.sent_beside(want.step, now)
            self._out.append(Record(FactKind.OWNER, own.connector, now, "stop_now sent"))
        elif want.aim in AFTERCARE:
            watch.aftercare_written(want, now)
        elif want.aim is Aim.STEP:
            watch.step_written(want, now, forced=forced)
        elif want.aim is Aim.LIMIT_STEP:
            watch.limit_step_written(want, now, forced=forced)

    def _never_went_out(self, own: Own, outcome: StepOutcome, why: str, now: Moment) -> None:
        watch, want = self._watch(own.connector), own.want
        if want.aim is Aim.STOP_NOW:
            self._out.append(Record(FactKind.OWNER, own.connector, now, f"stop_now {outcome.value}"))
        elif want.aim in AFTERCARE:
            watch.aftercare_dropped(want, outcome, why, now)
        elif want.aim in QUESTIONS:
            watch.question_dropped(want, now)
        elif want.aim is Aim.LIMIT_STEP:
            watch.limit_step_withdrawn(outcome, why, now)
        else:
            watch.step_withdrawn(outcome, why, now)

    def _settled(self, own: Own, outcome: StepOutcome, now: Moment, answer: OwnAnswer | None = None) -> None:
        """A CALL of ours was answered, or is given up."""
        watch, want = self._watch(own.connector), own.want
        if want.aim is Aim.STOP_NOW:
            self._out.append(Record(FactKind.OWNER, own.connector, now, f"stop_now {outcome.value}"))
        elif want.aim in AFTERCARE:
            watch.aftercare_answered(want, outcome, now)
        elif want.aim in QUESTIONS:
            self._question_settled(watch, want, outcome, now, answer)
        elif want.aim is Aim.LIMIT_STEP:
            watch.limit_step_answered(own.unique_id, want, outcome, now)
        else:
            watch.step_answered(own.unique_id, want, outcome, now)

    def _question_settled(
        self, watch: Watch, want: Want, outcome: StepOutcome, now: Moment, answer: OwnAnswer | None
    ) -> None:
        """A charge point that will not answer a question is never asked again."""
        if want.aim is Aim.READINGS:
            if outcome is not StepOutcome.ACCEPTED:
                self._never_question()
        elif outcome is not StepOutcome.ACCEPTED or answer is None:
            self._never_ask_schedule()
        else:
            watch.schedule_answered(payloads.present_limit(answer.frame), answer.text, now)

    # -- what became of it -------------------------------------------------------------------------------------

    def _heard_answer(self, text: str, now: Moment) -> None:
        """An answer to a CALL of ours was kept from the central system."""
        found = self._voice.answered(text)
        if found is None:
            self._count(CountKind.UNKNOWN_ANSWER)
            return
        if found.is_late:
            self._count(CountKind.LATE_ANSWER)
        else:
            self._release(now)
        outcome = StepOutcome.ACCEPTED if found.is_done else StepOutcome.REFUSED
        self._settled(found.own, outcome, now, found)

    def _heard_of_call(self, unique_id: UniqueId, outcome: StepOutcome, now: Moment) -> None:
        """What was called out came to this."""
        found = self._called.pop(unique_id, None)
        if found is not None:
            self._settled(found[0], outcome, now)

    def _give_up(self, now: Moment) -> None:
        for unique_id in [key for key, (_, until) in self._called.items() if now.mono >= until]:
            self._heard_of_call(unique_id, StepOutcome.UNANSWERED, now)
        for unique_id in [key for key, (_, until) in self._calling.items() if now.mono >= until]:
            own, _ = self._calling.pop(unique_id)
            self._never_went_out(own, StepOutcome.NOT_SENT, "nobody said that it was called", now)
        found = self._voice.give_up(now)
        if found is None:
            return
        own, was_written = found
        self._release(now)
        if was_written:
            self._settled(own, StepOutcome.UNANSWERED, now)
        else:
            self._never_went_out(own, StepOutcome.NOT_SENT, "nobody said that it was written", now)


def _keep(calls: dict[UniqueId, tuple[Own, Mono]], own: Own, until: float) -> None:
    """One more; of too many the oldest is forgotten."""
    calls[own.unique_id] = (own, until)
    if len(calls) > MOST_CALLED:
        del calls[next(iter(calls))]
