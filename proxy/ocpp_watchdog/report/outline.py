"""What stands in a report and in which order: the skeleton that Markdown and HTML dress, in one language.

Each part is plain text; whoever renders it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ocpp_watchdog.report.chart import svg
from ocpp_watchdog.report.model import Chart, Command, Connector, DeviceFact, Order, Outcome, Report, Station
from ocpp_watchdog.report.wording import Speaker, orders_with
from ocpp_watchdog.texts.catalogue import Language
from ocpp_watchdog.texts.reports import CAUSES

FAILED = (Outcome.VIOLATED, Outcome.DOUBTFUL, Outcome.NOT_FOLLOWED)
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order, said. css: a word for its looks."""

    number: int
    time: str
    label: str
    outcome: str
    css: str
    verdict: str
    answer: str
    evidence: str
    deadline: str
    remarks: tuple[str, ...]
    readings: tuple[str, ...]
    text: str
    repeats: str


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command, said."""

    time: str
    name: str
    answer: str
    text: str
    answer_text: str
    order: int | None
    is_ours: bool
    warning: str


@dataclass(frozen=True, slots=True)
class ConnectorPart:
    """One connector. drawing: its chart as SVG, empty when there is nothing to draw."""

    title: str
    drawing: str
    orders: tuple[OrderRow, ...]
    left_out: tuple[str, ...]
    energy: str


@dataclass(frozen=True, slots=True)
class StationPart:
    """One charge point."""

    title: str
    device: str
    worked: tuple[str, ...]
    failed: tuple[str, ...]
    undetermined: tuple[str, ...]
    connectors: tuple[ConnectorPart, ...]
    commands: tuple[CommandRow, ...]
    causes: tuple[str, ...]
    facts: tuple[DeviceFact, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """The whole report, said."""

    title: str
    made_by: str
    period: str
    sources: tuple[str, ...]
    result: str
    is_violated: bool
    stations: tuple[StationPart, ...]
    caveats: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]


def outline(report: Report, language: Language) -> Outline:
    """Say all of it."""
    speaker = Speaker(report, language)
    return Outline(
        title=speaker.say("title"),
        made_by=speaker.say("made_by", version=report.version),
        period=speaker.say(
            "period", begin=speaker.date_time(report.begin), end=speaker.date_time(report.end), zone=speaker.zone_name
        ),
        sources=tuple(
            speaker.say(
                "source", name=source.name, form=speaker.say(f"form_{source.form}"), lines=str(source.lines),
                frames=str(source.frames),
            )
            for source in report.sources
        ),
        result=speaker.result(report),
        is_violated=report.total(Outcome.VIOLATED) > 0,
        stations=tuple(_station(station, report, speaker) for station in report.stations),
        caveats=tuple(speaker.caveats(report.caveats)),
        settings=report.settings,
    )  # fmt: skip


def _station(station: Station, report: Report, speaker: Speaker) -> StationPart:
    return StationPart(
        title=speaker.say("station", charge_point=speaker.name(station)),
        device=speaker.device(station),
        worked=tuple(_listed(station, speaker, Outcome.OBEYED)),
        failed=tuple(_listed(station, speaker, *FAILED)),
        undetermined=tuple(_listed(station, speaker, Outcome.UNDETERMINED)),
        connectors=tuple(_connector(connector, station, report, speaker) for connector in station.connectors),
        commands=tuple(_command(command, speaker) for command in station.commands),
        causes=tuple(CAUSES[cause](speaker.language) for cause in station.causes),
        facts=station.facts,
        caveats=tuple(speaker.caveats(station.caveats)),
    )


def _listed(station: Station, speaker: Speaker, *outcomes: Outcome) -> Iterator[str]:
    """One line for each order, with its reason."""
    found = orders_with(station, *outcomes)
    is_named = len(station.connectors) > 1
    for connector, order in found[:MOST_LISTED]:
        where = f", {speaker.say('connector', connector=str(connector.connector))}" if is_named else ""
        word = speaker.outcome(order.outcome)
        yield f"{speaker.clock(order.began)}{where}: {speaker.label(order)}, {word}. {speaker.evidence(order)}".strip()
    if len(found) > MOST_LISTED:
        yield speaker.say("readings_more", count=str(len(found) - MOST_LISTED))


def _connector(connector: Connector, station: Station, report: Report, speaker: Speaker) -> ConnectorPart:
    title = speaker.say("connector", connector=str(connector.connector))
    name = f"{speaker.say('chart')}: {speaker.name(station)}, {title}"
    return ConnectorPart(
        title=title,
        drawing="" if connector.chart is None else _drawing(connector.chart, name, report, speaker),
        orders=tuple(_order(order, speaker) for order in connector.orders),
        left_out=tuple(
            speaker.say("left_out", count=str(count), outcome=speaker.outcome(outcome))
            for outcome, count in connector.left_out
        ),
        energy=speaker.against_orders(connector),
    )


def _drawing(chart: Chart, title: str, report: Report, speaker: Speaker) -> str:
    words = {
        "commanded": speaker.say("chart_commanded"),
        "measured": speaker.say("chart_measured", phase="{phase}"),
        "power": speaker.say("chart_power"),
        "ignored": speaker.say("chart_ignored"),
    }
    return svg(chart, title, words, report.zone_seconds)


def _order(order: Order, speaker: Speaker) -> OrderRow:
    return OrderRow(
        number=order.number,
        time=speaker.clock(order.began),
        label=speaker.label(order),
        outcome=speaker.outcome(order.outcome),
        css=order.outcome.value,
        verdict=" ".join(part for part in (order.verdict, order.severity) if part),
        answer=speaker.answer(order.answer, order.delay),
        evidence=speaker.evidence(order),
        deadline=speaker.deadline(order),
        remarks=tuple(speaker.remarks(order)),
        readings=tuple(speaker.readings(order)),
        text=order.text,
        repeats=speaker.say("repeats", count=str(order.commands)) if order.commands > 1 else "",
    )


def _command(command: Command, speaker: Speaker) -> CommandRow:
    return CommandRow(
        time=speaker.clock(command.utc),
        name=speaker.command(command),
        answer=speaker.answer(command.answer, command.delay),
        text=command.text,
        answer_text=command.answer_text,
        order=command.order,
        is_ours=command.ours,
        warning=speaker.say("danger", text=command.warning) if command.warning else "",
    )
