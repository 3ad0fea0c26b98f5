"""Stop orders: when one begins, what its answer means, its deadline, its raise and how a raise is taken back
(watchdog rules 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import at, limit, mono
from ocpp_watchdog.core.orders import MOST_KEYS, OrderTracker, StopAnswer, StopOrder
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.units import Limit

POLICY = Policy()
ZERO, SIX, ELEVEN = limit(0), limit(6), limit(11)
ZERO_WATTS, SOME_WATTS = limit(bound_watts=0), limit(bound_watts=4140)


def tracker_at_zero(order: Limit = ZERO) -> OrderTracker:
    """A stop order that was just requested."""
    tracker = OrderTracker(POLICY)
    assert tracker.follow(order, "1", "[2,...]", at(0))
    return tracker


def standing(tracker: OrderTracker) -> StopOrder:
    """The stop order that stands, raised or not."""
    assert tracker.standing is not None
    return tracker.standing


def deadline(tracker: OrderTracker) -> float:
    """Of the stop order that stands, in seconds since zero."""
    return standing(tracker).deadline(POLICY) - mono(0)


# -- beginning -----------------------------------------------------------------------------------------------------


def test_a_stop_order_begins_with_the_request() -> None:
    tracker = tracker_at_zero()
    order = standing(tracker)
    assert tracker.is_standing
    assert (order.began, order.keys, order.text, order.answer) == (at(0), ["1"], "[2,...]", StopAnswer.PENDING)
    assert order.may_act


def test_a_stop_order_of_the_schedule_begins_when_it_falls_to_zero_and_has_its_answer() -> None:
    tracker = OrderTracker(POLICY)
    tracker.follow(SIX, "1", "", at(-600))
    assert tracker.follow(ZERO, "", "", at(0))
    order = standing(tracker)
    assert (order.began, order.keys, order.text, order.answer) == (at(0), [], "", StopAnswer.ACCEPTED)
    assert deadline(tracker) == 30


@pytest.mark.parametrize("order", [None, SIX, SOME_WATTS])
def test_what_is_above_zero_or_no_limit_is_no_stop_order(order: Limit | None) -> None:
    tracker = OrderTracker(POLICY)
    assert not tracker.follow(order, "1", "", at(0))
    assert tracker.standing is None
    assert not tracker.is_standing


def test_zero_again_is_the_same_order() -> None:
    tracker = tracker_at_zero()
    assert not tracker.follow(ZERO, "2", "again", at(20))
    order = standing(tracker)
    assert (order.began, order.keys, order.text) == (at(0), ["1", "2"], "[2,...]")
    assert deadline(tracker) == 30


def test_time_alone_leaves_the_order_as_it_is() -> None:
    tracker = tracker_at_zero()
    assert not tracker.follow(ZERO, "", "", at(20))
    assert standing(tracker).keys == ["1"]


def test_the_commands_of_one_order_are_bounded() -> None:
    tracker = tracker_at_zero()
    for number in range(2, 200):
        tracker.follow(ZERO, str(number), "", at(number))
    assert standing(tracker).keys == [str(number) for number in range(200 - MOST_KEYS, 200)]


# -- answer and deadline -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accepted", "answer"), [(True, StopAnswer.ACCEPTED), (False, StopAnswer.REFUSED)])
def test_the_deadline_is_request_and_answer_time_and_settle_time(accepted: bool, answer: StopAnswer) -> None:
    tracker = tracker_at_zero()
    assert tracker.answered("1", accepted, at(3))
    assert standing(tracker).answer is answer
    assert deadline(tracker) == 33


def test_an_order_never_answered_has_its_deadline_thirty_seconds_after_the_request() -> None:
    tracker = tracker_at_zero()
    assert tracker.next_at() == mono(10)
    tracker.pass_time(at(9.9))
    assert standing(tracker).answer is StopAnswer.PENDING
    tracker.pass_time(at(10))
    assert standing(tracker).answer is StopAnswer.UNANSWERED
    assert deadline(tracker) == 30
    assert tracker.next_at() is None


def test_an_answer_moves_the_deadline_by_ten_seconds_at_most() -> None:
    tracker = tracker_at_zero()
    tracker.answered("1", True, at(10))
    assert deadline(tracker) == 40


def test_a_late_answer_takes_the_finding_back_and_does_not_move_the_deadline() -> None:
    tracker = tracker_at_zero()
    tracker.pass_time(at(10))
    assert tracker.answered("1", True, at(14))
    assert standing(tracker).answer is StopAnswer.ACCEPTED
    assert deadline(tracker) == 30


def test_a_late_answer_does_not_move_the_deadline_when_nobody_looked_in_between() -> None:
    tracker = tracker_at_zero()
    tracker.answered("1", False, at(14))
    assert standing(tracker).answer is StopAnswer.REFUSED
    assert deadline(tracker) == 30


def test_the_answer_to_another_command_is_not_the_answer_to_the_stop() -> None:
    tracker = tracker_at_zero()
    assert not tracker.answered("7", False, at(3))
    assert standing(tracker).answer is StopAnswer.PENDING
    assert not OrderTracker(POLICY).answered("1", True, at(3))


def test_the_answer_to_a_repetition_is_an_answer_to_the_order() -> None:
    tracker = tracker_at_zero()
    tracker.answered("1", False, at(1))
    tracker.follow(ZERO, "2", "", at(60))
    assert tracker.answered("2", True, at(61))
    assert standing(tracker).answer is StopAnswer.ACCEPTED
    assert deadline(tracker) == 31


# -- raises --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [SIX, None])
def test_a_raise_is_seen_at_once(order: Limit | None) -> None:
    tracker = tracker_at_zero()
    assert tracker.follow(order, "2", "", at(20))
    assert not tracker.is_standing
    assert standing(tracker).raised == at(20)


def test_a_raise_ends_the_order_for_good_after_ten_seconds() -> None:
    tracker = tracker_at_zero()
    tracker.answered("1", True, at(1))
    tracker.follow(SIX, "2", "", at(20))
    assert tracker.next_at() == mono(30)
    assert tracker.pass_time(at(29.9)) is None
    ended = tracker.pass_time(at(30))
    assert ended is not None
    assert (ended.began, ended.raised) == (at(0), at(20))
    assert tracker.standing is None
    assert tracker.next_at() is None


def test_a_second_raise_does_not_postpone_the_end() -> None:
    tracker = tracker_at_zero()
    tracker.follow(SIX, "2", "", at(20))
    assert not tracker.follow(ELEVEN, "3", "", at(25))
    assert tracker.pass_time(at(30)) is not None


def test_zero_within_ten_seconds_takes_the_raise_back() -> None:
    tracker = tracker_at_zero()
    tracker.answered("1", True, at(2))
    tracker.follow(SIX, "2", "", at(20))
    standing(tracker).disobeyed_at_raise = True
    assert tracker.follow(ZERO, "3", "", at(29.9))
    order = standing(tracker)
    assert tracker.is_standing
    assert (order.began, order.raised, order.disobeyed_at_raise) == (at(0), None, None)
    assert deadline(tracker) == 32
    assert tracker.pass_time(at(100)) is None


def test_zero_after_ten_seconds_is_a_new_order() -> None:
    tracker = tracker_at_zero()
    tracker.follow(SIX, "2", "", at(20))
    tracker.pass_time(at(30))
    assert tracker.follow(ZERO, "3", "", at(30))
    assert standing(tracker).began == at(30)
    assert deadline(tracker) == 60


def test_time_ends_nothing_where_nothing_stands() -> None:
    tracker = OrderTracker(POLICY)
    assert tracker.pass_time(at(1000)) is None
    assert tracker.next_at() is None


def test_the_answer_is_awaited_beside_the_raise() -> None:
    tracker = tracker_at_zero()
    tracker.follow(SIX, "2", "", at(3))
    assert tracker.next_at() == mono(10)
    assert tracker.pass_time(at(10)) is None
    assert standing(tracker).answer is StopAnswer.UNANSWERED
    assert tracker.next_at() == mono(13)


# -- superseded ----------------------------------------------------------------------------------------------------


def after_a_raise(disobeyed: bool | None, raised: float = 20.0) -> OrderTracker:
    """A stop order that ended with a raise."""
    tracker = tracker_at_zero()
    tracker.follow(SIX, "2", "", at(raised))
    standing(tracker).disobeyed_at_raise = disobeyed
    assert tracker.pass_time(at(raised + 10)) is not None
    return tracker


@pytest.mark.parametrize(("seconds", "is_enough"), [(31, True), (20 + 900, True), (20 + 900.1, False)])
def test_one_sample_is_enough_for_fifteen_minutes_after_an_order_that_was_never_obeyed(
    seconds: float, is_enough: bool
) -> None:
    tracker = after_a_raise(disobeyed=True)
    assert tracker.superseded_mono == mono(20)
    assert not tracker.single_is_enough()
    tracker.follow(ZERO, "3", "", at(seconds))
    assert tracker.single_is_enough() is is_enough


@pytest.mark.parametrize("disobeyed", [False, None])
def test_one_sample_is_not_enough_after_an_order_that_was_obeyed_or_could_not_be_judged(disobeyed: bool | None) -> None:
    tracker = after_a_raise(disobeyed)
    tracker.follow(ZERO, "3", "", at(40))
    assert not tracker.single_is_enough()


def test_only_the_last_order_matters() -> None:
    tracker = after_a_raise(disobeyed=True)
    tracker.follow(ZERO, "3", "", at(40))
    tracker.follow(SIX, "4", "", at(100))
    standing(tracker).disobeyed_at_raise = False
    tracker.pass_time(at(110))
    tracker.follow(ZERO, "5", "", at(120))
    assert not tracker.single_is_enough()


# -- zero watts ----------------------------------------------------------------------------------------------------


def test_zero_watts_may_be_a_mistake_and_do_not_count_for_acting() -> None:
    assert not standing(tracker_at_zero(ZERO_WATTS)).may_act


def test_zero_watts_count_where_more_than_zero_was_ordered_before() -> None:
    tracker = OrderTracker(POLICY)
    tracker.follow(SOME_WATTS, "1", "", at(-60))
    tracker.follow(ZERO_WATTS, "2", "", at(0))
    assert standing(tracker).may_act


def test_amperes_ordered_before_do_not_vouch_for_zero_watts() -> None:
    tracker = OrderTracker(POLICY)
    tracker.follow(SIX, "1", "", at(-60))
    tracker.follow(ZERO_WATTS, "2", "", at(0))
    assert not standing(tracker).may_act


def test_zero_in_both_units_is_no_mistake() -> None:
    assert standing(tracker_at_zero(limit(0, 0))).may_act


def test_zero_watts_beside_more_amperes_may_be_a_mistake() -> None:
    assert not standing(tracker_at_zero(limit(16, 0))).may_act


def test_zero_amperes_beside_some_watts_count_and_vouch_for_zero_watts_later() -> None:
    tracker = tracker_at_zero(limit(0, 4140))
    assert standing(tracker).may_act
    assert tracker.watts_seen


def test_zero_amperes_after_zero_watts_leave_no_doubt() -> None:
    """The order goes on, but it is no order in watts any more: what is wanted is unambiguous."""
    tracker = tracker_at_zero(ZERO_WATTS)
    tracker.follow(ZERO, "2", "", at(20))
    assert standing(tracker).may_act


def test_zero_watts_count_when_a_raise_in_watts_was_taken_back() -> None:
    """By then this central system has ordered more than 0 W on this connector."""
    tracker = tracker_at_zero(ZERO_WATTS)
    tracker.follow(SOME_WATTS, "2", "", at(20))
    tracker.follow(ZERO_WATTS, "3", "", at(25))
    assert standing(tracker).may_act


# -- stood down ----------------------------------------------------------------------------------------------------


def test_the_owners_word_holds_for_the_order_that_stands_whatever_is_repeated() -> None:
    tracker = tracker_at_zero()
    tracker.stood_down = True
    tracker.follow(ZERO, "2", "", at(20))
    assert tracker.stood_down
    tracker.follow(SIX, "3", "", at(30))
    tracker.follow(ZERO, "4", "", at(35))
    assert tracker.stood_down


def test_the_owners_word_ends_with_the_next_stop_order_after_a_raise() -> None:
    tracker = tracker_at_zero()
    tracker.stood_down = True
    tracker.follow(SIX, "2", "", at(20))
    tracker.pass_time(at(30))
    tracker.follow(ZERO, "3", "", at(40))
    assert not tracker.stood_down


def test_the_owners_word_holds_until_the_next_stop_order() -> None:
    tracker = tracker_at_zero()
    tracker.stood_down = True
    tracker.follow(SIX, "2", "", at(20))
    tracker.pass_time(at(30))
    assert tracker.stood_down


def test_the_owners_word_of_a_time_without_stop_order_does_not_excuse_the_next_one() -> None:
    tracker = OrderTracker(POLICY)
    tracker.follow(SIX, "1", "", at(-60))
    tracker.stood_down = True
    tracker.follow(ZERO, "2", "", at(0))
    assert not tracker.stood_down


# -- whatever comes in ---------------------------------------------------------------------------------------------

Told = tuple[float, Limit | None, bool, bool | None]
HISTORIES = st.lists(
    st.tuples(
        st.floats(0, 40),
        st.sampled_from((None, ZERO, SIX, ZERO_WATTS, SOME_WATTS)),
        st.booleans(),
        st.none() | st.booleans(),
    ),
    max_size=40,
)


@given(HISTORIES)
def test_whatever_is_told_an_order_stands_exactly_while_zero_is_ordered(history: list[Told]) -> None:
    tracker = OrderTracker(POLICY)
    now = 0.0
    for number, (gap, order, has_key, accepted) in enumerate(history):
        now += gap
        tracker.pass_time(at(now))
        tracker.follow(order, str(number) if has_key else "", "", at(now))
        if accepted is not None:
            tracker.answered(str(number), accepted, at(now))
        assert tracker.is_standing is (order is not None and order.is_zero)
        due = tracker.next_at()
        assert due is None or due > mono(now) - 1e-6
        if tracker.standing is not None:
            assert 30 <= tracker.standing.deadline(POLICY) - tracker.standing.began.mono <= 40


def test_who_obeyed_before_a_raise_that_is_taken_back_gets_the_settle_time_again() -> None:
    for disobeyed, seconds, deadline_at in ((False, 8, 138), (False, 0.5, 32), (True, 8, 32), (None, 8, 32)):
        tracker = tracker_at_zero()
        tracker.answered("1", True, at(2))
        tracker.follow(SIX, "2", "", at(100))
        standing(tracker).disobeyed_at_raise = disobeyed
        tracker.follow(ZERO, "3", "", at(100 + seconds))
        assert deadline(tracker) == deadline_at, (disobeyed, seconds)


def test_some_devices_follow_a_schedule_that_falls_to_zero_a_little_late() -> None:
    """Halo up to 182: period times are rounded to 10 s."""
    late = Policy(boundary_slack_seconds=10.0)
    tracker = OrderTracker(late)
    tracker.follow(SIX, "1", "", at(-600))
    tracker.follow(ZERO, "", "", at(0))
    assert standing(tracker).deadline(late) - mono(0) == 40
    assert standing(tracker_at_zero()).deadline(late) - mono(0) == 30
