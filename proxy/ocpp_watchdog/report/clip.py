"""A report about a part of the time that was read: what lies outside is left out, its verdicts stay what they are."""

from __future__ import annotations

from dataclasses import replace

from ocpp_watchdog.report.model import Chart, Connector, Order, Report, Span, Station


def clipped(report: Report, begin: float, end: float) -> Report:
    """The report between two moments (POSIX seconds): orders that stood then, commands that passed then."""
    stations = tuple(_station(station, begin, end) for station in report.stations)
    stations = tuple(station for station in stations if station.end >= begin)
    return replace(
        report,
        begin=max(begin, min((station.begin for station in stations), default=begin)),
        end=min(end, max((station.end for station in stations), default=end)),
        stations=stations,
    )


def _station(station: Station, begin: float, end: float) -> Station:
    return replace(
        station,
        begin=max(station.begin, begin),
        commands=tuple(command for command in station.commands if begin <= command.utc <= end),
        connectors=tuple(_connector(connector, begin, end) for connector in station.connectors),
    )


def _connector(connector: Connector, begin: float, end: float) -> Connector:
    orders = tuple(order for order in connector.orders if _stood(order, begin, end))
    chart = connector.chart
    return replace(connector, orders=orders, chart=None if chart is None else _chart(chart, begin, end))


def _stood(order: Order, begin: float, end: float) -> bool:
    return order.began <= end and order.began + order.observed >= begin


def _chart(chart: Chart, begin: float, end: float) -> Chart | None:
    first, last = max(chart.begin, begin), min(chart.end, end)
    before = [step for step in chart.commanded if step[0] < first][-1:]
    steps = [(max(utc, first), amperes) for utc, amperes in [*before, *chart.commanded] if utc <= last]
    steps = [step for number, step in enumerate(steps) if step[0] >= first and (number == 0 or step not in before)]
    phases = tuple((name, _spans(spans, first, last)) for name, spans in chart.phases)
    phases = tuple((name, spans) for name, spans in phases if spans)
    if first >= last or not (steps or phases):
        return None
    violations = tuple((max(a, first), min(b, last)) for a, b in chart.violations if b >= first and a <= last)
    return Chart(first, last, tuple(dict.fromkeys(steps)), phases, violations)


def _spans(spans: tuple[Span, ...], begin: float, end: float) -> tuple[Span, ...]:
    return tuple(span for span in spans if span.end >= begin and span.begin <= end)
