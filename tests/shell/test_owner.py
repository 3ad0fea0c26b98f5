"""The owner's orders: asked of a real judge, recorded with who and when, one small value each, never raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.station_kit import Desk
from core.supervised_kit import Supervised
from ocpp_watchdog.core.decisions import Decision, FactKind, Inject, Mode, Record
from ocpp_watchdog.core.exercise import End
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import ChargePointId, Moment
from ocpp_watchdog.shell.owner import Owner, Subject
from ocpp_watchdog.shell.ports import Outcome, Result

BOX = ChargePointId("box")
WHO = "ctl@127.0.0.1"


class DeskClock:
    """The program's clock, set by the desk's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def now(self) -> Moment:
        return self._desk.now

    def seconds_until(self, mono: float) -> float:
        return mono - self._desk.now.mono


class House:
    """An owner and one charge point that charges on two connectors. t: seconds on the desk's clock."""

    def __init__(self, mode: Mode = Mode.ENFORCE) -> None:
        self.desk = Supervised(Policy(mode=mode))
        self.desk.connect()
        self.desk.plug()
        self.desk.plug(8, 2)
        self.clock = DeskClock(self.desk)
        self.recorded: list[tuple[str, Record]] = []
        self.alarms: list[float] = []
        self.failures = 0
        self.judge_is_broken = False
        self.owner = Owner(self.clock, self.find, self.record, self.alarm, self.failed)

    def find(self, charge_point: ChargePointId) -> Subject | None:
        return Subject(BOX, self.desk.tested, self.judge) if charge_point == BOX else None

    def judge(self, question: Callable[[Moment], list[Decision]]) -> bool:
        if self.judge_is_broken:
            return False
        for decision in self.desk.do(question(self.desk.now)):
            if isinstance(decision, Record):
                self.record(BOX, decision)
        return True

    def record(self, charge_point: ChargePointId, record: Record) -> None:
        self.recorded.append((charge_point, record))

    def alarm(self, at_utc: float) -> None:
        self.alarms.append(at_utc)

    def failed(self) -> None:
        self.failures += 1

    @property
    def said(self) -> list[tuple[int, str, str]]:
        """Connector, text and who of every fact of the owner's."""
        return [(each.connector, each.text, each.who) for _, each in self.recorded if each.kind is FactKind.OWNER]


def only(outcomes: tuple[Outcome, ...]) -> Outcome:
    (outcome,) = outcomes
    return outcome


def test_stop_now_sends_a_remote_stop_and_records_who_wanted_it() -> None:
    house = House()
    outcome = only(house.owner.stop_now("box", 1, WHO))
    assert outcome == Outcome("stop_now", Result.DONE, "box", 1)
    assert [inject.action for inject in house.desk.of(Inject)] == ["RemoteStopTransaction"]
    assert house.said == [(1, "stop_now", WHO)]


def test_stop_now_works_in_observe_mode_and_during_maintenance() -> None:
    house = House(Mode.OBSERVE)
    house.owner.maintenance("box", 30, WHO)
    assert only(house.owner.stop_now("box", 1, WHO)).result is Result.DONE
    assert [inject.action for inject in house.desk.of(Inject)] == ["RemoteStopTransaction"]


def test_a_second_stop_right_behind_the_first_is_refused() -> None:
    house = House()
    house.owner.stop_now("box", 1, WHO)
    assert only(house.owner.stop_now("box", 1, WHO)) == Outcome("stop_now", Result.REFUSED, "box", 1, "too_soon")


def test_without_a_usable_transaction_it_is_refused_and_recorded() -> None:
    house = House()
    house.desk.stops()
    assert only(house.owner.stop_now("box", 1, WHO)) == Outcome("stop_now", Result.REFUSED, "box", 1, "no_transaction")
    assert house.said == [(1, "stop_now: no usable transaction id", WHO)]


def test_a_charge_point_that_is_away_cannot_be_stopped() -> None:
    house = House()
    house.desk.drop()
    outcome = only(house.owner.stop_now("box", 1, WHO))
    assert outcome.result is Result.NOT_CONNECTED
    assert outcome.sentence == "not_connected"


@pytest.mark.parametrize("every", [None, 0])
def test_stop_all_means_the_connectors_on_which_something_runs(every: int | None) -> None:
    house = House()
    house.desk.stops()
    outcomes = house.owner.stop_now("box", every, WHO)
    assert [(each.connector, each.result) for each in outcomes] == [(2, Result.DONE)]


