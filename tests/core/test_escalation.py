"""The ladder: its table of moves, its budget and spacing, and what is written down of each try (watchdog rules 5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import at, mono
from ocpp_watchdog.core import escalation
from ocpp_watchdog.core.decisions import StepKind, StepOutcome, StepRecord
from ocpp_watchdog.core.escalation import MOST_RECORDS, NO_USABLE_ID, TRANSITIONS, Ladder, Signal, State, step
from ocpp_watchdog.core.policy import Policy
from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import Moment, TransactionId, UniqueId

POLICY = Policy()
STOP = StepKind.REMOTE_STOP
TRANSACTION = TransactionId(4711)
FIRST, SECOND, THIRD = UniqueId("wd-1"), UniqueId("wd-2"), UniqueId("wd-3")

MOVES = {
    State.READY: {Signal.WANT: State.WAITING},
    State.WAITING: {Signal.WRITTEN: State.OUT, Signal.WITHDRAWN: State.FAILED, Signal.LOST: State.FAILED},
    State.OUT: {
        Signal.ACCEPTED: State.PROVING,
        Signal.REFUSED: State.FAILED,
        Signal.UNANSWERED: State.FAILED,
        Signal.LOST: State.FAILED,
        Signal.PROOF: State.PROVED,
    },
    State.PROVING: {Signal.PROOF: State.PROVED, Signal.NO_PROOF: State.FAILED},
    State.FAILED: {Signal.WANT: State.WAITING, Signal.PROOF: State.PROVED, Signal.ACCEPTED: State.PROVING},
    State.PROVED: {
        Signal.OVER: State.FAILED,
        Signal.ACCEPTED: State.PROVED,
        Signal.REFUSED: State.PROVED,
        Signal.UNANSWERED: State.PROVED,
        Signal.LOST: State.PROVED,
    },
}
"""Everything that may happen to a try within an episode, by hand. A new episode may begin anywhere."""


def expected(state: State, signal: Signal) -> State | None:
    """Where the move leads, None where it must not happen."""
    return State.READY if signal is Signal.NEW_EPISODE else MOVES[state].get(signal)


def may(ladder: Ladder, now: Moment) -> bool:
    """The next try may go out now."""
    ahead = ladder.ahead(now)
    return ladder.may_try and bool(ahead) and ladder.is_apart(ahead[0].kind, now)


# -- the table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "signal"), [*product(State, Signal)], ids=lambda word: word.value)
def test_every_pair_of_state_and_signal_moves_as_the_rules_say_or_is_our_bug(state: State, signal: Signal) -> None:
    there = expected(state, signal)
    if there is None:
        with pytest.raises(KeyError):
            step(state, signal)
    else:
        assert step(state, signal) is there


Move = tuple[str, Callable[[Ladder], object]]
ANSWERS = (StepOutcome.ACCEPTED, StepOutcome.REFUSED, StepOutcome.UNANSWERED)


def moves(ladder: Ladder) -> list[Move]:
    """What the watch and the channel may do with a ladder in this state, whether it makes sense to them or not."""
    found: list[Move] = [
        ("proved", Ladder.proved),
        ("over", Ladder.over_again),
        ("lost", Ladder.lost),
        ("new", Ladder.new_episode),
        *((outcome.value, lambda own, outcome=outcome: own.answered(FIRST, outcome, at(2))) for outcome in ANSWERS),
    ]
    if ladder.state in {State.READY, State.FAILED}:
        found.append(("want", lambda own: own.want(STOP, FIRST, TRANSACTION, "", at(0))))
    if ladder.state is State.WAITING:
        found.append(("written", lambda own: own.written(at(1), forced=False)))
        found.append(("withdrawn", lambda own: own.withdrawn(StepOutcome.CANCELLED, "")))
    if ladder.state is State.PROVING:
        found.append(("not proved", Ladder.not_proved))
    return found


def walk(names: tuple[str, ...]) -> Ladder:
    """A ladder that went this way."""
    ladder = Ladder(POLICY)
    for name in names:
        dict(moves(ladder))[name](ladder)
    return ladder


def test_no_move_of_the_table_is_dead_and_no_history_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All histories of up to six events: each move of the table happens, and no other is tried."""
    met: set[tuple[State, Signal]] = set()

    def watched(state: State, signal: Signal) -> State:
        met.add((state, signal))
        return TRANSITIONS[state, signal]

    monkeypatch.setattr(escalation, "step", watched)
    ways: deque[tuple[str, ...]] = deque([()])
    seen: set[tuple[object, ...]] = set()
    while ways:
        way = ways.popleft()
        ladder = walk(way)
        sign = (
            ladder.state,
            ladder.has_sent,
            ladder._out is None,
            ladder._out is not None and ladder._out.sent is None,
        )
        if sign in seen or len(way) > 6:
            continue
        seen.add(sign)
        for name, _ in moves(ladder):
            walk((*way, name))
            ways.append((*way, name))
    assert met == set(TRANSITIONS)


