"""A desk whose station can be tested by its owner: it charges on one connector, and the owner looks on.

evcc orders at -60; the wallbox charges with transaction 7 and sends readings when told.
"""

from __future__ import annotations

import json
from itertools import count

from core.station_kit import Desk
from ocpp_watchdog.core.decisions import Inject
from ocpp_watchdog.core.exercise import SelfTestView
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.supervision import SupervisedStation
from ocpp_watchdog.core.terms import ChargePointId, ConnectorId

ONE = ConnectorId(1)


class Supervised(Desk):
    """A desk with a station that can be tested."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(policy)
        ids = count(1)
        self.tested = SupervisedStation(
            ChargePointId("BOX1"), policy or Policy(), json.loads, lambda: f"wd-{next(ids):016d}"
        )
        self.station = self.tested

    def charging(self, amperes: float = 16.0, *, ordered: float | None = 16.0) -> Supervised:
        self.connect()
        self.plug()
        self.status("Charging")
        if ordered is not None:
            self.to(-60)
            self.limit(ordered)
        for t in (-57, -47, -37, -27, -17, -7):
            self.meter(t, amperes)
        self.to(-5)
        return self

    def start(self) -> Supervised:
        self.do(self.tested.begin_selftest(ONE, self.now))
        return self

    def look(self) -> Supervised:
        self.do(self.tested.watch_selftest(self.now))
        return self

    @property
    def seen(self) -> SelfTestView:
        seen = self.tested.selftest
        assert seen is not None
        return seen

    @property
    def ours(self) -> list[tuple[str, object]]:
        """Every CALL of ours that was written: action and what is told apart by."""
        told: list[tuple[str, object]] = []
        for _, inject in self.written:
            _, _, action, payload = json.loads(inject.text)
            profile = payload.get("csChargingProfiles")
            period = profile and profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
            told.append((action, period if profile else payload.get("transactionId", payload.get("idTag"))))
        return told

    def plan(self) -> object:
        return self.tested.selftest_plan(ONE, self.now)

    def walk(self) -> Supervised:
        """Down to 0 A, obeyed, and back; the stop is out."""
        t = self.t
        for amperes in (16.0, 10.0, 6.0, 0.0):
            self.take().meter(t + 5, amperes)
            t = self.t
        self.meter(t + 10, 0.0)
        self.take().meter(self.t + 5, 16.0)
        return self.later()

    def take(self, status: str = "Accepted") -> Supervised:
        """The wallbox answers the CALL of ours that is out, while the owner looks on."""
        self.look().answer(self.last, status)
        return self.later()

    def later(self, seconds: float = 0.01) -> Supervised:
        self.to(self.t + seconds)
        return self

    @property
    def last(self) -> Inject:
        return self.written[-1][1]
