from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import pytest
from station_kit import ONE, SEVEN, moment

import examples
from ocpp_watchdog.core import payloads
from ocpp_watchdog.core.decisions import Inject
from ocpp_watchdog.core.frames import encode_payload
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.sight import Aim, Want
from ocpp_watchdog.core.terms import ConnectorId, TransactionId, UniqueId
from ocpp_watchdog.core.voice import MOST_OWN_CALLS, Own, Voice

TWO = ConnectorId(2)
IDLE = None


def the_stop(transaction: TransactionId, *, by_owner: bool = False) -> Want:
    aim = Aim.STOP_NOW if by_owner else Aim.STEP
    return Want(
        aim, payloads.REMOTE_STOP, encode_payload(payloads.remote_stop(transaction)), transaction_id=transaction
    )


def a_question(connector: ConnectorId) -> Want:
    return Want(Aim.READINGS, payloads.TRIGGER, encode_payload(payloads.trigger_meter_values(connector)))


def new_voice() -> Voice:
    numbers = count(1)
    return Voice(Policy(), json.loads, lambda: f"wd-{next(numbers):016d}")


def heard(voice: Voice, text: str) -> tuple[Own, bool, bool] | None:
    """An answer: (CALL, done, late)."""
    found = voice.answered(text)
    assert found is None or found.text == text
    return None if found is None else (found.own, found.is_done, found.is_late)


def always(_: Own) -> bool:
    return True


def never(_: Own) -> bool:
    return False


def stop(voice: Voice, t: float, *, by_owner: bool = False) -> Own:
    return voice.want(ONE, the_stop(SEVEN, by_owner=by_owner), moment(t))


def out(voice: Voice, t: float, idle_at: float | None = IDLE) -> Inject | None:
    """What goes out at t."""
    dropped, inject = voice.speak(moment(t), idle_at, always)
    assert dropped == []
    return inject


def busy_until(t: float) -> float:
    return moment(t).mono


# -- what a CALL of ours looks like ------------------------------------------------------------------------------------


def test_a_stop_is_a_remote_stop_transaction_with_an_id_of_ours() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    assert own == Own(UniqueId("wd-0000000000000001"), ONE, the_stop(SEVEN))
    assert out(voice, 0) == Inject(
        UniqueId("wd-0000000000000001"),
        "RemoteStopTransaction",
        '[2,"wd-0000000000000001","RemoteStopTransaction",{"transactionId":7}]',
        ONE,
        moment(10).mono,
        is_step=True,
    )


def test_a_question_is_a_trigger_message_for_meter_values() -> None:
    voice = new_voice()
    voice.want(TWO, a_question(TWO), moment(0))
    inject = out(voice, 0)
    assert inject is not None
    assert json.loads(inject.text) == [
        2,
        "wd-0000000000000001",
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 2},
    ]
    assert (inject.connector, inject.is_step) == (TWO, False)


@pytest.mark.parametrize("aim", [Aim.LIMIT_STEP, Aim.RESTART, Aim.SELFTEST])
def test_what_leaves_something_behind_and_is_no_step_says_so(aim: Aim) -> None:
    voice = new_voice()
    voice.want(ONE, replace(the_stop(SEVEN), aim=aim, kind=None), moment(0))
    inject = out(voice, 0)
    assert inject is not None
    assert (inject.is_step, inject.is_lasting) == (False, True)


# -- whose turn it is (watchdog rules 6) -------------------------------------------------------------------------------


def test_with_nothing_to_say_nothing_is_said() -> None:
    voice = new_voice()
    assert voice.speak(moment(0), IDLE, always) == ([], None)
    assert voice.next_at(IDLE) is None


def test_a_busy_channel_is_waited_for() -> None:
    voice = new_voice()
    stop(voice, 0)
    assert out(voice, 4.9, busy_until(5)) is None
    assert voice.next_at(busy_until(5)) == moment(5).mono
    assert out(voice, 5, busy_until(5)) is not None


@pytest.mark.parametrize(("t", "goes"), [(9.9, False), (10.0, True)])
def test_a_stop_waits_at_most_ten_seconds_and_the_record_can_say_so(t: float, goes: bool) -> None:
    voice = new_voice()
    own = stop(voice, 0)
    assert voice.next_at(busy_until(60)) == moment(10).mono
    assert (out(voice, t, busy_until(60)) is not None) is goes
    assert voice.written(own.unique_id, moment(t)) == ((own, True) if goes else None)


def test_a_question_is_dropped_after_ten_seconds() -> None:
    voice = new_voice()
    own = voice.want(ONE, a_question(ONE), moment(0))
    assert voice.speak(moment(9.9), busy_until(60), always) == ([], None)
    assert voice.speak(moment(10), busy_until(60), always) == ([own], None)
    assert voice.speak(moment(11), IDLE, always) == ([], None)


def test_one_of_ours_is_out_at_a_time() -> None:
    voice = new_voice()
    first = stop(voice, 0)
    assert out(voice, 0) is not None
    voice.written(first.unique_id, moment(0))
    second = voice.want(TWO, the_stop(TransactionId(8)), moment(1))
    assert out(voice, 1) is None
    voice.answered(examples.status_result(first.unique_id))
    inject = out(voice, 2)
    assert inject is not None
    assert inject.unique_id == second.unique_id