def test_the_table_holds_nothing_but_the_moves() -> None:
    assert {pair for pair in product(State, Signal) if expected(*pair) is not None} == set(TRANSITIONS)


@given(st.lists(st.integers(0, 20), max_size=80))
def test_no_history_breaks_the_ladder(choices: list[int]) -> None:
    ladder = Ladder(POLICY)
    for choice in choices:
        possible = moves(ladder)
        possible[choice % len(possible)][1](ladder)
    assert len(ladder.records) <= MOST_RECORDS


# -- one try -------------------------------------------------------------------------------------------------------


def waiting(seconds: float = 0.0) -> Ladder:
    """A ladder with one try that waits for its turn."""
    ladder = Ladder(POLICY)
    ladder.want(STOP, FIRST, TRANSACTION, "live", at(seconds))
    return ladder


def out(seconds: float = 0.0) -> Ladder:
    """A ladder with one try on the wire."""
    ladder = waiting(seconds)
    ladder.written(at(seconds), forced=False)
    return ladder


def proving(seconds: float = 0.0) -> Ladder:
    """A ladder with one accepted try."""
    ladder = out(seconds)
    ladder.answered(FIRST, StepOutcome.ACCEPTED, at(seconds))
    return ladder


def proved(seconds: float = 0.0) -> Ladder:
    """A ladder with one proved try."""
    ladder = proving(seconds)
    ladder.proved()
    return ladder


def test_a_ladder_begins_ready_and_untried() -> None:
    ladder = Ladder(POLICY)
    assert (ladder.state, ladder.records, ladder.has_sent, ladder.last_sent_mono) == (State.READY, [], False, None)
    assert ladder.totals == {}


def test_a_try_that_waits_was_not_sent_yet() -> None:
    ladder = Ladder(POLICY)
    record = ladder.want(STOP, FIRST, TRANSACTION, "live", at(43))
    assert record == StepRecord(
        StepKind.REMOTE_STOP, StepOutcome.WAITING, at(43), transaction_id=TRANSACTION, unique_id=FIRST, why="live"
    )
    assert ladder.records == [record]
    assert not ladder.has_sent
    assert ladder.totals == {}


@pytest.mark.parametrize("forced", [True, False])
def test_a_written_try_says_when_and_whether_it_was_forced(forced: bool) -> None:
    ladder = waiting(43)
    record = ladder.written(at(44), forced=forced)
    assert (record.outcome, record.sent, record.decided, record.forced) == (StepOutcome.SENT, at(44), at(43), forced)
    assert (record.why, record.transaction_id) == ("live", TRANSACTION)
    assert ladder.has_sent
    assert ladder.last_sent_mono == mono(44)


def test_accepted_is_not_success() -> None:
    ladder = out()
    record = ladder.answered(FIRST, StepOutcome.ACCEPTED, at(1))
    assert record is not None
    assert record.outcome is StepOutcome.ACCEPTED
    assert ladder.state is State.PROVING


@pytest.mark.parametrize("outcome", [StepOutcome.REFUSED, StepOutcome.UNANSWERED])
def test_a_refused_or_unanswered_try_has_failed(outcome: StepOutcome) -> None:
    ladder = out()
    record = ladder.answered(FIRST, outcome, at(1))
    assert record is not None
    assert record.outcome is outcome
    assert record.sent == at(0)
    assert ladder.state is State.FAILED


def test_a_late_accepted_counts() -> None:
    ladder = out()
    ladder.answered(FIRST, StepOutcome.UNANSWERED, at(10))
    record = ladder.answered(FIRST, StepOutcome.ACCEPTED, at(12))
    assert record is not None
    assert ladder.state is State.PROVING
    assert ladder.proof_deadline(None) == mono(42)


