from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from station_kit import CONNECTED, IGNORED, ONE, PLUGGED, SEVEN, START, Desk, in_amperes, moment, on_the_wire

import examples
from ocpp_watchdog.core.alike import Alike
from ocpp_watchdog.core.decisions import (
    CallOut,
    CountKind,
    Decision,
    EvidenceClass,
    Explanation,
    FactKind,
    Inject,
    Mode,
    NoticeKind,
    Phase,
    Record,
    Release,
    Severity,
    StepKind,
    StepOutcome,
    WakeAt,
)
from ocpp_watchdog.core.devices import Danger, Passing, Stranger
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, Direction, Moment, UniqueId

STOP, QUESTION = "RemoteStopTransaction", "TriggerMessage"
OBSERVE = Policy(mode=Mode.OBSERVE)


@pytest.fixture(autouse=True)
def _readings_a_second_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each charge point has a time of its own (test_skim.py)."""
    monkeypatch.setattr("ocpp_watchdog.core.skim.APART_SECONDS", 1.0)
    monkeypatch.setattr("ocpp_watchdog.core.skim.SPREAD_SECONDS", 0.0)


def ignored(policy: Policy | None = None) -> Desk:
    """An ignored stop; ours is on the wire since 43."""
    desk = Desk(policy)
    desk.ignored()
    return desk


def about_to_stop(*, writes: bool = True) -> Desk:
    """0 A ordered at 0, readings up to 33: the next one convicts."""
    desk = Desk()
    desk.writes = writes
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:-1])
    return desk


def without_readings() -> Desk:
    """0 A ordered at 0, no reading since: a question falls due at 35."""
    desk = Desk()
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    return desk


def busy(desk: Desk, t: float) -> str:
    """The central system asks something at t that is not answered."""
    desk.to(t)
    return desk.asks(lambda name: examples.call(name, "GetConfiguration", {}), None)


def free(desk: Desk, t: float, name: str) -> None:
    desk.to(t)
    desk.box(examples.result(name))


# -- the field case ----------------------------------------------------------------------------------------------------


def test_an_ignored_stop_is_stopped_with_the_answer_to_the_deciding_frame() -> None:
    desk = about_to_stop()
    desk.to(43)
    name = desk.number()
    values = examples.current_values(["6.50", "6.30", "6.46"])
    desk.box(examples.meter_values(name, values, examples.iso(desk.now.utc)))
    assert desk.wire() == []
    desk.to(43.02)
    desk.central(examples.result(name))
    assert desk.wire() == [(43.02, STOP)]
    assert desk.stop().text == '[2,"wd-0000000000000001","RemoteStopTransaction",{"transactionId":7}]'
    assert not desk.last_step().forced


def test_the_story_is_told_in_order_fact_alarm_step() -> None:
    desk = ignored()
    told = [one for one in desk.said if not isinstance(one, WakeAt)]
    told = [one for one in told if not (isinstance(one, Record) and one.subject)]  # kept for the journal only
    facts = [one.kind if isinstance(one, Record) else type(one).__name__ for one in told]
    decided = [FactKind.STOP_ORDERED, FactKind.EPISODE_OPENED, "Notify", FactKind.STEP, "Inject"]
    assert facts == [*decided, FactKind.STEP, "Notify"]
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.STEP]


def test_the_episode_shows_what_was_ordered_measured_and_done() -> None:
    desk = ignored()
    desk.answer(desk.stop())
    view = desk.view().episode
    assert view is not None
    assert view.order_text == examples.set_limit(name_in(view.order_text), 0, START.utc)
    assert (view.ordered, view.answer, view.deadline_mono) == (moment(0), "accepted", moment(30).mono)
    assert [reading.arrived for reading in view.readings] == [moment(t) for t in (3, 13, 23, 33, 43)]
    assert [record.evidence for record in view.evidence] == [EvidenceClass.LIVE]
    (step,) = view.steps
    assert (step.kind, step.outcome, step.why, step.forced) == (
        StepKind.REMOTE_STOP,
        StepOutcome.ACCEPTED,
        "live",
        False,
    )
    assert (step.decided, step.sent, step.transaction_id) == (moment(43), moment(43), SEVEN)
    assert step.unique_id == desk.stop().unique_id
    assert view.energy_is_integrated
    assert view.energy_wh == pytest.approx(50, abs=1)


def name_in(text: str) -> str:
    return text.split('"')[1]


def test_a_stop_that_works_ends_with_the_only_all_clear() -> None:
    desk = ignored()
    desk.answer(desk.stop())
    desk.to(45)
    desk.stops()
    desk.flow(range(53, 113, 10), 0)
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.ALL_CLEAR]
    assert desk.notice(NoticeKind.ALL_CLEAR).at == moment(103)
    assert desk.view().phase is Phase.OBEYING
    assert desk.wire() == [(43, STOP)]


def test_a_stop_that_does_not_work_is_tried_three_times_and_then_told() -> None:
    desk = ignored()
    desk.answer(desk.stop(), "Rejected")
    for t in range(53, 203, 10):
        known = len(desk.written)
        desk.flow([t])
        if len(desk.written) > known:
            desk.answer(desk.stop(), "Rejected")
    assert [t for t, _ in desk.wire()] == [43, 73, 103]
    assert desk.view().phase is Phase.EXHAUSTED
    assert desk.notices().count(NoticeKind.EXHAUSTED) == 1
    assert desk.view().steps == (
        (StepKind.REMOTE_STOP, StepOutcome.SENT, 3),
        (StepKind.REMOTE_STOP, StepOutcome.REFUSED, 3),
    )


def test_reminders_come_by_the_timer_until_the_owner_acknowledges() -> None:
    desk = Desk()
    desk.connect()
    desk.to(PLUGGED)
    desk.status("Charging")
    desk.limit(16)
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow(range(3, 1000, 10))
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.REMINDER]
    assert desk.notice(NoticeKind.REMINDER).at == moment(943)
    desk.owner(OwnerAction.ACKNOWLEDGE)
    desk.flow(range(1003, 3000, 10))
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.REMINDER]


def test_an_unplugged_silence_closes_the_alarm_by_the_timer_alone() -> None:
    desk = ignored()
    desk.answer(desk.stop(), "Rejected")
    desk.to(50)
    desk.status("SuspendedEVSE")
    desk.to(200)
    assert desk.notices()[-1] is NoticeKind.UNPROVEN
    assert desk.notice(NoticeKind.UNPROVEN).at == moment(110)


# -- the idle rule (watchdog rules 6) ----------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["box", "central"])
def test_a_stop_waits_while_a_young_call_is_unanswered_in_either_direction(side: str) -> None:
    desk = about_to_stop()
    desk.to(40)
    if side == "box":
        desk.box(examples.call("young", "DataTransfer", {}))
    else:
        desk.central(examples.call("young", "DataTransfer", {}))
    desk.flow([43])
    desk.to(45)
    assert desk.wire() == []
    assert desk.view().phase is Phase.VIOLATING
    answer = examples.result("young")
    if side == "box":
        desk.central(answer)
    else:
        desk.box(answer)
    assert desk.wire() == [(45, STOP)]


def test_a_call_that_is_ten_seconds_old_is_waited_for_no_longer() -> None:
    desk = about_to_stop()
    busy(desk, 40)
    desk.flow([43])
    desk.to(49.9)
    assert desk.wire() == []
    desk.to(50)
    assert desk.wire() == [(50, STOP)]
    assert not desk.last_step().forced


def test_a_stop_leaves_a_busy_channel_after_ten_seconds_and_the_record_says_so() -> None:
    desk = about_to_stop()
    desk.meter(43, 6.5, answered=False)
    busy(desk, 50)
    desk.to(52.9)
    assert desk.wire() == []
    desk.to(53)
    assert desk.wire() == [(53, STOP)]
    assert desk.last_step().forced
    assert desk.notice(NoticeKind.STEP).step == desk.last_step()


def test_a_call_sent_again_is_young_again() -> None:
    """No CALL younger than 10 s is unanswered: the second one is a CALL too (faults O4)."""
    desk = about_to_stop()
    text = examples.call("again", "DataTransfer", {})
    desk.to(40)
    desk.box(text)
    desk.flow([43])
    desk.to(49)
    desk.box(text)
    desk.to(51)
    assert desk.wire() == []


def test_one_of_ours_is_out_at_a_time_for_the_whole_charge_point() -> None:
    desk = Desk()
    desk.begin(1, 2)
    for t in IGNORED[:6]:
        desk.meter(t, 6.5)
        desk.meter(t, 6.5, connector=2)
    desk.to(0)
    desk.limit(0)
    desk.limit(0, connector=2)
    for t in IGNORED[6:]:
        desk.meter(t, 6.5)
        desk.meter(t, 6.5, connector=2)
    assert [inject.connector for _, inject in desk.written] == [1]
    desk.to(44)
    desk.answer(desk.stop())
    assert [inject.connector for _, inject in desk.written] == [1]  # what was held behind it goes first
    desk.to(44.1)
    assert [(t, inject.connector) for t, inject in desk.written] == [(43, 1), (pytest.approx(44, abs=0.01), 2)]
    assert '"transactionId":8' in desk.stop().text


def test_of_two_connectors_only_the_one_that_violates_is_acted_upon() -> None:
    """Faults O23."""
    desk = Desk()
    desk.begin(1, 2)
    desk.to(0)
    desk.limit(0)
    desk.limit(0, connector=2)
    for t in range(3, 83, 10):
        desk.meter(t, 0)
        desk.meter(t, 6.5, connector=2)
    assert {inject.connector for _, inject in desk.written} == {2}
    assert desk.view(1).phase is Phase.OBEYING
    assert desk.view(1).episode is None


# -- questions ---------------------------------------------------------------------------------------------------------


def test_a_question_goes_out_when_no_reading_came() -> None:
    desk = without_readings()
    desk.to(34.9)
    assert desk.wire() == []
    desk.to(35)
    assert desk.wire() == [(35, QUESTION)]
    assert desk.outcomes() == []


def test_a_question_without_an_idle_channel_is_dropped_and_asked_again_a_minute_later() -> None:
    desk = without_readings()
    first = busy(desk, 34)
    busy(desk, 40)
    free(desk, 44.9, first)
    desk.to(104.9)
    assert desk.wire() == []
    desk.to(105)
    assert desk.wire() == [(105, QUESTION)]


def test_a_new_transaction_does_not_shorten_the_minute() -> None:
    """Asked again at most once a minute."""
    desk = without_readings()
    busy(desk, 34)
    busy(desk, 40)
    desk.to(47)
    desk.plug()
    desk.to(104.9)
    assert desk.wire() == []


def test_a_question_never_goes_in_front_of_a_step() -> None:
    desk = without_readings()
    name = busy(desk, 34)
    desk.flow([35.2, 43.3])
    free(desk, 43.5, name)
    assert desk.wire() == [(43.5, STOP)]
    desk.to(44)
    desk.answer(desk.stop())
    desk.to(44.1)
    assert desk.wire() == [(43.5, STOP), (pytest.approx(44, abs=0.01), QUESTION)]


def test_a_call_that_was_held_behind_ours_is_answered_before_the_next_of_ours_goes_out() -> None:
    desk = without_readings()
    name = busy(desk, 34)
    desk.flow([35.2, 43.3])
    free(desk, 43.5, name)
    desk.to(44)
    desk.answer(desk.stop())
    desk.central(examples.call("held", "GetConfiguration", {}))
    desk.to(44.5)
    assert desk.wire() == [(43.5, STOP)]
    desk.box(examples.result("held"))
    assert desk.wire() == [(43.5, STOP), (44.5, QUESTION)]


@pytest.mark.parametrize("answer", ["Rejected", "NotImplemented", None])
def test_a_question_refused_or_unanswered_was_the_last_one(answer: str | None) -> None:
    desk = without_readings()
    desk.to(36)
    if answer is not None:
        desk.answer(desk.question(), answer)
    desk.to(50)
    desk.limit(16)
    desk.to(100)
    desk.limit(0)
    desk.to(300)
    assert desk.wire() == [(35, QUESTION)]


def test_a_question_accepted_may_be_followed_by_another_under_the_next_order() -> None:
    desk = without_readings()
    desk.to(36)
    desk.answer(desk.question())
    desk.to(50)
    desk.limit(16)
    desk.to(100)
    desk.limit(0)
    desk.to(300)
    assert desk.wire() == [(35, QUESTION), (135, QUESTION)]


def test_a_raise_takes_the_waiting_question_back() -> None:
    desk = without_readings()
    name = busy(desk, 34)
    desk.to(36)
    desk.limit(16)
    free(desk, 37, name)
    assert desk.wire() == []


def test_a_refusal_takes_the_waiting_question_back() -> None:
    desk = without_readings()
    name = busy(desk, 34)
    desk.to(36)
    desk.asks(examples.trigger, "Rejected")
    free(desk, 37, name)
    assert desk.wire() == []


def test_a_stand_down_takes_the_waiting_question_back() -> None:
    """At the moment of writing: a raise, a stand-down or an end in between cancels it (watchdog rules 6)."""
    desk = without_readings()
    name = busy(desk, 34)
    desk.to(36)
    desk.owner(OwnerAction.STAND_DOWN)
    free(desk, 37, name)
    assert desk.wire() == []


def test_no_question_goes_out_within_twenty_seconds_of_a_transaction_that_began_while_it_waited() -> None:
    desk = without_readings()
    name = busy(desk, 34)
    desk.to(36)
    desk.plug()
    free(desk, 37, name)
    desk.to(55)
    assert desk.wire() == []


def test_two_questions_of_one_connector_are_a_minute_apart() -> None:
    desk = Desk()
    desk.t = -400
    desk.connect()
    desk.plug()
    desk.flow(range(-355, 0, 60), "6.53")
    desk.to(0)
    desk.limit(0)
    desk.to(35.05)
    desk.answer(desk.question())
    desk.meter(35.1, "6.53")
    desk.to(94.9)
    assert desk.wire() == [(35, QUESTION)]


def test_a_question_that_no_connector_may_ask_any_more_is_not_queued() -> None:
    desk = Desk()
    desk.begin(1, 2)
    desk.to(0)
    desk.limit(0)
    desk.limit(0, connector=2)
    desk.to(36)
    assert desk.wire() == [(35, QUESTION)]
    desk.answer(desk.question(), "Rejected")
    desk.to(200)
    assert desk.wire() == [(35, QUESTION)]


def test_a_question_that_falls_due_as_another_goes_unanswered_is_never_asked() -> None:
    desk = Desk()
    desk.begin(1, 2)
    desk.to(0)
    desk.limit(0)
    desk.to(10)
    desk.limit(0, connector=2)
    desk.to(300)
    assert desk.wire() == [(35, QUESTION)]


# -- at the moment of writing ------------------------------------------------------------------------------------------


def cancel(desk: Desk) -> list[tuple[str, str]]:
    """Ask, hear no, and say so: what the records of the step are then."""
    stop = desk.stop()
    assert not desk.station.may_send(stop.unique_id, desk.now)
    released = desk.releases()
    desk.do(desk.station.not_written(stop.unique_id, desk.now))
    assert desk.releases() == released + 1
    assert desk.written == []
    return desk.steps()


def deciding() -> Desk:
    """A stop was decided at 43 and waits in the lane."""
    desk = about_to_stop(writes=False)
    desk.flow([43])
    desk.to(44)
    assert desk.station.may_send(desk.stop().unique_id, desk.now)
    return desk


def test_a_raise_cancels_the_stop_at_the_moment_of_writing() -> None:
    desk = deciding()
    desk.limit(6, answer=None)
    assert cancel(desk)[-1] == ("cancelled", "at the moment of writing")


def test_a_raise_by_the_schedule_cancels_it_without_a_word_from_anybody() -> None:
    desk = Desk()
    desk.writes = False
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    schedule = {
        "startSchedule": examples.iso(START.utc),
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}, {"startPeriod": 44, "limit": 16}],
    }
    body = examples.profile(0, START.utc) | {"chargingSchedule": schedule}
    payload = {"connectorId": 1, "csChargingProfiles": body}
    desk.asks(lambda name: examples.call(name, "SetChargingProfile", payload))
    desk.flow(IGNORED[6:])
    assert desk.station.may_send(desk.stop().unique_id, moment(43.9))
    desk.oversleep(44)
    cancel(desk)


def test_an_end_of_the_limits_cancels_it() -> None:
    desk = deciding()
    desk.asks(examples.clear_limits)
    cancel(desk)


def test_standing_down_cancels_it() -> None:
    desk = deciding()
    desk.owner(OwnerAction.STAND_DOWN)
    assert ("cancelled", "stood_down") in cancel(desk)


def test_obedience_cancels_it() -> None:
    desk = deciding()
    desk.meter(44, 0)
    cancel(desk)


def test_the_end_of_the_transaction_cancels_it() -> None:
    desk = deciding()
    desk.stops()
    cancel(desk)


def test_another_transaction_cancels_it() -> None:
    desk = deciding()
    desk.plug(8)
    cancel(desk)


def test_a_lost_connection_cancels_it() -> None:
    desk = deciding()
    desk.drop()
    assert not desk.station.may_send(desk.stop().unique_id, desk.now)
    assert desk.do(desk.station.not_written(desk.stop().unique_id, desk.now)) == []
    assert desk.steps()[-1] == ("not_sent", "connection lost")


def test_a_frame_nobody_decided_may_not_be_sent() -> None:
    desk = deciding()
    assert not desk.station.may_send(UniqueId("wd-of somebody"), desk.now)
    assert desk.station.written(UniqueId("wd-of somebody"), desk.now) == []
    assert desk.station.not_written(UniqueId("wd-of somebody"), desk.now) == []


def test_a_direction_that_stays_busy_is_not_sent_and_the_next_reading_tries_again() -> None:
    desk = deciding()
    desk.to(53)
    desk.do(desk.station.not_written(desk.stop().unique_id, desk.now))
    assert desk.steps()[-1] == ("not_sent", "at the moment of writing")
    desk.writes = True
    desk.meter(53.5, 6.5)
    assert desk.wire() == [(53.5, STOP)]


class Deaf(Desk):
    """A desk whose link takes nothing: the direction is closed or broken, and that is said at once."""

    def write(self, inject: Inject) -> None:
        assert len(self.of(Inject)) < 20, "asked again and again at the same moment"
        self.do(self.station.not_written(inject.unique_id, self.now))


def test_a_link_that_takes_nothing_is_not_asked_again_at_the_same_moment() -> None:
    desk = Deaf()
    desk.ignored()
    assert desk.outcomes() == ["waiting", "not_sent"]
    desk.flow([53, 63])
    assert len(desk.of(Inject)) == 3


def test_a_link_that_takes_no_question_is_asked_again_a_minute_later() -> None:
    desk = Deaf()
    desk.begin()
    desk.to(0)
    desk.limit(0)
    desk.to(94)
    assert len(desk.of(Inject)) == 1
    desk.to(96)
    assert len(desk.of(Inject)) == 2


def test_a_stop_that_is_written_as_the_owner_stands_down_counts_and_raises_nothing() -> None:
    """A stop that is already written wins; every frame sent counts; whatever comes in, no exception."""
    desk = deciding()
    desk.owner(OwnerAction.STAND_DOWN)
    desk.do(desk.station.written(desk.stop().unique_id, desk.now))
    assert desk.view().phase is Phase.STOOD_DOWN


# -- release -----------------------------------------------------------------------------------------------------------


def test_the_held_calls_are_let_go_with_the_answer() -> None:
    desk = ignored()
    assert desk.releases() == 0
    decisions = desk.answer(desk.stop())
    assert decisions[0] == Release()
    assert desk.releases() == 1


def test_the_held_calls_are_let_go_after_ten_seconds_and_the_late_answer_lets_nothing_go() -> None:
    desk = ignored()
    desk.to(52.9)
    assert desk.releases() == 0
    desk.to(53)
    assert desk.releases() == 1
    assert desk.last_step().outcome is StepOutcome.UNANSWERED
    desk.to(55)
    desk.answer(desk.stop())
    assert desk.releases() == 1
    assert desk.counts() == [CountKind.LATE_ANSWER]
    assert desk.last_step().outcome is StepOutcome.ACCEPTED


def test_an_answer_to_a_call_nobody_made_is_counted() -> None:
    desk = ignored()
    desk.do(desk.station.own_answer(examples.status_result("wd-of somebody"), desk.now))
    assert desk.counts() == [CountKind.UNKNOWN_ANSWER]
    assert desk.releases() == 0


def test_a_refused_stop_is_a_failed_step() -> None:
    desk = ignored()
    desk.do(desk.station.own_answer(examples.error(desk.stop().unique_id), desk.now))
    assert desk.last_step().outcome is StepOutcome.REFUSED
    assert desk.releases() == 1


def test_an_answer_from_an_earlier_session_lets_nothing_go_that_is_held_now() -> None:
    desk = ignored()
    first = desk.stop()
    desk.drop()
    desk.to(100)
    desk.connect()
    desk.flow([133])
    assert [t for t, _ in desk.wire()] == [43, 133]
    desk.answer(first)
    assert desk.releases() == 0
    desk.answer(desk.stop())
    assert desk.releases() == 1


# -- disconnects -------------------------------------------------------------------------------------------------------


def test_a_try_that_waits_dies_with_its_connection() -> None:
    desk = about_to_stop()
    busy(desk, 40)
    desk.flow([43])
    desk.drop()
    desk.to(44)
    desk.connect()
    desk.to(62)
    assert desk.wire() == []
    assert desk.steps() == [("waiting", "live"), ("not_sent", "connection lost")]


def test_a_try_that_is_out_dies_with_its_connection() -> None:
    desk = ignored()
    desk.drop()
    desk.to(60)
    assert desk.steps()[-1] == ("unanswered", "connection lost")
    assert desk.releases() == 0


def test_an_accepted_try_is_proved_on_the_other_side_of_the_gap() -> None:
    desk = ignored()
    desk.answer(desk.stop())
    desk.drop()
    desk.to(50)
    desk.connect()
    desk.meter(53, 0)
    assert desk.last_step().outcome is StepOutcome.PROVED


@pytest.mark.parametrize("answer", ["Accepted", "Rejected"])
def test_after_a_reconnect_no_step_before_a_reading_has_come(answer: str) -> None:
    """After reconnect nothing is confirmed before one counting sample has come; deadlines that need samples wait
    (watchdog rules 3; faults O20)."""
    desk = ignored()
    desk.answer(desk.stop(), answer)
    desk.flow([53])
    desk.to(55)
    desk.drop()
    desk.to(60)
    desk.connect()
    desk.to(100)
    assert [t for t, _ in desk.wire()] == [43]
    desk.flow([103, 113])
    assert [t for t, _ in desk.wire()] == [43, 103]


def test_after_a_reconnect_the_episode_goes_on() -> None:
    desk = ignored()
    desk.answer(desk.stop(), "Rejected")
    desk.drop()
    desk.to(60)
    desk.connect()
    desk.says(examples.boot, {"status": "Accepted"})
    desk.flow([93, 103])
    assert desk.notices().count(NoticeKind.ALARM) == 1
    assert desk.view().episode is not None
    assert [t for t, _ in desk.wire()] == [43, 93]


def test_readings_that_waited_out_an_outage_stop_nobody_who_obeys_by_now() -> None:
    """They were measured after the deadline, ten minutes ago; zeros follow them (watchdog rules 2: a queued reading is
    old; smart-charging 6.1: a sample counts when it arrives within 60 s)."""
    desk = Desk()
    desk.begin()
    desk.asks(examples.trigger, "Rejected")
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    desk.flow([3])
    desk.drop()
    desk.to(600)
    desk.connect()
    for t in range(13, 603, 10):
        desk.meter(t, 6.5 if t < 63 else 0, arrives=600 + t / 100)
    assert desk.wire() == []
    assert desk.notices() == []


def test_nothing_that_waited_goes_into_a_session_that_began_without_an_end() -> None:
    """Nothing that was held is ever replayed into a later connection (DESIGN 5)."""
    desk = about_to_stop()
    busy(desk, 40)
    desk.flow([43])
    desk.to(44)
    desk.connect()
    desk.to(60)
    assert desk.wire() == []


def test_the_calls_of_an_ended_session_keep_nobody_waiting() -> None:
    desk = about_to_stop()
    busy(desk, 40)
    desk.drop()
    desk.to(41)
    desk.connect()
    desk.flow([53])
    assert desk.wire() == [(53, STOP)]


# -- observe mode ------------------------------------------------------------------------------------------------------


def test_observe_mode_sends_no_frame_at_all_and_says_what_it_would_have_sent() -> None:
    desk = ignored(OBSERVE)
    desk.flow(range(53, 300, 10))
    assert desk.of(Inject) == []
    assert desk.steps() == [("would_send", "observe mode")]
    assert desk.last_step().decided == moment(43)
    assert desk.notices() == [NoticeKind.ALARM]
    assert desk.view().phase is Phase.VIOLATING
    assert desk.station.view(desk.now).mode is Mode.OBSERVE


def test_observe_mode_asks_nothing() -> None:
    desk = Desk(OBSERVE)
    desk.begin()
    desk.to(0)
    desk.limit(0)
    desk.to(300)
    assert desk.of(Inject) == []


# -- the owner ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [Policy(), OBSERVE])
def test_the_owner_can_stop_without_any_stop_order_and_in_any_mode(policy: Policy) -> None:
    desk = Desk(policy)
    desk.begin()
    desk.owner(OwnerAction.STOP_NOW)
    assert desk.wire() == [(PLUGGED, STOP)]
    desk.answer(desk.stop())
    assert desk.texts(FactKind.OWNER) == ["stop_now", "stop_now sent", "stop_now accepted"]
    assert desk.outcomes() == []
    assert desk.releases() == 1


def test_the_owners_stop_waits_its_turn_like_any_other() -> None:
    desk = Desk()
    desk.begin()
    name = busy(desk, 0)
    desk.owner(OwnerAction.STOP_NOW)
    assert desk.wire() == []
    free(desk, 1, name)
    assert desk.wire() == [(1, STOP)]


def test_the_owners_stop_counts_against_the_budget_and_the_next_try_is_thirty_seconds_away() -> None:
    desk = about_to_stop()
    desk.to(40)
    desk.owner(OwnerAction.STOP_NOW)
    desk.answer(desk.stop(), "Rejected")
    desk.flow([43, 53, 63])
    desk.to(69.9)
    assert [t for t, _ in desk.wire()] == [40]
    desk.to(70)
    assert [t for t, _ in desk.wire()] == [40, 70]


def test_a_try_that_waits_beside_the_owners_stop_keeps_its_distance() -> None:
    """Every frame sent counts: at least 30 s apart (watchdog rules 5)."""
    desk = about_to_stop()
    name = busy(desk, 42)
    desk.owner(OwnerAction.STOP_NOW)
    desk.flow([43])
    free(desk, 44, name)
    desk.answer(desk.stop())
    desk.to(60)
    assert [t for t, _ in desk.wire()] == [44]


def test_an_impatient_owner_sends_one_stop() -> None:
    """At least 30 s apart (watchdog rules 5), however often the button is pressed."""
    desk = Desk()
    desk.begin()
    for _ in range(5):
        desk.owner(OwnerAction.STOP_NOW)
    for _ in range(5):
        desk.answer(desk.stop())
    assert desk.wire() == [(PLUGGED, STOP)]


def test_the_owners_stop_needs_a_usable_id() -> None:
    desk = Desk()
    desk.connect()
    desk.owner(OwnerAction.STOP_NOW)
    assert desk.wire() == []
    assert desk.texts(FactKind.OWNER) == ["stop_now: no usable transaction id"]


def test_the_owners_stop_goes_out_although_it_may_end_another_and_the_record_says_so() -> None:
    desk = Desk()
    desk.connect()
    desk.plug(0)
    desk.plug(0, 2)
    desk.owner(OwnerAction.STOP_NOW)
    assert desk.texts(FactKind.OWNER)[:2] == ["stop_now", "stop_now: another connector has the same transaction id"]
    assert [action for _, action in desk.wire()] == [STOP]


def test_the_owners_stop_is_cancelled_when_the_transaction_is_another() -> None:
    desk = Desk()
    desk.writes = False
    desk.begin()
    desk.owner(OwnerAction.STOP_NOW)
    desk.plug(8)
    stop = desk.stop()
    assert not desk.station.may_send(stop.unique_id, desk.now)
    desk.do(desk.station.not_written(stop.unique_id, desk.now))
    assert desk.texts(FactKind.OWNER) == ["stop_now", "stop_now cancelled"]


def test_the_owners_stop_unanswered_is_a_fact() -> None:
    desk = Desk()
    desk.begin()
    desk.owner(OwnerAction.STOP_NOW)
    desk.to(0)
    assert desk.texts(FactKind.OWNER)[-1] == "stop_now unanswered"
    assert desk.releases() == 1


def test_the_owners_stop_is_not_kept_for_a_later_connection() -> None:
    """It was ordered now. Hours later the car may charge with permission; the transaction may be the same."""
    desk = Desk()
    desk.begin()
    desk.drop()
    desk.to(0)
    desk.owner(OwnerAction.STOP_NOW)
    desk.to(3600)
    desk.connect()
    desk.to(3700)
    assert desk.wire() == []


def test_the_owner_speaking_of_a_connector_that_is_not_there_changes_nothing() -> None:
    """A charge point that only ever reports on 0 counts as connector 1, whatever the owner names."""
    desk = Desk()
    desk.begin()
    for action in OwnerAction:
        desk.owner(action, 2)
        desk.owner(action, 0)
    desk.flow(IGNORED[:6], connector=0)
    desk.to(0)
    desk.limit(0)
    desk.flow(IGNORED[6:], connector=0)
    assert desk.wire() == [(43, STOP)]
    assert [view.connector for view in desk.station.view(desk.now).connectors] == [1]


def test_standing_down_sends_nothing_more_and_says_so() -> None:
    desk = ignored()
    desk.answer(desk.stop(), "Rejected")
    desk.owner(OwnerAction.STAND_DOWN)
    desk.flow(range(53, 200, 10))
    assert desk.notices() == [NoticeKind.ALARM, NoticeKind.STEP, NoticeKind.STOOD_DOWN]
    assert desk.wire() == [(43, STOP)]
    assert desk.texts(FactKind.OWNER) == ["stand_down"]


# -- maintenance -------------------------------------------------------------------------------------------------------


def maintain(desk: Desk, until: float | None) -> list[Decision]:
    return desk.do(desk.station.maintain(None if until is None else moment(until), desk.now))


def mode(desk: Desk) -> tuple[Mode, object]:
    seen = desk.station.view(desk.now)
    return seen.mode, seen.maintenance_until


def test_maintenance_sends_nothing_shows_observe_mode_and_ends_by_itself() -> None:
    desk = about_to_stop()
    maintain(desk, 63)
    assert mode(desk) == (Mode.OBSERVE, moment(63))
    desk.flow([43, 53])
    assert desk.wire() == []
    assert desk.outcomes() == ["would_send"]
    assert desk.texts(FactKind.OWNER) == ["maintenance for 30 s"]
    desk.to(63)
    assert mode(desk) == (Mode.ENFORCE, None)
    assert desk.facts(FactKind.OWNER)[-1] == Record(FactKind.OWNER, WHOLE_CHARGE_POINT, moment(63), "maintenance ended")
    desk.meter(63, 6.5)
    assert desk.wire() == [(63, STOP)]


def test_maintenance_takes_back_what_waits_for_its_turn() -> None:
    desk = about_to_stop()
    busy(desk, 42)
    desk.meter(43, 6.5)
    maintain(desk, 600)
    desk.to(100)
    assert desk.wire() == []
    assert desk.steps()[-1] == ("cancelled", "no longer wanted")


def test_maintenance_asks_nothing() -> None:
    desk = without_readings()
    busy(desk, 34)
    desk.to(36)
    maintain(desk, 600)
    desk.to(590)
    assert desk.wire() == []


def test_the_owner_may_stop_in_maintenance() -> None:
    desk = Desk()
    desk.begin()
    maintain(desk, 600)
    desk.owner(OwnerAction.STOP_NOW)
    assert [action for _, action in desk.wire()] == [STOP]


@pytest.mark.parametrize("until", [None, -110])
def test_maintenance_can_be_ended_early_once(until: float | None) -> None:
    desk = Desk()
    desk.begin()
    maintain(desk, 600)
    maintain(desk, until)
    assert desk.texts(FactKind.OWNER)[-1] == "maintenance ended"
    assert mode(desk) == (Mode.ENFORCE, None)
    assert maintain(desk, None) == []


def test_maintenance_holds_for_a_connector_that_is_heard_of_later_too() -> None:
    desk = Desk()
    desk.begin()
    maintain(desk, 600)
    desk.plug(8, 2)
    desk.limit(16, connector=2)
    desk.to(0)
    desk.limit(0, connector=2)
    desk.flow([3, 13, 23, 33, 43, 53], connector=2)
    assert desk.wire() == []
    assert desk.outcomes() == ["would_send"]


# -- the timer ---------------------------------------------------------------------------------------------------------


def test_a_station_that_waits_for_nothing_asks_for_no_timer() -> None:
    desk = Desk()
    desk.connect()
    assert desk.of(WakeAt) == []
    desk.box(examples.call("h", "Heartbeat", {}))
    desk.central(examples.result("h"))
    assert desk.of(WakeAt) == [WakeAt(moment(CONNECTED + 60).mono), WakeAt(None)]


def test_a_tick_at_any_moment_is_harmless() -> None:
    desk = Desk()
    desk.begin()
    desk.flow(IGNORED[:6])
    before = len(desk.said)
    for t in (-6, -5, -4.5):
        desk.oversleep(t)
        desk.do(desk.station.tick(desk.now))
    assert desk.said[before:] == []


def test_a_late_timer_is_caught_up_by_the_next_frame() -> None:
    desk = without_readings()
    desk.oversleep(36)
    desk.box(examples.call("h", "Heartbeat", {}))
    desk.central(examples.result("h"))
    assert desk.wire() == [(36, QUESTION)]


@pytest.mark.parametrize("event", ["owner", "answer", "not written", "written"])
def test_a_late_timer_is_not_forgotten_whatever_comes_first(event: str) -> None:
    """A CALL of the central system expires at 34.5; the timer is late; something else comes first."""
    desk = Desk()
    desk.writes = False
    desk.begin()
    desk.to(-25.5)
    desk.asks(examples.trigger, None)
    desk.to(34)
    desk.owner(OwnerAction.STOP_NOW)
    stop = desk.stop()
    if event == "answer":
        desk.do(desk.station.written(stop.unique_id, desk.now))
    desk.oversleep(34.6)
    if event == "owner":
        desk.owner(OwnerAction.ACKNOWLEDGE)
    elif event == "answer":
        desk.answer(stop)
    elif event == "written":
        desk.do(desk.station.written(stop.unique_id, desk.now))
    else:
        desk.do(desk.station.not_written(stop.unique_id, desk.now))
    desk.to(44.4)
    assert CountKind.EXPIRED_CALL in desk.counts()


def test_a_late_timer_is_caught_up_before_a_session_begins_or_ends() -> None:
    desk = Desk()
    desk.begin()
    desk.asks(lambda name: examples.call(name, "GetConfiguration", {}), None)
    desk.oversleep(0)
    desk.drop()
    assert desk.counts() == [CountKind.EXPIRED_CALL]


# -- frames that need not be read whole (skim) -------------------------------------------------------------------------


def skimming(*, ordered: bool = True) -> Desk:
    desk = Desk()
    desk.skims = True
    if ordered:
        desk.begin()
    else:
        desk.connect()
    return desk


def skim(desk: Desk, text: str, direction: Direction = Direction.TO_CENTRAL_SYSTEM) -> Sequence[Decision] | None:
    return desk.station.skim(direction, on_the_wire(direction, text), desk.now.utc, desk.now.mono)


def values(name: str, t: float, amperes: str = "6.50") -> str:
    return examples.meter_values(name, examples.current_values([amperes] * 3), examples.iso(START.utc + t, 3))


def test_an_ignored_stop_is_stopped_all_the_same() -> None:
    desk, whole = Desk(), Desk()
    desk.skims = True
    for one in (desk, whole):
        one.ignored()
        one.answer(one.stop())
        one.flow(range(53, 133, 10), 0)
    assert desk.wire() == [(43, STOP)]
    assert [one for one in desk.said if not isinstance(one, WakeAt)] == [
        one for one in whole.said if not isinstance(one, WakeAt)
    ]


def test_of_many_readings_in_a_second_the_newest_is_read_when_it_is_over() -> None:
    desk = skimming()
    desk.meter(-57, 6.0)
    for t in (-56.8, -56.5, -56.2):
        desk.meter(t, f"{-t:.2f}")
    desk.to(-56.01)
    assert desk.station._watches[ONE].samples.last_reading.arrived == moment(-57)  # type: ignore[union-attr]
    assert desk.station.last_action == "MeterValues"
    desk.to(-56)
    assert desk.view().reading_at == moment(-56.2)
    assert desk.view().reading.currents == (56.2, 56.2, 56.2)  # type: ignore[union-attr]


def test_a_reading_that_is_replaced_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = skimming()
    desk.meter(-57, 6.0)
    for t in (-56.5, -56.4):
        desk.to(t)
        desk.box(values(f"w{t}", t, "7.00"))
    read: list[Moment] = []
    monkeypatch.setattr(desk.station, "_sampled", lambda request, now: read.append(now))
    desk.to(-50)
    assert read == [moment(-56.4)]


def test_a_reading_that_waits_still_counts_as_an_unanswered_call() -> None:
    desk = skimming()
    desk.meter(-57, 6.0)
    desk.to(-56.5)
    desk.box(values("w1", -56.5))
    desk.owner(OwnerAction.STOP_NOW)
    assert desk.wire() == []
    desk.central(examples.result("w1"))
    assert desk.wire() == [(-56.5, STOP)]


def test_looking_changes_nothing_and_what_waits_is_read_when_its_second_is_over() -> None:
    desk = skimming()
    desk.meter(-57, 6.0)
    desk.meter(-56.5, 7.0)
    assert desk.view().reading_at == moment(-57)
    desk.to(-56)
    assert desk.view().reading_at == moment(-56.5)


def test_a_lost_connection_reads_what_waits() -> None:
    desk = skimming()
    desk.meter(-57, 6.0)
    desk.meter(-56.5, 7.0)
    desk.drop()
    assert desk.station._watches[ONE].samples.last.arrived == moment(-56.5)  # type: ignore[union-attr]


def test_under_a_stop_order_every_reading_is_read_whole() -> None:
    desk = skimming()
    desk.to(0)
    desk.limit(0)
    desk.meter(3, 6.5)
    desk.to(3.5)
    assert skim(desk, values("w1", 3.5)) is None


def test_while_ours_waits_or_is_out_every_frame_is_read_whole() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    desk.box(examples.call("h", "Heartbeat", {}))
    desk.owner(OwnerAction.STOP_NOW)
    assert skim(desk, examples.result("h"), Direction.TO_CHARGE_POINT) is None
    desk.central(examples.result("h"))
    assert skim(desk, values("w1", -56.5)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[3,"nobody",{}]',
        '[4,"n1","GenericError","",{}]',
        examples.call("h", "Heartbeat", {}),
        examples.status("s", "Charging"),
        '[2,"m","MeterValues",{"meterValue":[]}]',
    ],
)
def test_whatever_is_not_quite_common_is_read_whole(text: str) -> None:
    desk = skimming(ordered=False)
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    assert skim(desk, text) is None


def test_meter_values_that_come_from_the_central_system_are_read_whole() -> None:
    desk = skimming()
    desk.meter(-57, 6.5)
    desk.to(-56.5)
    assert skim(desk, values("w1", -56.5), Direction.TO_CHARGE_POINT) is None


def test_the_first_reading_of_a_second_is_read_whole() -> None:
    desk = skimming()
    assert skim(desk, values("w1", PLUGGED)) is None
    desk.meter(-57, 6.5)
    desk.to(-56)
    assert skim(desk, values("w1", -56)) is None


def test_an_answer_that_changes_nothing_closes_its_call_and_no_more() -> None:
    desk = skimming(ordered=False)
    desk.box(examples.call("h", "Heartbeat", {}))
    assert skim(desk, examples.result("h"), Direction.TO_CHARGE_POINT) == ()
    assert desk.station.last_action == "Heartbeat"
    desk.to(0)
    assert desk.counts() == []


def test_an_answer_that_matters_is_read_whole() -> None:
    desk = skimming(ordered=False)
    desk.central(examples.set_limit("l", 16, desk.now.utc))
    assert skim(desk, examples.status_result("l")) is None
    desk.box(examples.status_result("l"))
    assert desk.view().in_force == in_amperes(16.0)


def test_an_answer_that_comes_when_something_is_due_is_read_whole() -> None:
    desk = skimming(ordered=False)
    desk.box(examples.call("h", "Heartbeat", {}))
    due = desk.now.later(60)
    assert not desk.station.skim_answer(Direction.TO_CHARGE_POINT, b"h", due.mono)
    assert desk.station.skim_answer(Direction.TO_CHARGE_POINT, b"h", desk.now.mono)


def test_a_late_timer_is_caught_up_by_a_frame_that_is_not_read() -> None:
    desk = without_readings()
    desk.skims = True
    desk.box(examples.call("h", "Heartbeat", {}))
    desk.oversleep(36)
    desk.central(examples.result("h"))
    assert desk.wire() == [(36, QUESTION)]


def test_a_late_timer_is_caught_up_by_a_frame_that_is_read_after_all() -> None:
    desk = without_readings()
    desk.skims = True
    desk.oversleep(36)
    desk.central(examples.call("h", "GetConfiguration", {}))
    desk.box(examples.result("h"))
    assert desk.wire() == [(36, QUESTION)]


def test_a_reading_that_comes_while_the_timer_is_late_is_read_whole() -> None:
    desk = skimming()
    desk.box(examples.call("x", "DataTransfer", {}))
    desk.to(PLUGGED + 59.5)
    desk.meter(desk.t, 6.5)
    desk.oversleep(PLUGGED + 60.1)
    desk.box(values("w1", desk.t))
    assert desk.counts() == [CountKind.EXPIRED_CALL]
    assert desk.view().reading_at == desk.now


# -- what can be seen --------------------------------------------------------------------------------------------------


def test_the_view_names_the_charge_point_its_connection_and_its_clock() -> None:
    desk = Desk()
    view = desk.station.view(desk.now)
    assert (view.charge_point, view.mode, view.connected, view.clock_skew_seconds) == (
        "BOX1",
        Mode.ENFORCE,
        False,
        None,
    )
    desk.begin()
    desk.says(lambda name: examples.boot(name, "Ours", "Box", "2.0"), {})
    for t in (-57, -47):
        desk.meter(t, 6.5, arrives=t + 2)
    view = desk.station.view(desk.now)
    assert (view.vendor, view.model, view.firmware, view.connected) == ("Ours", "Box", "2.0", True)
    assert view.clock_skew_seconds == pytest.approx(-2.0)


def test_the_clock_that_is_off_the_most_is_shown() -> None:
    desk = Desk()
    desk.begin(1, 2)
    desk.meter(-57, 6.5, arrives=-56)
    desk.meter(-57, 6.5, connector=2, arrives=-50)
    assert desk.station.view(desk.now).clock_skew_seconds == pytest.approx(-7.0)


def test_connectors_are_shown_in_their_order() -> None:
    desk = Desk()
    desk.begin(3, 1, 2)
    assert [view.connector for view in desk.station.view(desk.now).connectors] == [1, 2, 3]
    assert desk.view(2).commanded == in_amperes(16.0)


def test_looking_changes_nothing() -> None:
    desk, other = Desk(), Desk()
    for one in (desk, other):
        one.begin()
        one.flow(IGNORED[:6])
        one.to(0)
        one.limit(0)
        for t in IGNORED[6:]:
            one.meter(t, 6.5)
            if one is desk:
                one.station.view(one.now)
                one.station.view(moment(99_999))
    assert desk.said == other.said


def test_the_same_history_gives_the_same_decisions() -> None:
    desk, other = ignored(), ignored()
    assert desk.said == other.said
    assert len(desk.said) > 10


def test_an_alarm_is_critical_and_a_step_a_warning() -> None:
    desk = ignored()
    assert desk.notice(NoticeKind.ALARM).severity is Severity.CRITICAL
    assert desk.notice(NoticeKind.STEP).severity is Severity.WARNING


# -- whatever comes in (watchdog rules 7, 8) ---------------------------------------------------------------------------

ODD = (
    "",
    "[]",
    '[3,"n1",{}]',
    '[4,"n1"]',
    '[2,"o1","StartTransaction",{"connectorId":0}]',
    '[2,"o2","StartTransaction",{"connectorId":1,"idTag":7,"timestamp":"222222017-10-27T01:00:00Z"}]',
    '[2,"o3","StopTransaction",{"transactionId":"seven"}]',
    '[2,"o4","StopTransaction",{"transactionId":-1}]',
    '[2,"o5","BootNotification",{}]',
    '[2,"o6","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"1e999"}]}]}]',
    '[2,"o7","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"1970-01-01T00:00:00Z","sampledValue":'
    '[{"value":"16,5","measurand":"Current.Import","phase":"L1"}]}]}]',
    '[2,"o8","MeterValues",{"meterValue":[{"sampledValue":[{"value":"NaN","measurand":"Current.Import"}]}]}]',
    '[2,"o9","StatusNotification",{"connectorId":65535,"status":"Sleeping"}]',
    '[2,"o10","SetChargingProfile",{"connectorId":0,"csChargingProfiles":{"chargingProfilePurpose":"TxProfile",'
    '"chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"limit":0}]}}}]',
    '[2,"o11","ClearChargingProfile",{}]',
    '[2,"o12","RemoteStartTransaction",{}]',
)
SECONDS = st.sampled_from([0.0, 0.01, 1.0, 5.0, 8.0, 10.0, 31.0, 61.0, 900.0])
DEEDS = st.one_of(
    st.tuples(st.just("limit"), st.sampled_from([0, 0, 0, 6, 16]), st.sampled_from(["Accepted", "Rejected", None])),
    st.tuples(st.just("meter"), st.sampled_from([0, 2.0, 6.5, "6.5", "6.53"]), st.sampled_from([0, 1, 1, 2])),
    st.tuples(st.just("late"), st.sampled_from([0, 6.5]), st.sampled_from([0.5, 9.0, 300.0, -40.0])),
    st.tuples(st.just("status"), st.sampled_from(["Charging", "SuspendedEVSE", "Available", "Finishing"]), st.just(1)),
    st.tuples(st.just("odd"), st.sampled_from(ODD), st.booleans()),
    st.tuples(st.just("ours"), st.sampled_from(["Accepted", "Rejected", "unknown"]), st.integers(0, 2)),
    st.tuples(st.just("owner"), st.sampled_from(list(OwnerAction)), st.sampled_from([0, 1, 2, 99])),
    st.tuples(st.just("link"), st.sampled_from(["drop", "connect"]), st.just(0)),
    st.tuples(st.just("transaction"), st.sampled_from(["plug", "stop"]), st.sampled_from([-1, 0, 7, 8])),
    st.tuples(st.just("writes"), st.booleans(), st.just(0)),
)


def do(desk: Desk, what: str, one: object, other: object) -> None:
    """One deed of a generated history."""
    match what, one, other:
        case "limit", int(amperes), str() | None as answer:
            desk.limit(amperes, answer=answer)
        case "meter", int() | float() | str() as amperes, int(connector):
            desk.meter(desk.t, amperes, connector=connector)
        case "late", int() | float() as amperes, float(seconds):
            desk.meter(desk.t - seconds, amperes, arrives=desk.t)
        case "status", str(word), _:
            desk.status(word)
        case "odd", str(text), bool(is_ours):
            desk.box(text) if is_ours else desk.central(text)
        case "ours", str(word), int(back):
            made = desk.of(Inject)[-1 - back :][:1]
            for inject in made:
                desk.answer(inject, word)
        case "owner", OwnerAction() as action, int(connector):
            desk.owner(action, connector)
        case "link", "drop", _:
            desk.drop()
        case "link", _, _:
            desk.connect()
        case "transaction", "plug", int(transaction):
            desk.plug(transaction)
        case "transaction", _, int(transaction):
            desk.stops(transaction)
        case "writes", bool(writes), _:
            desk.writes = writes
        case _:
            raise AssertionError(what)


def live(history: list[tuple[float, tuple[str, object, object]]], policy: Policy, *, skims: bool) -> Desk:
    desk = Desk(policy)
    desk.skims = skims
    desk.begin()
    for seconds, (what, one, other) in history:
        desk.to(desk.t + seconds)
        do(desk, what, one, other)
        desk.station.view(desk.now)
    desk.writes = True
    desk.to(desk.t + 100)
    return desk


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SECONDS, DEEDS), max_size=60), st.booleans(), st.booleans())
def test_whatever_comes_in_raises_nothing_and_comes_out_the_same_again(
    history: list[tuple[float, tuple[str, object, object]]], is_observing: bool, skims: bool
) -> None:
    policy = Policy(mode=Mode.OBSERVE) if is_observing else Policy()
    desk = live(history, policy, skims=skims)
    assert live(history, policy, skims=skims).said == desk.said
    by_name = any(deed[0] == "owner" for _, deed in history)
    assert by_name or not is_observing or desk.of(Inject) == []
    opened, closed = desk.facts(FactKind.EPISODE_OPENED), desk.facts(FactKind.EPISODE_CLOSED)
    open_now = sum(view.episode is not None for view in desk.station.view(desk.now).connectors)
    assert len(opened) - len(closed) == open_now
    assert desk.notices().count(NoticeKind.ALARM) == len(opened)


def test_a_thousand_flaps_leave_nothing_behind() -> None:
    desk = Desk()
    desk.begin()
    for _ in range(1000):
        desk.owner(OwnerAction.STOP_NOW)
        desk.asks(lambda name: examples.call(name, "GetConfiguration", {}), None)
        desk.drop()
        desk.to(desk.t + 1)
        desk.connect()
    assert len(desk.station._voice._own) <= 256
    assert desk.station._pairing.next_expiry() is None


def test_a_step_of_which_nobody_says_what_became_is_not_sent_and_tried_again() -> None:
    desk = deciding()
    stop = desk.stop()
    desk.to(53.9)
    assert desk.releases() == 0
    desk.to(54.1)
    assert desk.releases() == 1
    assert desk.steps()[-1] == ("not_sent", "nobody said that it was written")
    desk.meter(55, 6.5)
    assert desk.stop().unique_id != stop.unique_id


def test_who_obeys_a_raise_and_the_stop_that_takes_it_back_is_not_accused() -> None:
    desk = Desk()
    desk.begin()
    desk.flow(IGNORED[:6])
    desk.to(0)
    desk.limit(0)
    for t in range(13, 100, 10):
        desk.meter(t, 0)
    desk.to(100)
    desk.limit(6)
    desk.to(108)
    desk.limit(0)
    for t in (113, 123, 133):
        desk.meter(t, 6.5)
    for t in range(143, 203, 10):
        desk.meter(t, 0)
    assert desk.wire() == []
    assert desk.notices() == []


def test_some_devices_need_a_gap_between_frames() -> None:
    """Halo up to 151: of two frames in one read the second is lost."""
    desk = Desk(Policy(frame_gap_seconds=0.1))
    desk.ignored()
    assert desk.wire() == []
    desk.to(44)
    assert desk.wire() == [(43.1, "RemoteStopTransaction")]


def test_a_notice_carries_what_is_known_of_the_device() -> None:
    class Box(Stranger):
        name = "box"

        def explanations(self, *subjects: str) -> list[Explanation]:
            return [Explanation("BOX-1", "Yes.", "Ja.")] if subjects == ("live",) else []

    desk = Desk(recognise=lambda *_: Box())
    desk.ignored()
    assert desk.notice(NoticeKind.ALARM).explained == (Explanation("BOX-1", "Yes.", "Ja."),)


def test_an_answer_that_may_be_dangerous_is_read_whole() -> None:
    class Box(Stranger):
        watched = frozenset({"Reset"})

    desk = Desk(recognise=lambda *_: Box())
    desk.begin()
    for action, is_skimmed in (("Reset", False), ("ClearCache", True)):
        name = desk.number()
        desk.central(examples.call(name, action, {}))
        frame = on_the_wire(Direction.TO_CENTRAL_SYSTEM, examples.result(name, {"status": "Accepted"}))
        skimmed = desk.station.skim(Direction.TO_CENTRAL_SYSTEM, frame, desk.now.utc, desk.now.mono)
        assert (skimmed is not None) is is_skimmed


def test_a_charge_point_that_is_gone_and_of_which_nothing_is_kept_open_may_be_forgotten() -> None:
    desk = Desk()
    desk.begin()
    assert not desk.station.owes_nothing(desk.now), "connected"
    desk.drop()
    assert desk.station.owes_nothing(desk.now)
    desk.do(desk.station.maintain(desk.now.later(60), desk.now))
    assert not desk.station.owes_nothing(desk.now)
    desk.do(desk.station.maintain(None, desk.now))
    desk.connect()
    desk.limit(0)
    desk.drop()
    assert not desk.station.owes_nothing(desk.now), "0 A is said once; it must be known when the charge point is back"


# -- the step external, and what the owner sets back -------------------------------------------------------------------


def test_what_came_of_a_call_reaches_the_ladder_and_the_owner_sets_back() -> None:
    desk = Desk(Policy(ladder=(StepKind.EXTERNAL,), composite_schedule_question=False))
    desk.ignored()
    (call,) = desk.of(CallOut)
    desk.do(desk.station.called_out(call.unique_id, desk.now, delivered=True))
    assert desk.outcomes() == ["waiting", "sent", "accepted"]
    desk.owner(OwnerAction.SET_BACK)
    assert desk.wire()[-1][1] == "ChangeAvailability"


# -- readings that are not decoded ------------------------------------------------------------------------------------


def told(desk: Desk) -> tuple[list[Decision], object]:
    desk.ignored()
    desk.answer(desk.stop())
    desk.meter(53, 0.0, answered=False)
    desk.box(examples.meter_values("again", examples.current_values(["0.0"] * 3), examples.iso(desk.now.utc)))
    desk.box(examples.meter_values("again", examples.current_values(["0.0"] * 3), examples.iso(desk.now.utc)))
    desk.to(400)
    return desk.said, desk.station.view(desk.now)


def test_readings_that_are_not_decoded_count_as_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    seen = told(desk)
    assert CountKind.REPEATED_CALL in desk.counts()
    monkeypatch.setattr(Alike, "read", lambda *_: None)
    assert told(Desk()) == seen


def test_readings_of_a_device_that_must_be_watched_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []

    class Box(Stranger):
        watched = frozenset({"MeterValues"})

        def dangers(self, passing: Passing) -> list[Danger]:
            passed.append(passing.action)
            return []

    seen = told(Desk(recognise=lambda *_: Box()))
    monkeypatch.setattr(Alike, "read", lambda *_: None)
    times = len(passed)
    assert times > 2
    assert told(Desk(recognise=lambda *_: Box())) == seen
    assert len(passed) == 2 * times