def test_a_step_goes_in_front_of_every_question_and_behind_other_steps() -> None:
    voice = new_voice()
    voice.want(ONE, a_question(ONE), moment(0))
    first = stop(voice, 1)
    second = voice.want(TWO, the_stop(TransactionId(8)), moment(2))
    went = []
    for t in (3, 4, 5):
        inject = out(voice, t)
        assert inject is not None
        went.append(inject)
        voice.written(inject.unique_id, moment(t))
        voice.answered(examples.status_result(inject.unique_id))
    assert [inject.unique_id for inject in went[:2]] == [first.unique_id, second.unique_id]
    assert [inject.is_step for inject in went] == [True, True, False]


def test_what_is_not_wanted_any_more_gives_its_turn_to_the_next() -> None:
    voice = new_voice()
    first = stop(voice, 0)
    second = voice.want(TWO, the_stop(TransactionId(8)), moment(0))
    dropped, inject = voice.speak(moment(1), IDLE, lambda own: own is second)
    assert dropped == [first]
    assert inject is not None
    assert inject.unique_id == second.unique_id


def test_when_nothing_is_wanted_any_more_nothing_goes_out() -> None:
    voice = new_voice()
    first = stop(voice, 0)
    assert voice.speak(moment(1), IDLE, never) == ([first], None)
    assert voice.out(first.unique_id) is None
    assert voice.next_at(IDLE) is None


def test_a_voice_is_busy_from_the_wish_to_the_answer() -> None:
    voice = new_voice()
    assert not voice.is_busy
    own = stop(voice, 0)
    assert voice.is_busy
    out(voice, 0)
    voice.written(own.unique_id, moment(0))
    assert voice.is_busy
    voice.answered(examples.status_result(own.unique_id))
    assert not voice.is_busy


def test_the_owners_stop_is_on_its_way_from_the_wish_to_the_answer_and_on_its_connector_only() -> None:
    voice = new_voice()
    stop(voice, 0)
    assert not voice.has_stop_of_owner(ONE)
    voice.disconnected()
    own = stop(voice, 1, by_owner=True)
    assert voice.has_stop_of_owner(ONE)
    assert not voice.has_stop_of_owner(TWO)
    out(voice, 1)
    voice.written(own.unique_id, moment(1))
    assert voice.has_stop_of_owner(ONE)
    voice.give_up(moment(11))
    assert not voice.has_stop_of_owner(ONE)


# -- on the wire, or not -----------------------------------------------------------------------------------------------


def test_only_what_is_out_can_be_written() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    assert voice.out(own.unique_id) is None
    assert voice.written(own.unique_id, moment(0)) is None
    out(voice, 0)
    assert voice.out(own.unique_id) is own
    assert voice.out(UniqueId("wd-of somebody")) is None
    assert voice.written(own.unique_id, moment(0)) == (own, False)


def test_what_was_not_written_is_forgotten_and_frees_the_channel() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    assert voice.not_written(own.unique_id) is None
    out(voice, 0)
    assert voice.not_written(own.unique_id) is own
    assert voice.not_written(own.unique_id) is None
    assert voice.answered(examples.status_result(own.unique_id)) is None
    stop(voice, 1)
    assert out(voice, 1) is not None


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "is_accepted"),
    [
        (examples.status_result("wd-0000000000000001"), True),
        (examples.status_result("wd-0000000000000001", "Rejected"), False),
        (examples.status_result("wd-0000000000000001", "NotImplemented"), False),
        (examples.result("wd-0000000000000001"), False),
        (examples.error("wd-0000000000000001"), False),
        ('[4,"wd-0000000000000001"]', False),
    ],
)
def test_an_answer_is_accepted_by_its_word_and_nothing_else(text: str, is_accepted: bool) -> None:
    voice = new_voice()
    own = stop(voice, 0)
    out(voice, 0)
    voice.written(own.unique_id, moment(0))
    assert heard(voice, text) == (own, is_accepted, False)
    assert voice.out(own.unique_id) is None


@pytest.mark.parametrize("text", ["", "[3", '[2,"wd-0000000000000001","Heartbeat",{}]', '[3,"wd-of somebody",{}]'])
def test_what_answers_no_call_of_ours_is_none(text: str) -> None:
    voice = new_voice()
    own = stop(voice, 0)
    out(voice, 0)
    assert voice.answered(text) is None
    assert voice.out(own.unique_id) is own


def test_ten_seconds_without_an_answer_and_the_channel_is_free_again() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    assert voice.give_up(moment(99)) is None
    out(voice, 0)
    assert voice.give_up(moment(10.9)) is None
    voice.written(own.unique_id, moment(1))
    assert voice.next_at(IDLE) == moment(11).mono
    assert voice.give_up(moment(10.9)) is None
    assert voice.give_up(moment(11)) == (own, True)
    assert voice.give_up(moment(12)) is None
    stop(voice, 12)
    assert out(voice, 12) is not None