def test_a_second_answer_changes_nothing() -> None:
    ladder = proving()
    assert ladder.answered(FIRST, StepOutcome.REFUSED, at(5)) is None
    assert ladder.state is State.PROVING
    failed = out()
    failed.answered(FIRST, StepOutcome.UNANSWERED, at(10))
    assert failed.answered(FIRST, StepOutcome.REFUSED, at(12)) is None
    assert failed.records[-1].outcome is StepOutcome.UNANSWERED


def test_an_answer_to_another_call_or_before_ours_was_written_is_nobodys() -> None:
    assert out().answered(SECOND, StepOutcome.ACCEPTED, at(1)) is None
    assert waiting().answered(FIRST, StepOutcome.ACCEPTED, at(1)) is None
    assert Ladder(POLICY).answered(FIRST, StepOutcome.ACCEPTED, at(1)) is None


def test_an_answer_to_the_try_before_does_not_touch_the_one_that_waits() -> None:
    ladder = out()
    ladder.answered(FIRST, StepOutcome.UNANSWERED, at(10))
    ladder.want(STOP, SECOND, TRANSACTION, "live", at(30))
    assert ladder.answered(FIRST, StepOutcome.ACCEPTED, at(31)) is None
    assert ladder.state is State.WAITING


@pytest.mark.parametrize("outcome", [StepOutcome.CANCELLED, StepOutcome.NOT_SENT])
def test_a_withdrawn_try_was_never_sent_and_costs_nothing(outcome: StepOutcome) -> None:
    ladder = waiting(43)
    record = ladder.withdrawn(outcome, "raised")
    assert (record.outcome, record.sent, record.why) == (outcome, None, "raised")
    assert ladder.state is State.FAILED
    assert ladder.ahead(at(43))
    assert may(ladder, at(43))
    assert not ladder.has_sent


# -- a lost connection ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ladder", "outcome"), [(waiting(), StepOutcome.NOT_SENT), (out(), StepOutcome.UNANSWERED)])
def test_a_try_under_way_dies_with_the_connection(ladder: Ladder, outcome: StepOutcome) -> None:
    record = ladder.lost()
    assert record is not None
    assert (record.outcome, record.why) == (outcome, "connection lost")
    assert ladder.state is State.FAILED


def test_an_accepted_try_outlives_the_connection() -> None:
    ladder = proving()
    assert ladder.lost() is None
    assert ladder.state is State.PROVING


@pytest.mark.parametrize(("ladder", "state"), [(Ladder(POLICY), State.READY), (proved(), State.PROVED)])
def test_where_nothing_is_under_way_nothing_is_lost(ladder: Ladder, state: State) -> None:
    assert ladder.lost() is None
    assert ladder.state is state


# -- proof ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interval", "seconds"), [(None, 35), (10.0, 35), (15.0, 35), (60.0, 125)])
def test_proof_is_awaited_for_thirty_seconds_after_accepted_or_two_intervals(
    interval: float | None, seconds: float
) -> None:
    ladder = out()
    ladder.answered(FIRST, StepOutcome.ACCEPTED, at(5))
    assert ladder.proof_deadline(interval) == mono(seconds)


@pytest.mark.parametrize("ladder", [Ladder(POLICY), waiting(), out(), proved()])
def test_no_proof_is_awaited_unless_a_try_was_accepted(ladder: Ladder) -> None:
    assert ladder.proof_deadline(10.0) is None


def test_a_low_sample_proves_the_try() -> None:
    ladder = proving()
    record = ladder.proved()
    assert record is not None
    assert record.outcome is StepOutcome.PROVED
    assert ladder.state is State.PROVED
    assert not may(ladder, at(1000))


def test_a_try_is_proved_before_its_answer_and_the_answer_changes_nothing() -> None:
    ladder = out()
    ladder.proved()
    for outcome in (StepOutcome.ACCEPTED, StepOutcome.REFUSED, StepOutcome.UNANSWERED):
        assert ladder.answered(FIRST, outcome, at(9)) is None
        assert ladder.state is State.PROVED
    assert ladder.records[-1].outcome is StepOutcome.PROVED


def test_a_failed_try_can_still_be_proved() -> None:
    ladder = out()
    ladder.answered(FIRST, StepOutcome.UNANSWERED, at(10))
    assert ladder.proved() is not None
    assert ladder.state is State.PROVED