def test_stop_all_where_nothing_runs_is_refused_for_each() -> None:
    house = House()
    house.desk.stops()
    house.desk.stops(8)
    outcomes = house.owner.stop_now("box", None, WHO)
    assert [(each.connector, each.reason) for each in outcomes] == [(1, "no_transaction"), (2, "no_transaction")]


def test_stand_down_ends_the_episode_and_is_taken_without_one_too() -> None:
    house = House()
    house.desk.ignored()
    assert house.desk.view(1).episode is not None
    outcomes = house.owner.stand_down("box", None, WHO)
    assert [(each.connector, each.result) for each in outcomes] == [(1, Result.DONE), (2, Result.DONE)]
    assert house.desk.view(1).episode is None
    assert (1, "stand_down", WHO) in house.said


def test_acknowledge_stops_the_reminders_of_the_open_episode_only() -> None:
    house = House()
    assert only(house.owner.acknowledge("box", 2, WHO)) == Outcome(
        "acknowledge", Result.REFUSED, "box", 2, "no_episode"
    )
    house.desk.ignored()
    assert [(each.connector, each.result) for each in house.owner.acknowledge("box", None, WHO)] == [(1, Result.DONE)]
    assert house.said[0] == (2, "acknowledge: no episode is open", WHO)
    assert (1, "acknowledge", WHO) in house.said


def test_a_connector_is_set_back_by_name_and_not_twice_at_once() -> None:
    house = House()
    assert only(house.owner.set_back("box", 1, WHO)) == Outcome("set_back", Result.DONE, "box", 1)
    assert [inject.action for inject in house.desk.of(Inject)] == ["ChangeAvailability"]
    assert only(house.owner.set_back("box", 1, WHO)) == Outcome("set_back", Result.REFUSED, "box", 1, "on_its_way")
    assert house.said == [(1, "set_back", WHO), (1, "set_back: one is on its way", WHO)]
    house.desk.drop()
    assert [each.result for each in house.owner.set_back("box", None, WHO)] == [Result.NOT_CONNECTED] * 2


def test_maintenance_observes_for_so_long_and_zero_ends_it() -> None:
    house = House()
    outcome = only(house.owner.maintenance("box", 30, WHO))
    assert outcome.result is Result.DONE
    assert outcome.until == house.clock.now().utc + 1800
    assert house.desk.station.view(house.desk.now).maintenance_until is not None
    over = only(house.owner.maintenance("box", 0, WHO))
    assert (over.until, over.sentence) == (None, "maintenance_over")
    assert house.desk.station.view(house.desk.now).maintenance_until is None
    assert [who for _, _, who in house.said] == [WHO, WHO]


@pytest.mark.parametrize("minutes", [-1, 1441, float("inf"), float("nan")])
def test_minutes_that_make_no_sense_are_refused(minutes: float) -> None:
    house = House()
    assert only(house.owner.maintenance("box", minutes, WHO)).reason == "bad_minutes"
    assert house.said == []


def test_who_or_what_is_not_known_is_said_and_not_recorded() -> None:
    house = House()
    assert only(house.owner.stand_down("other", 1, WHO)).result is Result.UNKNOWN_CHARGE_POINT
    assert only(house.owner.maintenance("other", 5, WHO)).result is Result.UNKNOWN_CHARGE_POINT
    assert only(house.owner.stop_now("box", 3, WHO)).result is Result.UNKNOWN_CONNECTOR
    assert house.recorded == []


def test_a_test_alarm_goes_out_and_is_recorded() -> None:
    house = House()
    assert only(house.owner.test_alarm(WHO)) == Outcome("test_alarm", Result.DONE)
    assert house.alarms == [house.clock.now().utc]
    assert house.said == [(0, "test_alarm", WHO)]


# -- the self-test -------------------------------------------------------------------------------------------------


def charging() -> House:
    """A house whose first connector charges as evcc orders."""
    house = House()
    house.desk = Supervised().charging()
    house.clock = DeskClock(house.desk)
    house.owner = Owner(house.clock, house.find, house.record, house.alarm, house.failed)
    return house


