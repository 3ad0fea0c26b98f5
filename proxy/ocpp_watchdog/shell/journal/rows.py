"""Facts as rows of the tables of ``schema``. Pure; knows no database.

A row with ``key`` stands once: it replaces what it says of an older one with the same values there, the rest stays.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ocpp_watchdog.core.decisions import (
    EpisodeView,
    EvidenceRecord,
    FactKind,
    OrderRecord,
    Record,
    StepRecord,
    TransactionRecord,
)
from ocpp_watchdog.core.measurements import Reading
from ocpp_watchdog.core.terms import ChargePointId, Moment

EPISODE_KEY = ("charge_point", "connector", "opened_utc")
ORDER_KEY = ("charge_point", "requested_utc", "unique_id")
TRANSACTION_KEY = ("charge_point", "connector", "started_utc")
LONGEST_TEXT = 65_536


@dataclass(frozen=True, slots=True)
class Row:
    """One row. key: the columns that name it, empty where every row is a new one."""

    table: str
    values: dict[str, Any]
    key: tuple[str, ...] = ()


def rows_of(charge_point: ChargePointId, record: Record) -> list[Row]:
    """The rows of one record, in the order they are to be written."""
    here = {"charge_point": clean(charge_point), "connector": _number(record.connector)}
    rows: list[Row] = []
    if record.episode is not None:
        rows.append(Row("episodes", here | _episode(record.episode), EPISODE_KEY))
    subject = record.subject
    if record.step is not None:
        rows.append(Row("steps", here | _step(record, record.step)))
    elif isinstance(subject, OrderRecord):
        rows.append(Row("orders", here | _order(subject), ORDER_KEY))
    elif isinstance(subject, TransactionRecord):
        rows.append(Row("transactions", here | _transaction(subject, record.text), TRANSACTION_KEY))
    elif isinstance(subject, Reading):
        rows.append(Row("samples", here | _sample(subject, record)))
    elif record.kind is FactKind.OWNER:
        said = here | moment("at", record.at) | {"text": clean(record.text), "who": clean(getattr(record, "who", ""))}
        rows.append(Row("owner_actions", said))
    elif record.kind not in {FactKind.EPISODE_OPENED, FactKind.EPISODE_CLOSED}:
        said = here | moment("at", record.at) | {"kind": record.kind.value, "text": clean(record.text)}
        rows.append(Row("notes", said))
    return rows


def session_began(charge_point: ChargePointId, session: str, peer: str, now: Moment) -> Row:
    """A charge point is connected."""
    said = {"session": session, "charge_point": clean(charge_point), "peer": clean(peer)}
    return Row("sessions", said | moment("began", now), ("session",))


def session_ended(charge_point: ChargePointId, session: str, reason: str, began: Moment, now: Moment) -> Row:
    """It is not any more."""
    said = {"session": session, "charge_point": clean(charge_point), "reason": clean(reason)}
    return Row("sessions", said | moment("began", began) | moment("ended", now), ("session",))


def remembered(charge_point: ChargePointId, memory: object, utc: float) -> Row:
    """What a restart needs of this charge point. Raises TypeError or ValueError when it is no JSON."""
    text = json.dumps(memory, separators=(",", ":"), allow_nan=False)
    return Row("memory", {"charge_point": clean(charge_point), "at_utc": utc, "text": text}, ("charge_point",))


def moment(name: str, at: Moment | None) -> dict[str, float | None]:
    """Both columns of a moment."""
    return {f"{name}_utc": None if at is None else at.utc, f"{name}_mono": None if at is None else at.mono}


def clean(text: str) -> str:
    """Text any database takes: no NUL, no lone surrogates, and not without end."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{SYMBOL FOR NULL}")


# -- one kind each -----------------------------------------------------------------------------------------------


def _episode(seen: EpisodeView) -> dict[str, Any]:
    said: dict[str, Any] = {
        "number": seen.number,
        "order_text": clean(seen.order_text),
        "answer": seen.answer,
        "deadline_mono": seen.deadline_mono,
        "alarm_only": seen.alarm_only,
        "remote_start_seen": seen.remote_start_seen,
        "transaction_ended": seen.transaction_ended,
        "energy_wh": seen.energy_wh,
        "energy_is_integrated": seen.energy_is_integrated,
        "ending": seen.ending.value if seen.ending is not None else "",
        "evidence": json.dumps([_evidence(found) for found in seen.evidence], separators=(",", ":")),
        "schedule_evidence": clean(seen.schedule_evidence),
        "schedule_text": clean(seen.schedule_text),
    }
    return moment("opened", seen.opened) | moment("ordered", seen.ordered) | moment("ended", seen.ended) | said


def _evidence(found: EvidenceRecord) -> dict[str, Any]:
    return {"evidence": found.evidence.value, "share": found.share, "measured_mono": found.measured_mono} | asdict(
        found.at
    )


def _step(record: Record, step: StepRecord) -> dict[str, Any]:
    episode = record.episode
    said = {
        "episode_opened_utc": None if episode is None else episode.opened.utc,
        "kind": step.kind.value,
        "outcome": step.outcome.value,
        "transaction_id": _id(step.transaction_id),
        "unique_id": step.unique_id or "",
        "why": clean(step.why),
        "forced": step.forced,
    }
    return moment("at", record.at) | moment("decided", step.decided) | moment("sent", step.sent) | said


def _order(order: OrderRecord) -> dict[str, Any]:
    said = {
        "connector": None if order.connector is None else _number(order.connector),
        "unique_id": clean(order.unique_id),
        "action": order.action,
        "text": clean(order.text),
        "amperes": None if order.commanded is None else _finite(order.commanded.amperes),
        "watts": None if order.commanded is None else _finite(order.commanded.watts),
        "answer": order.answer,
        "answer_text": clean(order.answer_text),
    }
    return moment("requested", order.requested) | moment("answered", order.answered) | said


def _transaction(told: TransactionRecord, why: str) -> dict[str, Any]:
    said = {
        "transaction_id": _id(told.transaction_id),
        "id_tag": clean(told.id_tag),
        "answered": told.answered,
        "reason": clean(why) if told.stopped is not None else "",
    }
    return moment("started", told.started) | moment("stopped", told.stopped) | said


def _sample(reading: Reading, record: Record) -> dict[str, Any]:
    first, second, third = reading.currents
    said = {
        "timestamp": reading.timestamp,
        "verdict": record.text,
        "context": clean(reading.context),
        "transaction_id": _id(reading.transaction_id),
        "amperes_1": first,
        "amperes_2": second,
        "amperes_3": third,
        "amperes": reading.current,
        "watts": reading.power,
        "watt_hours": reading.energy,
    }
    return moment("at", reading.arrived) | said


def _number(connector: int) -> int:
    """A connector as a database integer; what no charge point has is -1."""
    return connector if 0 <= connector < 2**31 else -1


def _id(transaction_id: int | None) -> str | None:
    return None if transaction_id is None else str(transaction_id)


def _finite(value: float) -> float | None:
    """No limit at all stands as unknown, not as infinity."""
    return value if value < float("inf") else None
