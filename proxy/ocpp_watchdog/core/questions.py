"""When fresh evidence is asked for by TriggerMessage(MeterValues), and when it must not be (watchdog rules 2 and 6)."""

from __future__ import annotations

from typing import ClassVar

from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.core.keeping import Mono
from ocpp_watchdog.core.orders import StopOrder
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import Sight
from ocpp_watchdog.core.terms import Moment, Status

AGAIN_SECONDS = 60.0


class Questions:
    """The questions of one connector: one per stop order when no counting sample came, one when readings are frozen."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {"_policy": "handed in"}
    _policy: Policy
    _asked: bool
    _frozen_asked: bool
    _last: Mono | None

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._asked = False
        self._frozen_asked = False
        self._last = None

    def new_order(self) -> None:
        """A stop order began."""
        self._asked = self._frozen_asked = False

    def need_not(self) -> None:
        """Evidence is not missing any more."""
        self._asked = True

    def may(self, sight: Sight) -> bool:
        """Questions are allowed at all: enforce mode, in sight, and never where one was refused or left unanswered."""
        may_speak = self._policy.mode is Mode.ENFORCE and not sight.in_maintenance and sight.connected
        return may_speak and self._policy.may_question and sight.may_question

    def may_now(self, sight: Sight, now: Moment) -> bool:
        """Whether a question may be wanted at this moment; if so it counts as asked (again at most once a minute)."""
        is_too_soon = self._last is not None and now.mono - self._last < AGAIN_SECONDS
        if not self.may(sight) or is_too_soon or now.mono < sight.quiet_until:
            return False
        self._last = now.mono
        return True

    def due_at(self, order: StopOrder, sight: Sight) -> float | None:
        """When it will be asked for because no counting sample has come (monotonic seconds); None: it need not, or must
        not be. An idle connector without transaction has nothing to tell."""
        is_idle = sight.status is Status.AVAILABLE and sight.transaction_since is None
        if self._asked or is_idle or not self.may(sight):
            return None
        due = max(order.deadline(self._policy) + self._policy.question_after_seconds, sight.quiet_until)
        return due if self._last is None else max(due, self._last + AGAIN_SECONDS)

    def ask_if_due(self, order: StopOrder, sight: Sight, now: Moment) -> bool:
        """Whether it is asked for now."""
        at = self.due_at(order, sight)
        if at is None or now.mono < at:
            return False
        self._asked = True
        return True

    def ask_about_frozen(self) -> bool:
        """Whether the one question about frozen readings is still free; it is used up by this, also where it may not be
        asked right now: then the next reading is waited for."""
        is_free, self._frozen_asked = not self._frozen_asked, True
        return is_free

    def dropped(self, sight: Sight, now: Moment) -> None:
        """The channel was never idle: ask again, but not before a minute is over."""
        self._asked = False
        sight.quiet_until = max(sight.quiet_until, now.mono + AGAIN_SECONDS)
