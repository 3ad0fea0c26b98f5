"""What shows after an order of the owner's test. Times are seconds after the order."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from station_kit import moment, reading

from ocpp_watchdog.core.decisions import EvidenceClass
from ocpp_watchdog.core.exercise import Found, Scene
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.samples import Samples
from ocpp_watchdog.core.showing import Shown, UnderWay, limit_shows, return_shows, stop_shows, zero_shows
from ocpp_watchdog.core.terms import Moment, Status, TransactionId

POLICY = Policy()
Rows = Iterable[tuple[float, float | str]]


class Stage:
    """Readings of a connector and an order at 0 that has until 30, and is given up at 90."""

    def __init__(self, before: Rows = ((-10.0, 16.0),), amperes: float = 6.0) -> None:
        self.samples = Samples(30.0)
        self.samples.connected(moment(-120))
        self.read(before)
        self.order = UnderWay(amperes, self.at(0).mono, self.at(30).mono, self.at(90).mono, self.samples.last)
        self.status: Status | None = Status.CHARGING
        self.transaction_open = True

    @staticmethod
    def at(t: float) -> Moment:
        return moment(t)

    def read(self, rows: Rows, **more: str) -> Stage:
        for t, amperes in rows:
            self.samples.add(reading(t, amperes, **more))
        return self

    def reg(self, rows: Iterable[tuple[float, float | str, str]]) -> Stage:
        """Readings with the energy register."""
        for t, amperes, energy in rows:
            self.samples.add(reading(t, amperes, energy=energy))
        return self

    @property
    def scene(self) -> Scene:
        return Scene(True, self.samples, TransactionId(7), self.transaction_open, self.status, None, "", None)

    def seconds(self, shown: Shown) -> float | None:
        return None if shown.since is None else round(shown.since - self.at(0).mono, 3)

    def limit(self, t: float) -> tuple[Found | None, float | None]:
        shown = limit_shows(self.scene, self.order, POLICY, self.at(t))
        return shown.found, self.seconds(shown)

    def zero(self, t: float) -> tuple[Found | None, float | None, EvidenceClass | None]:
        shown = zero_shows(self.scene, self.order, POLICY, self.at(t))
        return shown.found, self.seconds(shown), shown.evidence

    def back(self, t: float) -> tuple[Found | None, float | None]:
        shown = return_shows(self.scene, self.order, POLICY, self.at(t))
        return shown.found, self.seconds(shown)

    def stop(self, t: float, over: float | None = None) -> tuple[Found | None, float | None]:
        over_mono = None if over is None else self.at(over).mono
        shown = stop_shows(self.scene, self.order, over_mono, POLICY, self.at(t))
        return shown.found, self.seconds(shown)


# -- a limit above 0 ---------------------------------------------------------------------------------------------


def test_a_limit_is_followed_by_the_first_reading_that_keeps_to_it() -> None:
    stage = Stage().read([(3, 16.0), (13, 6.4), (23, 6.0)])
    assert stage.limit(23) == (Found.FOLLOWED, 13)


def test_what_was_low_enough_before_shows_nothing() -> None:
    assert Stage([(-10, 6.5)]).read([(3, 6.5)]).limit(3) == (Found.NOTHING_TO_SEE, 3)
    assert Stage([]).read([(3, 6.5)]).limit(3) == (Found.NOTHING_TO_SEE, 3)


def test_a_limit_is_ignored_once_a_reading_after_the_deadline_exceeds_it() -> None:
    stage = Stage().read([(3, 16.0), (29, 16.0)])
    assert stage.limit(31) == (None, None)
    assert stage.read([(33, 16.0)]).limit(33) == (Found.IGNORED, 33)


def test_without_readings_nothing_can_be_said() -> None:
    stage = Stage()
    assert stage.limit(89) == (None, None)
    assert stage.limit(90) == (Found.SILENT, None)


def test_power_speaks_where_no_current_is_reported() -> None:
    stage = Stage([])
    stage.samples.add(reading(3, energy="100"))
    assert stage.limit(3) == (None, None)
    stage.samples.add(reading(13, power="11000"))
    assert stage.limit(13) == (None, None)
    stage.samples.add(reading(23, power="4200"))
    assert stage.limit(23) == (Found.NOTHING_TO_SEE, 23)


# -- 0 A ---------------------------------------------------------------------------------------------------------


def test_zero_is_followed_when_two_readings_say_so() -> None:
    stage = Stage().read([(3, 16.0), (13, 0.0)])
    assert stage.zero(13) == (None, 13, None)
    assert stage.read([(23, 0.0)]).zero(23) == (Found.FOLLOWED, 13, None)


def test_the_second_one_must_lie_far_enough_behind_the_order_and_the_first() -> None:
    assert Stage().read([(1, 0.0), (9, 0.0)]).zero(9) == (None, 1, None)
    assert Stage().read([(8, 0.0), (15, 0.0)]).zero(15) == (None, 8, None)
    assert Stage().read([(8, 0.0), (16, 0.0)]).zero(16) == (Found.FOLLOWED, 8, None)


def test_one_is_enough_when_no_other_comes() -> None:
    assert Stage().read([(13, 0.0)]).zero(90) == (Found.FOLLOWED, 13, None)


def test_nothing_flowed_before() -> None:
    assert Stage([(-10, 0.0)]).read([(3, 0.0), (13, 0.0)]).zero(13) == (Found.NOTHING_TO_SEE, 3, None)
    assert Stage([]).read([(3, 0.0), (13, 0.0)]).zero(13) == (Found.NOTHING_TO_SEE, 3, None)


def test_current_that_comes_back_is_not_obedience() -> None:
    stage = Stage().read([(3, 0.0), (13, 6.5), (23, 0.0)])
    assert stage.zero(23) == (None, 23, None)


def test_an_ignored_zero_names_its_evidence() -> None:
    stage = Stage().read([(3, 6.5), (13, 6.51), (23, 6.52)])
    assert stage.zero(29) == (None, 23, EvidenceClass.LIVE)
    assert stage.read([(33, 6.53)]).zero(33) == (Found.IGNORED, 33, EvidenceClass.LIVE)


def test_a_register_that_counts_on_is_believed_and_not_the_zeros() -> None:
    rows = [(t, 0.0, str(1000 + t)) for t in (3, 13, 23, 33, 43)]
    stage = Stage([]).reg(rows[:2])
    assert stage.zero(13)[0] is None, "ten Wh in ten seconds are no obedience"
    assert stage.reg(rows[2:]).zero(43) == (Found.IGNORED, 33, EvidenceClass.HIDDEN)


def test_a_register_that_stands_still_agrees() -> None:
    assert Stage().reg([(3, 0.0, "1000"), (13, 0.0, "1000")]).zero(13)[0] is Found.FOLLOWED


def test_readings_that_stand_still_convict_nobody() -> None:
    stage = Stage([(-20, "6.52"), (-10, "6.52")]).read([(t, "6.52") for t in (3, 13, 23, 33)])
    assert stage.zero(33) == (Found.STALE, 33, EvidenceClass.FROZEN)


def test_idle_current_is_none() -> None:
    stage = Stage().read([(3, "1.5"), (13, "1.4"), (23, "1.5"), (33, "1.4")])
    assert stage.zero(33) == (Found.FOLLOWED, 33, EvidenceClass.SLIGHT)


def test_what_stays_undecided_ends_as_undecided() -> None:
    stage = Stage([]).reg([(t, "16.02", str(1000 + round(t * 1.92))) for t in (3, 13, 23, 33, 43)])
    assert stage.zero(43)[0] is None
    assert stage.zero(43)[2] is EvidenceClass.UNDECIDED
    assert stage.zero(90)[0] is Found.STALE


def test_silence_says_nothing() -> None:
    assert Stage().zero(89) == (None, None, None)
    assert Stage().zero(90) == (Found.SILENT, None, None)


def test_a_reading_that_says_neither_is_passed_over() -> None:
    stage = Stage()
    stage.samples.add(reading(3, energy="1000"))
    assert stage.zero(3) == (None, None, None)


# -- the limit of the central system again -------------------------------------------------------------------------


def test_current_comes_back() -> None:
    stage = Stage([(-10, 0.0)])
    assert stage.back(5) == (None, None)
    stage.samples.add(reading(6, energy="1000"))
    assert stage.read([(7, 0.0), (13, 16.0)]).back(13) == (Found.FOLLOWED, 13)


def test_current_that_was_never_gone_need_not_come_back() -> None:
    assert Stage([(-10, 6.5)]).back(0) == (Found.NOTHING_TO_SEE, None)


def test_a_reading_that_is_not_fresh_does_not_say_that_the_current_was_never_gone() -> None:
    assert Stage([(-70, 6.5)]).back(0) == (None, None)
    assert Stage([(-35, 6.5), (-25, 6.5)]).back(0) == (None, None)
    assert Stage([(-30, 6.5), (-15, 6.5)]).back(0) == (Found.NOTHING_TO_SEE, None)


def test_current_that_does_not_come_back() -> None:
    assert Stage([]).read([(7, 0.0)]).back(30) == (Found.IGNORED, None)


# -- the stop ------------------------------------------------------------------------------------------------------


def test_a_stop_is_proved_by_a_reading_without_current_and_the_end_of_the_transaction() -> None:
    stage = Stage().read([(2, 6.5), (7, 0.0), (12, 0.0)])
    assert stage.stop(12) == (None, None)
    assert stage.stop(12, over=3) == (Found.FOLLOWED, 7)


def test_the_current_is_what_counts_in_the_end() -> None:
    assert Stage().read([(7, 0.0)]).stop(30) == (Found.FOLLOWED, 7)


def test_a_transaction_that_ends_in_silence_is_a_stop() -> None:
    stage = Stage()
    stage.status, stage.transaction_open = Status.FINISHING, False
    assert stage.stop(29, over=1) == (None, None)
    assert stage.stop(30, over=1) == (Found.FOLLOWED, 1)


@pytest.mark.parametrize("last", [None, 6.5])
def test_a_stop_that_changes_nothing_is_ignored(last: float | None) -> None:
    stage = Stage().read([] if last is None else [(25, last)])
    assert stage.stop(30) == (Found.IGNORED, None if last is None else 25)


def test_current_without_a_transaction_is_no_remedy() -> None:
    stage = Stage().read([(25, 6.5)])
    stage.status, stage.transaction_open = Status.FINISHING, False
    assert stage.stop(30, over=1) == (Found.TRANSACTION_ONLY, 25)
    silent = Stage()
    silent.transaction_open = False
    assert silent.stop(30, over=1) == (Found.TRANSACTION_ONLY, None), "it says Charging"


def test_once_another_transaction_has_begun_nothing_more_is_to_be_learned() -> None:
    assert Stage().stop(5, over=1) == (Found.UNPROVEN, 1)
    assert Stage().read([(3, 6.5)]).stop(5, over=1) == (Found.TRANSACTION_ONLY, 3)


def test_readings_that_say_nothing_of_flow_are_passed_over() -> None:
    stage = Stage()
    stage.samples.add(reading(5, energy="1000"))
    assert stage.stop(30) == (Found.IGNORED, None)
