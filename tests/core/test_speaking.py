"""Wishes get their turn and hear what became of them, each from whoever had it."""

from __future__ import annotations

import json

import pytest
from station_kit import ONE, READINGS, Desk

import examples
from ocpp_watchdog.core import speaking
from ocpp_watchdog.core.decisions import CallOut, CountKind, FactKind, Record, StepKind
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.station import OwnerAction
from ocpp_watchdog.core.terms import UniqueId

QUIET = Policy(composite_schedule_question=False)
RELAY = Policy(ladder=(StepKind.EXTERNAL,), composite_schedule_question=False)
STOP = "RemoteStopTransaction"


def ignored(policy: Policy = QUIET, *, writes: bool = True) -> Desk:
    desk = Desk(policy)
    desk.writes = writes
    desk.ignored()
    return desk


def call_of(desk: Desk) -> CallOut:
    return desk.of(CallOut)[-1]


# -- the step external -------------------------------------------------------------------------------------------------


def test_the_step_external_is_a_decision_that_needs_no_channel() -> None:
    desk = ignored(RELAY)
    call = call_of(desk)
    assert desk.wire() == []
    assert desk.outcomes() == ["waiting", "sent"]
    assert call.episode is not None
    records = [one for one in desk.said if isinstance(one, Record | CallOut)]
    assert isinstance(records[records.index(call) - 1], Record)


@pytest.mark.parametrize(("delivered", "outcome"), [(True, "accepted"), (False, "refused")])
def test_what_came_of_the_call_is_the_answer_to_the_step(delivered: bool, outcome: str) -> None:
    desk = ignored(RELAY)
    desk.to(45)
    desk.do(desk.station.called_out(call_of(desk).unique_id, desk.now, delivered=delivered))
    assert desk.outcomes()[-1] == outcome
    desk.do(desk.station.called_out(call_of(desk).unique_id, desk.now, delivered=delivered))
    assert len(desk.outcomes()) == 3


def test_a_relay_that_opens_is_proved_by_the_meter() -> None:
    desk = ignored(RELAY)
    desk.do(desk.station.called_out(call_of(desk).unique_id, desk.now, delivered=True))
    desk.flow([53], 0.0)
    assert desk.outcomes()[-1] == "proved"


def test_a_call_of_which_nobody_ever_hears_is_unanswered_after_a_minute() -> None:
    desk = ignored(RELAY)
    desk.to(102)
    assert desk.outcomes()[-1] == "sent"
    desk.to(103)
    assert desk.outcomes()[-1] == "unanswered"
    desk.do(desk.station.called_out(UniqueId("wd-9"), desk.now, delivered=True))


def held_back() -> tuple[Desk, CallOut]:
    """The call waits for its commit."""
    desk = ignored(RELAY, writes=False)
    return desk, call_of(desk)


def test_a_raise_while_the_call_waits_for_its_commit_cancels_it_and_costs_no_budget() -> None:
    desk, call = held_back()
    desk.limit(6)
    desk.call(call)
    assert desk.outcomes() == ["waiting", "cancelled"]
    desk.to(45)
    desk.writes = True
    desk.limit(0)  # the raise is taken back: the same episode goes on
    desk.flow([53])
    assert desk.outcomes() == ["waiting", "cancelled", "waiting", "sent"]


def test_a_call_that_is_still_wanted_and_is_not_made_was_not_sent() -> None:
    desk, call = held_back()
    desk.do(desk.station.not_written(call.unique_id, desk.now))
    assert desk.outcomes() == ["waiting", "not_sent"]


def test_a_call_of_which_nobody_says_that_it_was_made_was_not() -> None:
    desk, call = held_back()
    desk.to(103)
    assert desk.steps()[-1] == ("not_sent", "nobody said that it was called")
    assert not desk.station.may_send(call.unique_id, desk.now)


def test_a_call_that_has_begun_is_tried_again_only_while_there_is_reason() -> None:
    desk = ignored(RELAY)
    call = call_of(desk)
    assert desk.station.may_send(call.unique_id, desk.now)
    desk.drop()
    assert desk.station.may_send(call.unique_id, desk.now), "no link is needed to call somebody else"
    desk.connect()
    desk.limit(6)
    assert not desk.station.may_send(call.unique_id, desk.now)


def test_a_call_is_not_made_when_the_charge_point_is_gone() -> None:
    desk, call = held_back()
    desk.drop()
    desk.call(call)
    assert desk.outcomes() == ["waiting", "not_sent"]


def test_after_a_restart_a_call_that_may_have_been_made_was_made() -> None:
    desk, _ = held_back()
    kept = desk.station.memory(desk.now)
    risen = Desk(RELAY)
    risen.t = desk.t + 3
    risen.do(risen.station.restore(json.loads(json.dumps(kept)), risen.now))
    assert risen.outcomes() == ["sent", "unanswered"]
    risen.connect()
    risen.flow([76, 86])
    assert risen.of(CallOut) == [], "one an episode"


def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "MOST_CALLED", 0)
    desk = ignored(RELAY)
    assert desk.station._calling == desk.station._called == {}


# -- CALLs -------------------------------------------------------------------------------------------------------------


