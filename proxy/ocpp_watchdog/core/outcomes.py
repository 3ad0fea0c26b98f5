"""What the accepted commands may have made of the profiles, while some commands are not answered (R3).

Instead of a history that would have to be replayed when a late answer comes, every outcome that is still possible is
carried along. A command that is not answered splits each of them in two, applied and not applied; an answer removes one
half. Outcomes that a newer command has made equal fall together, and a command that no longer makes a difference is
settled. Knows neither keys nor commands: it is given effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from ocpp_watchdog.core.profiles import Profiles

MOST_UNDECIDED = 8
"""Commands that may be undecided; beyond it the oldest counts as not applied."""
MOST_STATES = 16
"""Different states that may be possible at a time; beyond it likewise."""


@dataclass(frozen=True, slots=True)
class Books:
    """Two accounts of the accepted commands. They differ in one thing: in the order a TxProfile outlives its
    transaction, until another one starts on the connector."""

    in_force: Profiles = ()
    ordered: Profiles = ()


Effect = Callable[[Books], Books]

_Assumption = frozenset[int]
"""Numbers of the undecided commands that are taken to have been applied."""

_States = dict[Books, frozenset[_Assumption]]

_NOTHING: _Assumption = frozenset()


_FRESH: _States = {Books(): frozenset({_NOTHING})}
"""What is known of a new charge point; never changed."""


class Outcomes:
    """Every state that is possible, each with all the assumptions that lead to it. Assumptions are complete: each
    subset of the undecided commands leads to one state."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {}
    _states: _States
    _undecided: list[int]

    def __init__(self) -> None:
        self._states = _FRESH
        self._undecided = []

    def apply(self, effect: Effect) -> None:
        """This happened, whatever else did."""
        self._states = _merged((effect(books), assumptions) for books, assumptions in self._states.items())
        self._settle()

    def split(self, number: int, effect: Effect) -> None:
        """This may have happened; ``decide`` will say. number: larger than any before."""
        without = list(self._states.items())
        applied = [(effect(books), frozenset(one | {number} for one in ones)) for books, ones in without]
        self._states = _merged([*without, *applied])
        self._undecided.append(number)
        self._settle()

    def decide(self, number: int, *, applied: bool) -> bool:
        """It has happened, or it has not. False: it makes no difference any more, or was given up."""
        if number not in self._undecided:
            return False
        self._drop(number, applied=applied)
        self._settle()
        return True

    def in_force(self) -> list[Profiles]:
        """All sets of profiles that may be in force."""
        return list(dict.fromkeys(books.in_force for books in self._states))

    def ordered(self) -> Profiles:
        """What was accepted for certain, as the order counts it."""
        return next(books.ordered for books, assumptions in self._states.items() if _NOTHING in assumptions)

    def _drop(self, number: int, *, applied: bool) -> None:
        self._undecided.remove(number)
        kept = (
            (books, frozenset(one - {number} for one in assumptions if (number in one) is applied))
            for books, assumptions in self._states.items()
        )
        self._states = _merged((books, assumptions) for books, assumptions in kept if assumptions)

    def _settle(self) -> None:
        for number in [number for number in self._undecided if self._is_irrelevant(number)]:
            self._drop(number, applied=False)
        while len(self._undecided) > MOST_UNDECIDED or len(self._states) > MOST_STATES:
            self._drop(self._undecided[0], applied=False)

    def _is_irrelevant(self, number: int) -> bool:
        return all({one ^ {number} for one in assumptions} == assumptions for assumptions in self._states.values())


def _merged(states: Iterable[tuple[Books, frozenset[_Assumption]]]) -> _States:
    merged: _States = {}
    for books, assumptions in states:
        merged[books] = merged.get(books, frozenset()) | assumptions
    return merged
