from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from ocpp_watchdog.core.outcomes import MOST_STATES, MOST_UNDECIDED, Books, Effect, Outcomes
from ocpp_watchdog.core.profiles import Installed, install
from ocpp_watchdog.core.terms import ConnectorId
from profile_examples import amperes

ONE = ConnectorId(1)


def put(books: Books, level: int, limit: float) -> Books:
    """Install a limit in the slot of this stack level."""
    profile = amperes(limit, profile_id=level, stack_level=level)
    return Books(install(books.in_force, ONE, profile, 0.0), install(books.ordered, ONE, profile, 0.0))


def slot(level: int, limit: float) -> Effect:
    return partial(put, level=level, limit=limit)


def take_all(books: Books) -> Books:
    return Books((), ())


def limits(profiles: tuple[Installed, ...]) -> dict[int, float]:
    return {held.profile.stack_level: held.profile.periods[0].limit for held in profiles}


def possible(outcomes: Outcomes) -> list[dict[int, float]]:
    return [limits(profiles) for profiles in outcomes.in_force()]


def test_nothing_is_installed_at_first() -> None:
    assert Outcomes().in_force() == [()]
    assert Outcomes().ordered() == ()


def test_certain_effect_leaves_one_outcome() -> None:
    outcomes = Outcomes()
    outcomes.apply(slot(0, 16.0))
    assert possible(outcomes) == [{0: 16.0}]
    assert limits(outcomes.ordered()) == {0: 16.0}


def test_undecided_effect_leaves_two_and_counts_for_no_order() -> None:
    outcomes = Outcomes()
    outcomes.apply(slot(0, 16.0))
    outcomes.split(1, slot(0, 6.0))
    assert possible(outcomes) == [{0: 16.0}, {0: 6.0}]
    assert limits(outcomes.ordered()) == {0: 16.0}


def test_answer_decides() -> None:
    for applied, expected in ((True, {0: 6.0}), (False, {0: 16.0})):
        outcomes = Outcomes()
        outcomes.apply(slot(0, 16.0))
        outcomes.split(1, slot(0, 6.0))
        assert outcomes.decide(1, applied=applied)
        assert possible(outcomes) == [expected]
        assert limits(outcomes.ordered()) == expected
        assert not outcomes.decide(1, applied=not applied)


def test_late_answer_does_not_undo_what_came_after() -> None:
    outcomes = Outcomes()
    outcomes.split(1, slot(0, 6.0))
    outcomes.split(2, slot(0, 8.0))
    assert possible(outcomes) == [{}, {0: 6.0}, {0: 8.0}]
    outcomes.decide(1, applied=True)
    assert possible(outcomes) == [{0: 6.0}, {0: 8.0}]
    outcomes.decide(2, applied=False)
    assert possible(outcomes) == [{0: 6.0}]


def test_newer_certain_effect_in_the_same_slot_settles_the_older_one() -> None:
    outcomes = Outcomes()
    outcomes.split(1, slot(0, 6.0))
    outcomes.apply(slot(0, 8.0))
    assert possible(outcomes) == [{0: 8.0}]
    assert not outcomes.decide(1, applied=True)


def test_effect_that_changes_nothing_is_settled_at_once() -> None:
    outcomes = Outcomes()
    outcomes.split(1, take_all)
    assert not outcomes.decide(1, applied=True)


def test_effects_in_different_slots_combine() -> None:
    outcomes = Outcomes()
    outcomes.split(1, slot(0, 6.0))
    outcomes.split(2, slot(1, 8.0))
    assert possible(outcomes) == [{}, {0: 6.0}, {1: 8.0}, {0: 6.0, 1: 8.0}]


def test_one_slot_may_stay_open_many_times_before_the_oldest_is_given_up() -> None:
    outcomes = Outcomes()
    for number in range(MOST_UNDECIDED + 1):
        outcomes.split(number, slot(0, 6.0 + number))
    assert [state.get(0) for state in possible(outcomes)] == [None, *(7.0 + number for number in range(MOST_UNDECIDED))]
    assert not outcomes.decide(0, applied=True)
    assert outcomes.decide(1, applied=True)


def test_number_of_outcomes_is_bounded_and_the_oldest_counts_as_not_applied() -> None:
    outcomes = Outcomes()
    for number in range(5):
        outcomes.split(number, slot(number, 6.0))
        assert len(possible(outcomes)) <= MOST_STATES
    assert len(possible(outcomes)) == MOST_STATES
    assert all(0 not in state for state in possible(outcomes))


@dataclass
class Told:
    """One thing that happened, and what is known of it by now."""

    effect: Effect
    number: int | None
    applied: bool | None


def replay(history: list[Told], answered_as: Callable[[Told, int], bool]) -> Books:
    books, undecided = Books(), 0
    for told in history:
        applied = told.applied
        if applied is None:
            applied = answered_as(told, undecided)
            undecided += 1
        books = told.effect(books) if applied else books
    return books


EFFECTS = st.one_of(st.builds(slot, st.integers(0, 2), st.sampled_from([0.0, 6.0, 16.0])), st.just(take_all))
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), EFFECTS),
        st.tuples(st.just("split"), EFFECTS),
        st.tuples(st.just("decide"), st.integers(0, 15), st.booleans()),
    ),
    max_size=14,
)


@given(MOVES)
def test_outcomes_are_those_of_replaying_the_history_with_every_answer(moves: list) -> None:  # type: ignore[type-arg]
    outcomes, history = Outcomes(), list[Told]()
    for number, move in enumerate(moves):
        undecided = [told for told in history if told.applied is None]
        if move[0] == "apply":
            outcomes.apply(move[1])
            history.append(Told(move[1], None, applied=True))
        elif move[0] == "decide" and undecided:
            told = undecided[move[1] % len(undecided)]
            assert told.number is not None
            outcomes.decide(told.number, applied=move[2])
            told.applied = move[2]
        elif move[0] == "split" and len(undecided) < 4:
            outcomes.split(number, move[1])
            history.append(Told(move[1], number, applied=None))
    count = sum(told.applied is None for told in history)
    every = {
        replay(history, lambda _, place, answers=answers: bool(answers >> place & 1)).in_force
        for answers in range(2**count)
    }
    assert set(outcomes.in_force()) == every
    assert outcomes.ordered() == replay(history, lambda *_: False).ordered
