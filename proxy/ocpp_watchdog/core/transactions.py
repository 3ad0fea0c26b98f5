"""Transactions per connector: which one is open, and which id may be used to stop it.

An id is *answered* (the CALLRESULT to StartTransaction passed through us) or *reported* (the same id in two
consecutive MeterValues while the connector charges or is suspended, not stopped since, from 1 to 2^31-1). Nothing else
is ever sent. Rules T1 to T8. Knows no limits and no samples.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from ocpp_watchdog.core.recent import Recent
from ocpp_watchdog.core.terms import ConnectorId, Moment, Status, TransactionId

LARGEST_REPORTED = 2**31 - 1
REMEMBERED_STOPS = 32
MOST_CONNECTORS = 64
"""Connectors of which a transaction is kept; more are nonsense."""

CHARGING_OR_SUSPENDED = frozenset({Status.CHARGING, Status.SUSPENDED_EV, Status.SUSPENDED_EVSE})
ENDED = frozenset({Status.AVAILABLE, Status.FINISHING, Status.PREPARING})


@dataclass(slots=True)
class Transaction:
    """An open transaction. transaction_id None: StartTransaction is not answered yet. answered: its id came with the
    CALLRESULT, else it is the id the charge point reports."""

    transaction_id: TransactionId | None
    started: Moment
    id_tag: str
    answered: bool


@dataclass(slots=True)
class _Report:
    transaction_id: TransactionId
    times: int


NOBODY: frozenset[ConnectorId] = frozenset()


class Transactions:
    """All connectors of one charge point."""

    NOT_REMEMBERED: ClassVar[dict[str, str]] = {}
    _open: dict[ConnectorId, Transaction]
    _reports: dict[ConnectorId, _Report]
    _stopped: Recent[TransactionId]
    _orphan_among: frozenset[ConnectorId]

    def __init__(self) -> None:
        self._open = {}
        self._reports = {}
        self._stopped = Recent(REMEMBERED_STOPS)
        self._orphan_among = NOBODY

    def current(self, connector: ConnectorId) -> Transaction | None:
        """The open transaction of the connector."""
        return self._open.get(connector)

    def open(self) -> dict[ConnectorId, Transaction]:
        """All open transactions, by connector."""
        return dict(self._open)

    def usable_id(self, connector: ConnectorId) -> TransactionId | None:
        """The id that may be sent in RemoteStopTransaction, None when there is none."""
        transaction = self._open.get(connector)
        return None if transaction is None else transaction.transaction_id

    def requested(self, connector: ConnectorId, id_tag: str, now: Moment) -> None:
        """StartTransaction: whatever ran on this connector is over."""
        self._reports.pop(connector, None)
        self._orphan_among -= {connector}  # a stop that came before it is not its own
        if self._has_room(self._open, connector):
            self._open[connector] = Transaction(None, now, id_tag, answered=False)

    def answered(self, connector: ConnectorId, transaction_id: TransactionId) -> None:
        """The CALLRESULT to StartTransaction gave the id (T1); any integer."""
        transaction = self._open.get(connector)
        if transaction is None:
            return  # stopped before it was answered (T6): nothing to supervise
        transaction.transaction_id = transaction_id
        transaction.answered = True
        if transaction_id in self._stopped:  # the id is given anew, e.g. always 0
            self._stopped.remove(transaction_id)

    def reported(
        self, connector: ConnectorId, transaction_id: int | None, status: Status | None, now: Moment
    ) -> TransactionId | None:
        """MeterValues carried this id. Give the id when this report made it usable, None otherwise (T2)."""
        transaction = self._open.get(connector)
        if transaction is not None and transaction.answered:
            return None
        has_room = self._has_room(self._open, connector) and self._has_room(self._reports, connector)
        if not has_room or not self._is_plausible(transaction_id, status):
            self._reports.pop(connector, None)
            return None
        known = TransactionId(transaction_id or 0)
        report = self._reports.get(connector)
        if report is None or report.transaction_id != known:
            self._reports[connector] = _Report(known, 1)
            return None
        report.times += 1
        if transaction is not None and transaction.transaction_id == known:
            return None
        started = transaction.started if transaction is not None else now
        id_tag = transaction.id_tag if transaction is not None else ""
        self._open[connector] = Transaction(known, started, id_tag, answered=False)
        return known

    def is_claimed(self, transaction_id: int | None) -> bool:
        """MeterValues name a transaction that may be running: a positive id that was not stopped."""
        return transaction_id is not None and transaction_id > 0 and transaction_id not in self._stopped

    def stopped(self, transaction_id: TransactionId | None) -> ConnectorId | None:
        """StopTransaction. Give the connector it belongs to: by id where one carries it, else the only open one if its
        id is in doubt, else None and the next StatusNotification decides (T3)."""
        if transaction_id is not None and transaction_id not in self._stopped:
            self._stopped.append(transaction_id)
        connector = self._connector_of(transaction_id)
        if connector is None:
            self._orphan_among = frozenset(self.carrying(transaction_id) or self._open)
            return None
        self._close(connector)
        return connector

    def status(self, connector: ConnectorId, status: Status | None) -> bool:
        """StatusNotification. True when it closed the transaction: Available always does (T8)."""
        if status is Status.AVAILABLE:
            self._reports.pop(connector, None)
        if connector not in self._open:
            return False
        if status is Status.AVAILABLE or (connector in self._orphan_among and status in ENDED):
            self._orphan_among = NOBODY
            self._close(connector)
            return True
        return False

    def _is_plausible(self, transaction_id: int | None, status: Status | None) -> bool:
        return (
            transaction_id is not None
            and 1 <= transaction_id <= LARGEST_REPORTED
            and status in CHARGING_OR_SUSPENDED
            and transaction_id not in self._stopped
        )

    def carrying(self, transaction_id: TransactionId | None) -> list[ConnectorId]:
        """The connectors whose open transaction has this id: more than one where a charge point or its central system
        always says the same, 0 for instance."""
        open_ids = ((connector, transaction.transaction_id) for connector, transaction in self._open.items())
        return [connector for connector, known in open_ids if known is not None and known == transaction_id]

    def _connector_of(self, transaction_id: TransactionId | None) -> ConnectorId | None:
        carrying = self.carrying(transaction_id)
        if len(carrying) == 1:
            return carrying[0]
        if len(self._open) != 1:
            return None
        connector, transaction = next(iter(self._open.items()))
        return connector if self._may_be_the_same(transaction, transaction_id) else None

    @staticmethod
    def _may_be_the_same(transaction: Transaction, stopped: TransactionId | None) -> bool:
        """Ids at or below 0 are placeholders and get mixed up (T4); two different real ids are two transactions: a
        StopTransaction that was queued offline must not end the one that runs now."""
        known = transaction.transaction_id
        return known is None or stopped is None or known <= 0 or stopped <= 0

    def _close(self, connector: ConnectorId) -> None:
        transaction = self._open.pop(connector)
        self._reports.pop(connector, None)
        self._orphan_among -= {connector}
        if transaction.transaction_id is not None and transaction.transaction_id not in self._stopped:
            self._stopped.append(transaction.transaction_id)

    @staticmethod
    def _has_room(known: Collection[ConnectorId], connector: ConnectorId) -> bool:
        return connector in known or len(known) < MOST_CONNECTORS
