"""The journal's facts, as far as a report needs them: when an episode was, and what was really done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ocpp_watchdog.analysis.nothing import NoFactsError
from ocpp_watchdog.report.model import Connector, Order, Report, Step

BEHIND_SECONDS = 120.0
"""A step may be told, and proved, so long after the order it is about was raised."""


def _read(url: str, ask: Callable[[Any], Any]) -> list[Any]:
    """Rows of one question to the database. Raises NoFactsError; a file that is not there is not made."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    from ocpp_watchdog.shell.journal import schema
    from ocpp_watchdog.shell.journal.store import parsed

    try:
        found = parsed(url)
        if found.get_backend_name() == "sqlite" and not (found.database and Path(found.database).is_file()):
            raise NoFactsError("no_database", place=str(found.database))
        engine = create_engine(found)
        try:
            with engine.connect() as connection:
                return list(connection.execute(ask(schema)))
        finally:
            engine.dispose()
    except (SQLAlchemyError, ValueError, ImportError) as error:
        raise NoFactsError("database", why=str(error).partition("\n")[0]) from None


def episode(url: str, number: int) -> tuple[str, float, float]:
    """Charge point, order and end of an episode (POSIX seconds; the end of an open one is when it opened). Raises
    NoFactsError."""
    from sqlalchemy import select

    rows = _read(url, lambda schema: select(schema.episodes).where(schema.episodes.c.id == number))
    if not rows:
        raise NoFactsError("no_episode", number=str(number))
    row = rows[0]
    return row.charge_point, row.ordered_utc, row.ended_utc if row.ended_utc is not None else row.opened_utc


Steps = dict[tuple[str, int], list[Step]]


def steps(url: str, begin: float, end: float) -> Steps:
    """What was really done, by charge point and connector, each try as it ended. Raises NoFactsError."""
    from sqlalchemy import select

    def ask(schema: Any) -> Any:
        table = schema.steps
        return select(table).where(table.c.decided_utc >= begin, table.c.decided_utc <= end).order_by(table.c.id)

    last: dict[tuple[str, int, str, float], Step] = {}
    for row in _read(url, ask):
        utc = row.sent_utc if row.sent_utc is not None else row.decided_utc
        number = int(row.transaction_id) if row.transaction_id and row.transaction_id.isdecimal() else None
        step = Step(row.kind, row.outcome, utc, 0.0, number, row.why)
        last[row.charge_point, row.connector, row.kind, row.decided_utc] = step
    found: Steps = {}
    for (charge_point, connector, _, _), step in last.items():
        found.setdefault((charge_point, connector), []).append(step)
    return found


def with_steps(report: Report, known: Steps) -> Report:
    """The report with the steps of the journal in place of those that were worked out from frames."""
    stations = tuple(
        replace(
            station,
            connectors=tuple(
                _connector(connector, known.get((station.charge_point, connector.connector), []))
                for connector in station.connectors
            ),
        )
        for station in report.stations
    )
    return replace(report, stations=stations)


def _connector(connector: Connector, known: list[Step]) -> Connector:
    return replace(connector, orders=tuple(_order(order, known) for order in connector.orders)) if known else connector


def _order(order: Order, known: list[Step]) -> Order:
    if order.episode is None:
        return order
    last = order.began + order.observed + BEHIND_SECONDS
    own = sorted((step for step in known if order.began <= step.utc <= last), key=lambda step: step.utc)
    if not own:
        return order
    told = tuple(replace(step, after=step.utc - order.began) for step in own)
    return replace(order, episode=replace(order.episode, steps=told))
