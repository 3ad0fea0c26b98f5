"""When fresh evidence is asked for, and when it must not be (watchdog rules 2 and 6)."""

from __future__ import annotations

import pytest

from core.builders import at, mono
from ocpp_watchdog.core.decisions import Mode
from ocpp_watchdog.core.orders import StopAnswer, StopOrder
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.questions import AGAIN_SECONDS, Questions
from ocpp_watchdog.core.sight import Sight
from ocpp_watchdog.core.terms import Moment, Status

POLICY = Policy()
ORDER = StopOrder(at(0), ["1"], "", StopAnswer.ACCEPTED, may_act=True, answered_after=3.0)
"""Its deadline is at 33 s; the question is due at 38 s."""


def sight(**changes: object) -> Sight:
    """A connected charge point that charges."""
    made = Sight(connected=True, status=Status.CHARGING, transaction_since=at(-600))
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def due(questions: Questions, seen: Sight) -> float | None:
    """When it will be asked, in seconds."""
    found = questions.due_at(ORDER, seen)
    return None if found is None else found - mono(0)


# -- missing evidence ----------------------------------------------------------------------------------------------


def test_it_is_asked_five_seconds_after_the_deadline() -> None:
    questions, seen = Questions(POLICY), sight()
    assert due(questions, seen) == 38
    assert not questions.ask_if_due(ORDER, seen, at(37.9))
    assert questions.ask_if_due(ORDER, seen, at(38))


def test_it_is_asked_once_an_order() -> None:
    questions, seen = Questions(POLICY), sight()
    questions.ask_if_due(ORDER, seen, at(38))
    assert due(questions, seen) is None
    assert not questions.ask_if_due(ORDER, seen, at(1000))
    questions.new_order()
    assert due(questions, seen) == 38


def test_it_is_not_asked_when_evidence_is_not_missing_any_more() -> None:
    questions = Questions(POLICY)
    questions.need_not()
    assert due(questions, sight()) is None


def test_it_is_not_asked_before_the_quiet_time_after_a_start_is_over() -> None:
    questions, seen = Questions(POLICY), sight(quiet_until=mono(50))
    assert due(questions, seen) == 50
    assert not questions.ask_if_due(ORDER, seen, at(49))
    assert questions.ask_if_due(ORDER, seen, at(50))


def test_an_idle_connector_without_transaction_has_nothing_to_tell() -> None:
    idle = sight(status=Status.AVAILABLE, transaction_since=None)
    assert due(Questions(POLICY), idle) is None
    assert due(Questions(POLICY), sight(status=Status.AVAILABLE)) == 38
    assert due(Questions(POLICY), sight(transaction_since=None)) == 38


# -- never ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "seen"),
    [
        (Policy(mode=Mode.OBSERVE), sight()),
        (Policy(may_question=False), sight()),
        (POLICY, sight(may_question=False)),
        (POLICY, sight(connected=False)),
    ],
    ids=["observe mode", "known to be harmful", "refused once", "out of sight"],
)
def test_where_questions_are_not_allowed_none_is_asked(policy: Policy, seen: Sight) -> None:
    questions = Questions(policy)
    assert not questions.may(seen)
    assert due(questions, seen) is None
    assert not questions.ask_if_due(ORDER, seen, at(1000))
    assert not questions.may_now(seen, at(1000))


def test_what_is_not_allowed_now_does_not_use_up_the_question() -> None:
    questions, seen = Questions(POLICY), sight(connected=False)
    questions.ask_if_due(ORDER, seen, at(40))
    seen.connected = True
    assert questions.ask_if_due(ORDER, seen, at(60))


# -- at most once a minute -----------------------------------------------------------------------------------------


def test_a_question_of_any_kind_goes_out_once_a_minute_at_most() -> None:
    questions, seen = Questions(POLICY), sight()
    assert questions.may_now(seen, at(38))
    assert not questions.may_now(seen, at(38 + AGAIN_SECONDS - 0.1))
    assert questions.may_now(seen, at(38 + AGAIN_SECONDS))


def test_a_new_order_does_not_bring_a_question_sooner_than_a_minute_after_the_last() -> None:
    questions, seen = Questions(POLICY), sight()
    assert questions.may_now(seen, at(20))
    questions.new_order()
    assert due(questions, seen) == 80


def test_a_question_that_may_not_be_asked_does_not_count_as_asked() -> None:
    questions, seen = Questions(POLICY), sight(quiet_until=mono(50))
    assert not questions.may_now(seen, at(49))
    assert questions.may_now(seen, at(50))


# -- frozen readings -----------------------------------------------------------------------------------------------


def test_frozen_readings_are_asked_about_once_an_order() -> None:
    questions = Questions(POLICY)
    assert questions.ask_about_frozen()
    assert not questions.ask_about_frozen()
    questions.new_order()
    assert questions.ask_about_frozen()


def test_the_two_kinds_of_question_do_not_use_each_other_up() -> None:
    questions, seen = Questions(POLICY), sight()
    questions.ask_if_due(ORDER, seen, at(38))
    assert questions.ask_about_frozen()
    questions = Questions(POLICY)
    questions.ask_about_frozen()
    assert questions.ask_if_due(ORDER, seen, at(38))


# -- dropped -------------------------------------------------------------------------------------------------------


def test_a_question_for_which_the_channel_was_never_idle_is_asked_again_after_a_minute() -> None:
    questions, seen = Questions(POLICY), sight()
    asked: Moment = at(38)
    assert questions.ask_if_due(ORDER, seen, asked)
    assert questions.may_now(seen, asked)
    questions.dropped(seen, at(48))
    assert due(questions, seen) == 108
    assert not questions.ask_if_due(ORDER, seen, at(107.9))
    assert questions.ask_if_due(ORDER, seen, at(108))


def test_a_longer_quiet_time_is_not_cut_short_by_a_dropped_question() -> None:
    questions, seen = Questions(POLICY), sight(quiet_until=mono(500))
    questions.dropped(seen, at(48))
    assert seen.quiet_until == mono(500)