def test_what_was_never_tried_is_not_proved() -> None:
    assert Ladder(POLICY).proved() is None
    assert waiting().proved() is None
    withdrawn = waiting()
    withdrawn.withdrawn(StepOutcome.CANCELLED, "")
    assert withdrawn.proved() is None


def test_a_proof_is_given_once() -> None:
    assert proved().proved() is None


def test_without_proof_the_try_has_failed() -> None:
    ladder = proving()
    assert ladder.not_proved().outcome is StepOutcome.NOT_PROVED
    assert ladder.state is State.FAILED
    assert may(ladder, at(30))


def test_an_over_sample_after_the_proof_withdraws_it() -> None:
    ladder = proved()
    assert ladder.over_again()
    assert ladder.state is State.FAILED
    assert (ladder.records[-1].outcome, ladder.records[-1].why) == (
        StepOutcome.NOT_PROVED,
        "current again after the proof",
    )
    assert may(ladder, at(30))


@pytest.mark.parametrize("ladder", [Ladder(POLICY), waiting(), out(), proving()])
def test_an_over_sample_before_the_proof_withdraws_nothing(ladder: Ladder) -> None:
    state = ladder.state
    assert not ladder.over_again()
    assert ladder.state is state


# -- budget and spacing --------------------------------------------------------------------------------------------


def failed(*seconds: float) -> Ladder:
    """A ladder whose tries went out then and were refused."""
    ladder = Ladder(POLICY)
    for number, when in enumerate(seconds):
        ladder.want(STOP, UniqueId(f"wd-{number}"), TRANSACTION, "", at(when))
        ladder.written(at(when), forced=False)
        ladder.answered(UniqueId(f"wd-{number}"), StepOutcome.REFUSED, at(when))
    return ladder


def test_the_first_try_need_not_wait() -> None:
    ladder = Ladder(POLICY)
    assert may(ladder, at(0))
    assert ladder.next_try_mono(at(1000)) is None


@pytest.mark.parametrize("ladder", [waiting(), out(), proving(), proved()])
def test_nothing_is_tried_while_a_try_is_under_way_or_proved(ladder: Ladder) -> None:
    assert not may(ladder, at(500))
    assert ladder.next_try_mono(at(1000)) is None


def test_tries_are_thirty_seconds_apart() -> None:
    ladder = failed(0)
    assert not may(ladder, at(29.9))
    assert may(ladder, at(30))
    assert ladder.next_try_mono(at(0)) == mono(30)


def test_three_tries_in_fifteen_minutes_are_the_budget() -> None:
    ladder = failed(0, 100, 200)
    assert not ladder.ahead(at(899.9))
    assert not may(ladder, at(899.9))
    assert ladder.next_try_mono(at(0)) == mono(900)
    assert ladder.ahead(at(900))
    assert may(ladder, at(900))


def test_the_spacing_holds_when_the_window_opens_in_between() -> None:
    ladder = failed(0, 100, 890)
    assert ladder.ahead(at(905))
    assert not may(ladder, at(905))
    assert ladder.next_try_mono(at(0)) == mono(920)


def test_a_stop_sent_by_the_owner_counts() -> None:
    ladder = failed(0, 100)
    ladder.sent_beside(STOP, at(200))
    assert not ladder.ahead(at(201))
    assert ladder.last_sent_mono == mono(200)
    ladder.sent_beside(STOP, at(300))
    assert not ladder.ahead(at(999))
    assert ladder.ahead(at(1000))


def test_a_stop_sent_by_the_owner_is_no_try_of_the_ladder() -> None:
    ladder = Ladder(POLICY)
    ladder.sent_beside(STOP, at(0))
    assert not ladder.has_sent
    assert not may(ladder, at(29))
    assert ladder.next_try_mono(at(0)) == mono(30)


def test_the_budget_outlives_the_episode_and_the_tries_do_not() -> None:
    ladder = failed(0, 30, 60)
    ladder.new_episode()
    assert (ladder.state, ladder.records, ladder.has_sent) == (State.READY, [], False)
    assert not ladder.ahead(at(100))
    assert ladder.next_try_mono(at(0)) == mono(900)
    assert ladder.answered(UniqueId("wd-2"), StepOutcome.ACCEPTED, at(101)) is None


