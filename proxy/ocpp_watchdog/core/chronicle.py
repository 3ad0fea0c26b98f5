"""What is kept of the central system's commands and of transactions: records made of what was heard.

Decides nothing and is told everything; the journal keeps the records, nobody else needs them.
"""

from __future__ import annotations

from dataclasses import replace

from ocpp_watchdog.core.decisions import FactKind, OrderRecord, Record, TransactionRecord
from ocpp_watchdog.core.events import (
    Answer,
    ClearRequested,
    ProfileRequested,
    RemoteStartRequested,
    RemoteStopRequested,
    Request,
)
from ocpp_watchdog.core.terms import WHOLE_CHARGE_POINT, ConnectorId, Moment, UniqueId
from ocpp_watchdog.core.transactions import Transaction
from ocpp_watchdog.core.units import Limit

ACTIONS: dict[type[Request], str] = {
    ProfileRequested: "SetChargingProfile",
    ClearRequested: "ClearChargingProfile",
    RemoteStartRequested: "RemoteStartTransaction",
    RemoteStopRequested: "RemoteStopTransaction",
}
"""The commands that are kept."""

MOST_OPEN = 256


class Chronicle:
    """Remembers the commands whose answer is awaited."""

    def __init__(self) -> None:
        self._open: dict[UniqueId, OrderRecord] = {}

    def requested(
        self, unique_id: UniqueId, request: Request, text: str, commanded: Limit | None, now: Moment
    ) -> list[Record]:
        """A CALL of the central system went out. commanded: the order after it."""
        action = ACTIONS.get(type(request))
        if action is None:
            return []
        order = OrderRecord(unique_id, action, connector_of(request), now, text, commanded)
        self._open.pop(unique_id, None)
        self._open[unique_id] = order
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return [_of_order(order, "requested", now)]

    def answered(self, unique_id: UniqueId, request: Request, answer: Answer, text: str, now: Moment) -> list[Record]:
        """It was answered."""
        order = self._open.pop(unique_id, None) if type(request) in ACTIONS else None
        if order is None:
            return []
        told = replace(order, answer=answer.value, answered=now, answer_text=text)
        return [_of_order(told, "answered", now)]


def transaction(
    connector: ConnectorId, found: Transaction | None, what: str, now: Moment, *, is_over: bool = False
) -> list[Record]:
    """Something became known of a transaction: what is a word for it, or the reason the charge point gives."""
    if found is None:
        return []
    stopped = now if is_over else None
    told = TransactionRecord(found.started, found.transaction_id, found.id_tag, found.answered, stopped)
    return [Record(FactKind.TRANSACTION, connector, now, what, subject=told)]


def _of_order(order: OrderRecord, what: str, now: Moment) -> Record:
    connector = WHOLE_CHARGE_POINT if order.connector is None else order.connector
    return Record(FactKind.ORDER, connector, now, what, subject=order)


def connector_of(request: Request) -> ConnectorId | None:
    """The connector a command names."""
    if isinstance(request, ClearRequested):
        return request.criteria.connector
    return request.connector if isinstance(request, ProfileRequested | RemoteStartRequested) else None
