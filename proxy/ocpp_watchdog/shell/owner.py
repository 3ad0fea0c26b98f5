"""What the owner orders by name: asked of the judge, recorded with who wanted it, and told what became of it.

Whoever asks (API, ``ctl``, MQTT) gets one small value for each connector concerned, and never an exception.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ocpp_watchdog.core.decisions import (
    ConnectorView,
    Decision,
    FactKind,
    FindingKind,
    Record,
    StationView,
)
from ocpp_watchdog.core.exercise import PartReport, SelfTestView
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.core.supervision import Obstacle
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ChargePointId, ConnectorId, Moment
from ocpp_watchdog.shell.ports import Outcome, Outcomes, Result, SelfTestState
from ocpp_watchdog.shell.timekeeping import Time

log = logging.getLogger(__name__)

MAINTENANCE = "maintenance"
TEST_ALARM = "test_alarm"
SELFTEST = "selftest"
ABORT = "selftest_abort"
LONGEST_MAINTENANCE_MINUTES = 24 * 60.0
NO_CHARGE_POINT = ChargePointId("")

OBSTACLES = {
    Obstacle.NOT_CONNECTED: Result.NOT_CONNECTED,
    Obstacle.NO_CONNECTOR: Result.UNKNOWN_CONNECTOR,
}

Question = Callable[[Moment], list[Decision]]


class Judged(Protocol):
    """The judge of one charge point, as far as the owner is concerned."""

    def owner(self, action: OwnerAction, connector: ConnectorId, now: Moment) -> list[Decision]:
        """The owner said so."""

    def maintain(self, until: Moment | None, now: Moment) -> list[Decision]:
        """Observe until then; None ends it."""

    def view(self, now: Moment) -> StationView:
        """Everything that can be seen."""

    @property
    def selftest(self) -> SelfTestView | None:
        """The self-test under way, or the last one."""

    def selftest_plan(self, connector: ConnectorId, now: Moment) -> tuple[PartReport, ...] | Obstacle:
        """What one would do, or why it cannot begin."""

    def begin_selftest(self, connector: ConnectorId, now: Moment) -> list[Decision]:
        """Begin it, if it can."""

    def abort_selftest(self, now: Moment) -> list[Decision]:
        """Break it off."""

    def watch_selftest(self, now: Moment) -> list[Decision]:
        """Somebody looks on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A charge point the owner may give orders about. judge: asks the station and performs what it decides; False:
    something broke."""

    charge_point: ChargePointId
    station: Judged
    judge: Callable[[Question], bool]


class Owner:
    """Gives the owner's orders. Never raises into callers.

    find: the charge point with this id, None when it never connected. record: keeps a fact. alarm: tells a test alarm
    by every way there is, at this moment (POSIX seconds). failed: counts what broke here.
    """

    def __init__(
        self,
        clock: Time,
        find: Callable[[ChargePointId], Subject | None],
        record: Callable[[ChargePointId, Record], None],
        alarm: Callable[[float], None],
        failed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._find = find
        self._record = record
        self._alarm = alarm
        self._failed = failed

    def stand_down(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """Nothing more is done about this stop, until the next one after a raise. connector None or 0: all."""
        return self._order(OwnerAction.STAND_DOWN, charge_point, connector, who)

    def stop_now(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """RemoteStopTransaction by hand. Of all connectors those are meant on which something runs."""
        return self._order(OwnerAction.STOP_NOW, charge_point, connector, who)

    def acknowledge(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """No more reminders of the episode that is open. Of all connectors those are meant that have one."""
        return self._order(OwnerAction.ACKNOWLEDGE, charge_point, connector, who)

    def set_back(self, charge_point: str, connector: int | None, who: str) -> Outcomes:
        """ChangeAvailability Operative. Of all connectors those are meant that the ladder has set Inoperative."""
        return self._order(OwnerAction.SET_BACK, charge_point, connector, who)

    def maintenance(self, charge_point: str, minutes: float, who: str) -> Outcomes:
        """Send nothing for so many minutes, 24 h at most; 0 ends it."""
        return self._guarded(MAINTENANCE, charge_point, None, lambda: self._maintain(charge_point, minutes, who))

    def test_alarm(self, who: str) -> Outcomes:
        """Tell a test alarm, marked as one, by every way there is."""
        return self._guarded(TEST_ALARM, "", None, lambda: self._test(who))

    # -- the self-test ---------------------------------------------------------------------------------------------

    def selftest(self, charge_point: str, connector: int) -> SelfTestState:
        """The self-test of a connector: what it would do, or does. Looking keeps the one under way going."""
        try:
            return self._look_at_test(charge_point, ConnectorId(connector))
        except Exception:
            self._broke(charge_point)
            return SelfTestState(charge_point, connector, "failed")

    def begin_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        """Begin the self-test, also in observe mode: it is ordered by name."""
        return self._guarded(SELFTEST, charge_point, connector, lambda: self._test_begins(charge_point, connector, who))

    def abort_selftest(self, charge_point: str, connector: int, who: str) -> Outcomes:
        """Break the self-test off; the central system's limit is put back."""
        return self._guarded(ABORT, charge_point, connector, lambda: self._test_ends(charge_point, connector, who))

    def _look_at_test(self, charge_point: str, connector: ConnectorId) -> SelfTestState:
        subject, state = self._find(ChargePointId(charge_point)), SelfTestState(charge_point, connector)
        if subject is None:
            return replace(state, obstacle=Result.UNKNOWN_CHARGE_POINT.value)
        station, test = subject.station, _test_of(subject, connector)
        if test is not None and not test.is_over:
            subject.judge(station.watch_selftest)
        plan = station.selftest_plan(connector, self._clock.now())
        if isinstance(plan, Obstacle):
            return replace(state, obstacle=plan.value, test=_test_of(subject, connector))
        return replace(state, plan=plan, test=_test_of(subject, connector))

    def _test_begins(self, charge_point: str, connector: int, who: str) -> Outcomes:
        outcome = Outcome(SELFTEST, Result.DONE, charge_point, connector)
        subject = self._find(ChargePointId(charge_point))
        if subject is None:
            return (_unknown(SELFTEST, charge_point, connector, who),)
        plan = subject.station.selftest_plan(ConnectorId(connector), self._clock.now())
        said = self._asked(subject, lambda now: subject.station.begin_selftest(ConnectorId(connector), now), who)
        if said is None:
            return (replace(outcome, result=Result.FAILED),)
        if isinstance(plan, Obstacle):
            return (replace(outcome, result=OBSTACLES.get(plan, Result.REFUSED), reason=plan.value),)
        return (outcome,)

    def _test_ends(self, charge_point: str, connector: int, who: str) -> Outcomes:
        outcome = Outcome(ABORT, Result.DONE, charge_point, connector)
        subject = self._find(ChargePointId(charge_point))
        if subject is None:
            return (_unknown(ABORT, charge_point, connector, who),)
        test = _test_of(subject, connector)
        if test is None or test.is_over:
            return (replace(outcome, result=Result.REFUSED, reason="no_test"),)
        self._note(subject.charge_point, ConnectorId(connector), ABORT, who)
        is_done = subject.judge(subject.station.abort_selftest)
        return (outcome if is_done else replace(outcome, result=Result.FAILED),)

    # -- one order -------------------------------------------------------------------------------------------------

    def _order(self, action: OwnerAction, charge_point: str, connector: int | None, who: str) -> Outcomes:
        return self._guarded(
            action.value, charge_point, connector, lambda: self._connectors(action, charge_point, connector, who)
        )

    def _connectors(self, action: OwnerAction, charge_point: str, connector: int | None, who: str) -> Outcomes:
        subject = self._find(ChargePointId(charge_point))
        if subject is None:
            return (_unknown(action.value, charge_point, connector, who),)
        view = subject.station.view(self._clock.now())
        if connector is None or connector == WHOLE_CHARGE_POINT:
            meant = [seen for seen in view.connectors if _is_meant(action, seen)] or list(view.connectors)
        else:
            meant = [seen for seen in view.connectors if seen.connector == connector]
        if not meant:
            return (Outcome(action.value, Result.UNKNOWN_CONNECTOR, charge_point, connector),)
        return tuple(self._one(action, subject, seen, who, is_connected=view.connected) for seen in meant)

    def _one(
        self, action: OwnerAction, subject: Subject, seen: ConnectorView, who: str, *, is_connected: bool
    ) -> Outcome:
        outcome = Outcome(action.value, Result.DONE, subject.charge_point, seen.connector)
        if action is OwnerAction.ACKNOWLEDGE and seen.episode is None:
            self._note(subject.charge_point, seen.connector, f"{action.value}: no episode is open", who)
            return replace(outcome, result=Result.REFUSED, reason="no_episode")
        said = self._asked(subject, lambda now: subject.station.owner(action, seen.connector, now), who)
        if said is None:
            return replace(outcome, result=Result.FAILED)
        if action.value in said:
            return outcome
        if not is_connected:
            return replace(outcome, result=Result.NOT_CONNECTED)
        reason = "no_transaction" if seen.transaction_id is None else "too_soon"
        reason = "on_its_way" if action is OwnerAction.SET_BACK else reason
        return replace(outcome, result=Result.REFUSED, reason=reason)

    def _maintain(self, charge_point: str, minutes: float, who: str) -> Outcomes:
        outcome = Outcome(MAINTENANCE, Result.DONE, charge_point)
        if not 0.0 <= minutes <= LONGEST_MAINTENANCE_MINUTES or math.isnan(minutes):
            return (replace(outcome, result=Result.REFUSED, reason="bad_minutes"),)
        subject = self._find(ChargePointId(charge_point))
        if subject is None:
            return (_unknown(MAINTENANCE, charge_point, None, who),)
        until = self._clock.now().later(minutes * 60.0) if minutes else None
        if self._asked(subject, lambda now: subject.station.maintain(until, now), who) is None:
            return (replace(outcome, result=Result.FAILED),)
        return (replace(outcome, until=None if until is None else until.utc),)

    def _test(self, who: str) -> Outcomes:
        self._note(NO_CHARGE_POINT, WHOLE_CHARGE_POINT, TEST_ALARM, who)
        self._alarm(self._clock.now().utc)
        return (Outcome(TEST_ALARM, Result.DONE),)

    def _asked(self, subject: Subject, question: Question, who: str) -> list[str] | None:
        """Ask the judge; what it records of the owner gets the owner's name. Gives the texts of these records, None
        when the judge failed."""
        said: list[str] = []

        def signed(now: Moment) -> list[Decision]:
            decisions = [_signed(decision, who) for decision in question(now)]
            said.extend(each.text for each in decisions if isinstance(each, Record) and each.kind is FactKind.OWNER)
            return decisions

        return said if subject.judge(signed) else None

    def _note(self, charge_point: ChargePointId, connector: ConnectorId, text: str, who: str) -> None:
        self._record(charge_point, Record(FactKind.OWNER, connector, self._clock.now(), text, who=who))

    def _guarded(self, action: str, charge_point: str, connector: int | None, work: Callable[[], Outcomes]) -> Outcomes:
        try:
            return work()
        except Exception:
            self._broke(charge_point)
            return (Outcome(action, Result.FAILED, charge_point, connector),)

    def _broke(self, charge_point: str) -> None:
        """Called from an ``except`` clause."""
        self._failed()
        log.exception("an order of the owner failed; frames go on", extra={"charge_point": charge_point})


def _test_of(subject: Subject, connector: int) -> SelfTestView | None:
    """The test of this connector; that of another one is none of its business."""
    test = subject.station.selftest
    return test if test is not None and test.connector == connector else None


def _is_meant(action: OwnerAction, seen: ConnectorView) -> bool:
    """Whether an order for all connectors concerns this one."""
    if action is OwnerAction.STOP_NOW:
        flows = any(found.kind is FindingKind.CHARGING_WITHOUT_TRANSACTION for found in seen.findings)
        return seen.transaction_open or seen.transaction_id is not None or flows
    if action is OwnerAction.SET_BACK:
        return seen.is_inoperative
    return action is OwnerAction.STAND_DOWN or seen.episode is not None


def _signed(decision: Decision, who: str) -> Decision:
    if isinstance(decision, Record) and decision.kind is FactKind.OWNER:
        return replace(decision, who=who)
    return decision


def _unknown(action: str, charge_point: str, connector: int | None, who: str) -> Outcome:
    """An id that never connected: not recorded, or anybody with a password could fill the journal with names."""
    log.warning("%s wants %s of a charge point that is not known", who, action)
    return Outcome(action, Result.UNKNOWN_CHARGE_POINT, charge_point, connector)
