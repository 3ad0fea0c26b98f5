"""CALLs and their answers, when the channel is idle, and whose turn it is among our own (OCPP-J 1.6 §4.1.1, watchdog
rules 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import ONE, at, mono
from ocpp_watchdog.core.pairing import EXPIRY_SECONDS, MOST_PENDING, Pairing, Pending, Turn, Wanted
from ocpp_watchdog.core.terms import Direction, UniqueId

UP, DOWN = Direction.TO_CENTRAL_SYSTEM, Direction.TO_CHARGE_POINT
SEVEN, EIGHT = UniqueId("7"), UniqueId("8")
YOUNG_SECONDS = 10.0
WAIT_SECONDS = 10.0


def opened(*calls: Pending[str]) -> Pairing[str]:
    """A connection on which these CALLs were forwarded."""
    pairing: Pairing[str] = Pairing("unread")
    for call in calls:
        pairing.open(call)
    return pairing


def pending(unique_id: str, seconds: float = 0.0, direction: Direction = UP, text: str = "[2]") -> Pending[str]:
    """A CALL that was forwarded then."""
    return Pending(UniqueId(unique_id), direction, f"request {unique_id}", text, mono(seconds))


# -- pairing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", Direction)
def test_an_answer_finds_its_call_on_the_way_back(direction: Direction) -> None:
    call = pending("7", direction=direction)
    pairing = opened(call)
    assert pairing.look(direction.back, SEVEN) is call
    assert pairing.close(direction.back, SEVEN) is call
    assert pairing.close(direction.back, SEVEN) is None
    assert pairing.look(direction.back, SEVEN) is None


def test_an_answer_to_no_call_is_nobodys() -> None:
    assert opened(pending("7")).close(DOWN, EIGHT) is None


def test_ids_of_the_two_directions_live_in_separate_spaces() -> None:
    said, asked = pending("7", direction=UP), pending("7", direction=DOWN)
    pairing = opened(said, asked)
    assert pairing.close(UP, SEVEN) is asked
    assert pairing.close(DOWN, SEVEN) is said


def test_an_id_that_is_open_already_is_taken_over_by_the_newer_call() -> None:
    newer = pending("7", 5, text="[2,2]")
    pairing = opened(pending("7", 0), newer)
    assert pairing.close(DOWN, SEVEN) is newer
    assert pairing.close(DOWN, SEVEN) is None


def test_the_oldest_is_forgotten_when_too_many_are_open() -> None:
    pairing = opened(*(pending(str(number)) for number in range(MOST_PENDING + 1)))
    assert pairing.close(DOWN, UniqueId("0")) is None
    assert pairing.close(DOWN, UniqueId("1")) is not None
    assert pairing.close(DOWN, UniqueId(str(MOST_PENDING))) is not None


# -- repetitions ---------------------------------------------------------------------------------------------------


def test_the_same_call_again_is_known() -> None:
    pairing = opened(pending("7", text="[2,7]"))
    assert pairing.is_repeated(UP, SEVEN, "[2,7]")
    assert not pairing.is_repeated(UP, SEVEN, "[2,7 ]")
    assert not pairing.is_repeated(UP, EIGHT, "[2,7]")
    assert not pairing.is_repeated(DOWN, SEVEN, "[2,7]")


def test_a_call_that_was_not_read_cannot_be_known_again() -> None:
    assert not opened(pending("7", text="")).is_repeated(UP, SEVEN, "")


def test_the_same_text_after_its_answer_is_a_call_of_its_own() -> None:
    """A charge point with one id for all says the same status again when it comes back."""
    pairing = opened(pending("7", text="[2,7]"))
    pairing.close(DOWN, SEVEN)
    assert not pairing.is_repeated(UP, SEVEN, "[2,7]")


def test_a_call_that_is_sent_once_more_is_young_again() -> None:
    pairing = opened(pending("7", 0), pending("8", 5))
    pairing.open_again(UP, SEVEN, at(30))
    assert pairing.idle_at(YOUNG_SECONDS) == mono(40)
    assert pairing.next_expiry() == mono(65)
    assert [call.unique_id for call in pairing.expire(at(65))] == ["8"]
    closed = pairing.close(DOWN, SEVEN)
    assert closed is not None
    assert (closed.request, closed.sent) == ("request 7", mono(30))


def test_a_call_that_was_answered_is_not_opened_again() -> None:
    pairing = opened(pending("7", 0))
    pairing.close(DOWN, SEVEN)
    pairing.open_again(UP, SEVEN, at(30))
    assert pairing.close(DOWN, SEVEN) is None


# -- CALLs that nobody read -----------------------------------------------------------------------------------------


def unread(*calls: tuple[str, float]) -> Pairing[str]:
    """A connection on which these CALLs of the charge point were forwarded unread."""
    pairing: Pairing[str] = Pairing("unread")
    for unique_id, seconds in calls:
        pairing.open_unread(unique_id.encode(), mono(seconds))
    return pairing


def test_a_call_that_nobody_read_is_closed_by_its_id_once() -> None:
    pairing = unread(("7", 0))
    assert not pairing.close_unread(b"8")
    assert pairing.close_unread(b"7")
    assert not pairing.close_unread(b"7")
    assert pairing.idle_at(YOUNG_SECONDS) is None


def test_an_answer_that_was_read_closes_a_call_that_was_not() -> None:
    pairing = unread(("7", 3))
    assert pairing.look(DOWN, SEVEN) is None
    assert pairing.close(UP, SEVEN) is None
    assert pairing.close(DOWN, EIGHT) is None
    assert pairing.close(DOWN, SEVEN) == Pending(SEVEN, UP, "unread", "", mono(3))
    assert pairing.close(DOWN, SEVEN) is None


def test_an_id_that_no_frame_can_carry_closes_nothing() -> None:
    assert unread(("7", 0)).close(DOWN, UniqueId("\ud800")) is None


def test_read_or_not_the_newer_call_takes_an_id_over() -> None:
    pairing = unread(("7", 0))
    pairing.open(pending("8", 1, DOWN))
    newer = pending("7", 5)
    pairing.open(newer)
    assert not pairing.close_unread(b"7")
    pairing.open_unread(b"7", mono(6))
    assert not pairing.is_repeated(UP, SEVEN, "[2]")
    assert pairing.close_unread(b"7")
    assert pairing.close(DOWN, SEVEN) is None
    assert pairing.close(UP, EIGHT) is not None


def test_a_call_that_nobody_read_is_young_again_when_its_id_comes_again() -> None:
    pairing = unread(("7", 0), ("8", 1), ("7", 2))
    assert pairing.next_expiry() == mono(61)
    assert [call.unique_id for call in pairing.expire(at(61))] == ["8"]


def test_calls_that_nobody_read_expire_and_keep_the_channel_busy_like_others() -> None:
    pairing = unread(("7", 0), ("8", 20))
    pairing.open(pending("9", 10))
    assert pairing.idle_at(YOUNG_SECONDS) == mono(30)
    assert pairing.next_expiry() == mono(60)
    assert [(call.unique_id, call.request) for call in pairing.expire(at(70))] == [
        ("9", "request 9"),
        ("7", "unread"),
    ]
    assert pairing.next_expiry() == mono(80)
    pairing.forget()
    assert pairing.next_expiry() is None


@pytest.mark.parametrize("others", [0, 1])
def test_of_both_kinds_together_the_oldest_is_forgotten(others: int) -> None:
    pairing = unread(*((str(number), number / 1000) for number in range(MOST_PENDING - others)))
    for number in range(others):
        pairing.open(pending(f"read {number}", -1))
    assert pairing.look(DOWN, UniqueId("read 0")) is not None or not others
    pairing.open_unread(b"new", mono(1))
    assert pairing.look(DOWN, UniqueId("read 0")) is None
    assert pairing.close_unread(b"0") is bool(others)
    assert pairing.close_unread(b"new")


# -- time ----------------------------------------------------------------------------------------------------------


def test_calls_open_for_a_minute_expire_in_either_direction() -> None:
    pairing = opened(pending("1", 0, UP), pending("2", 10, UP), pending("3", 5, DOWN))
    assert pairing.next_expiry() == mono(EXPIRY_SECONDS)
    assert pairing.expire(at(59.9)) == []
    assert [call.unique_id for call in pairing.expire(at(65))] == ["1", "3"]
    assert pairing.next_expiry() == mono(70)
    assert [call.unique_id for call in pairing.expire(at(1000))] == ["2"]
    assert pairing.next_expiry() is None
    assert pairing.close(DOWN, UniqueId("1")) is None


def test_the_channel_is_idle_when_no_open_call_is_young_in_either_direction() -> None:
    assert opened().idle_at(YOUNG_SECONDS) is None
    pairing = opened(pending("1", 0, UP), pending("2", 4, DOWN))
    assert pairing.idle_at(YOUNG_SECONDS) == mono(14)
    pairing.close(UP, UniqueId("2"))
    assert pairing.idle_at(YOUNG_SECONDS) == mono(10)
    pairing.close(DOWN, UniqueId("1"))
    assert pairing.idle_at(YOUNG_SECONDS) is None


def test_an_old_open_call_does_not_hide_a_young_one() -> None:
    assert opened(pending("1", 0, UP), pending("2", 50, UP)).idle_at(YOUNG_SECONDS) == mono(60)


def test_with_the_connection_everything_is_gone() -> None:
    pairing = opened(pending("7", text="[2,7]"), pending("8", direction=DOWN))
    pairing.forget()
    assert pairing.close(DOWN, SEVEN) is None
    assert pairing.close(UP, EIGHT) is None
    assert pairing.next_expiry() is None
    assert not pairing.is_repeated(UP, SEVEN, "[2,7]"), "a charge point may count from 1 again"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.floats(0, 30)), max_size=60))
def test_whatever_passes_each_call_is_given_back_at_most_once(history: list[tuple[int, int, float]]) -> None:
    pairing: Pairing[int] = Pairing(0)
    now, given_back, count = 0.0, [], 0
    for what, number, gap in history:
        now += gap
        if what == 1:
            pairing.open_unread(str(number).encode(), mono(now))
        elif what == 0:
            count += 1
            pairing.open(Pending(UniqueId(str(number)), UP, count, "[2]", mono(now)))
        elif what == 2:
            call = pairing.close(DOWN, UniqueId(str(number)))
            given_back += [call.request] if call is not None and call.request else []
        else:
            given_back += [call.request for call in pairing.expire(at(now)) if call.request]
            due = pairing.next_expiry()
            assert due is None or due > mono(now)
    assert len(given_back) == len(set(given_back))


# -- whose turn it is ----------------------------------------------------------------------------------------------


def wanted(unique_id: str, seconds: float = 0.0, *, is_step: bool = False) -> Wanted:
    """A CALL of ours that was wanted then."""
    return Wanted(UniqueId(unique_id), "Action", "[2]", ONE, is_step, mono(seconds))


def turn(*waiting: Wanted) -> Turn:
    """These wait."""
    made = Turn(WAIT_SECONDS)
    for one in waiting:
        made.want(one)
    return made


def taken(made: Turn, seconds: float, *, is_idle: bool = True) -> tuple[str, bool] | None:
    """Who goes out now, and whether it was forced."""
    out = made.take(at(seconds), is_idle)
    return None if out is None else (out.wanted.unique_id, out.forced)


def test_where_nobody_waits_it_is_nobodys_turn() -> None:
    made = turn()
    assert taken(made, 0) is None
    assert made.next_at(None) is None
    assert not made.has_waiting
    assert made.overdue(at(100)) == []


def test_on_an_idle_channel_the_first_goes_out_at_once() -> None:
    made = turn(wanted("a"), wanted("b"))
    assert made.has_waiting
    assert taken(made, 0) == ("a", False)
    assert made.out is not None
    assert made.out.written is None
    assert not made.is_wanted(UniqueId("a"))
    assert made.is_wanted(UniqueId("b"))


def test_one_of_ours_is_out_at_a_time() -> None:
    made = turn(wanted("a"), wanted("b"))
    taken(made, 0)
    assert taken(made, 1) is None
    made.done()
    assert made.out is None
    assert taken(made, 2) == ("b", False)


def test_a_step_goes_in_front_of_every_question_and_behind_earlier_steps() -> None:
    made = turn(wanted("q1"), wanted("s1", is_step=True), wanted("q2"), wanted("s2", is_step=True))
    order = []
    while (out := taken(made, 0)) is not None:
        order.append(out[0])
        made.done()
    assert order == ["s1", "s2", "q1", "q2"]


def test_on_a_busy_channel_everybody_waits() -> None:
    made = turn(wanted("s", is_step=True), wanted("q"))
    assert taken(made, 9.9, is_idle=False) is None


def test_a_step_that_waited_ten_seconds_goes_out_on_a_busy_channel_and_is_marked() -> None:
    made = turn(wanted("s", is_step=True))
    assert taken(made, 10, is_idle=False) == ("s", True)


def test_a_question_never_goes_out_on_a_busy_channel() -> None:
    assert taken(turn(wanted("q")), 1000, is_idle=False) is None


def test_what_is_out_is_overtaken_by_nobody() -> None:
    turn = Turn(10)
    turn.want(wanted("q", 0, is_step=False))
    assert taken(turn, 0) == ("q", False)
    turn.want(wanted("s", 1))
    assert taken(turn, 11) is None
    turn.done()
    assert taken(turn, 11) == ("s", False)


def test_a_step_that_waited_long_and_finds_the_channel_idle_is_not_forced() -> None:
    assert taken(turn(wanted("s", is_step=True)), 30) == ("s", False)


def test_questions_that_waited_ten_seconds_are_dropped_and_steps_are_not() -> None:
    made = turn(wanted("q1", 0), wanted("q2", 5), wanted("s", 0, is_step=True))
    assert made.overdue(at(9.9)) == []
    assert [dropped.unique_id for dropped in made.overdue(at(10))] == ["q1"]
    assert made.is_wanted(UniqueId("q2"))
    assert made.is_wanted(UniqueId("s"))
    assert not made.is_wanted(UniqueId("q1"))


def test_what_is_withdrawn_does_not_go_out() -> None:
    made = turn(wanted("a"), wanted("b"))
    made.withdraw(UniqueId("a"))
    made.withdraw(UniqueId("unknown"))
    assert taken(made, 0) == ("b", False)


def test_time_alone_brings_the_next_turn_when_the_channel_falls_idle_or_the_wait_is_over() -> None:
    made = turn(wanted("q", 3), wanted("s", 5, is_step=True))
    assert made.next_at(mono(8)) == mono(8)
    assert made.next_at(mono(20)) == mono(13)
    assert made.next_at(None) == mono(13)


def test_while_ours_is_out_an_idle_channel_helps_nobody() -> None:
    made = turn(wanted("a", 0), wanted("s", 2, is_step=True))
    taken(made, 2)
    made.want(wanted("t", 4, is_step=True))
    assert made.next_at(mono(6)) == mono(10)


def test_with_the_connection_everything_of_ours_is_gone() -> None:
    made = turn(wanted("a"), wanted("b"), wanted("c"))
    taken(made, 0)
    assert [lost.unique_id for lost in made.forget()] == ["b", "c"]
    assert made.out is None
    assert not made.has_waiting
    assert made.forget() == []