@given(st.lists(st.floats(0, 120), max_size=60))
def test_never_more_than_the_budget_in_any_window(gaps: list[float]) -> None:
    ladder = Ladder(POLICY)
    now, sent = 0.0, []
    for number, gap in enumerate(gaps):
        now += gap
        if number % 7 == 6:
            ladder.new_episode()
        if not may(ladder, at(now)):
            continue
        ladder.want(STOP, UniqueId(f"wd-{number}"), TRANSACTION, "", at(now))
        ladder.written(at(now), forced=False)
        ladder.answered(UniqueId(f"wd-{number}"), StepOutcome.REFUSED, at(now))
        sent.append(now)
    for first, fourth in zip(sent, sent[3:], strict=False):
        assert fourth - first >= 900 - 1e-6
    for first, second in pairwise(sent):
        assert second - first >= 30 - 1e-6


# -- what is written down ------------------------------------------------------------------------------------------


def test_a_skipped_step_says_why_and_moves_nothing() -> None:
    ladder = Ladder(POLICY)
    record = ladder.skip(STOP, StepOutcome.SKIPPED, None, "no usable transaction id", at(43))
    assert (record.outcome, record.transaction_id, record.why) == (
        StepOutcome.SKIPPED,
        None,
        "no usable transaction id",
    )
    assert ladder.records == [record]
    assert ladder.state is State.READY
    assert ladder.totals == {(StepKind.REMOTE_STOP, StepOutcome.SKIPPED): 1}


def test_an_outcome_belongs_to_the_try_and_not_to_a_skip_beside_it() -> None:
    ladder = out()
    ladder.skip(STOP, StepOutcome.SKIPPED, None, "no usable transaction id", at(1))
    ladder.answered(FIRST, StepOutcome.REFUSED, at(2))
    assert [record.outcome for record in ladder.records] == [StepOutcome.REFUSED, StepOutcome.SKIPPED]


def test_each_try_has_a_record_of_its_own() -> None:
    ladder = failed(0, 30)
    ladder.want(STOP, THIRD, TRANSACTION, "flowing", at(60))
    outcomes = [record.outcome for record in ladder.records]
    assert outcomes == [StepOutcome.REFUSED, StepOutcome.REFUSED, StepOutcome.WAITING]


def test_outcomes_are_counted_beyond_the_episode() -> None:
    ladder = failed(0, 30)
    ladder.new_episode()
    ladder.want(STOP, THIRD, TRANSACTION, "", at(60))
    ladder.written(at(60), forced=True)
    counted = {outcome: times for (_, outcome), times in ladder.totals.items()}
    assert counted == {StepOutcome.SENT: 3, StepOutcome.REFUSED: 2}


def test_records_are_bounded() -> None:
    ladder = Ladder(POLICY)
    for number in range(MOST_RECORDS + 5):
        ladder.want(STOP, UniqueId(f"wd-{number}"), TRANSACTION, "", at(number))
        ladder.withdrawn(StepOutcome.NOT_SENT, "")
    assert len(ladder.records) == MOST_RECORDS
    assert ladder.records[0].unique_id == UniqueId("wd-5")
    assert ladder.totals == {(StepKind.REMOTE_STOP, StepOutcome.NOT_SENT): MOST_RECORDS + 5}


# -- more steps than one -------------------------------------------------------------------------------------------


WHOLE = Policy(ladder=tuple(StepKind))


def take(ladder: Ladder, kind: StepKind, when: float, *, worked: bool = False) -> None:
    """A try of this step goes out and is refused, or works."""
    name = UniqueId(f"wd-{when}")
    ladder.want(kind, name, None, "", at(when))
    ladder.written(at(when), forced=False)
    ladder.answered(name, StepOutcome.ACCEPTED if worked else StepOutcome.REFUSED, at(when))
    if worked:
        ladder.proved()


def kinds(ladder: Ladder, when: float) -> list[StepKind]:
    return [rung.kind for rung in ladder.ahead(at(when))]


def test_the_steps_come_in_the_owners_order_and_each_as_often_as_its_budget_says() -> None:
    ladder = Ladder(WHOLE)
    went = []
    for when in range(0, 400, 40):
        if not kinds(ladder, when):
            break
        went.append(kinds(ladder, when)[0])
        take(ladder, went[-1], when)
    once = [StepKind.REPEAT_LIMIT, StepKind.TX_PROFILE]
    assert went == [*once, *[STOP] * 3, StepKind.INOPERATIVE, StepKind.SOFT_RESET, StepKind.EXTERNAL]
    assert kinds(ladder, 900 + 79) == []
    assert kinds(ladder, 900 + 80) == [STOP]
    assert ladder.next_try_mono(at(400)) == mono(980)


