"""Read what the journal remembers, beside a running proxy or without one. Changes nothing.

Times are POSIX seconds, both ends belong to the range, None is open. Everything comes oldest first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Engine, RowMapping, Table, create_engine, event, or_, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ocpp_watchdog.core.terms import Moment
from ocpp_watchdog.past import (
    PastEpisode,
    PastEvidence,
    PastNote,
    PastOrder,
    PastOwnerAction,
    PastSample,
    PastSession,
    PastStep,
    PastTransaction,
)
from ocpp_watchdog.shell.journal import schema
from ocpp_watchdog.shell.journal.names import day_of, folder_of, segments_in
from ocpp_watchdog.shell.journal.rows import clean
from ocpp_watchdog.shell.journal.store import StoreError, parsed, version_of

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Range:
    """What is wanted: of one charge point or (None) of all, from ``since`` to ``until``."""

    charge_point: str | None = None
    since: float | None = None
    until: float | None = None


ALL = Range()


class Past:
    """An open journal, to be read. Raises StoreError when it cannot be, and from every method."""

    def __init__(self, url: str) -> None:
        try:
            place = parsed(url)
        except ValueError as error:
            raise StoreError(str(error)) from None
        if place.get_backend_name() == "sqlite" and not Path(str(place.database)).is_file():
            raise StoreError(f"there is no journal at {place.database}")
        self._engine = _reader(place)
        try:
            with self._engine.connect() as connection:
                self._check(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            self.close()
            raise StoreError(_first_line(error)) from None
        except BaseException:
            self.close()
            raise

    def _check(self, connection: Connection) -> None:
        found = version_of(connection)
        if found != schema.HEAD:
            raise StoreError(f"its schema is {found or 'none'}, this program's is {schema.HEAD}: start the proxy once")

    def __enter__(self) -> Past:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    # -- what is there -------------------------------------------------------------------------------------------

    def charge_points(self) -> list[str]:
        """Every charge point that ever had a session, sorted."""
        column = schema.sessions.c.charge_point
        return sorted(row[column] for row in self._rows(select(column).distinct()))

    def sessions(self, wanted: Range = ALL) -> list[PastSession]:
        """Sessions that lasted at some time of the range."""
        table = schema.sessions
        return self._between(table, (table.c.began_utc, table.c.ended_utc), _session, wanted)

    def orders(self, wanted: Range = ALL) -> list[PastOrder]:
        """Commands requested in the range."""
        return self._within(schema.orders, schema.orders.c.requested_utc, _order, wanted)

    def transactions(self, wanted: Range = ALL) -> list[PastTransaction]:
        """Transactions that ran at some time of the range."""
        table = schema.transactions
        return self._between(table, (table.c.started_utc, table.c.stopped_utc), _transaction, wanted)

    def samples(self, wanted: Range = ALL) -> list[PastSample]:
        """Readings under a stop order that arrived in the range."""
        return self._within(schema.samples, schema.samples.c.at_utc, _sample, wanted)

    def episodes(self, wanted: Range = ALL) -> list[PastEpisode]:
        """Episodes that were open at some time of the range, from the order on."""
        table = schema.episodes
        return self._between(table, (table.c.ordered_utc, table.c.ended_utc), _episode, wanted)

    def steps(self, wanted: Range = ALL) -> list[PastStep]:
        """What became of steps in the range."""
        return self._within(schema.steps, schema.steps.c.at_utc, _step, wanted)

    def owner_actions(self, wanted: Range = ALL) -> list[PastOwnerAction]:
        """The owner's orders in the range."""
        return self._within(schema.owner_actions, schema.owner_actions.c.at_utc, _owner, wanted)

    def notes(self, wanted: Range = ALL) -> list[PastNote]:
        """Everything else in the range."""
        return self._within(schema.notes, schema.notes.c.at_utc, _note, wanted)

    # -- how -----------------------------------------------------------------------------------------------------

    def _within(
        self, table: Table, at: Column[Any], make: Callable[[RowMapping], _Value], wanted: Range
    ) -> list[_Value]:
        return self._between(table, (at, at), make, wanted)

    def _between(
        self, table: Table, span: tuple[Column[Any], Column[Any]], make: Callable[[RowMapping], _Value], wanted: Range
    ) -> list[_Value]:
        began, ended = span
        found = select(table).order_by(began, table.c.id)
        if wanted.charge_point is not None:
            found = found.where(table.c.charge_point == clean(wanted.charge_point))
        if wanted.since is not None:
            found = found.where(or_(ended.is_(None), ended >= wanted.since))
        if wanted.until is not None:
            found = found.where(began <= wanted.until)
        return [make(row) for row in self._rows(found)]

    def _rows(self, statement: Any) -> Sequence[RowMapping]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement).mappings().all()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(_first_line(error)) from None


