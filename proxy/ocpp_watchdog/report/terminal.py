"""The report in a few lines, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ocpp_watchdog.report.model import Order, Outcome, Report, Station
from ocpp_watchdog.report.wording import Speaker, orders_with
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import ANALYZE

MOST_LINES = 20
TOLD = (Outcome.VIOLATED, Outcome.DOUBTFUL, Outcome.NOT_FOLLOWED)


def summary(report: Report, language: Language) -> Iterator[str]:
    """Lines of text."""
    speaker = Speaker(report, language)
    for station in report.stations:
        yield from _station(station, speaker, language)
    for text in speaker.caveats(report.caveats):
        yield ANALYZE["caveat"](language, text=text)
    yield speaker.result(report)


def _station(station: Station, speaker: Speaker, language: Language) -> Iterator[str]:
    device = " ".join(part for part in (station.vendor, station.model, station.firmware) if part)
    name = speaker.name(station) + (f" ({device})" if device else "")
    total = sum(station.total(outcome) for outcome in Outcome)
    yield ANALYZE["head"](
        language, station=name, frames=str(station.frames), orders=str(total),
        duration=speaker.duration(station.end - station.begin),
    )  # fmt: skip
    told = orders_with(station, *TOLD)
    for _, order in told[:MOST_LINES]:
        yield ANALYZE["line"](
            language, when=speaker.date_time(order.began), label=speaker.label(order),
            outcome=speaker.outcome(order.outcome), evidence=_evidence(order, speaker),
        )  # fmt: skip
    if len(told) > MOST_LINES:
        yield ANALYZE["more"](language, count=str(len(told) - MOST_LINES))
    obeyed = station.total(Outcome.OBEYED)
    if obeyed:
        yield ANALYZE["count"](language, outcome=speaker.outcome(Outcome.OBEYED), count=str(obeyed))
    reasons = Counter(speaker.why(order) for _, order in orders_with(station, Outcome.UNDETERMINED))
    for why, count in reasons.most_common(MOST_LINES):
        outcome = speaker.outcome(Outcome.UNDETERMINED)
        yield ANALYZE["count_why"](language, outcome=outcome, count=str(count), why=why)
    for text in speaker.caveats(station.caveats):
        yield ANALYZE["caveat"](language, text=text)


def _evidence(order: Order, speaker: Speaker) -> str:
    points = [point for point in order.points if order.deadline is None or point.after > order.deadline]
    measured = f"{speaker.measured(points[0])}. " if points and order.is_stop else ""
    return measured + " ".join([speaker.evidence(order), *speaker.remarks(order)])
