"""Which transaction is open on a connector, and which id may be sent to stop it (smart-charging T1 to T8, watchdog
rules 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builders import ONE, TWO, at
from ocpp_watchdog.core.terms import ConnectorId, Status, TransactionId
from ocpp_watchdog.core.transactions import (
    LARGEST_REPORTED,
    MOST_CONNECTORS,
    REMEMBERED_STOPS,
    Transaction,
    Transactions,
)

SEVEN, EIGHT = TransactionId(7), TransactionId(8)
ENDED = [Status.AVAILABLE, Status.FINISHING, Status.PREPARING]
CHARGING_OR_SUSPENDED = [Status.CHARGING, Status.SUSPENDED_EV, Status.SUSPENDED_EVSE]


def running(transaction_id: int = SEVEN, connector: ConnectorId = ONE) -> Transactions:
    """One transaction, started and answered."""
    transactions = Transactions()
    start(transactions, transaction_id, connector)
    return transactions


def start(transactions: Transactions, transaction_id: int, connector: ConnectorId = ONE, seconds: float = 0.0) -> None:
    """StartTransaction and its answer."""
    transactions.requested(connector, "tag", at(seconds))
    transactions.answered(connector, TransactionId(transaction_id))


def report(transactions: Transactions, *ids: int | None, status: Status | None = Status.CHARGING) -> list[int | None]:
    """MeterValues with these ids, one after the other; what each made usable."""
    return [transactions.reported(ONE, reported, status, at(100)) for reported in ids]


# -- answered ------------------------------------------------------------------------------------------------------


def test_the_open_ones_are_given_by_connector() -> None:
    transactions = Transactions()
    transactions.requested(ConnectorId(2), "tag", at(0.0))
    found = transactions.open()
    assert list(found) == [2]
    transactions.status(ConnectorId(2), Status.AVAILABLE)
    assert found[ConnectorId(2)].id_tag == "tag"
    assert transactions.open() == {}


def test_nothing_runs_at_first() -> None:
    assert Transactions().current(ONE) is None
    assert Transactions().usable_id(ONE) is None


def test_a_transaction_is_open_from_its_request_and_has_no_id_before_the_answer() -> None:
    transactions = Transactions()
    transactions.requested(ONE, "tag", at(5))
    assert transactions.current(ONE) == Transaction(None, at(5), "tag", answered=False)
    assert transactions.usable_id(ONE) is None
    assert transactions.current(TWO) is None


@pytest.mark.parametrize("transaction_id", [1, 0, -1, 2**31, -(2**40)])
def test_the_answered_id_is_usable_whatever_integer_it_is(transaction_id: int) -> None:
    assert running(transaction_id).usable_id(ONE) == transaction_id


def test_an_answer_without_a_transaction_is_nobodys() -> None:
    transactions = Transactions()
    transactions.answered(ONE, SEVEN)
    assert transactions.current(ONE) is None


def test_a_transaction_stopped_before_it_was_answered_is_over() -> None:
    transactions = Transactions()
    transactions.requested(ONE, "tag", at(0))
    assert transactions.stopped(TransactionId(-1)) == ONE
    transactions.answered(ONE, SEVEN)
    assert transactions.usable_id(ONE) is None


def test_a_new_start_ends_whatever_ran_on_the_connector() -> None:
    transactions = running()
    transactions.requested(ONE, "other", at(60))
    assert transactions.usable_id(ONE) is None
    transactions.answered(ONE, EIGHT)
    assert transactions.current(ONE) == Transaction(EIGHT, at(60), "other", answered=True)


# -- reported ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", CHARGING_OR_SUSPENDED)
def test_an_id_reported_twice_in_a_row_while_charging_or_suspended_is_usable(status: Status) -> None:
    transactions = Transactions()
    assert report(transactions, 7, 7, status=status) == [None, 7]
    assert transactions.current(ONE) == Transaction(SEVEN, at(100), "", answered=False)
    assert transactions.usable_id(ONE) == 7


def test_a_reported_id_becomes_usable_once() -> None:
    assert report(Transactions(), 7, 7, 7, 7) == [None, 7, None, None]


@pytest.mark.parametrize("status", [None, *(status for status in Status if status not in CHARGING_OR_SUSPENDED)])
def test_an_id_reported_in_any_other_status_is_not_usable(status: Status | None) -> None:
    transactions = Transactions()
    assert report(transactions, 7, 7, 7, status=status) == [None, None, None]
    assert transactions.current(ONE) is None


@pytest.mark.parametrize("reported", [0, -1, LARGEST_REPORTED + 1, None])
def test_an_id_that_cannot_be_one_is_not_usable(reported: int | None) -> None:
    assert report(Transactions(), reported, reported, reported) == [None, None, None]


@pytest.mark.parametrize("reported", [1, LARGEST_REPORTED])
def test_ids_from_one_to_two_billion_can_be_reported(reported: int) -> None:
    assert report(Transactions(), reported, reported) == [None, reported]


@pytest.mark.parametrize("between", [8, None, 0])
def test_the_two_reports_must_follow_each_other(between: int | None) -> None:
    assert report(Transactions(), 7, between, 7, 7) == [None, None, None, 7]


def test_a_status_in_between_that_charges_not_breaks_the_row() -> None:
    transactions = Transactions()
    report(transactions, 7)
    report(transactions, 7, status=Status.PREPARING)
    assert report(transactions, 7) == [None]
    assert report(transactions, 7) == [7]


def test_available_in_between_breaks_the_row() -> None:
    transactions = Transactions()
    report(transactions, 7)
    assert not transactions.status(ONE, Status.AVAILABLE)
    assert report(transactions, 7) == [None]


def test_a_start_in_between_breaks_the_row() -> None:
    transactions = Transactions()
    report(transactions, 7)
    transactions.requested(ONE, "tag", at(50))
    assert report(transactions, 7, 7) == [None, 7]


def test_reports_of_one_connector_do_not_add_to_those_of_another() -> None:
    transactions = Transactions()
    report(transactions, 7)
    assert transactions.reported(TWO, 7, Status.CHARGING, at(100)) is None


def test_an_answered_id_is_not_replaced_by_a_reported_one() -> None:
    transactions = running(7)
    assert report(transactions, 8, 8, 8) == [None, None, None]
    assert transactions.usable_id(ONE) == 7


def test_a_start_that_was_never_answered_gets_the_reported_id_and_keeps_its_own_start() -> None:
    transactions = Transactions()
    transactions.requested(ONE, "tag", at(5))
    assert report(transactions, 7, 7) == [None, 7]
    assert transactions.current(ONE) == Transaction(SEVEN, at(5), "tag", answered=False)


def test_the_answer_wins_over_what_was_reported_before() -> None:
    transactions = Transactions()
    transactions.requested(ONE, "tag", at(5))
    report(transactions, 7, 7)
    transactions.answered(ONE, EIGHT)
    assert transactions.usable_id(ONE) == 8


def test_another_id_reported_twice_replaces_a_reported_one() -> None:
    transactions = Transactions()
    assert report(transactions, 7, 7, 8, 8) == [None, 7, None, 8]
    assert transactions.usable_id(ONE) == 8


def test_an_id_that_was_stopped_since_is_not_usable_however_often_it_is_reported() -> None:
    transactions = running(7)
    assert transactions.stopped(SEVEN) == ONE
    assert report(transactions, 7, 7, 7) == [None, None, None]
    assert transactions.usable_id(ONE) is None


def test_an_id_whose_transaction_was_closed_by_its_status_is_not_usable_either() -> None:
    transactions = running(7)
    assert transactions.status(ONE, Status.AVAILABLE)
    assert report(transactions, 7, 7) == [None, None]


def test_an_id_that_is_given_anew_is_usable_again() -> None:
    transactions = running(7)
    transactions.stopped(SEVEN)
    start(transactions, 7)
    assert transactions.usable_id(ONE) == 7
    assert transactions.is_claimed(7)


def test_an_id_that_was_reported_and_stopped_and_then_reported_anew_stays_stopped() -> None:
    transactions = Transactions()
    report(transactions, 7, 7)
    transactions.stopped(SEVEN)
    assert report(transactions, 7, 7) == [None, None]


def test_as_many_stops_are_remembered_as_a_charge_point_may_repeat() -> None:
    transactions = Transactions()
    for stopped in range(1, REMEMBERED_STOPS + 2):
        transactions.stopped(TransactionId(stopped))
    assert report(transactions, 2, 2) == [None, None]
    assert report(transactions, 1, 1) == [None, 1]


@pytest.mark.parametrize(("named", "is_claimed"), [(7, False), (8, True), (0, False), (-1, False), (None, False)])
def test_a_transaction_is_claimed_by_a_positive_id_that_was_not_stopped(named: int | None, is_claimed: bool) -> None:
    transactions = running(7)
    transactions.stopped(SEVEN)
    assert transactions.is_claimed(named) is is_claimed


# -- stopped -------------------------------------------------------------------------------------------------------


def test_a_stop_finds_its_connector_by_id() -> None:
    transactions = running(7)
    start(transactions, 8, TWO)
    assert transactions.stopped(EIGHT) == TWO
    assert transactions.usable_id(ONE) == 7
    assert transactions.current(TWO) is None


@pytest.mark.parametrize(("known", "stopped"), [(7, None), (7, 0), (7, -1), (0, 7), (-1, 7), (None, 7)])
def test_a_stop_whose_id_is_in_doubt_belongs_to_the_only_open_transaction(
    known: int | None, stopped: int | None
) -> None:
    transactions = Transactions()
    transactions.requested(ONE, "tag", at(0))
    if known is not None:
        transactions.answered(ONE, TransactionId(known))
    assert transactions.stopped(None if stopped is None else TransactionId(stopped)) == ONE
    assert transactions.current(ONE) is None


def test_a_queued_stop_of_another_transaction_does_not_end_the_one_that_runs() -> None:
    transactions = running(7)
    assert transactions.stopped(TransactionId(4711)) is None
    assert transactions.usable_id(ONE) == 7


def test_a_stop_where_nothing_runs_belongs_to_nobody() -> None:
    transactions = Transactions()
    assert transactions.stopped(SEVEN) is None
    assert not transactions.status(ONE, Status.FINISHING)


@pytest.mark.parametrize("status", ENDED)
def test_a_stop_that_fits_several_is_decided_by_the_following_status(status: Status) -> None:
    transactions = running(7)
    start(transactions, 8, TWO)
    assert transactions.stopped(None) is None
    assert not transactions.status(TWO, Status.CHARGING)
    assert transactions.status(TWO, status)
    assert transactions.usable_id(ONE) == 7
    assert transactions.current(TWO) is None
    if status is not Status.AVAILABLE:
        assert not transactions.status(ONE, status), "one stop ends one transaction"


def test_a_stop_of_nobody_does_not_end_a_transaction_that_began_after_it() -> None:
    """A stop queued offline; then the transaction that ran ends by its own stop. The next one must be stoppable, also
    when its charge point says Preparing a moment late."""
    transactions = running(7)
    transactions.stopped(TransactionId(4711))
    transactions.stopped(SEVEN)
    start(transactions, 8)
    assert not transactions.status(ONE, Status.PREPARING)
    assert transactions.usable_id(ONE) == 8


# -- status --------------------------------------------------------------------------------------------------------


def test_available_closes_any_transaction() -> None:
    transactions = running(7)
    assert transactions.status(ONE, Status.AVAILABLE)
    assert transactions.current(ONE) is None
    assert not transactions.status(ONE, Status.AVAILABLE)


@pytest.mark.parametrize("status", [None, *(status for status in Status if status is not Status.AVAILABLE)])
def test_no_other_status_closes_a_transaction_by_itself(status: Status | None) -> None:
    transactions = running(7)
    assert not transactions.status(ONE, status)
    assert transactions.usable_id(ONE) == 7


def test_the_status_of_another_connector_closes_nothing() -> None:
    transactions = running(7)
    assert not transactions.status(TWO, Status.AVAILABLE)
    assert transactions.usable_id(ONE) == 7


# -- whatever comes in ---------------------------------------------------------------------------------------------


def test_transactions_of_ever_new_connectors_do_not_pile_up() -> None:
    """Nothing grows without bound (invariant 8), and nonsense does not push out what is real."""
    transactions = running(7)
    for number in range(1_000):
        transactions.requested(ConnectorId(100 + number), "tag", at(number))
    assert len(transactions._open) == MOST_CONNECTORS
    assert transactions.usable_id(ONE) == 7


def test_reports_of_ever_new_connectors_do_not_pile_up() -> None:
    transactions = running(7)
    for number in range(100, 1_100):
        for _ in range(2):
            transactions.reported(ConnectorId(number), number, Status.CHARGING, at(0))
    assert (len(transactions._open), len(transactions._reports)) == (MOST_CONNECTORS, MOST_CONNECTORS - 1)
    assert transactions.usable_id(ONE) == 7


def test_a_connector_that_is_known_has_room() -> None:
    transactions = Transactions()
    report(transactions, 7, 7)
    for number in range(1_000):
        transactions.requested(ConnectorId(100 + number), "tag", at(number))
    start(transactions, 8)
    assert transactions.usable_id(ONE) == 8


Told = tuple[int, int, int | None, Status | None]
HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 3),
        st.none() | st.integers(-2, 4),
        st.none() | st.sampled_from(Status),
    ),
    max_size=60,
)


@given(HISTORIES)
def test_whatever_is_told_only_answered_or_twice_reported_ids_are_usable(history: list[Told]) -> None:
    transactions = Transactions()
    answered: set[int] = set()
    reports: list[tuple[int, int | None]] = []
    for what, number, word, status in history:
        connector = ConnectorId(number)
        if what == 0:
            transactions.requested(connector, "", at(0))
        elif what == 1 and word is not None:
            transactions.answered(connector, TransactionId(word))
            answered.add(word)
        elif what == 2:
            transactions.reported(connector, word, status, at(0))
            reports.append((number, word))
        elif what == 3:
            transactions.stopped(None if word is None else TransactionId(word))
        else:
            transactions.status(connector, status)
        for known in map(ConnectorId, range(4)):
            usable = transactions.usable_id(known)
            if usable is not None and usable not in answered:
                assert reports.count((known, usable)) >= 2
                assert usable >= 1


# -- one id, two connectors --------------------------------------------------------------------------------------------


def both(transaction_id: int = 0) -> Transactions:
    """The same id was given twice: some central systems answer every StartTransaction with 0."""
    transactions = running(transaction_id)
    start(transactions, transaction_id, TWO)
    return transactions


def test_who_carries_an_id_is_known() -> None:
    transactions = both()
    assert transactions.carrying(TransactionId(0)) == [ONE, TWO]
    assert transactions.carrying(SEVEN) == transactions.carrying(None) == []
    transactions.requested(TWO, "tag", at(1))
    assert transactions.carrying(TransactionId(0)) == [ONE]
    assert transactions.carrying(None) == [], "what has no id shares none"


def test_a_stop_by_an_id_that_two_carry_is_decided_by_the_next_status() -> None:
    transactions = both()
    assert transactions.stopped(TransactionId(0)) is None
    assert not transactions.status(ONE, Status.CHARGING)
    assert transactions.status(TWO, Status.FINISHING)
    assert list(transactions.open()) == [ONE]
    assert not transactions.status(ONE, Status.FINISHING), "one stop ends one"
    assert transactions.stopped(TransactionId(0)) == ONE


def test_a_stop_by_an_id_that_two_carry_leaves_a_third_alone() -> None:
    transactions, three = both(), ConnectorId(3)
    start(transactions, 9, three)
    assert transactions.stopped(TransactionId(0)) is None
    assert not transactions.status(three, Status.FINISHING)
