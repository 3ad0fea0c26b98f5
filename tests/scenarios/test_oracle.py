"""The oracle on traces made by hand: it must be silent about the right one and speak about each wrong one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

import examples
from ocpp_watchdog.core.decisions import (
    Ending,
    EvidenceClass,
    FactKind,
    Inject,
    Mode,
    NoticeKind,
    Phase,
    Record,
    StepKind,
    StepOutcome,
    StepRecord,
)
from ocpp_watchdog.core.terms import ConnectorId, UniqueId
from scenarios.handmade import BEGAN, STOPPED, down, moment, question, remote_stop, right, told, up
from scenarios.oracle import complaints
from scenarios.orders import stop_orders, usable_ids
from scenarios.trace import Kept, Trace, Written

Spoil = Callable[[Trace], None]


def test_the_oracle_is_silent_about_the_right_run() -> None:
    assert complaints(right()) == []


def too_early(trace: Trace) -> None:
    trace.written[0] = remote_stop(BEGAN + 29.0)


def before_any_order(trace: Trace) -> None:
    trace.written.insert(0, remote_stop(BEGAN - 50))


def after_a_raise(trace: Trace) -> None:
    trace.passed.append(down(STOPPED, examples.set_limit("r", 6, STOPPED)))
    trace.passed.append(up(STOPPED + 0.001, examples.status_result("r")))


def between_raise_and_return(trace: Trace) -> None:
    after_a_raise(trace)
    trace.passed.append(down(STOPPED + 5, examples.set_limit("q", 0, STOPPED)))
    trace.passed.append(up(STOPPED + 5.1, examples.status_result("q")))


def in_observe(trace: Trace) -> None:
    trace.mode = Mode.OBSERVE


def four_stops(trace: Trace) -> None:
    trace.written += [remote_stop(STOPPED + 31 * number, 2 + number) for number in (1, 2, 3)]


def two_at_once(trace: Trace) -> None:
    trace.written.append(remote_stop(STOPPED + 20, 2))


def on_frozen_evidence(trace: Trace) -> None:
    trace.written[0] = replace(trace.written[0], last_evidence=EvidenceClass.FROZEN)


def without_episode(trace: Trace) -> None:
    trace.written[0] = replace(trace.written[0], episode=None)


def while_blind(trace: Trace) -> None:
    trace.written[0] = replace(trace.written[0], phase=Phase.BLIND)


def into_a_busy_channel(trace: Trace) -> None:
    trace.passed.append(down(STOPPED - 3, examples.call("g", "GetConfiguration", {})))


def foreign_transaction(trace: Trace) -> None:
    trace.written[0] = remote_stop(STOPPED + 0.002, transaction=7)


def stopped_transaction(trace: Trace) -> None:
    trace.passed.append(up(STOPPED - 1, examples.stop_transaction("t", STOPPED)))
    trace.passed.append(down(STOPPED - 0.9, examples.result("t")))


def stood_down(trace: Trace) -> None:
    trace.stood_down.append((STOPPED - 1, 1))


def question_too_early(trace: Trace) -> None:
    trace.written.append(question(BEGAN + 20))


def question_after_start(trace: Trace) -> None:
    trace.passed += [
        up(BEGAN + 60, examples.start_transaction("n", 0.0)),
        down(BEGAN + 60.1, examples.start_result("n")),
    ]
    trace.written.append(question(BEGAN + 70))


def question_twice(trace: Trace) -> None:
    trace.written += [question(BEGAN + 50), question(BEGAN + 70, 901)]
    trace.answered.append((BEGAN + 50.1, trace.written[-2].inject.unique_id, examples.status_result("x")))


def question_after_refusal(trace: Trace) -> None:
    trace.written += [question(BEGAN + 50), question(BEGAN + 120, 901)]
    uid = trace.written[-2].inject.unique_id
    trace.answered.append((BEGAN + 50.1, uid, examples.status_result(uid, "Rejected")))


def question_after_silence(trace: Trace) -> None:
    trace.written += [question(BEGAN + 50), question(BEGAN + 120, 901)]


def held_for_ever(trace: Trace) -> None:
    trace.held[0] = (STOPPED, STOPPED + 12)


def two_alarms(trace: Trace) -> None:
    trace.told.insert(1, told(STOPPED + 1, NoticeKind.ALARM))


def alarm_without_record(trace: Trace) -> None:
    trace.kept.pop(0)


def two_closing_messages(trace: Trace) -> None:
    trace.told.append(told(BEGAN + 111, NoticeKind.UNPROVEN, ending=Ending.SILENT))


def all_clear_for_silence(trace: Trace) -> None:
    trace.told[-1] = told(BEGAN + 110, NoticeKind.ALL_CLEAR, ending=Ending.SILENT)


def alarm_too_early(trace: Trace) -> None:
    trace.told[0] = told(BEGAN + 12, NoticeKind.ALARM)


def zero_watts_by_mistake(trace: Trace) -> None:
    where = next(n for n, frame in enumerate(trace.passed) if "SetChargingProfile" in frame.text)
    trace.passed[where] = down(BEGAN, examples.set_limit("p", 0, BEGAN, unit="W"))


def a_step_of_nobody(trace: Trace) -> None:
    uid = UniqueId("wd-0000000000000009")
    text = examples.call(uid, "Reset", {"type": "Soft"})
    inject = Inject(uid, "Reset", text, ConnectorId(1), STOPPED + 90, is_step=True)
    trace.written.append(Written(STOPPED + 60, inject, Phase.REMEDYING, EvidenceClass.LIVE, 1))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (too_early, "before the deadline"),
        (before_any_order, "without a standing stop order"),
        (after_a_raise, "without a standing stop order"),
        (between_raise_and_return, "without a standing stop order"),
        (in_observe, "in observe mode"),
        (four_stops, "fourth RemoteStop"),
        (two_at_once, "after the one before"),
        (on_frozen_evidence, "on evidence frozen"),
        (without_episode, "without an open episode"),
        (while_blind, "while blind"),
        (into_a_busy_channel, "channel busy"),
        (foreign_transaction, "which nobody gave"),
        (stopped_transaction, "which nobody gave"),
        (stood_down, "stood it down"),
        (question_too_early, "question without an overdue stop order"),
        (question_after_start, "within 20 s of a StartTransaction"),
        (question_twice, "asked again"),
        (question_after_refusal, "refused or left open"),
        (question_after_silence, "refused or left open"),
        (held_for_ever, "central system held"),
        (two_alarms, "alarm for 1 while 1 is open"),
        (alarm_without_record, "records of openings"),
        (two_closing_messages, "for 1 while None is open"),
        (all_clear_for_silence, "for an episode that ended silent"),
        (alarm_too_early, "alarm without an overdue stop order"),
        (zero_watts_by_mistake, "0 W"),
        (a_step_of_nobody, "nobody's ladder"),
    ],
)
def test_the_oracle_speaks_about_each_wrong_run(spoil: Spoil, says: str) -> None:
    trace = right()
    spoil(trace)
    trace.passed.sort(key=lambda frame: frame.at)
    assert any(says in sentence for sentence in complaints(trace)), complaints(trace)


def test_a_step_that_waited_ten_seconds_may_leave_a_busy_channel() -> None:
    trace = right()
    into_a_busy_channel(trace)
    trace.passed.sort(key=lambda frame: frame.at)
    uid = trace.written[0].inject.unique_id
    step = StepRecord(StepKind.REMOTE_STOP, StepOutcome.SENT, moment(STOPPED - 10), unique_id=uid, forced=True)
    trace.kept.append(Kept(STOPPED, Record(FactKind.STEP, ConnectorId(1), moment(STOPPED), step=step)))
    assert complaints(trace) == []


def test_what_the_owner_orders_by_name_is_exempt() -> None:
    trace = right()
    trace.by_name.append((BEGAN - 51, 1))
    trace.written.insert(0, remote_stop(BEGAN - 50))
    assert complaints(trace) == []


def test_a_raise_taken_back_in_time_leaves_one_stop_order_with_its_deadline() -> None:
    trace = right()
    trace.passed += [
        down(BEGAN + 20, examples.set_limit("r", 6, 0.0)),
        down(BEGAN + 29, examples.set_limit("q", 0, 0.0)),
    ]
    trace.passed.sort(key=lambda frame: frame.at)
    (stop,) = stop_orders(trace, [1])
    assert (stop.began, stop.deadline, stop.ended) == (BEGAN, BEGAN + 30.1, math.inf)
    assert [stop.stands(BEGAN + seconds) for seconds in (19.0, 25.0, 30.0)] == [True, False, True]


def test_a_raise_taken_back_too_late_begins_a_new_stop_order() -> None:
    trace = right()
    trace.passed += [
        down(BEGAN + 20, examples.set_limit("r", 6, 0.0)),
        down(BEGAN + 31, examples.set_limit("q", 0, 0.0)),
    ]
    trace.passed.sort(key=lambda frame: frame.at)
    assert [stop.began for stop in stop_orders(trace, [1])] == [BEGAN, BEGAN + 31]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, ("unanswered", BEGAN + 30)),
        ((12.0, examples.status_result("p")), ("unanswered", BEGAN + 30)),
        ((8.0, examples.status_result("p")), ("accepted", BEGAN + 38)),
        ((2.0, examples.status_result("p", "Rejected")), ("refused", BEGAN + 32)),
        ((2.0, examples.error("p")), ("refused", BEGAN + 32)),
    ],
)
def test_the_deadline_is_read_from_request_and_answer(
    answer: tuple[float, str] | None, expected: tuple[str, float]
) -> None:
    trace = Trace(passed=[down(BEGAN, examples.set_limit("p", 0, BEGAN))])
    if answer is not None:
        trace.passed.append(up(BEGAN + answer[0], answer[1]))
    (stop,) = stop_orders(trace, [1])
    assert (stop.answer, stop.deadline) == expected


def test_an_order_on_connector_zero_is_an_order_on_each() -> None:
    trace = Trace(passed=[down(BEGAN, examples.set_limit("p", 0, BEGAN, connector=0))])
    assert [stop.connector for stop in stop_orders(trace, [1, 2])] == [1, 2]


def test_reported_ids_need_two_readings_in_a_row_and_a_living_status() -> None:
    trace = Trace(passed=[up(0.0, examples.status("c", "Charging", 0.0))])
    values = examples.current_values(("6.5",))
    for at, number in ((1.0, 7), (2.0, 7), (3.0, 0), (4.0, 0), (5.0, 2**31), (6.0, 2**31)):
        trace.passed.append(up(at, examples.meter_values(f"m{at}", values, None, transaction=number)))
    assert usable_ids(trace, 1, 1.5) == set()
    assert usable_ids(trace, 1, 9.0) == {7}