def test_a_look_tells_the_plan_and_what_stands_in_the_way() -> None:
    state = charging().owner.selftest("box", 1)
    assert (state.obstacle, state.test) == ("", None)
    assert [part.part.value for part in state.plan][-3:] == ["restore", "remote_stop", "remote_start"]
    assert House().owner.selftest("box", 1).obstacle == "no_profile"
    assert charging().owner.selftest("box", 9).obstacle == "unknown_connector"
    assert charging().owner.selftest("other", 1).obstacle == "unknown_charge_point"


def test_a_test_is_begun_recorded_with_who_and_kept_going_by_looking() -> None:
    house = charging()
    assert only(house.owner.begin_selftest("box", 1, WHO)) == Outcome("selftest", Result.DONE, "box", 1)
    assert house.said == [(1, "selftest", WHO)]
    assert house.desk.ours == [("SetChargingProfile", 16)]
    for t in (20, 40, 60):
        house.desk.to(t)
        state = house.owner.selftest("box", 1)
        assert state.obstacle == "running"
        assert state.test is not None
        assert state.test.end is None
    house.desk.to(91)
    state = house.owner.selftest("box", 1)
    assert state.test is not None
    assert state.test.end is End.UNWATCHED


def test_the_test_of_one_connector_is_not_shown_on_another() -> None:
    house = charging()
    house.desk.status("Available", connector=2)
    house.owner.begin_selftest("box", 1, WHO)
    state = house.owner.selftest("box", 2)
    assert (state.obstacle, state.test) == ("running", None)
    assert only(house.owner.abort_selftest("box", 2, WHO)).reason == "no_test"


def test_what_cannot_begin_is_refused_with_its_reason_and_recorded() -> None:
    house = House()
    outcome = only(house.owner.begin_selftest("box", 1, WHO))
    assert outcome == Outcome("selftest", Result.REFUSED, "box", 1, "no_profile")
    assert outcome.sentence == "selftest.no_profile"
    assert house.said == [(1, "selftest: no_profile", WHO)]
    house.desk.drop()
    assert only(house.owner.begin_selftest("box", 1, WHO)).result is Result.NOT_CONNECTED
    assert only(house.owner.begin_selftest("box", 9, WHO)).result is Result.UNKNOWN_CONNECTOR
    assert only(house.owner.begin_selftest("other", 1, WHO)).result is Result.UNKNOWN_CHARGE_POINT


def test_a_test_is_broken_off_with_who_and_evccs_limit_comes_back() -> None:
    house = charging()
    assert only(house.owner.abort_selftest("box", 1, WHO)) == Outcome(
        "selftest_abort", Result.REFUSED, "box", 1, "no_test"
    )
    assert only(house.owner.abort_selftest("other", 1, WHO)).result is Result.UNKNOWN_CHARGE_POINT
    house.owner.begin_selftest("box", 1, WHO)
    house.desk.take()
    assert only(house.owner.abort_selftest("box", 1, WHO)).result is Result.DONE
    assert (1, "selftest_abort", WHO) in house.said
    assert house.desk.later().ours[-1] == ("SetChargingProfile", 16)
    house.desk.take()
    assert house.desk.seen.restored is True
    assert only(house.owner.abort_selftest("box", 1, WHO)).reason == "no_test"


def test_a_judge_that_breaks_is_an_outcome() -> None:
    house = House()
    house.judge_is_broken = True
    assert only(house.owner.stop_now("box", 1, WHO)).result is Result.FAILED
    assert only(house.owner.maintenance("box", 5, WHO)).result is Result.FAILED
    assert only(house.owner.begin_selftest("box", 1, WHO)).result is Result.FAILED
    charged = charging()
    charged.owner.begin_selftest("box", 1, WHO)
    charged.judge_is_broken = True
    assert only(charged.owner.abort_selftest("box", 1, WHO)).result is Result.FAILED


def test_whatever_raises_is_counted_and_never_reaches_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    house = House()

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    house.owner = Owner(house.clock, broken, broken, broken, house.failed)  # type: ignore[arg-type]
    for outcomes in (
        house.owner.stop_now("box", 1, WHO),
        house.owner.stand_down("box", None, WHO),
        house.owner.acknowledge("box", 1, WHO),
        house.owner.maintenance("box", 5, WHO),
        house.owner.test_alarm(WHO),
        house.owner.begin_selftest("box", 1, WHO),
        house.owner.abort_selftest("box", 1, WHO),
    ):
        assert only(outcomes).result is Result.FAILED
    assert house.owner.selftest("box", 1).obstacle == "failed"
    assert house.failures == 8
    assert "frames go on" in caplog.text