def test_a_shell_that_never_says_what_became_of_it_blocks_nobody_for_ever() -> None:
    voice = new_voice()
    own, question = stop(voice, 0), voice.want(ONE, a_question(ONE), moment(0))
    out(voice, 0)
    assert voice.next_at(IDLE) == moment(10).mono  # the question falls overdue
    assert voice.give_up(moment(10.9)) is None
    assert voice.give_up(moment(11)) == (own, False)
    voice.speak(moment(11), IDLE, lambda _: True)
    assert voice.out(question.unique_id) is None


def test_an_answer_after_that_is_late_and_counts_all_the_same() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    out(voice, 0)
    voice.written(own.unique_id, moment(0))
    voice.give_up(moment(10))
    assert heard(voice, examples.status_result(own.unique_id)) == (own, True, True)


def test_a_second_answer_is_late() -> None:
    voice = new_voice()
    own = stop(voice, 0)
    out(voice, 0)
    voice.written(own.unique_id, moment(0))
    assert heard(voice, examples.status_result(own.unique_id)) == (own, True, False)
    assert heard(voice, examples.error(own.unique_id)) == (own, False, True)


def test_a_late_answer_does_not_end_what_is_out_now() -> None:
    voice = new_voice()
    first = stop(voice, 0)
    out(voice, 0)
    voice.written(first.unique_id, moment(0))
    voice.give_up(moment(10))
    second = stop(voice, 11)
    out(voice, 11)
    voice.written(second.unique_id, moment(11))
    voice.answered(examples.status_result(first.unique_id))
    assert voice.out(second.unique_id) is second


def test_nothing_of_ours_overtakes_what_is_out() -> None:
    """It is answered or given up within ten seconds of being written; nobody may be forgotten over it."""
    voice = new_voice()
    first, second = stop(voice, 0), stop(voice, 0.5)
    assert out(voice, 10) is not None
    voice.written(first.unique_id, moment(10))
    assert out(voice, 15) is None
    assert voice.give_up(moment(20)) == (first, True)
    assert out(voice, 20) is not None
    assert voice.out(second.unique_id) is second


def test_a_question_that_finds_no_gap_is_soon_given_up() -> None:
    voice = new_voice()
    voice.want(ONE, a_question(ONE), moment(0))
    inject = out(voice, 0)
    assert inject is not None
    assert inject.write_before_mono == moment(1).mono


# -- the end of a connection, and bounds -------------------------------------------------------------------------------


def test_a_lost_connection_takes_what_waits_and_what_is_out_with_it() -> None:
    voice = new_voice()
    first = stop(voice, 0)
    out(voice, 0)
    voice.written(first.unique_id, moment(0))
    stop(voice, 1)
    voice.want(ONE, a_question(ONE), moment(1))
    voice.disconnected()
    assert voice.out(first.unique_id) is None
    assert voice.give_up(moment(99)) is None
    assert voice.next_at(IDLE) is None
    assert voice.speak(moment(2), IDLE, always) == ([], None)


def test_an_answer_from_an_earlier_connection_is_late() -> None:
    """Nothing of the old connection is open any more, so nothing may be let go for it."""
    voice = new_voice()
    own = stop(voice, 0)
    out(voice, 0)
    voice.written(own.unique_id, moment(0))
    voice.disconnected()
    assert heard(voice, examples.status_result(own.unique_id)) == (own, True, True)


def test_answered_calls_are_remembered_within_bounds() -> None:
    voice = new_voice()
    for t in range(3 * MOST_OWN_CALLS):
        own = stop(voice, t)
        out(voice, t)
        voice.written(own.unique_id, moment(t))
        voice.answered(examples.status_result(own.unique_id))
    assert len(voice._own) <= MOST_OWN_CALLS
    assert voice.answered(examples.status_result(own.unique_id)) is not None


def test_calls_that_died_with_their_connection_are_remembered_within_bounds() -> None:
    voice = new_voice()
    for t in range(3 * MOST_OWN_CALLS):
        own = stop(voice, t)
        out(voice, t)
        voice.written(own.unique_id, moment(t))
        voice.disconnected()
    assert len(voice._own) <= MOST_OWN_CALLS


def test_calls_that_died_waiting_are_remembered_within_bounds() -> None:
    voice = new_voice()
    for t in range(3 * MOST_OWN_CALLS):
        stop(voice, t)
        voice.disconnected()
    assert len(voice._own) <= MOST_OWN_CALLS


# -- over a restart ----------------------------------------------------------------------------------------------------


def test_what_was_given_to_the_shell_is_unsure_until_somebody_says_that_it_was_written() -> None:
    voice = new_voice()
    assert (voice.unsure(), voice.has_spoken) == (None, False)
    own = stop(voice, 0)
    assert voice.unsure() is None, "it waits for its turn"
    out(voice, 1)
    assert voice.unsure() == (own.unique_id, moment(1).mono)
    assert voice.has_spoken
    voice.written(own.unique_id, moment(2))
    assert voice.unsure() is None