def segments(frames: Path, charge_point: str, wanted: Range = ALL) -> list[Path]:
    """The segments of a charge point that may hold frames of the range, oldest first, packed (.gz) or not."""
    first, last = (None if utc is None else day_of(utc) for utc in (wanted.since, wanted.until))
    return [path for name, path in segments_in(frames / folder_of(charge_point)) if _is_between(name.day, first, last)]


def _is_between(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def _reader(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    file = Path(str(url.database)).resolve().as_uri() + "?mode=rw"
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(file, uri=True, timeout=5.0, isolation_level=None),
    )
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    return engine


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


# -- rows --------------------------------------------------------------------------------------------------------


def _moment(row: RowMapping, name: str) -> Moment:
    return Moment(row[f"{name}_utc"], row[f"{name}_mono"])


def _maybe(row: RowMapping, name: str) -> Moment | None:
    return None if row[f"{name}_utc"] is None else _moment(row, name)


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _session(row: RowMapping) -> PastSession:
    return PastSession(
        row["charge_point"], row["session"], row["peer"], _moment(row, "began"), _maybe(row, "ended"), row["reason"]
    )


def _order(row: RowMapping) -> PastOrder:
    same = ("charge_point", "connector", "unique_id", "action", "text", "amperes", "watts", "answer", "answer_text")
    return PastOrder(
        **{name: row[name] for name in same}, requested=_moment(row, "requested"), answered=_maybe(row, "answered")
    )


def _transaction(row: RowMapping) -> PastTransaction:
    same = ("charge_point", "connector", "id_tag", "answered", "reason")
    return PastTransaction(
        **{name: row[name] for name in same},
        transaction_id=_number(row["transaction_id"]),
        started=_moment(row, "started"),
        stopped=_maybe(row, "stopped"),
    )


def _sample(row: RowMapping) -> PastSample:
    same = ("charge_point", "connector", "timestamp", "verdict", "context", "amperes", "watts", "watt_hours")
    return PastSample(
        **{name: row[name] for name in same},
        at=_moment(row, "at"),
        transaction_id=_number(row["transaction_id"]),
        currents=(row["amperes_1"], row["amperes_2"], row["amperes_3"]),
    )


def _step(row: RowMapping) -> PastStep:
    same = ("charge_point", "connector", "episode_opened_utc", "kind", "outcome", "unique_id", "why", "forced")
    return PastStep(
        **{name: row[name] for name in same},
        at=_moment(row, "at"),
        decided=_moment(row, "decided"),
        sent=_maybe(row, "sent"),
        transaction_id=_number(row["transaction_id"]),
    )


def _episode(row: RowMapping) -> PastEpisode:
    same = (
        *("charge_point", "connector", "number", "order_text", "answer", "alarm_only", "remote_start_seen"),
        *("transaction_ended", "energy_wh", "energy_is_integrated", "ending", "schedule_evidence", "schedule_text"),
    )
    return PastEpisode(
        **{name: row[name] for name in same},
        opened=_moment(row, "opened"),
        ordered=_moment(row, "ordered"),
        ended=_maybe(row, "ended"),
        evidence=tuple(_evidence(found) for found in json.loads(row["evidence"] or "[]")),
    )


def _evidence(found: dict[str, Any]) -> PastEvidence:
    return PastEvidence(found["evidence"], Moment(found["utc"], found["mono"]), found["share"])


def _owner(row: RowMapping) -> PastOwnerAction:
    return PastOwnerAction(row["charge_point"], row["connector"], _moment(row, "at"), row["text"], row["who"])


def _note(row: RowMapping) -> PastNote:
    return PastNote(row["charge_point"], row["connector"], _moment(row, "at"), row["kind"], row["text"])
