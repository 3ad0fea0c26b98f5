from __future__ import annotations

from ocpp_watchdog.core.commands import (
    ClearProfiles,
    SetProfile,
    booted,
    changed,
    disputed,
    ended,
    followed,
    performed,
)
from ocpp_watchdog.core.outcomes import Books
from ocpp_watchdog.core.profiles import Criteria, IdScope, Installed
from ocpp_watchdog.core.terms import ConnectorId
from profile_examples import amperes, tx

ONE, TWO = ConnectorId(1), ConnectorId(2)
DEFAULT = Installed(ONE, amperes(16.0), 10.0)
RUNNING = Installed(ONE, tx(6.0), 20.0)
BOTH = (DEFAULT, RUNNING)


def test_set_installs_in_both_books() -> None:
    profile = amperes(6.0, profile_id=2, stack_level=1)
    books = performed(Books(BOTH, (DEFAULT,)), SetProfile(ONE, profile), 30.0, IdScope.CONNECTOR)
    assert books == Books((*BOTH, Installed(ONE, profile, 30.0)), (DEFAULT, Installed(ONE, profile, 30.0)))


def test_set_keeps_to_the_scope_of_ids() -> None:
    command = SetProfile(TWO, amperes(6.0))
    assert len(changed((DEFAULT,), command, 30.0, IdScope.CONNECTOR)) == 2
    assert changed((DEFAULT,), command, 30.0, IdScope.CHARGE_POINT) == (Installed(TWO, amperes(6.0), 30.0),)


def test_clear_clears_both_books() -> None:
    clear_all = ClearProfiles(Criteria())
    assert performed(Books(BOTH, BOTH), clear_all, 5.0, IdScope.CONNECTOR) == Books()


def test_clear_leaves_what_came_later_when_told_so() -> None:
    assert changed(BOTH, ClearProfiles(Criteria()), 30.0, IdScope.CONNECTOR, cleared_by=10.0) == (RUNNING,)


def test_dispute_marks_what_is_in_force_and_removes_it_from_the_order() -> None:
    books = disputed(Books(BOTH, BOTH), Criteria(), asked_utc=10.0)
    assert books == Books((Installed(ONE, amperes(16.0), 10.0, disputed=True), RUNNING), (RUNNING,))


def test_order_outlives_the_transaction() -> None:
    assert ended(Books(BOTH, BOTH), ONE) == Books((DEFAULT,), BOTH)
    assert ended(Books(BOTH, BOTH), TWO) == Books(BOTH, BOTH)


def test_order_does_not_outlive_the_start_of_the_next_transaction() -> None:
    assert followed(Books(BOTH, BOTH), ONE, by_utc=20.0) == Books((DEFAULT,), (DEFAULT,))
    assert followed(Books(BOTH, BOTH), ONE, by_utc=19.0) == Books(BOTH, BOTH)


def test_boot_leaves_the_order_alone() -> None:
    books = booted(Books((DEFAULT,), (DEFAULT,)))
    assert books == Books((Installed(ONE, amperes(16.0), 10.0, unconfirmed=True),), (DEFAULT,))