def test_after_an_episode_that_was_superseded_only_what_was_proved_and_the_stop_are_left() -> None:
    ladder = Ladder(WHOLE)
    take(ladder, StepKind.REPEAT_LIMIT, 0)
    take(ladder, StepKind.TX_PROFILE, 40, worked=True)
    ladder.new_episode(superseded=True)
    assert kinds(ladder, 300) == [StepKind.TX_PROFILE, STOP]
    ladder.new_episode()
    assert kinds(ladder, 300) == list(StepKind)


def test_where_that_would_leave_nothing_what_was_not_reached_is_left() -> None:
    ladder = Ladder(Policy(ladder=(StepKind.REPEAT_LIMIT, StepKind.EXTERNAL)))
    take(ladder, StepKind.REPEAT_LIMIT, 0)
    ladder.new_episode(superseded=True)
    assert kinds(ladder, 300) == [StepKind.EXTERNAL]
    assert ladder.barred == {StepKind.REPEAT_LIMIT}


def test_a_proof_that_is_withdrawn_was_none() -> None:
    ladder = Ladder(WHOLE)
    take(ladder, StepKind.TX_PROFILE, 0, worked=True)
    ladder.over_again()
    assert (ladder.tried, ladder.worked) == ({StepKind.TX_PROFILE}, frozenset())


def test_what_was_used_up_before_this_episode_is_said() -> None:
    ladder = Ladder(WHOLE)
    take(ladder, StepKind.SOFT_RESET, 0)
    assert ladder.used_up(at(10)) == []
    ladder.new_episode()
    assert ladder.used_up(at(10)) == [StepKind.SOFT_RESET]


def test_a_reset_of_one_connector_is_one_of_all() -> None:
    resets: Recent[float] = Recent(16)
    one, other = Ladder(WHOLE, resets=resets), Ladder(WHOLE, resets=resets)
    take(one, StepKind.SOFT_RESET, 0)
    assert not other.is_in_budget(StepKind.SOFT_RESET, at(10))
    assert other.is_in_budget(StepKind.EXTERNAL, at(10))


def test_a_step_that_was_passed_over_is_written_down_once() -> None:
    ladder = Ladder(WHOLE)
    assert not ladder.lacks_id
    assert ladder.skip(STOP, StepOutcome.SKIPPED, None, NO_USABLE_ID, at(0))
    assert ladder.skip(STOP, StepOutcome.SKIPPED, None, NO_USABLE_ID, at(1)) is None
    assert ladder.skip(StepKind.TX_PROFILE, StepOutcome.SKIPPED, None, NO_USABLE_ID, at(1))
    assert ladder.lacks_id


def test_a_step_of_ours_is_told_from_the_owners() -> None:
    ladder = Ladder(WHOLE)
    ladder.sent_beside(STOP, at(0))
    assert not ladder.sent_lately(STOP, at(1), 120.0)
    take(ladder, STOP, 40)
    assert ladder.sent_lately(STOP, at(160), 120.0)
    assert not ladder.sent_lately(STOP, at(161), 120.0)
    assert not ladder.sent_lately(StepKind.EXTERNAL, at(41), 120.0)
    assert ladder.stop_is_apart(at(70))
    assert not ladder.stop_is_apart(at(69))


def test_a_step_that_the_ladder_does_not_have_moves_it_nowhere() -> None:
    ladder = Ladder(Policy(), (StepKind.REPEAT_LIMIT,))
    take(ladder, StepKind.EXTERNAL, 0)
    assert kinds(ladder, 10) == [StepKind.REPEAT_LIMIT]


def test_while_a_try_is_under_way_no_time_is_waited_for() -> None:
    assert out().times() == []
    assert failed(0).times() == [mono(30)]


def test_a_ladder_is_fresh_when_no_budget_is_used() -> None:
    ladder = Ladder(Policy())
    assert ladder.is_fresh(at(0))
    ladder.sent_beside(STOP, at(0))
    assert not ladder.is_fresh(at(899))
    assert ladder.is_fresh(at(900))
