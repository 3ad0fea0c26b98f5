"""The report of a demo: what passed on the wallbox's line, through the same analysis as any log."""

from __future__ import annotations

from collections.abc import Iterable

from ocpp_watchdog import __version__
from ocpp_watchdog.analysis.known import explain
from ocpp_watchdog.analysis.survey import Survey
from ocpp_watchdog.core.terms import Direction, Moment
from ocpp_watchdog.readers.log import LoggedFrame
from ocpp_watchdog.report.model import Report
from ocpp_watchdog.simulator.transcript import LogEntry
from ocpp_watchdog.texts.catalogue import Language

OURS = '"wd-'
HEAD = 64


def report_of(entries: Iterable[LogEntry], end: Moment, zone_seconds: int, language: Language) -> Report:
    """The report about the messages of one charge point until ``end``, with times of this offset from UTC."""
    survey = Survey()
    for number, entry in enumerate(entries, 1):
        is_received = entry.way == "received"
        own = OURS in entry.text[:HEAD]
        survey.feed(
            LoggedFrame(
                entry.charge_point,
                Direction.TO_CHARGE_POINT if is_received else Direction.TO_CENTRAL_SYSTEM,
                entry.text,
                Moment(entry.utc, entry.mono),
                number,
                ours=own and is_received,
                withheld=own and not is_received,
            )
        )
    survey.finish(end)
    return survey.report(__version__, explain, language.value, zone_seconds=zone_seconds)
