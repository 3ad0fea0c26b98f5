"""Commands, transactions and readings under a stop order are told for the journal, each once when it happens."""

from __future__ import annotations

from station_kit import CONNECTED, SEVEN, Desk, moment

import examples
from ocpp_watchdog.core import chronicle
from ocpp_watchdog.core.chronicle import MOST_OPEN, Chronicle
from ocpp_watchdog.core.decisions import FactKind, OrderRecord, Record, TransactionRecord
from ocpp_watchdog.core.events import Answer, OtherRequested, RemoteStopRequested
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ConnectorId, UniqueId


def connected() -> Desk:
    desk = Desk()
    desk.connect()
    return desk


def orders(desk: Desk) -> list[OrderRecord]:
    subjects = [fact.subject for fact in desk.facts(FactKind.ORDER)]
    return [subject for subject in subjects if isinstance(subject, OrderRecord)]


def transactions(desk: Desk) -> list[tuple[str, TransactionRecord]]:
    facts = desk.facts(FactKind.TRANSACTION)
    return [(fact.text, fact.subject) for fact in facts if isinstance(fact.subject, TransactionRecord)]


def test_a_limit_is_told_with_its_frame_and_again_with_its_answer() -> None:
    desk = connected()
    desk.limit(6.0)
    asked, answered = orders(desk)
    assert (asked.action, asked.connector, asked.answer, asked.answered) == ("SetChargingProfile", 1, "", None)
    assert '"SetChargingProfile"' in asked.text
    assert asked.commanded is not None
    assert asked.commanded.amperes == 6.0
    assert (answered.answer, answered.unique_id, answered.requested) == ("accepted", asked.unique_id, asked.requested)
    assert answered.answered is not None
    assert answered.answer_text.startswith("[3,")


def test_a_refused_limit_and_an_unanswered_one_are_told_as_such() -> None:
    desk = connected()
    desk.limit(6.0, answer="Rejected")
    desk.limit(7.0, answer=None)
    assert [order.answer for order in orders(desk)] == ["", "refused", ""]


def test_clearing_and_remote_start_and_stop_are_commands_too() -> None:
    desk = connected()
    desk.asks(lambda name: examples.clear_limits(name, connectorId=1))
    desk.asks(examples.clear_limits, "Unknown")
    desk.asks(examples.remote_start)
    desk.asks(lambda name: examples.call(name, "RemoteStopTransaction", {"transactionId": 7}))
    told = [(order.action, order.connector) for order in orders(desk) if order.answer]
    assert told == [
        ("ClearChargingProfile", 1),
        ("ClearChargingProfile", None),
        ("RemoteStartTransaction", 1),
        ("RemoteStopTransaction", None),
    ]
    assert [fact.connector for fact in desk.facts(FactKind.ORDER)][2] == 0
    assert [order.answer for order in orders(desk)][3] == "unknown"


def test_a_transaction_is_told_when_it_begins_when_its_id_comes_and_when_it_ends() -> None:
    desk = connected()
    desk.plug()
    desk.stops()
    (_, begun), (_, known), (why, over) = transactions(desk)
    assert (begun.transaction_id, known.transaction_id, over.transaction_id) == (None, SEVEN, SEVEN)
    assert known.answered
    assert begun.stopped is None
    assert (over.started, why) == (begun.started, "Remote")
    assert over.stopped is not None


def test_a_transaction_ends_with_available_or_with_the_next() -> None:
    desk = connected()
    desk.plug()
    desk.plug(8)
    desk.status("Available")
    desk.status("Available")
    ended = [(why, told.transaction_id) for why, told in transactions(desk) if told.stopped]
    assert ended == [("another began", 7), ("available", 8)]


def test_a_transaction_that_only_the_charge_point_reports_is_told_once() -> None:
    desk = connected()
    desk.status("Charging")
    for t in (CONNECTED + 10, CONNECTED + 20, CONNECTED + 30):
        desk.meter(t, 6.5, transaction=7)
    ((word, told),) = transactions(desk)
    assert (word, told.transaction_id, told.answered) == ("reported", 7, False)


def test_readings_are_told_under_a_stop_order_only_each_with_what_it_says() -> None:
    desk = Desk()
    desk.ignored()
    told = desk.facts(FactKind.SAMPLE)
    assert [fact.text for fact in told] == ["", "", "", "over", "over"]
    assert all(isinstance(fact.subject, Reading) for fact in told)
    assert all(fact.at.mono > moment(0).mono for fact in told)


# -- alone -------------------------------------------------------------------------------------------------------


def test_what_is_no_command_and_what_was_never_asked_is_not_told() -> None:
    told = Chronicle()
    other, stop = OtherRequested("Heartbeat"), RemoteStopRequested(SEVEN)
    assert told.requested(UniqueId("1"), other, "", None, moment(0)) == []
    assert told.answered(UniqueId("1"), other, Answer.ACCEPTED, "", moment(0)) == []
    assert told.answered(UniqueId("1"), stop, Answer.ACCEPTED, "", moment(0)) == []
    assert chronicle.transaction(ConnectorId(1), None, "", moment(0)) == []


def test_commands_that_are_never_answered_are_forgotten_in_time() -> None:
    told, stop = Chronicle(), RemoteStopRequested(SEVEN)
    for number in range(MOST_OPEN + 1):
        told.requested(UniqueId(str(number)), stop, "", None, moment(number))
    assert told.answered(UniqueId("0"), stop, Answer.ACCEPTED, "", moment(0)) == []
    last: list[Record] = told.answered(UniqueId("256"), stop, Answer.REFUSED, "[3]", moment(300))
    assert len(last) == 1
