"""What follows our steps: our own profile is cleared, the connector set back, the transaction started anew.

Each goes out only when the channel is idle, is asked for again when it came to nothing, and leaves a record. When it is
due: watchdog rules 5 and ``docs/decisions``; what is left behind is in ``leftovers.py``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.case import Case
from ocpp_watchdog.core.decisions import Ending, FactKind, Mode, Record, StepKind, StepOutcome
from ocpp_watchdog.core.frames import encode_payload as text_of
from ocpp_watchdog.core.leftovers import Inoperative, OwnProfile, Restart
from ocpp_watchdog.core.policy import AfterStop, SetBack
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.terms import Moment, Status, TransactionId
from ocpp_watchdog.core.units import Limit

STOP_SHOWS_SECONDS = 120.0
"""A transaction that ends so soon after a stop of ours was ended by it."""
BY_SOMEBODY_ELSE = frozenset({"DeAuthorized", "EmergencyStop", "EVDisconnected", "Local", "UnlockCommand"})
"""Reasons of StopTransaction that say that a person, or the car, ended it: not to be started anew by us."""


class Aftercare(Case):
    """A case with what follows its steps."""

    # -- what leaves something behind ----------------------------------------------------------------------------------

    def profile_sent(self, profile_id: int, transaction_id: TransactionId, limit: Limit) -> None:
        """A TxProfile of ours is on the wire; it may be installed from now on (R3)."""
        before = self.leftovers.profile
        if before is not None:
            before = replace(before, before=None)
        self.leftovers.profile = OwnProfile(profile_id, transaction_id, limit, before)

    def made_inoperative(self, now: Moment) -> None:
        """ChangeAvailability(Inoperative) of ours is on the wire."""
        self.leftovers.inoperative = Inoperative(now)

    def step_was_refused(self, kind: StepKind) -> None:
        """The charge point says that it does not do what the step asked: nothing is left behind by it."""
        if kind is StepKind.TX_PROFILE:
            refused = self.leftovers.profile
            self.leftovers.profile = None if refused is None else refused.before
        elif kind is StepKind.INOPERATIVE:
            self.leftovers.inoperative = None

    # -- what the others do --------------------------------------------------------------------------------------------

    def current_ordered(self, now: Moment) -> None:
        """The order as it is now: the two minutes for a new start run while it is above 0."""
        restart = self.leftovers.restart
        if restart is None:
            return
        wants_current = self.commanded is not None and not self.commanded.is_zero
        if not wants_current:
            restart.ordered_since = None
        elif restart.ordered_since is None:
            restart.ordered_since = now.mono

    def transaction_is_over(self, now: Moment, reason: str = "") -> None:
        """The transaction of this connector ended; if by our stop, it may be started anew later."""
        self.leftovers.profile = None
        if self.policy.after_stop is not AfterStop.RESTART or self.sight.status is Status.AVAILABLE:
            return
        if reason in BY_SOMEBODY_ELSE:
            return
        if self.tracker.stood_down or self.leftovers.central_started >= (self.ladder.last_sent_mono or -math.inf):
            return  # the owner takes care, or the central system does
        if self.ladder.sent_lately(StepKind.REMOTE_STOP, now, STOP_SHOWS_SECONDS):
            self.leftovers.restart = Restart(self.sight.id_tag, is_in_sight=self._cable_seen_since_stop())
            self.current_ordered(now)
            if not self.sight.id_tag:
                self.forget_restart("no id tag is known", now)

    def cable_seen(self, now: Moment) -> None:
        """The charge point says that somebody is still plugged in."""
        if self.leftovers.restart is not None:
            self.leftovers.restart.is_in_sight = True
            self.look_after(now)

    def forget_restart(self, why: str, now: Moment) -> None:
        """There is nothing to be started anew any more, or somebody else takes care."""
        if self.leftovers.restart is not None:
            self.leftovers.restart = None
            self._note(f"restart: {why}", now)

    def availability_ordered(self, now: Moment) -> None:
        """The central system said itself whether the connector is to be operative: that holds."""
        if self.leftovers.inoperative is not None:
            self.leftovers.inoperative = None
            self._note("set_back: the central system has ordered it", now)

    def episode_is_over(self, ending: Ending, *, remote_start_seen: bool) -> None:
        """The episode in which the connector was set Inoperative ended. Where the central system starts anew whatever
        is stopped, it stays out of service until current is ordered again."""
        inoperative = self.leftovers.inoperative
        if inoperative is not None and ending is not Ending.SILENT:
            inoperative.is_over = ending is Ending.STOOD_DOWN or not remote_start_seen

    # -- what is due ---------------------------------------------------------------------------------------------------

    def look_after(self, now: Moment) -> None:
        """Wish for whatever is due."""
        left = self.leftovers
        if left.are_none:
            return
        if left.profile is not None and self._has_other_transaction(left.profile):
            left.profile = None
        if left.must_wait(now) or not self._may_look_after():
            return
        want = next((want for aim in (Aim.CLEAR, Aim.SET_BACK, Aim.RESTART) if (want := self._due(aim, now))), None)
        if want is not None:
            left.is_asked = True
            self.wants.append(want)

    def set_back_by_name(self, now: Moment) -> None:
        """The owner wants the connector operative again."""
        if not self.sight.connected or self.leftovers.is_asked:
            why = "not connected" if not self.sight.connected else "one is on its way"
            self.out.append(Record(FactKind.OWNER, self.connector, now, f"set_back: {why}"))
            return
        self.out.append(Record(FactKind.OWNER, self.connector, now, "set_back"))
        self.leftovers.is_asked = True
        self.wants.append(self._set_back(by_owner=True))

    def aftercare_times(self) -> list[float | None]:
        """When something may fall due by time alone (monotonic seconds), past moments too."""
        return [self.leftovers.again_at, self._restart_at()]

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def aftercare_is_wanted(self, want: Want, now: Moment) -> bool:
        """Asked at the moment of writing."""
        if want.by_owner:
            return True
        return self._may_look_after() and self._due(want.aim, now) is not None

    def aftercare_written(self, want: Want, now: Moment) -> None:
        """It is on the wire."""
        self._note(f"{want.aim.value} sent", now)
        if want.aim is Aim.RESTART:
            self.leftovers.restart = None  # once

    def aftercare_dropped(self, want: Want, outcome: StepOutcome, why: str, now: Moment) -> None:
        """It never went out. What was only not due any more falls due again at any time."""
        self._note(f"{want.aim.value} not sent: {why}", now)
        if outcome is StepOutcome.CANCELLED:
            self.leftovers.is_asked = False
        else:
            self.leftovers.failed(now)

    def aftercare_answered(self, want: Want, outcome: StepOutcome, now: Moment) -> None:
        """It was answered, late or in time, or is given up."""
        self._note(f"{want.aim.value} {outcome.value}", now)
        if outcome is not StepOutcome.ACCEPTED:
            self.leftovers.failed(now)
            return
        self.leftovers.settled()
        if want.aim is Aim.CLEAR:
            self.leftovers.profile = None
        elif want.aim is Aim.SET_BACK:
            self.leftovers.inoperative = None
        self.look_after(now)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _may_look_after(self) -> bool:
        return self.mode is Mode.ENFORCE and self.sight.connected

    def _due(self, aim: Aim, now: Moment) -> Want | None:
        """What is to be sent for this, None while it is not due."""
        left = self.leftovers
        if aim is Aim.CLEAR and left.profile is not None and not left.profile.says(self.commanded):
            return Want(aim, payloads.CLEAR_PROFILE, text_of(payloads.clear_profile(left.profile.profile_id)))
        if aim is Aim.SET_BACK and left.inoperative is not None and self._may_be_set_back(left.inoperative):
            return self._set_back(by_owner=False)
        if aim is Aim.RESTART and left.restart is not None and left.restart.is_in_sight and self._is_restart_due(now):
            payload = text_of(payloads.remote_start(self.connector, left.restart.id_tag))
            return Want(aim, payloads.REMOTE_START, payload)
        return None

    def _set_back(self, *, by_owner: bool) -> Want:
        payload = text_of(payloads.availability(self.connector, operative=True))
        return Want(Aim.SET_BACK, payloads.CHANGE_AVAILABILITY, payload, by_owner=by_owner)

    def _may_be_set_back(self, inoperative: Inoperative) -> bool:
        return self.policy.set_back is SetBack.ALL_CLEAR and (inoperative.is_over or self.tracker.standing is None)

    def _restart_at(self) -> float | None:
        restart = self.leftovers.restart
        if restart is None or restart.ordered_since is None:
            return None
        return restart.ordered_since + self.policy.restart_after_seconds

    def _is_restart_due(self, now: Moment) -> bool:
        at = self._restart_at()
        is_free = self.sight.transaction_since is None and self.policy.after_stop is AfterStop.RESTART
        return at is not None and now.mono >= at and is_free

    def _cable_seen_since_stop(self) -> bool:
        """What was said before our stop is stale: the cable may be out since."""
        heard, stopped = self.sight.status_at, self.ladder.last_sent_mono
        return heard is not None and stopped is not None and heard.mono >= stopped and self.sight.status is not None

    def _has_other_transaction(self, profile: OwnProfile) -> bool:
        return self.sight.usable_id not in (None, profile.transaction_id)

    def _note(self, text: str, now: Moment) -> None:
        self.out.append(Record(FactKind.AFTERCARE, self.connector, now, text))
