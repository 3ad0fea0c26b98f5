"""Reads logs as ``analyze`` does, without files and terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ocpp_watchdog.analysis.survey import Survey
from ocpp_watchdog.core.devices import Recognise, nobody
from ocpp_watchdog.readers.log import Believed, LoggedFrame, LogNotes, LogReader
from ocpp_watchdog.readers.timeline import Timeline
from ocpp_watchdog.report.model import Explain, Order, Outcome, Report, nothing_known

Change = Callable[[LoggedFrame | Believed], LoggedFrame | Believed]
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
LOGS = SHARED / "corpus" / "logs"
ABSENT = "the corpus beside the repository (../shared) is absent"


def survey_of(
    *logs: Iterable[str],
    explain: Explain = nothing_known,
    change: Change | None = None,
    recognise: Recognise = nobody,
    language: str = "en",
) -> tuple[Report, list[LogNotes]]:
    """The report about these logs, and what was noted of each. change: made to each frame before it is judged."""
    survey, timeline, notes = Survey(recognise=recognise), Timeline(), []
    for number, lines in enumerate(logs, 1):
        reader = LogReader(f"log {number}", timeline)
        for item in reader.frames(lines):
            survey.feed(item if change is None else change(item))
        survey.read(reader.notes)
        notes.append(reader.notes)
    survey.finish()
    return survey.report("0.0.0", explain, language), notes


def report_of(text: str) -> Report:
    """The report about one log."""
    return survey_of(text.splitlines(keepends=True))[0]


def report_of_file(name: str) -> Report:
    """The report about a log of the corpus."""
    return report_of((LOGS / name).read_text("utf-8"))


def orders_of(report: Report) -> list[Order]:
    """All orders of all charge points, in order of time."""
    found = [order for station in report.stations for connector in station.connectors for order in connector.orders]
    return sorted(found, key=lambda order: (order.began, order.number))


def outcomes_of(report: Report) -> set[Outcome]:
    """The outcomes that occur."""
    return {order.outcome for order in orders_of(report)}
