from __future__ import annotations

import pytest
from station_kit import ONE, Bench, in_amperes, moment, reading

from ocpp_watchdog.core.case import Case
from ocpp_watchdog.core.decisions import (
    FactKind,
    NoticeKind,
    Notify,
    Record,
    Severity,
    StepKind,
    StepOutcome,
    StepRecord,
)
from ocpp_watchdog.core.escalation import State
from ocpp_watchdog.core.ledger import InForce
from ocpp_watchdog.core.leftovers import Restart
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.terms import Status

RECORD = StepRecord(StepKind.REMOTE_STOP, StepOutcome.SENT, moment(43), why="live")


def new_case() -> Case:
    case = Case(ONE, Policy())
    case.sight.connected_at = moment(-120)
    case.samples.connected(moment(-120))
    return case


def charging_case() -> Case:
    case = new_case()
    case.sight.transaction_since = moment(-110)
    return case


def stopped_case() -> Case:
    case = new_case()
    case.tracker.follow(in_amperes(0.0), "1", "", moment(0))
    return case


def read(case: Case, *times: float) -> None:
    for t in times:
        case.samples.add(reading(t, 6.5))


# -- blind: nothing came for 3 intervals, at least 60 s (watchdog rules 3) ---------------------------------------------


def test_nobody_is_blind_where_nothing_can_flow() -> None:
    assert not new_case().is_blind(moment(10_000))


@pytest.mark.parametrize(("t", "is_blind"), [(59.9, False), (60.0, True)])
def test_a_transaction_without_a_reading_for_a_minute_is_out_of_view(t: float, is_blind: bool) -> None:
    case = charging_case()
    read(case, -20, -10, 0)
    assert case.is_blind(moment(t)) is is_blind


@pytest.mark.parametrize(("t", "is_blind"), [(89.9, False), (90.0, True)])
def test_a_slow_meter_is_given_three_of_its_intervals(t: float, is_blind: bool) -> None:
    case = charging_case()
    read(case, -60, -30, 0)
    assert case.is_blind(moment(t)) is is_blind


@pytest.mark.parametrize(("t", "is_blind"), [(-50.1, False), (-50.0, True)])
def test_a_transaction_that_never_sent_a_reading_is_given_a_minute(t: float, is_blind: bool) -> None:
    assert charging_case().is_blind(moment(t)) is is_blind


@pytest.mark.parametrize(("t", "is_blind"), [(259.9, False), (260.0, True)])
def test_after_a_reconnect_the_minute_begins_anew(t: float, is_blind: bool) -> None:
    case = charging_case()
    read(case, -20, -10, 0)
    case.sight.connected_at = moment(200)
    assert case.is_blind(moment(t)) is is_blind


@pytest.mark.parametrize(("t", "is_blind"), [(59.9, False), (60.0, True)])
def test_a_stop_order_without_transaction_is_watched_from_its_request(t: float, is_blind: bool) -> None:
    assert stopped_case().is_blind(moment(t)) is is_blind


def test_a_stop_order_on_an_available_connector_needs_no_readings() -> None:
    case = stopped_case()
    case.sight.notified(Status.AVAILABLE, moment(1))
    assert not case.is_blind(moment(10_000))


def test_an_available_connector_with_a_transaction_is_watched_all_the_same() -> None:
    case = charging_case()
    case.sight.notified(Status.AVAILABLE, moment(1))
    assert case.is_blind(moment(10_000))


# -- unknown, and under way --------------------------------------------------------------------------------------------


def test_a_limit_is_unknown_until_one_was_ordered_and_while_it_is_disputed() -> None:
    case = new_case()
    assert case.is_unknown
    case.ordered_anything = True
    assert not case.is_unknown
    case.in_force = InForce(None, (None,), uncertain=False, disputed=False, unconfirmed=True)
    assert not case.is_unknown
    case.in_force = InForce(None, (None,), uncertain=False, disputed=True, unconfirmed=False)
    assert case.is_unknown


@pytest.mark.parametrize("state", list(State))
def test_a_step_is_under_way_from_the_wire_to_the_end_of_its_proof(state: State) -> None:
    case = new_case()
    case.ladder.state = state
    assert case.is_under_way is (state in {State.OUT, State.PROVING, State.PROVED})


def test_a_step_that_was_under_way_at_a_disconnect_still_is() -> None:
    case = new_case()
    case.was_under_way = True
    assert case.is_under_way


# -- what is told ------------------------------------------------------------------------------------------------------


def test_nobody_is_told_anything_without_an_episode() -> None:
    case = new_case()
    case.notify(NoticeKind.ALARM, Severity.CRITICAL, moment(0))
    assert case.out == []
    assert case.episode_view() is None


def test_a_step_without_an_episode_is_a_fact_all_the_same() -> None:
    case = new_case()
    case.record_step(RECORD, moment(44))
    assert case.out == [Record(FactKind.STEP, ONE, moment(44), "live", None, RECORD)]


def test_a_notice_shows_the_episode_as_it_stands_with_the_step_it_speaks_of() -> None:
    bench = Bench()
    bench.ignored()
    watch = bench.watch
    watch.notify(NoticeKind.STEP, Severity.WARNING, moment(44), RECORD)
    (notice,) = watch.out
    assert isinstance(notice, Notify)
    assert (notice.kind, notice.severity, notice.connector, notice.at) == (
        NoticeKind.STEP,
        Severity.WARNING,
        ONE,
        moment(44),
    )
    assert notice.step is RECORD
    assert notice.episode == watch.episode_view()
    assert notice.episode.ended is None
    assert notice.episode.now_ordered == in_amperes(0.0)


def test_a_fact_about_a_step_carries_the_open_episode() -> None:
    bench = Bench()
    bench.ignored()
    bench.watch.record_step(RECORD, moment(44))
    (fact,) = bench.watch.out
    assert isinstance(fact, Record)
    assert fact.episode == bench.watch.episode_view()
    assert fact.step is RECORD


def test_whoever_is_told_of_an_episode_hears_that_the_transaction_will_be_started_anew() -> None:
    bench = Bench()
    bench.ignored()
    seen = bench.watch.episode_view()
    assert seen is not None
    assert not seen.restarts
    bench.watch.leftovers.restart = Restart("tag")
    seen = bench.watch.episode_view()
    assert seen is not None
    assert seen.restarts


def test_a_connector_owes_nothing_before_an_order_and_long_after_its_episode() -> None:
    bench = Bench()
    assert bench.watch.owes_nothing(bench.now)
    bench.ignored()
    assert not bench.watch.owes_nothing(bench.now)
    bench.send()
    bench.order(in_amperes(16.0))
    bench.to(60)
    assert bench.watch.episode is None
    assert not bench.watch.owes_nothing(bench.now), "a stop was sent"
    assert bench.watch.owes_nothing(bench.now.later(900.0))
    bench.watch.leftovers.restart = Restart("tag")
    assert not bench.watch.owes_nothing(bench.now.later(900.0))
