"""CALLs that passed and wait for their answers, and which of those have to be read."""

from __future__ import annotations

from ocpp_watchdog.core.events import (
    ClearRequested,
    ConfigurationRequested,
    OtherRequested,
    ProfileRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    Request,
    ScheduleRequested,
    TransactionRequested,
    TriggerRequested,
)
from ocpp_watchdog.core.values import value

METER_VALUES = "MeterValues"


@value
class Asked:
    """A CALL that passed. key: the ledger's name for a command; unique ids are reused by some."""

    action: str
    request: Request
    key: str


UNREAD = Asked(METER_VALUES, OtherRequested(METER_VALUES), "")
ANSWER_MATTERS = (
    ProfileRequested,
    ClearRequested,
    ConfigurationRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    TransactionRequested,
    TriggerRequested,
    ScheduleRequested,
)
"""The answer to any other CALL closes it and changes nothing."""
