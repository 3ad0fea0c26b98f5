"""The newest thousand facts of the running program in memory, each also a log line; the journal has all."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

from ocpp_watchdog.core.decisions import FactKind, Record
from ocpp_watchdog.core.terms import ChargePointId
from ocpp_watchdog.texts.wording import masked

log = logging.getLogger(__name__)

KEPT = 1_000
SHOWN = 200
JOURNAL_ONLY = frozenset({FactKind.ORDER, FactKind.TRANSACTION, FactKind.SAMPLE})
"""What happens all the time: worth a row, not a line."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A record with the charge point it belongs to."""

    charge_point: ChargePointId
    record: Record


class Records:
    """The newest facts, oldest first."""

    def __init__(self, kept: int = KEPT) -> None:
        self.facts: deque[Fact] = deque(maxlen=kept)

    def keep(self, charge_point: ChargePointId, record: Record) -> None:
        """Keep one fact and write its line; those for the journal only are left to it."""
        if record.kind in JOURNAL_ONLY:
            return
        self.facts.append(Fact(charge_point, record))
        level = logging.WARNING if record.kind is FactKind.EPISODE_OPENED else logging.INFO
        text = masked(record.text)
        shown = text if len(text) <= SHOWN else text[:SHOWN] + " ..."
        log.log(level, "%s: %s", record.kind, shown, extra=_extra(charge_point, record))


def _extra(charge_point: ChargePointId, record: Record) -> dict[str, object]:
    extra: dict[str, object] = {"charge_point": charge_point, "connector": record.connector, "fact": str(record.kind)}
    if record.step is not None:
        extra |= {"step": str(record.step.kind), "outcome": str(record.step.outcome)}
        extra |= {"unique_id": record.step.unique_id, "transaction_id": record.step.transaction_id}
    if record.episode is not None:
        extra |= {"episode": record.episode.number, "energy_wh": round(record.episode.energy_wh, 1)}
    return extra
