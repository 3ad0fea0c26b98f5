"""A charge point whose owner can test it: the station, and the one self-test that may be under way.

Gives the test its scene after everything that happens and its CALLs a turn on the channel, and tells it what became of
them. What the test must put back survives a restart; the test itself does not.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar

from ocpp_watchdog.core.commands import SetProfile
from ocpp_watchdog.core.decisions import Decision, FactKind, Record, StepKind, StepOutcome
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.core.evidence import claims_nothing
from ocpp_watchdog.core.exercise import Ask, Part, PartReport, Scene, SelfTestView, plan
from ocpp_watchdog.core.frames import Loads, encode_payload
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.selftest import SelfTest
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.station import Station
from ocpp_watchdog.core.terms import (
    WHOLE_CHARGE_POINT,
    ChargePointId,
    ConnectorId,
    Moment,
    Purpose,
    UniqueId,
)
from ocpp_watchdog.core.voice import Own, OwnAnswer

FRESH_SECONDS = 180.0
"""A reading that is older says nothing about what flows now."""


class Obstacle(StrEnum):
    """Why a test cannot begin."""

    NOT_CONNECTED = "not_connected"
    NO_CONNECTOR = "unknown_connector"
    RUNNING = "running"
    EPISODE = "episode"
    NO_TRANSACTION = "no_transaction"
    SHARED_ID = "shared_id"
    NO_PROFILE = "no_profile"
    WHOLE_CHARGE_POINT = "whole_charge_point"
    STOP_ORDERED = "stop_ordered"
    NO_CURRENT = "no_current"


class SupervisedStation(Station):
    """A station with a self-test. One at a time; the last one stays to be looked at."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {
        "_test": "it ends with the program; what it owes is remembered",
        "_asked": "of the session that is over",
        "_told": "of the test that is over",
    }
    _owed: tuple[ConnectorId, SetProfile] | None
    _test: SelfTest | None
    _asked: dict[UniqueId, Ask]
    _told: int

    def __init__(
        self,
        charge_point: ChargePointId,
        policy: Policy,
        loads: Loads,
        new_id: Callable[[], str],
        recognise: Recognise = nobody,
    ) -> None:
        super().__init__(charge_point, policy, loads, new_id, recognise)
        self._owed = None  # the profile to put back in the end, and the connector it was varied on
        self._test = None
        self._asked = {}
        self._told = 0

    @property
    def selftest(self) -> SelfTestView | None:
        """The test that is under way, or the last one."""
        return None if self._test is None else self._test.view()

    def owes_nothing(self, now: Moment) -> bool:
        return self._owed is None and super().owes_nothing(now)

    def selftest_plan(self, connector: ConnectorId, now: Moment) -> tuple[PartReport, ...] | Obstacle:
        """What a test would do now, or why it cannot begin."""
        watch, sight = self._watches.get(connector), None
        if watch is None:
            return Obstacle.NO_CONNECTOR
        sight, base = watch.sight, self._base(connector)
        last = watch.samples.last
        is_fresh = last is not None and now.mono - last.arrived.mono <= FRESH_SECONDS
        obstacles = (
            (not self._connected, Obstacle.NOT_CONNECTED),
            (self._test is not None and not self._test.is_over, Obstacle.RUNNING),
            (watch.episode is not None, Obstacle.EPISODE),
            (sight.usable_id is None or sight.transaction_since is None, Obstacle.NO_TRANSACTION),
            (sight.shares_id(), Obstacle.SHARED_ID),
            (base is None, Obstacle.NO_PROFILE),
            (
                base is not None and base.connector == WHOLE_CHARGE_POINT and len(self._watches) > 1,
                Obstacle.WHOLE_CHARGE_POINT,
            ),
            (watch.commanded is None, Obstacle.NO_PROFILE),
            (watch.commanded is not None and watch.commanded.is_zero, Obstacle.STOP_ORDERED),
            (last is None or not is_fresh or claims_nothing(last.reading, self.policy), Obstacle.NO_CURRENT),
        )
        found = next((obstacle for stands, obstacle in obstacles if stands), None)
        if found is not None or watch.commanded is None:
            return found or Obstacle.NO_PROFILE
        return plan(watch.commanded, id_tag=sight.id_tag)

    def begin_selftest(self, connector: ConnectorId, now: Moment) -> list[Decision]:
        """The owner wants it; where there is an obstacle nothing happens."""
        self._catch_up(now)
        parts, base = self.selftest_plan(connector, now), self._base(connector)
        if isinstance(parts, Obstacle) or base is None:
            self._note(connector, f"selftest: {parts}", now)
            return self._done(now)
        scene, id_tag = self._seen_by_test(connector), self._watch(connector).sight.id_tag
        self._test = SelfTest(connector, base, scene, parts, id_tag=id_tag, policy=self.policy, now=now)
        self._told = 0
        self._note(connector, "selftest", now)
        return self._done(now)

    def abort_selftest(self, now: Moment) -> list[Decision]:
        """The owner has had enough; what was altered is put back."""
        self._catch_up(now)
        if self._test is not None:
            self._test.abort(now)
        return self._done(now)

    def watch_selftest(self, now: Moment) -> list[Decision]:
        """Somebody looks on: without that it ends after a while."""
        self._catch_up(now)
        if self._test is not None:
            self._test.watched(now)
        return self._done(now)

    # -- what the station does besides -------------------------------------------------------------------------------

    def _take_wishes(self, now: Moment) -> None:
        if self._test is None and self._owed is not None:  # the program was started anew in the middle
            connector, base = self._owed
            self._test = SelfTest.owing(connector, base, self._seen_by_test(connector), policy=self.policy, now=now)
        test = self._test
        if test is not None and not test.is_over:
            self._exercise(test, now)
        super()._take_wishes(now)

    def _exercise(self, test: SelfTest, now: Moment) -> None:
        if not self._connected:
            self._asked.clear()
        test.look(self._seen_by_test(test.connector), now)
        asks, test.asks = test.asks, []
        for ask in asks:
            kind = StepKind.REMOTE_STOP if ask.part is Part.REMOTE_STOP else None
            payload = encode_payload(ask.payload)
            want = Want(Aim.SELFTEST, ask.action, payload, "selftest", kind, ask.transaction_id, by_owner=True)
            self._asked[self._voice.want(test.connector, want, now).unique_id] = ask
        owed = None if test.owed is None else (test.connector, test.owed)
        if owed != self._owed:
            self._owed = owed
            self.memory_version += 1
        self._tell(test, now)

    def _tell(self, test: SelfTest, now: Moment) -> None:
        """Record each part once it is over, and the end."""
        seen = test.view()
        over = [part for part in seen.parts if part.found is not None]
        for part in over[self._told :]:
            amperes = "" if part.amperes is None else f" {part.amperes:g} A"
            self._note(test.connector, f"selftest {part.part}{amperes}: {part.found}", now)
        self._told = len(over)
        if seen.is_over:
            restored = "" if seen.restored is not False else ", the limit could not be put back"
            self._note(test.connector, f"selftest over: {seen.end}{restored}", now)

    def _note(self, connector: ConnectorId, text: str, now: Moment) -> None:
        self._out.append(Record(FactKind.OWNER, connector, now, text))

    def _has_stop_order(self) -> bool:
        """While a test is under way every reading counts, as under a stop order."""
        return super()._has_stop_order() or (self._test is not None and not self._test.is_over)

    def _next_turn(self) -> list[float | None]:
        times = super()._next_turn()
        return times if self._test is None else [*times, *self._test.next_at(self._seen_by_test(self._test.connector))]

    # -- what becomes of its CALLs -----------------------------------------------------------------------------------

    def _is_wanted(self, own: Own, now: Moment) -> bool:
        if own.want.aim is not Aim.SELFTEST:
            return super()._is_wanted(own, now)
        ask, test = self._asked.get(own.unique_id), self._test
        assert test is not None  # what it asked for is of this life
        test.look(self._seen_by_test(test.connector), now)  # time alone may have ended it
        return ask is not None and test.wants(ask)

    def _tell_written(self, own: Own, now: Moment, *, forced: bool) -> None:
        if own.want.aim is not Aim.SELFTEST:
            super()._tell_written(own, now, forced=forced)
            return
        if own.want.kind is not None:
            self._watch(own.connector).ladder.sent_beside(own.want.kind, now)  # every frame sent counts
        ask = self._asked.get(own.unique_id)
        if ask is not None and self._test is not None:
            self._test.written(ask, now)

    def _never_went_out(self, own: Own, outcome: StepOutcome, why: str, now: Moment) -> None:
        if own.want.aim is not Aim.SELFTEST:
            super()._never_went_out(own, outcome, why, now)
            return
        self._tell_test(own, lambda test, _: test.dropped(now))

    def _settled(self, own: Own, outcome: StepOutcome, now: Moment, answer: OwnAnswer | None = None) -> None:
        if own.want.aim is not Aim.SELFTEST:
            super()._settled(own, outcome, now, answer)
            return
        self._tell_test(own, lambda test, ask: test.settled(ask, outcome, now))

    def _tell_test(self, own: Own, tell: Callable[[SelfTest, Ask], None]) -> None:
        """Once for each CALL: what is late is nobody's."""
        ask = self._asked.pop(own.unique_id, None)
        if ask is not None and self._test is not None:
            tell(self._test, ask)

    # -- what the test looks at --------------------------------------------------------------------------------------

    def _seen_by_test(self, connector: ConnectorId) -> Scene:
        watch, newest = self._watch(connector), self._ledger.newest(connector)
        return Scene(
            connected=self._connected,
            samples=watch.samples,
            transaction_id=watch.sight.usable_id,
            transaction_open=watch.sight.transaction_since is not None,
            status=watch.sight.status,
            newest=None if newest is None else newest.command,
            key="" if newest is None else newest.key,
            ordered=watch.commanded,
        )

    def _base(self, connector: ConnectorId) -> SetProfile | None:
        """The central system's newest profile on this connector, if it is one of those that a test can vary."""
        newest = self._ledger.newest(connector)
        command = None if newest is None else newest.command
        is_usable = isinstance(command, SetProfile) and command.profile.purpose in (Purpose.TX_DEFAULT, Purpose.TX)
        return command if is_usable and isinstance(command, SetProfile) else None
