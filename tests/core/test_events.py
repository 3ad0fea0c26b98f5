"""Events are values: nobody who gets one can change it for somebody else."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from ocpp_watchdog.core.events import Answer, Answered, Event, OtherRequested, Request, TransactionRequested
from ocpp_watchdog.core.terms import ConnectorId, TransactionId


def test_event_is_a_request_or_an_answer() -> None:
    assert set(get_args(Event)) == {*get_args(Request), Answered}


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: str(kind.__name__))
def test_every_event_is_frozen_and_has_no_room_for_more(kind: type) -> None:
    assert is_dataclass(kind)
    event = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(event, fields(kind)[0].name, None)
    assert not hasattr(event, "__dict__")


def test_same_events_are_equal_and_different_ones_are_not() -> None:
    start = TransactionRequested(ConnectorId(1), "evcc", None, None)
    assert Answered(start, Answer.ACCEPTED, "Accepted", TransactionId(7)) == Answered(
        TransactionRequested(ConnectorId(1), "evcc", None, None), Answer.ACCEPTED, "Accepted", TransactionId(7)
    )
    assert Answered(start, Answer.REFUSED, "") != Answered(start, Answer.UNKNOWN, "")


def test_other_calls_are_readable_unless_said_otherwise() -> None:
    assert OtherRequested("Heartbeat") == OtherRequested("Heartbeat", readable=True)
    assert Answered(OtherRequested("Heartbeat"), Answer.ACCEPTED, "").transaction_id is None
