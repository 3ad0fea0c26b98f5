"""What the central system asked last, seen as stop orders: 0 A that begins, is answered, is raised again.

One tracker per connector (watchdog rules 1). It is told the order whenever it may have changed and keeps the moments
that count: request, answer, deadline, raise. Knows no samples; whoever does says whether the order was being obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.core.units import Limit

MOST_KEYS = 16
NOTICED_SECONDS = 1.0
"""A raise taken back within this time was none to a car: some central systems order 7 A and 0 A in one breath."""


class StopAnswer(StrEnum):
    """The answer to a stop order. The last two are findings; alarm and ladder are the same for all."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(slots=True)
class StopOrder:
    """An order of 0 A. keys: the command that gave it and its repetitions (none when the schedule fell to 0). text: the
    first of them as it went over the wire.

    answered_after: seconds from request to answer, None while there is none or when it came too late to move the
    deadline. may_act False: 0 W that may have been computed by mistake. raised: a raise was seen and may yet be taken
    back. disobeyed_at_raise: the last reading before the raise, if it could show anything, was over.
    """

    began: Moment
    keys: list[str]
    text: str
    answer: StopAnswer
    may_act: bool
    answered_after: float | None = None
    raised: Moment | None = None
    disobeyed_at_raise: bool | None = None
    taken_back: Moment | None = None

    def deadline(self, policy: Policy) -> float:
        """Request + answer time + settle time, monotonic seconds. An answer that never came, or came later than 10 s,
        adds nothing: the settle time then runs from the request. A raise that is taken back moves nothing for whoever
        ignored the stop before it; who had obeyed gets the settle time again, for having obeyed the raise too. Some
        devices follow a schedule that falls to 0 by itself a little late."""
        settle = policy.settle_seconds + (0.0 if self.keys else policy.boundary_slack_seconds)
        deadline = self.began.mono + (self.answered_after or 0.0) + settle
        if self.taken_back is None:
            return deadline
        return max(deadline, self.taken_back.mono + settle)


@dataclass(slots=True)
class OrderTracker:
    """The stop orders of one connector, one after the other.

    superseded_mono: when the last stop order ended with a raise although it was never obeyed, None when the last one
    ended otherwise. stood_down: the owner said so; holds until the next stop order after a raise.
    """

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"policy": "handed in"}
    policy: Policy
    standing: StopOrder | None = None
    superseded_mono: Mono | None = None
    stood_down: bool = False
    watts_seen: bool = False

    @property
    def is_standing(self) -> bool:
        """A stop order stands and no raise was seen."""
        return self.standing is not None and self.standing.raised is None

    def follow(self, order: Limit | None, key: str, text: str, now: Moment) -> bool:
        """Take in the order as it is now. key, text: the command just requested, empty when time or something else
        moved it. True when a stop order began, was raised or was taken back."""
        if order is not None and order.bound_watts is not None and order.bound_watts > 0.0:
            self.watts_seen = True
        if order is not None and order.is_zero:
            return self._zero(order, key, text, now)
        if self.standing is None or self.standing.raised is not None:
            return False
        self.standing.raised = now
        return True

    def answered(self, key: str, accepted: bool, now: Moment) -> bool:
        """The command was answered. True when it is the one that gave the standing stop order."""
        order = self.standing
        if order is None or key not in order.keys:
            return False
        seconds = now.mono - order.began.mono
        if order.answer is StopAnswer.PENDING and seconds <= self.policy.answer_seconds:
            order.answered_after = seconds
        order.answer = StopAnswer.ACCEPTED if accepted else StopAnswer.REFUSED
        return True

    def pass_time(self, now: Moment) -> StopOrder | None:
        """Give the stop order that ended for good, because its raise was not taken back in time."""
        order = self.standing
        if order is None:
            return None
        waited = now.mono - order.began.mono
        if order.answer is StopAnswer.PENDING and waited >= self.policy.answer_seconds:
            order.answer = StopAnswer.UNANSWERED
        if order.raised is None or now.mono - order.raised.mono < self.policy.take_back_seconds:
            return None
        return self._end(order)

    def next_at(self) -> float | None:
        """When ``pass_time`` next has something to do (monotonic seconds)."""
        order = self.standing
        if order is None:
            return None
        times = []
        if order.answer is StopAnswer.PENDING:
            times.append(order.began.mono + self.policy.answer_seconds)
        if order.raised is not None:
            times.append(order.raised.mono + self.policy.take_back_seconds)
        return min(times) if times else None

    def single_is_enough(self) -> bool:
        """The last stop order ended superseded at most 15 minutes before this one began."""
        if self.superseded_mono is None or self.standing is None:
            return False
        return self.standing.began.mono - self.superseded_mono <= self.policy.superseded_memory_seconds

    def _zero(self, order: Limit, key: str, text: str, now: Moment) -> bool:
        standing = self.standing
        if standing is not None:
            standing.may_act = standing.may_act or self.watts_seen or not order.is_zero_in_watts_only
            if key:
                standing.keys = [*standing.keys[-MOST_KEYS + 1 :], key]
            if standing.raised is None:
                return False  # 0 A again: the same order goes on
            if standing.disobeyed_at_raise is False and now.mono - standing.raised.mono > NOTICED_SECONDS:
                standing.taken_back = now
            standing.raised = None
            standing.disobeyed_at_raise = None
            return True
        may_act = self.watts_seen or not order.is_zero_in_watts_only
        answer = StopAnswer.PENDING if key else StopAnswer.ACCEPTED
        self.standing = StopOrder(now, [key] if key else [], text, answer, may_act)
        self.stood_down = False
        return True

    def _end(self, order: StopOrder) -> StopOrder:
        self.standing = None
        raised = order.raised.mono if order.raised is not None else None
        self.superseded_mono = raised if order.disobeyed_at_raise else None
        return order