def test_a_step_its_answer_and_a_late_answer() -> None:
    desk = ignored()
    desk.to(54)
    assert desk.outcomes() == ["waiting", "sent", "unanswered"]
    desk.answer(desk.stop())
    assert desk.outcomes()[-1] == "accepted"
    assert desk.counts() == [CountKind.LATE_ANSWER]
    desk.do(desk.station.own_answer('[3,"wd-x",{}]', desk.now))
    assert desk.counts()[-1] is CountKind.UNKNOWN_ANSWER


def test_a_step_that_finds_no_gap_or_of_which_nobody_speaks_is_not_sent() -> None:
    desk = ignored(writes=False)
    desk.do(desk.station.not_written(desk.stop().unique_id, desk.now))
    assert desk.outcomes()[-1] == "not_sent"
    desk.flow([53])
    desk.to(70)
    assert desk.steps()[-1] == ("not_sent", "nobody said that it was written")


def test_what_is_no_longer_wanted_when_its_turn_comes_is_cancelled() -> None:
    desk = Desk(QUIET)
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.flow([3, 13, 23, 33])
    desk.meter(43, 6.5, answered=False)
    desk.to(44)
    desk.limit(6)
    desk.to(56)
    assert desk.wire() == []
    assert desk.outcomes()[-1] == "cancelled"


def test_the_owners_stop_is_told_from_the_wish_to_its_end() -> None:
    desk = Desk(QUIET)
    desk.begin()
    desk.owner(OwnerAction.STOP_NOW)
    desk.answer(desk.stop())
    assert desk.texts(FactKind.OWNER) == ["stop_now", "stop_now sent", "stop_now accepted"]
    desk.to(0)
    desk.writes = False
    desk.owner(OwnerAction.STOP_NOW)
    desk.do(desk.station.not_written(desk.stop().unique_id, desk.now))
    assert desk.texts(FactKind.OWNER)[-1] == "stop_now not_sent"


def test_questions_are_asked_dropped_and_answered() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.writes = False
    desk.to(36)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    desk.writes = True
    desk.to(97)
    assert [action for _, action in desk.wire()] == ["TriggerMessage"]
    desk.answer(desk.question())
    desk.flow([100, 110, 120])
    desk.answer(desk.stop())
    desk.to(121)
    desk.answer(desk.question(), "Rejected")
    assert not desk.station._may_ask_schedule


def test_after_a_refused_question_no_other_is_queued() -> None:
    desk = Desk(Policy())
    desk.begin(1, 2)
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.to(1)
    desk.limit(0, connector=2)
    desk.to(35)
    desk.answer(desk.question(), "Rejected")
    desk.to(60)
    assert len(desk.wire()) == 1


def test_our_profile_is_cleared_and_a_clear_that_finds_no_gap_is_told() -> None:
    desk = ignored(Policy(ladder=(StepKind.TX_PROFILE,), composite_schedule_question=False))
    desk.answer(desk.stop())
    desk.to(50)
    desk.writes = False
    desk.limit(6)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    assert desk.texts(FactKind.AFTERCARE) == ["clear not sent: at the moment of writing"]
    desk.writes = True
    desk.to(111)
    desk.answer(desk.question())
    assert desk.texts(FactKind.AFTERCARE)[-1] == "clear accepted"


def test_limits_above_zero_are_enforced_by_the_same_turns() -> None:
    desk = Desk(Policy(enforce_limits=True))
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7], 10.0)
    desk.to(0)
    desk.limit(6)
    desk.writes = False
    desk.flow([3, 13, 23, 33, 43], 10.0)
    desk.do(desk.station.not_written(desk.question().unique_id, desk.now))
    desk.writes = True
    desk.flow([53], 10.0)
    desk.answer(desk.question())
    assert desk.outcomes() == ["waiting", "not_sent", "waiting", "sent", "accepted"]


def test_nothing_is_said_in_maintenance_and_nobody_is_answered_for_a_frame_nobody_decided() -> None:
    desk = ignored(writes=False)
    desk.do(desk.station.maintain(desk.now.later(60), desk.now))
    assert not desk.station.may_send(desk.stop().unique_id, desk.now)
    assert desk.do(desk.station.written(UniqueId("wd-9"), desk.now)) == []


def test_a_question_of_which_the_answer_says_nothing_is_kept() -> None:
    desk = Desk(Policy())
    desk.ignored()
    desk.answer(desk.stop())
    desk.to(44)
    desk.answer(desk.question())
    view = desk.view().episode
    assert view is not None
    assert view.schedule_text.startswith("[3")
    assert desk.station._may_ask_schedule


def test_a_question_for_readings_that_is_left_unanswered_was_the_last_one() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.flow([-57, -47, -37, -27, -17, -7])
    desk.to(0)
    desk.limit(0)
    desk.to(46)
    assert not desk.station._may_question


def test_a_question_that_may_not_be_asked_any_more_gets_no_turn() -> None:
    desk = Desk(Policy())
    desk.begin()
    desk.station._never_question()
    desk.station._take(desk.station._watches[ONE], READINGS, desk.now)
    assert not desk.station._voice.is_busy


def test_what_finds_no_idle_channel_and_is_still_wanted_was_not_sent() -> None:
    desk = ignored(Policy(ladder=(StepKind.TX_PROFILE,), composite_schedule_question=False))
    desk.answer(desk.stop())
    desk.to(50)
    desk.limit(6, answer=None)
    desk.to(55)
    desk.asks(lambda name: examples.call(name, "GetConfiguration", {}), None)
    desk.to(61)
    assert desk.texts(FactKind.AFTERCARE) == ["clear not sent: the channel was never idle"]
